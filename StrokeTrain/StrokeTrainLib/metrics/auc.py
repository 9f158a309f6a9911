"""Area under the receiver operating characteristic over the voxels of one patient.

It tells how a map ranks voxels, for a description of that patient. Voxels of a patient cluster: no interval or test may
be made from them (`statistics.delong` is for patients).
"""

from __future__ import annotations

import numpy as np

from .overlap import Counts, specificity


def roc_auc(truth: np.ndarray, score: np.ndarray) -> float:
    """Return the share of pairs (lesion voxel, healthy voxel) that a map ranks rightly, ties counting half.

    Exact: one sort of the healthy voxels and a binary search for each lesion voxel.

    Parameters
    ----------
    truth : numpy.ndarray
        bool, any shape.
    score : numpy.ndarray
        Of the same size; higher means more likely lesion. May hold infinities, not NaN.

    Returns
    -------
    float
        0 to 1; NaN where one of the classes is missing or a score is NaN.
    """
    truth, score = np.asarray(truth, bool).ravel(), np.asarray(score).ravel()
    if truth.size != score.size:
        raise ValueError(f"{truth.size} truths for {score.size} scores")
    healthy, lesion = np.sort(score[~truth]), score[truth]
    if not healthy.size or not lesion.size or np.isnan(healthy[-1]) or np.isnan(lesion).any():
        return float("nan")
    # Sorted queries walk through memory in order, which makes the search several times faster.
    lesion = np.sort(lesion)
    below = np.searchsorted(healthy, lesion, "left").sum(dtype=np.int64)
    not_above = np.searchsorted(healthy, lesion, "right").sum(dtype=np.int64)
    return float((below + not_above) / 2.0 / healthy.size / lesion.size)


#: False positive rates at which curves are kept: dense near 0, where a brain's many healthy voxels put what matters.
RATES = np.linspace(0.0, 1.0, 51) ** 2


def roc_at(truth: np.ndarray, score: np.ndarray, rates: np.ndarray = RATES) -> np.ndarray:
    """Return the true positive rate at given false positive rates, on the curve over the voxels of one patient.

    Parameters
    ----------
    truth, score
        As for `roc_auc`; equal scores make one slanted step.
    rates : numpy.ndarray
        ``(n,)``, 0 to 1.

    Returns
    -------
    numpy.ndarray
        ``(n,)``; NaN where a class is missing or a score is NaN.
    """
    truth, score = np.asarray(truth, bool).ravel(), np.asarray(score).ravel()
    if truth.all() or not truth.any() or np.isnan(score).any():
        return np.full(len(rates), np.nan)
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), score.size - 1)
    hits = np.append(0.0, np.cumsum(truth[order])[last]) / truth.sum()
    misses = np.append(0.0, np.cumsum(~truth[order])[last]) / (~truth).sum()
    before = np.searchsorted(misses, rates, "right") - 1  # the top of a vertical step
    after = np.minimum(before + 1, misses.size - 1)
    wide = misses[after] - misses[before]
    share = np.divide(rates - misses[before], wide, out=np.zeros(len(rates)), where=wide > 0)
    return hits[before] + share * (hits[after] - hits[before])


def binary_auc(counts: Counts) -> float:
    """Return (sensitivity + specificity) / 2, the area under the ROC of a mask, which has one operating point.

    Parameters
    ----------
    counts : Counts
        Inside the brain mask.

    Returns
    -------
    float
        NaN where the truth is empty or fills the brain.
    """
    if not counts.true:
        return float("nan")
    return (counts.tp / counts.true + specificity(counts)) / 2.0
