"""Whose predictions are scored, where they lie, and for whom a model may not be tested."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models.bundle import Bundle, open_bundle

from ..cohort.splits import Splits
from ..cohort.table import Patient
from ..training.run_folder import RunFolder
from .lineage import lineage, refusal

RECORD = "prediction.json"


@dataclass(frozen=True)
class Place:
    """Where one patient's prediction lies.

    Attributes
    ----------
    folder : str
        Holds ``mask_NAME``, ``prob_NAME`` and ``prediction.json``.
    model : str
        NAME in the files' names.
    sha256 : str
        Of the model that must have made it; empty: not checked.
    fold : int or None
        Of a cross-validation, from 1.
    limit_ml : float or None
        Of a core classifier: core volume above which a patient is positive, the median of that fold's training part.
    why : str
        Why there is nothing to score, one sentence; empty where there is.
    """

    folder: str = ""
    model: str = ""
    sha256: str = ""
    fold: int | None = None
    limit_ml: float | None = None
    why: str = ""

    def record(self) -> dict[str, Any]:
        """Return the fields as JSON can carry them."""
        return asdict(self)

    def files(self) -> list[Path]:
        """Return the files that a score of this prediction depends on."""
        if not self.folder or self.why:
            return []
        names = [RECORD, *(f"{kind}_{self.model}{end}" for kind in ("mask", "prob") for end in (".nii.gz", ".nrrd"))]
        return [Path(self.folder) / name for name in names]


@dataclass(frozen=True)
class Source:
    """One model's predictions, a row a patient.

    Attributes
    ----------
    name, title : str
        ``method`` in the table (unique there), and as written in tables and figures.
    places : dict of str to Place
        By patient. Who is not in it is no patient of this source and gets no row.
    task : str
        ``"segmentation"`` or ``"classification"``.
    target : str
        Which outline is the truth.
    truth : str
        ``"outline"``, or of a core classifier ``"cbv"``: the truth is the volume by the CBV rule.
    threshold : float
        Probability from which a voxel, or a patient, is called positive.
    facts : dict
        What the report says of it: recipe, network, folds, seeds.
    calibration : dict or None
        The model's conformal calibration (`StrokePredictLib.models.calibration.Calibration`), if it has one.
    """

    name: str
    title: str
    places: Mapping[str, Place]
    task: str = "segmentation"
    target: str = "final-infarct"
    truth: str = "outline"
    threshold: float = 0.5
    facts: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, Any] | None = None


def from_run(
    run: Path | str, patients: Iterable[Patient], *, name: str | None = None, title: str | None = None,
    distinct: bool = False,
) -> Source:
    """Return the out-of-fold predictions of a training run: every patient by the fold that had not seen them.

    Parameters
    ----------
    run : path-like
        The run's folder.
    patients : iterable of Patient
        Of the cohort that it was trained on.
    name, title : str, optional
        The recipe's if left out.
    distinct : bool
        The patients are known to be other people than those of the same names whom a model has seen.

    Raises
    ------
    StrokeError
        If it is no run of ours, or no fold is finished.
    """
    from ..recipes import load_recipe

    folder = RunFolder(Path(run))
    facts, recipe, splits = folder.read(), load_recipe(folder.recipe), Splits.load(folder.splits)
    known = {patient.id: patient for patient in patients}
    places: dict[str, Place] = {}
    finished = 0
    for number, fold in enumerate(splits.folds, 1):
        model, limit = _fold_model(folder.fold(number))
        finished += model is not None
        for identifier in fold.test:
            if identifier in known:
                places[identifier] = _fold_place(
                    folder.fold(number), number, model, limit, known[identifier], recipe.target, distinct
                )
    if not finished:
        raise StrokeError(f"{folder.path}: no fold is finished; go on with it (stroke train --resume).")
    return Source(
        name or recipe.name, title or recipe.title, dict(sorted(places.items())), recipe.task, recipe.target,
        "outline" if recipe.needs_label else "cbv", recipe.threshold,
        {"kind": "out-of-fold", "run": folder.path.name, "folds": len(splits.folds), "finished": finished,
         "seed": facts["seed"], "recipe": recipe.name},
    )  # fmt: skip


def training_notes(run: Path | str) -> list[str]:
    """Return what a run noted when it was begun, in its folds (such as that a network collapsed), and at its end."""
    folder = RunFolder(Path(run))
    told = list(folder.read().get("notes", []))
    for path in [folder.fold(n) / "scores.json" for n in range(1, len(Splits.load(folder.splits).folds) + 1)]:
        told += _notes_in(path)
    return list(dict.fromkeys([*told, *_notes_in(folder.path / "summary.json")]))


def _notes_in(path: Path) -> list[str]:
    try:
        return list(json.loads(path.read_text(encoding="utf-8")).get("notes", []))
    except (OSError, ValueError):
        return []  # not finished: said of its patients


def _fold_model(folder: Path) -> tuple[Bundle | None, float | None]:
    """Return a finished fold's model and its limit of a large core; None where the fold is not finished."""
    try:
        scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None, None
    return open_bundle(folder / "bundle"), scores.get("label_above")


def _fold_place(
    folder: Path, number: int, model: Bundle | None, limit: float | None, patient: Patient, target: str, distinct: bool
) -> Place:
    if model is None:
        return Place(fold=number, why=f"No prediction: fold {number} is not finished.")
    place = Place(str((folder / "predictions" / patient.id).absolute()), model.card.name, model.sha256, number, limit)
    return checked(place, refusal(model, lineage(model), patient, target, distinct=distinct))


def from_model(
    model: Path | str | Bundle, predictions: Path | str, patients: Sequence[Patient], *, name: str | None = None,
    title: str | None = None, distinct: bool = False, truth: str = "outline", limit_ml: float | None = None,
) -> Source:
    """Return a finished model's predictions of patients whom it has not seen.

    Parameters
    ----------
    model : path-like or Bundle
        Name of a model at hand, or a bundle's folder.
    predictions : path-like
        As ``stroke predict COHORT -o DIR`` leaves it: a folder a patient.
    patients : sequence of Patient
        Whom to test.
    name, title : str, optional
        The model's if left out.
    distinct : bool
        See `from_run`.
    truth, limit_ml
        Of a core classifier; see `Source` and `Place`.

    Raises
    ------
    StrokeError
        If there is no such model, or it may test none of the patients.
    """
    from StrokePredictLib.models.bundle import find_bundle

    bundle = model if isinstance(model, Bundle) else open_bundle(find_bundle(str(model)))
    card, known = bundle.card, lineage(bundle)
    places = {}
    for patient in sorted(patients, key=lambda patient: patient.id):
        place = Place(str(Path(predictions).absolute() / patient.id), card.name, bundle.sha256, None, limit_ml)
        places[patient.id] = checked(place, refusal(bundle, known, patient, card.target, distinct=distinct))
    refused = [place.why for place in places.values() if place.why]
    if refused and len(refused) == len(places):
        raise StrokeError(f"model '{card.name}' may test none of the {len(places)} patients. {refused[0]}")
    return Source(
        name or card.name, title or card.title, places,
        "classification" if card.output == "probability" else "segmentation", card.target, truth, card.threshold,
        {"kind": "external", "model": card.name, "sha256": bundle.sha256, "demonstration": card.demonstration,
         "seed": card.training.seed},
        card.calibration.model_dump() if card.calibration else None,
    )  # fmt: skip


def checked(place: Place, why: str) -> Place:
    """Return the place, or one that says why there is nothing to score."""
    return place if not why else Place(fold=place.fold, model=place.model, sha256=place.sha256, why=why)


def maker(path: Path, model: str) -> str | None:
    """Return the hash of the model that made a prediction, as its record says; None where there is no such record."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        made = [*record.get("models", ()), *record.get("classifications", ())]
        return next((item["sha256"] for item in made if item["name"] == model), None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
