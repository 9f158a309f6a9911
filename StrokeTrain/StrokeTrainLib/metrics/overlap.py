"""Overlap of two masks, from the counts of true and false positive and negative voxels (Taha and Hanbury 2015)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Counts:
    """Voxels by truth and prediction.

    Attributes
    ----------
    tp, fp, fn, tn : int
        True positive, false positive, false negative and true negative voxels.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def true(self) -> int:
        """Voxels of the truth."""
        return self.tp + self.fn

    @property
    def predicted(self) -> int:
        """Voxels of the prediction."""
        return self.tp + self.fp


def count(truth: np.ndarray, prediction: np.ndarray, inside: np.ndarray | None = None) -> Counts:
    """Return the counts of two masks.

    Parameters
    ----------
    truth, prediction : numpy.ndarray
        bool, of one shape.
    inside : numpy.ndarray, optional
        bool; only its voxels are counted. Everything if left out.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if truth.shape != prediction.shape or (inside is not None and inside.shape != truth.shape):
        raise ValueError(f"masks of different shapes: {truth.shape} and {prediction.shape}")
    if inside is not None:
        truth, prediction = truth & inside, prediction & inside
    size = truth.size if inside is None else int(np.count_nonzero(inside))
    tp = int(np.count_nonzero(truth & prediction))
    fp = int(np.count_nonzero(prediction)) - tp
    fn = int(np.count_nonzero(truth)) - tp
    return Counts(tp, fp, fn, size - tp - fp - fn)


# One convention for all four: nothing to find and nothing found is perfect (1); one of the two empty is 0. So a patient
# for whom a method finds nothing is not left out of its mean precision, which would flatter it.


def dice(counts: Counts) -> float:
    """Return the Dice similarity coefficient 2·TP / (2·TP + FP + FN); 1 where both masks are empty."""
    return _share(2 * counts.tp, counts.true + counts.predicted)


def ppv(counts: Counts) -> float:
    """Return precision TP / (TP + FP); 1 where both masks are empty, 0 where only the prediction is."""
    return _share(counts.tp, counts.predicted) if counts.predicted else float(counts.true == 0)


def recall(counts: Counts) -> float:
    """Return sensitivity TP / (TP + FN); 1 where both masks are empty, 0 where only the truth is."""
    return _share(counts.tp, counts.true) if counts.true else float(counts.predicted == 0)


def volumetric_similarity(counts: Counts) -> float:
    """Return 1 − |FN − FP| / (2·TP + FP + FN), which asks for size only, not place; 1 where both masks are empty."""
    total = counts.true + counts.predicted
    return _share(total - abs(counts.fn - counts.fp), total)


def specificity(counts: Counts) -> float:
    """Return TN / (TN + FP); NaN where the truth fills everything.

    It depends on how much healthy tissue is counted: only values inside a brain mask can be compared.
    """
    negative = counts.tn + counts.fp
    return counts.tn / negative if negative else float("nan")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
