"""All measures of one patient's prediction in one row."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from StrokePredictLib.volume import Volume

from .auc import binary_auc, roc_auc
from .distance import distances
from .lesions import count_lesions
from .overlap import count, dice, ppv, recall, specificity, volumetric_similarity

_NAN = float("nan")


@dataclass(frozen=True)
class Scores:
    """One patient, one method. NaN is "undefined", and ``note`` says why.

    Attributes
    ----------
    patient, method : str
        Whose prediction, by which network, rule or reader.
    auc : float
        Of the continuous map, inside the brain mask.
    binary_auc : float
        Of the mask: (sensitivity + specificity) / 2, inside the brain mask.
    dice, ppv, recall, volumetric_similarity : float
        On the whole native grid; 1 where both masks are empty, 0 where one is.
    specificity : float
        Inside the brain mask.
    hausdorff_mm, hausdorff_95_mm : float
        See `distance.Distances`; NaN where a mask is empty.
    true_ml, predicted_ml : float
        Volumes in mL.
    volume_error_ml, absolute_volume_error_ml : float
        Predicted minus true volume in mL, and its absolute value.
    lesion_f1 : float
        See `lesions.Lesions`.
    true_lesions, predicted_lesions, lesion_count_difference : float
        Counts, and predicted minus true; floats so that a missing prediction can be NaN.
    note : str
        What a reader of the table must know, sentences joined by a space.
    """

    patient: str
    method: str
    auc: float = _NAN
    binary_auc: float = _NAN
    dice: float = _NAN
    ppv: float = _NAN
    recall: float = _NAN
    specificity: float = _NAN
    volumetric_similarity: float = _NAN
    hausdorff_mm: float = _NAN
    hausdorff_95_mm: float = _NAN
    true_ml: float = _NAN
    predicted_ml: float = _NAN
    volume_error_ml: float = _NAN
    absolute_volume_error_ml: float = _NAN
    lesion_f1: float = _NAN
    true_lesions: float = _NAN
    predicted_lesions: float = _NAN
    lesion_count_difference: float = _NAN
    note: str = ""

    @classmethod
    def missing(cls, patient: str, method: str, why: str) -> Scores:
        """Return the row of a patient without a usable prediction: counted and shown, never dropped."""
        return cls(patient, method, note=why)

    def row(self) -> dict[str, Any]:
        """Return the fields in the order of the table's columns."""
        return asdict(self)


#: Columns of ``metrics.csv``.
COLUMNS = tuple(field.name for field in fields(Scores))


def score_patient(
    patient: str,
    method: str,
    truth: Volume,
    mask: Volume,
    score: Volume | None = None,
    brain: Volume | None = None,
) -> Scores:
    """Return every measure of one prediction.

    Parameters
    ----------
    patient, method : str
        Copied into the row.
    truth, mask : Volume
        3D on one native grid; values above 0.5 belong to the mask.
    score : Volume, optional
        The continuous map behind the mask, higher for more likely lesion: a probability or a `rules.RuleMap` score.
    brain : Volume, optional
        Mask for AUC and specificity.

    Raises
    ------
    StrokeError
        If the grids differ.
    """
    for other in (mask, score, brain):
        if other is not None:
            truth.require_same_grid(other)
    true, predicted = truth.array > 0.5, mask.array > 0.5
    notes: list[str] = []
    if not true.any() or not predicted.any():
        notes.append(_emptiness(true.any(), predicted.any()))
    values = _overlap_values(true, predicted, truth.voxel_ml)
    values |= _brain_values(true, predicted, score, brain, truth.voxel_ml, notes)
    gap = distances(true, predicted, truth.spacing[::-1])
    values |= {"hausdorff_mm": gap.hausdorff, "hausdorff_95_mm": gap.hausdorff_95}
    return Scores(patient, method, **values, note=" ".join(notes))


def _overlap_values(true: np.ndarray, predicted: np.ndarray, voxel_ml: float) -> dict[str, float]:
    counts, lesions = count(true, predicted), count_lesions(true, predicted)
    error = (counts.predicted - counts.true) * voxel_ml
    return {
        "dice": dice(counts),
        "ppv": ppv(counts),
        "recall": recall(counts),
        "volumetric_similarity": volumetric_similarity(counts),
        "true_ml": counts.true * voxel_ml,
        "predicted_ml": counts.predicted * voxel_ml,
        "volume_error_ml": error,
        "absolute_volume_error_ml": abs(error),
        "lesion_f1": lesions.f1,
        "true_lesions": float(lesions.true),
        "predicted_lesions": float(lesions.predicted),
        "lesion_count_difference": float(lesions.difference),
    }


def _brain_values(
    true: np.ndarray,
    predicted: np.ndarray,
    score: Volume | None,
    brain: Volume | None,
    voxel_ml: float,
    notes: list[str],
) -> dict[str, float]:
    """Return what depends on how much healthy tissue is looked at; add to the notes what limits it."""
    if brain is None or not (inside := brain.array > 0.5).any():
        notes.append("No brain mask: AUC and specificity undefined.")
        return {}
    counts = count(true, predicted, inside)
    for name, whole, part in (("truth", true, counts.true), ("prediction", predicted, counts.predicted)):
        outside = (int(np.count_nonzero(whole)) - part) * voxel_ml
        if outside > 0:
            notes.append(f"{outside:.2f} mL of the {name} outside the brain mask do not enter AUC and specificity.")
    values = {"specificity": specificity(counts), "binary_auc": binary_auc(counts)}
    if score is None:
        notes.append("No continuous map: its AUC undefined.")
        return values
    within = score.array[inside]
    if np.isnan(within).any():
        notes.append("The continuous map has voxels without a value in the brain: its AUC undefined.")
    return values | {"auc": roc_auc(true[inside], within)}


def _emptiness(true: bool, predicted: bool) -> str:
    if not true and not predicted:
        return "Truth and prediction are empty: overlap 1 by convention; AUC and distances undefined."
    if not true:
        return "The truth is empty: overlap 0 by convention; AUC and distances undefined."
    return "The prediction is empty: overlap 0 by convention; distances undefined."
