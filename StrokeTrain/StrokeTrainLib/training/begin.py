"""A run's beginning: who takes part, who is in which part, and all of it written down before the first step."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models.bundle import Bundle
from StrokePredictLib.progress import Progress, part, silent
from StrokePredictLib.provenance import provenance
from StrokePredictLib.threads import available_threads

from ..build import probe, settle
from ..cohort.index import index_cohort
from ..cohort.locked import kept_out
from ..cohort.select import Selection, select
from ..cohort.splits import Splits, check_classes, make_splits
from ..cohort.table import Cohort, Patient
from ..data import Entry, cache_folder, label_limit
from ..data.maps import quality_notes
from ..data.samples import samples_of, without_lesion
from ..recipes.schema import Recipe
from .ancestry import lineage
from .initial import only_for_training, open_initial
from .plan import Plan, fingerprint
from .preparation import prepare_all
from .ranks import own_device, world_size
from .run_folder import RunFolder

PACKAGES = ("torch", "monai", "pytorch-ignite", "safetensors")


@dataclass(frozen=True)
class Options:
    """What is chosen besides the recipe.

    Attributes
    ----------
    data : Path, optional
        The cohort; a run that is gone on with knows its own.
    seed : int, optional
        Of all randomness; 0 if left out.
    device : str
        ``auto``, ``cuda``, ``mps`` or ``cpu``.
    init : str, optional
        A model to start from.
    cache : Path, optional
        Folder of prepared patients.
    workers : int, optional
        Processes that make batches; on a CPU none, on a GPU as many as there are threads, up to 8.
    threads : int, optional
        Of every computation; all that the process may use if left out.
    scheduler : str, optional
        Address of a dask scheduler.
    """

    data: Path | None = None
    seed: int | None = None
    device: str = "auto"
    init: str | None = None
    cache: Path | None = None
    workers: int | None = None
    threads: int | None = None
    scheduler: str | None = None


def begin(
    recipe: Recipe, options: Options, folder: RunFolder, progress: Progress = silent
) -> tuple[Plan, dict[str, Entry]]:
    """Select, prepare and split the cohort, and write the run down.

    Raises
    ------
    StrokeError
        If the cohort, the model to start from, or the options cannot be used.
    """
    recipe, notes = settle(recipe)
    probe(recipe)
    initial = _initial(recipe, options)
    cohort = index_cohort(options.data, progress=part(progress, 0.0, 0.1))
    wanted = recipe.selection
    selection = select(
        cohort, recipe.needs, recipe.target if recipe.needs_label else None,
        rules=None if wanted.exclusions == "none" else wanted.exclusions,
        course=None if wanted.reperfusion == "any" else wanted.reperfusion, course_rule=wanted.rule,
        progress=part(progress, 0.1, 0.2),
    )  # fmt: skip
    cache = cache_folder(options.cache)
    entries, failed = prepare_all(
        selection.kept, recipe, cache, part(progress, 0.2, 1.0), data=Path(options.data),
        ledger=folder.path / "prepared", scheduler=options.scheduler, workers=options.threads,
    )  # fmt: skip
    kept = [patient for patient in selection.kept if patient.id in entries]
    if not kept:
        raise StrokeError(f"{options.data}: no patient can be prepared; the first: {next(iter(failed.values()))}")
    left_out = [*(reason for _, reason in selection.excluded), *failed.values()]
    splits, said = _split(recipe, options, kept, entries, initial, left_out)
    facts = _facts(recipe, options, cohort, kept, initial) | {
        "cache": str(cache),
        "selection": selection.record(),
        "unusable": failed,
        "notes": [*notes, *selection.notes, *splits.notes, *said, *quality_notes(kept, recipe.uses, cache)],
    }
    _require_somebody(selection, failed, splits)
    plan = Plan(folder, facts, recipe, splits, {patient.id: patient for patient in kept})
    facts["notes"] += _require_samples(plan, entries)
    folder.write(facts, recipe.model_dump_json(indent=1), splits.to_json())
    return plan, entries


def _initial(recipe: Recipe, options: Options) -> Bundle | None:
    if options.init:
        return open_initial(options.init, recipe)
    if recipe.training.init == "required":
        raise StrokeError(f"recipe '{recipe.name}' starts from a trained model; name it with --init MODEL.")
    return None


def _split(
    recipe: Recipe,
    options: Options,
    kept: Sequence[Patient],
    entries: Mapping[str, Entry],
    initial: Bundle | None,
    left_out: Sequence[str],
) -> tuple[Splits, list[str]]:
    """Return the splits, and sentences about parts without a lesion or patients whom the initial model has seen."""
    known = only_for_training(initial, list(kept), recipe.target) if initial else []
    seed = options.seed or 0
    volumes = {name: entry.lesion_ml for name, entry in entries.items()}
    try:
        splits = make_splits(
            kept, recipe.split.scheme, seed, stratify=recipe.split.stratify, volumes=volumes,
            locked=recipe.split.locked, calibration=recipe.split.calibration, train_only=known, excluded=left_out,
            kept_out=kept_out(options.data),
        )  # fmt: skip
    except StrokeError as error:
        raise StrokeError(f"{error}{_why_known(initial, known, kept)}") from error
    said = check_classes(splits, {name: volume > 0 for name, volume in volumes.items()})
    if recipe.training.part == "validation":
        _require_lesions(splits, volumes)
    if known:
        said.append(f"{len(known)} patients are for training only: the model to start from knows them.")
    return splits, said


def _why_known(initial: Bundle | None, known: Sequence[str], kept: Sequence[Patient]) -> str:
    """Return in words why patients train only, to be put after an error; empty where none does for the model's sake."""
    if not known:
        return ""
    said = f" {len(known)} of {len(kept)} patients train only: '{initial.card.name}' (--init) has seen them"
    if any(patient.simulated and patient.person == patient.id for patient in kept):
        return (
            f"{said}, or others of the same name: simulated cohorts name their patients alike. Simulate this one anew "
            "from another seed, which tells them apart (column 'person')."
        )
    return f"{said}, or their outlines began as its predictions; take other patients or leave out --init."


def _require_lesions(splits: Splits, volumes: Mapping[str, float]) -> None:
    """Raise `StrokeError` where fine-tuning would learn from a validation part without any lesion."""
    for number, fold in enumerate(splits.folds, 1):
        if not any(volumes[name] > 0 for name in fold.validation):
            raise StrokeError(
                f"fold {number}: none of the {len(fold.validation)} patients of the validation part, from which this "
                "recipe learns, has a lesion; choose another seed or more patients."
            )


def _facts(
    recipe: Recipe, options: Options, cohort: Cohort, kept: Sequence[Patient], initial: Bundle | None
) -> dict[str, Any]:
    """Return what ``run.json`` holds of the options, the cohort and the model to start from."""
    files = {patient.id: fingerprint(patient) for patient in kept}
    # Workers of a scheduler are other machines, with devices and cores of their own.
    device = options.device if options.scheduler else own_device(options.device).type
    threads = options.threads or (None if options.scheduler else available_threads())
    seed = options.seed or 0
    told = json.dumps([recipe.name, seed, {name: sorted(f) for name, f in files.items()}], sort_keys=True)
    salt = initial.card.training.salt if initial else hashlib.sha256(told.encode()).hexdigest()[:16]
    init = None
    if initial is not None:
        folder = str(initial.folder.absolute())
        init = {"name": initial.card.name, "folder": folder, "sha256": initial.sha256}
        init["patient_hashes"] = initial.card.training.patient_hashes
        init["ancestors"] = sorted(lineage(initial).hashes)
        init["demonstration"] = initial.card.demonstration
    return {
        "begun": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "data": str(Path(options.data).absolute()),
        "seed": seed,
        "device": device,
        "threads": threads,
        "workers": (min(8, threads or 1) if device == "cuda" else 0) if options.workers is None else options.workers,
        "world": world_size(),
        "salt": salt,
        "simulated": any(patient.simulated for patient in kept),
        "init": init,
        "files": files,
        "cohort": hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest(),
        "provenance": provenance({}, {"recipe": recipe.name}, *PACKAGES),
    }


def _require_samples(plan: Plan, entries: Mapping[str, Entry]) -> list[str]:
    """Make every fold's list of samples; return sentences about validation parts that show no lesion.

    Raises
    ------
    StrokeError
        If a part has nothing to show, or a classifier's training part has one class only.
    """
    said = []
    for fold in range(1, plan.folds + 1):
        train, validation = ([entries[name] for name in part] for part in plan.parts(fold))
        label_limit(train, plan.recipe)
        how = {"seed": plan.facts["seed"], "fold": fold, "epoch": 1}
        samples_of(train, plan.recipe, training=True, **how)
        if not validation:
            continue
        samples_of(validation, plan.recipe, training=False, **how)
        if without_lesion(validation, plan.recipe):
            said.append(
                f"fold {fold}: no section of its {len(validation)} validation patients shows a lesion; all their brain "
                "sections are validated on instead."
            )
    return said


def _require_somebody(selection: Selection, failed: Mapping[str, str], splits: Splits) -> None:
    for number, fold in enumerate(splits.folds, 1):
        if not fold.train or not fold.test:
            raise StrokeError(
                f"fold {number} has {len(fold.train)} patients to train and {len(fold.test)} to test; choose fewer "
                f"folds ({len(selection.excluded) + len(failed)} patients were excluded)."
            )
