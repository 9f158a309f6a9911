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
