"""Whether probabilities are true: reliability curve and Brier score.

A classifier's probabilities are one a patient. A segmentation's are one a voxel: they are counted into bins patient by
patient (`bin_counts`), so that a cohort never lies in memory, and their interval comes from drawing patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .intervals import bootstrap, proportion
from .values import Estimate

_NAN = float("nan")


@dataclass(frozen=True)
class BinCounts:
    """Sums over equal-width bins of probability. Add two with ``+``.

    Attributes
    ----------
    n, probability, positive : numpy.ndarray
        ``(bins,)``: cases, sum of their probabilities, number of true ones.
    squared : float
        Sum of (probability − truth)² over all cases.
    """

    n: np.ndarray
    probability: np.ndarray
    positive: np.ndarray
    squared: float

    def __add__(self, other: BinCounts) -> BinCounts:
        return BinCounts(
            self.n + other.n,
            self.probability + other.probability,
            self.positive + other.positive,
            self.squared + other.squared,
        )


def bin_counts(truth: np.ndarray, probability: np.ndarray, bins: int = 10) -> BinCounts:
    """Count cases into equal-width bins of probability; a bin holds its lower edge, the last one also 1.

    Parameters
    ----------
    truth : numpy.ndarray
        bool, any shape: patients, or one patient's voxels inside the brain.
    probability : numpy.ndarray
        0 to 1, same size.
    bins : int
        Number of bins.

    Raises
    ------
    ValueError
        If a probability is not between 0 and 1.
    """
    truth, probability = np.asarray(truth).ravel() > 0.5, np.asarray(probability, np.float64).ravel()
    if truth.size != probability.size:
        raise ValueError(f"{truth.size} truths for {probability.size} probabilities")
    if probability.size and not (probability.min() >= 0 and probability.max() <= 1):
        raise ValueError("probabilities must lie between 0 and 1 and none may be missing")
    index = np.minimum((probability * bins).astype(np.intp), bins - 1)
    sums = [np.bincount(index, weights, bins) for weights in (None, probability, truth)]
    return BinCounts(*(total.astype(np.float64) for total in sums), float(np.sum((probability - truth) ** 2)))


@dataclass(frozen=True)
class Calibration:
    """A reliability curve.

    Attributes
    ----------
    predicted, observed : numpy.ndarray
        ``(bins,)``: mean probability and share of true cases in each bin; NaN where a bin is empty.
    low, high : numpy.ndarray
        Interval of ``observed``; NaN where there is none.
    n : numpy.ndarray
        Cases in each bin.
    brier : float
        Mean (probability − truth)²; 0 is perfect.
    expected_error : float
        Mean of |observed − predicted| weighted by ``n`` (expected calibration error).
    patients : int
        How many patients.
    note : str
        What limits it.
    """

    predicted: np.ndarray
    observed: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: np.ndarray
    brier: float
    expected_error: float
    patients: int
    note: str = ""


def calibration(
    patients: Sequence[BinCounts], *, seed: int = 0, resamples: int = 1000, level: float = 0.95
) -> Calibration:
    """Return the curve of several patients.

    The interval is Wilson's where every patient has one probability, else percentiles from drawing patients with
    replacement, because a patient's voxels are not independent.

    Parameters
    ----------
    patients : sequence of BinCounts
        One a patient. For a classifier: `bin_counts` of that patient's one probability.
    seed : int
        Of the drawing.
    resamples : int
        How often patients are drawn.
    level : float
        Confidence level.
    """
    if not patients:
        nothing = np.empty(0)
        return Calibration(nothing, nothing, nothing, nothing, nothing, _NAN, _NAN, 0, "No patients.")
    n, probability, positive = np.stack([(p.n, p.probability, p.positive) for p in patients], axis=1)
    total = n.sum(axis=0)
    predicted, observed = _ratio(probability.sum(axis=0), total), _ratio(positive.sum(axis=0), total)
    low = high = np.full(total.shape, _NAN)
    note = "One patient: no interval." if len(patients) == 1 else ""
    if len(patients) > 1:
        one_each = bool((n.sum(axis=1) == 1).all())
        # Drawing patients gives a bin of two equal truths no width; independent cases have Wilson's interval.
        low, high = _wilson(positive, n, level) if one_each else _drawn_interval(n, positive, seed, resamples, level)
    filled = total > 0
    cases = total.sum()
    if not cases:
        return Calibration(predicted, observed, low, high, total, _NAN, _NAN, len(patients), "No cases.")
    error = np.sum(np.abs(observed - predicted)[filled] * total[filled]) / cases
    brier = sum(p.squared for p in patients) / cases
    return Calibration(predicted, observed, low, high, total, float(brier), float(error), len(patients), note)


def brier_score(truth: Sequence[float], probability: Sequence[float], *, seed: int = 0) -> Estimate:
    """Return the Brier score over patients, one probability each, with a bootstrap interval."""
    return bootstrap(lambda y, p: float(np.mean((p - y) ** 2)), truth, probability, seed=seed)


def _wilson(positive: np.ndarray, n: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    sums = zip(positive.sum(axis=0), n.sum(axis=0), strict=True)
    found = [proportion(int(part), int(whole), level=level) for part, whole in sums]
    return np.array([share.low for share in found]), np.array([share.high for share in found])


def _drawn_interval(
    n: np.ndarray, positive: np.ndarray, seed: int, resamples: int, level: float
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    # How often each patient is drawn is all that matters: one matrix product instead of a loop.
    weights = rng.multinomial(len(n), np.full(len(n), 1 / len(n)), size=resamples).astype(np.float64)
    shares = _ratio(weights @ positive, weights @ n)
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.full((2, n.shape[1]), _NAN)
    filled = n.sum(axis=0) > 0
    low[filled], high[filled] = np.nanquantile(shares[:, filled], tails, axis=0)
    return low, high


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(whole), _NAN), where=whole > 0)
