"""A classifier of patients (Mittermeier 2022: is the core large?): one probability and one truth a patient."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from StrokePredictLib import __version__
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.load import load_case
from StrokePredictLib.progress import Progress, silent
from StrokePredictLib.thresholds import volume_ml

from ..cohort.table import Patient
from ..data.cache import cache_folder
from ..data.labels import core_by_cbv, lesion_of
from ..data.maps import missing_maps
from ..spread.work import spread
from ..statistics.calibration import brier_score
from ..statistics.intervals import proportion
from ..statistics.roc import delong
from .patient import one_line
from .patients import FORMAT, facts_of
from .records import from_record, stamps, to_record
from .results import FACTS
from .sources import RECORD, Place, Source, maker

_NAN = float("nan")
#: Of a row that stands for a patient who could not be classified.
_NOTHING = {"probability": None, "true_ml": None, "large": None, "called_large": None}


@dataclass(frozen=True)
class Classified:
    """One row a patient.

    Attributes
    ----------
    source : Source
        The model.
    rows : tuple of dict
        ``patient``, ``method``, ``fold``, `FACTS`, ``probability``, ``true_ml``, ``limit_ml``, ``large``,
        ``called_large`` and ``note``; None where undefined.
    simulated : bool
        Whether anybody of them was simulated.
    """

    source: Source
    rows: tuple[dict[str, Any], ...]
    simulated: bool = False

    @property
    def labels(self) -> np.ndarray:
        """Whether the core is large, 1 or 0, NaN where unknown."""
        return np.array([_NAN if row["large"] is None else float(row["large"]) for row in self.rows])

    @property
    def probabilities(self) -> np.ndarray:
        """The model's answers, NaN where there is none."""
        values = (row["probability"] for row in self.rows)
        return np.array([_NAN if value is None else value for value in values], np.float64)

    @property
    def called(self) -> np.ndarray:
        """Whether the model calls the core large at its threshold, 1 or 0, NaN where there is no answer."""
        return np.where(np.isnan(self.probabilities), _NAN, self.probabilities >= self.source.threshold)

    @property
    def folds(self) -> list[int]:
        """The folds that there are."""
        return sorted({row["fold"] for row in self.rows if row["fold"] is not None})


def classify_patients(
    patients: Iterable[Patient],
    source: Source,
    ledger: Path | str,
    *,
    cache: Path | str | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> Classified:
    """Return every patient's probability beside the truth, measured anew from the outline or the CBV map.

    Parameters
    ----------
    patients : iterable of Patient
        Of the cohort; those whom the source does not name are left aside.
    source : Source
        A classifier's; ``limit_ml`` of its places says from which volume a core is large.
    ledger, cache, scheduler, workers, progress
        See `patients.evaluate_patients`.

    Raises
    ------
    StrokeError
        If nobody is left.
    """
    chosen = sorted((p for p in patients if p.id in source.places), key=lambda patient: patient.id)
    if not chosen:
        raise StrokeError("none of the cohort's patients is a test patient of this run or model; name another cohort.")
    common = {"target": source.target, "truth": source.truth, "cache": str(cache_folder(cache))}
    items = {
        p.id: common
        | {"patient": to_record(p), "place": source.places[p.id].record()}
        | {"stamp": [FORMAT, __version__, stamps(p, *source.places[p.id].files())]}
        for p in chosen
    }
    outcome = spread(
        "StrokeTrainLib.evaluation.classification:classify_one", items, ledger=ledger, scheduler=scheduler,
        workers=workers, progress=progress,
    )  # fmt: skip
    found = outcome.skipped | outcome.done
    rows = []
    for patient in chosen:
        why = outcome.failed.get(patient.id, "Not scored: it was stopped before.")
        rows.append(_row(patient, source, found.get(patient.id) or {"note": why}))
    return Classified(source, tuple(rows), any(patient.simulated for patient in chosen))


def classify_one(
    patient: dict[str, Any], target: str, truth: str, place: dict[str, Any], cache: str, stamp: Any
) -> dict[str, Any]:
    """Return one patient's ``probability``, ``true_ml`` and ``note``; ``stamp`` makes a changed file a new item."""
    whom, where = from_record(patient), Place(**place)
    notes, found = [where.why], dict.fromkeys(("probability", "true_ml"))
    try:
        found["true_ml"] = _true_ml(whom, target, truth, Path(cache))
    except StrokeError as error:
        notes.append(one_line(error))
    if not where.why:
        try:
            found["probability"] = _probability(where)
        except StrokeError as error:
            notes.append(one_line(error))
    return found | {"note": " ".join(note for note in notes if note)}


def _true_ml(patient: Patient, target: str, truth: str, cache: Path) -> float:
    maps = missing_maps(patient, ("cbv",), cache) if truth == "cbv" else {}
    # Loaded as for training: the series decides on the grid, and a patient may have no other image.
    case = load_case(**patient.load_arguments, files=maps, with_series=True)
    case.patient = patient.id
    return volume_ml(core_by_cbv(case) if truth == "cbv" else lesion_of(patient, target, case))


def _probability(place: Place) -> float:
    path = Path(place.folder) / RECORD
    made_by = maker(path, place.model)
    if made_by is None:
        raise StrokeError(f"No prediction: {path.parent.name}/{RECORD} tells nothing of model '{place.model}'.")
    if place.sha256 and made_by != place.sha256:
        raise StrokeError(f"The prediction in {path.parent.name} was made by another model ({made_by[:16]}…).")
    record = json.loads(path.read_text(encoding="utf-8"))
    found = next((item for item in record.get("classifications", ()) if item["name"] == place.model), {})
    value = found.get("probability")
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise StrokeError(f"{path.parent.name}/{RECORD}: holds no probability between 0 and 1.")
    return float(value)


def _row(patient: Patient, source: Source, found: Mapping[str, Any]) -> dict[str, Any]:
    place, facts = source.places[patient.id], facts_of(patient)
    probability, true_ml, limit = found.get("probability"), found.get("true_ml"), place.limit_ml
    row = {"patient": patient.id, "method": source.name, "fold": place.fold} | {name: facts[name] for name in FACTS}
    row |= _NOTHING | {"probability": probability, "true_ml": true_ml, "limit_ml": limit}
    row["large"] = None if true_ml is None or limit is None else int(true_ml > limit)
    row["called_large"] = None if probability is None else int(probability >= source.threshold)
    unknown = "From which volume a core is large is not known." if limit is None and not place.why else ""
    return row | {"note": " ".join(note for note in (found["note"], unknown) if note)}


def summarise_classifier(found: Classified, *, seed: int = 0) -> dict[str, Any]:
    """Return a classifier's statistics over all patients, and fold by fold.

    AUC with DeLong's interval, accuracy, sensitivity and specificity at the model's threshold with Wilson's, Brier
    score with an interval from drawing patients.
    """
    folds = np.array([row["fold"] or 0 for row in found.rows])
    everybody = np.ones(len(found.rows), bool)
    parts = {str(fold): _figures(found, folds == fold, seed) for fold in found.folds}
    areas = [part["auc"]["value"] for part in parts.values() if np.isfinite(part["auc"]["value"])]
    notes = [f"{row['patient']}: {row['note']}" for row in found.rows if row["note"]]
    return {
        "target": found.source.target, "task": "classification", "method": found.source.name,
        "title": found.source.title, "threshold": found.source.threshold, "patients": len(found.rows),
        "scored": int((np.isfinite(found.labels) & np.isfinite(found.probabilities)).sum()),
        "simulated": found.simulated, "overall": _figures(found, everybody, seed), "folds": parts,
        "auc_over_folds": {
            "mean": float(np.mean(areas)) if areas else _NAN,
            "sd": float(np.std(areas, ddof=1)) if len(areas) > 1 else _NAN, "folds": len(areas),
        },
        "notes": notes,
    }  # fmt: skip


def _figures(found: Classified, mask: np.ndarray, seed: int) -> dict[str, Any]:
    labels, values, called = found.labels[mask], found.probabilities[mask], found.called[mask]
    limits = {row["limit_ml"] for row, kept in zip(found.rows, mask, strict=True) if kept}
    told = {"patients": int(mask.sum()), "positives": int(np.nansum(labels)), "limit_ml": None}
    if len(limits) == 1:
        told["limit_ml"] = limits.pop()
    told |= {"auc": asdict(delong(labels, values)), "brier": asdict(brier_score(labels, values, seed=seed))}
    counts = operating_counts(labels, called)
    return told | {name: asdict(proportion(right, total)) for name, (right, total) in counts.items()}


def operating_counts(labels: Sequence[float], called: Sequence[float]) -> dict[str, tuple[int, int]]:
    """Return (right, of how many) for accuracy, sensitivity and specificity over patients with both values."""
    labels, called = np.asarray(labels, np.float64), np.asarray(called, np.float64)
    known = np.isfinite(labels) & np.isfinite(called)
    large, said = labels[known] > 0.5, called[known] > 0.5
    right = large == said
    groups = {"accuracy": np.ones(large.size, bool), "sensitivity": large, "specificity": ~large}
    return {name: (int(right[mask].sum()), int(mask.sum())) for name, mask in groups.items()}
