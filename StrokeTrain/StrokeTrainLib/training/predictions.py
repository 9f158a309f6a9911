"""What a fold's model says of patients that it has not seen, on their own grids, and how well it did."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from StrokePredictLib.case import StrokeCase
from StrokePredictLib.inference import Prediction, predict
from StrokePredictLib.inference.classify import classify
from StrokePredictLib.io.output import staged_folder, write_text
from StrokePredictLib.models.bundle import Bundle
from StrokePredictLib.networks.course import Course
from StrokePredictLib.predict_job import write_predictions
from StrokePredictLib.progress import Progress, silent
from StrokePredictLib.thresholds import volume_ml
from StrokePredictLib.volume import Volume

from ..cohort.votes import truth
from ..data.courses import course_of
from ..data.labels import core_by_cbv
from ..data.patients import patient_case

if TYPE_CHECKING:
    from ..cohort.table import Patient
    from ..recipes.schema import Recipe

RECORD = "prediction.json"


def predict_patients(
    patients: Iterable[Patient],
    bundle: Bundle,
    recipe: Recipe,
    cache: Path,
    *,
    folder: Path | None = None,
    device: str = "auto",
    label_above: float | None = None,
    progress: Progress = silent,
) -> dict[str, dict[str, Any]]:
    """Predict patients by the same code as ``stroke predict`` and compare with their outlines.

    Parameters
    ----------
    patients : iterable of Patient
        Whom none of the model's networks has seen.
    bundle : Bundle
        The model.
    recipe : Recipe
        Says which outline is the truth.
    cache : Path
        Where computed perfusion maps lie.
    folder : Path, optional
        Where to write ``ID/prob_NAME.nii.gz``, ``ID/mask_NAME.nii.gz`` and ``ID/prediction.json``; who is there already
        is not predicted again.
    label_above : float, optional
        Of a core classifier, the limit in mL.

    Returns
    -------
    dict
        By patient ``dice``, ``volume_ml`` and ``true_ml``; of a classifier ``probability``, ``large`` and ``true_ml``.
    """
    patients = list(patients)
    scores = {}
    for number, patient in enumerate(patients):
        progress(number / len(patients), f"predicting {patient.id}")
        before = _done(folder / patient.id, bundle) if folder is not None else None
        if before is not None:
            scores[patient.id] = before
            continue
        case = patient_case(patient, recipe, cache)
        if recipe.task == "classification":
            record, scores[patient.id] = _classified(patient, case, bundle, recipe, device, label_above)
            found = []
        else:
            course = _course(patient, bundle, cache)
            found = [predict(case, bundle, device=device, course=course)]
            if course is not None:
                found[0].record["course"] = asdict(course)
            record, scores[patient.id] = found[0].record, _compared(found[0], _truth(patient, case, recipe))
        if folder is not None:
            _write(folder / patient.id, found, patient.id, record, scores[patient.id])
    return scores


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Return the Dice coefficient of two masks; 1 where both are empty."""
    total = int(np.count_nonzero(a)) + int(np.count_nonzero(b))
    return 2.0 * int(np.count_nonzero(a & b)) / total if total else 1.0


def _compared(found: Prediction, true: Volume) -> dict[str, float]:
    found.mask.require_same_grid(true)
    return {
        "dice": round(dice(found.mask.array, true.array), 4),
        "volume_ml": round(volume_ml(found.mask), 3),
        "true_ml": round(volume_ml(true), 3),
    }


def _classified(
    patient: Patient, case: StrokeCase, bundle: Bundle, recipe: Recipe, device: str, limit: float | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    found = classify(case, bundle, device=device)
    core_ml = volume_ml(_truth(patient, case, recipe))
    large = None if limit is None else core_ml > limit
    return found.record, {"probability": round(found.probability, 4), "large": large, "true_ml": round(core_ml, 3)}


def _truth(patient: Patient, case: StrokeCase, recipe: Recipe) -> Volume:
    if not recipe.needs_label:
        return core_by_cbv(case)
    return truth(patient, recipe.target, case=case).mask


def _course(patient: Patient, bundle: Bundle, cache: Path) -> Course | None:
    """Return what happened to the patient, where the model is one that can be told."""
    return course_of(patient, cache) if bundle.card.conditioned else None


def _done(place: Path, bundle: Bundle) -> dict[str, Any] | None:
    """Return the scores of a patient who was predicted by this very model before."""
    try:
        record = json.loads((place / RECORD).read_text(encoding="utf-8"))
        models = record["models"] + record["classifications"]
        return record["scores"] if models[0]["sha256"] == bundle.sha256 else None
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None


def _write(
    place: Path, found: list[Prediction], patient: str, record: dict[str, Any], scores: dict[str, Any]
) -> None:
    whole = {
        "patient": patient,
        "models": [record] if found else [],
        "classifications": [] if found else [record],
        "scores": scores,
    }
    if found:
        write_predictions(place, found, whole)
        return
    with staged_folder(place) as stage:
        write_text(stage / RECORD, json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
