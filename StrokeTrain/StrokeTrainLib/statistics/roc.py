"""Receiver operating characteristics over patients: curve, area, DeLong's interval and test, mean over folds.

One score and one class a patient. Voxels of a patient are not independent and must not come here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from .compare import Comparison
from .effects import Values
from .values import Estimate, complete, joined

_NAN = float("nan")


@dataclass(frozen=True)
class RocCurve:
    """A curve as corners, from (0, 0) to (1, 1).

    Attributes
    ----------
    false_positive, true_positive : numpy.ndarray
        Rates.
    threshold : numpy.ndarray
        Score at or above which a patient is called positive; infinite at the first corner.
    auc : float
        NaN without patients of both classes; the arrays are then empty.
    positives, negatives : int
        Patients.
    note : str
        What limits it.
    """

    false_positive: np.ndarray
    true_positive: np.ndarray
    threshold: np.ndarray
    auc: float
    positives: int
    negatives: int
    note: str = ""


def roc_curve(labels: Values, scores: Values) -> RocCurve:
    """Return the curve of one score; patients with equal scores make one slanted step.

    Parameters
    ----------
    labels : sequence
        True or 1 for positive patients.
    scores : sequence of float
        Higher means more likely positive.
    """
    (y, score), note = complete(labels, scores)
    positive = y > 0.5
    total, rest = int(positive.sum()), int((~positive).sum())
    if not total or not rest:
        empty = np.empty(0)
        note = joined("Patients of one class only: no curve.", note)
        return RocCurve(empty, empty, empty, _NAN, total, rest, note)
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), score.size - 1)
    true_rate = np.append(0.0, np.cumsum(positive[order])[last] / total)
    false_rate = np.append(0.0, np.cumsum(~positive[order])[last] / rest)
    threshold = np.append(np.inf, score[order][last])
    auc = float(np.trapezoid(true_rate, false_rate))
    return RocCurve(false_rate, true_rate, threshold, auc, total, rest, note)


def delong(labels: Values, scores: Values, level: float = 0.95) -> Estimate:
    """Return the AUC over patients with DeLong's interval, cut at 0 and 1.

    Parameters
    ----------
    labels, scores : sequence
        As for `roc_curve`.
    level : float
        Confidence level.

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson 1988, by ranks (Sun and Xu 2014). An AUC of exactly 0 or 1 has no variance there;
    this is said.
    """
    (y, score), note = complete(labels, scores)
    positive, method = y > 0.5, "DeLong"
    if min(positive.sum(), (~positive).sum()) < 2:
        value = roc_curve(y, score).auc
        note = joined("Fewer than two patients of a class: no interval.", note)
        return Estimate(value, _NAN, _NAN, y.size, level, method, note)
    (auc,), covariance = _delong(positive, score[None])
    half = stats.norm.ppf((1 + level) / 2) * np.sqrt(covariance[0, 0])
    if auc in (0.0, 1.0):
        note = joined("Perfect separation: DeLong's interval has no width.", note)
    low, high = float(max(auc - half, 0.0)), float(min(auc + half, 1.0))
    return Estimate(float(auc), low, high, y.size, level, method, note)


def delong_paired(labels: Values, first: Values, second: Values, level: float = 0.95) -> Comparison:
    """Return DeLong's two-sided test of two scores on the same patients.

    Parameters
    ----------
    labels : sequence
        True or 1 for positive patients.
    first, second : sequence of float
        Two scores a patient.
    level : float
        Confidence level of the difference.

    Returns
    -------
    Comparison
        ``statistic`` is z; ``shift`` is the difference of the areas, first minus second.
    """
    (y, a, b), note = complete(labels, first, second)
    positive, name = y > 0.5, "DeLong, paired"
    if min(positive.sum(), (~positive).sum()) < 2:
        note = joined("Fewer than two patients of a class: no test.", note)
        return Comparison(name, _NAN, _NAN, y.size, note=note)
    areas, covariance = _delong(positive, np.stack([a, b]))
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    return _difference(name, float(areas[0] - areas[1]), variance, y.size, level, note)


def delong_unpaired(
    first: tuple[Values, Values], second: tuple[Values, Values], level: float = 0.95
) -> Comparison:
    """Return the two-sided test of areas from different patients, such as internal and external ones.

    Parameters
    ----------
    first, second : tuple of sequences
        Labels and scores of either group.
    level : float
        Confidence level of the difference.
    """
    name, total, areas, variance, notes = "DeLong, unpaired", 0, [], 0.0, []
    for labels, scores in (first, second):
        (y, score), note = complete(labels, scores)
        positive = y > 0.5
        total += y.size
        notes.append(note)
        if min(positive.sum(), (~positive).sum()) < 2:
            notes.append("Fewer than two patients of a class: no test.")
            continue
        (auc,), covariance = _delong(positive, score[None])
        areas.append(float(auc))
        variance += float(covariance[0, 0])
    if len(areas) < 2:
        return Comparison(name, _NAN, _NAN, total, note=joined(*notes))
    return _difference(name, areas[0] - areas[1], variance, total, level, joined(*notes))


def _difference(name: str, value: float, variance: float, n: int, level: float, note: str) -> Comparison:
    error = np.sqrt(max(variance, 0.0))
    if error < 1e-12:
        note = joined(note, "The difference of the areas has no variance here.")
        p = 1.0 if abs(value) < 1e-12 else _NAN
        return Comparison(name, _NAN, p, n, shift=Estimate(value, value, value, n, level, name), note=note)
    z = value / error
    half = stats.norm.ppf((1 + level) / 2) * error
    shift = Estimate(value, float(value - half), float(value + half), n, level, name)
    return Comparison(name, float(z), float(2 * stats.norm.sf(abs(z))), n, shift=shift, note=note)


def _delong(positive: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the areas of ``(k, n)`` scores and their ``(k, k)`` covariance."""
    m, n = int(positive.sum()), int((~positive).sum())
    pooled = np.stack([stats.rankdata(score) for score in scores])
    among = [np.stack([stats.rankdata(score[part]) for score in scores]) for part in (positive, ~positive)]
    # Share of the other class that each patient is ranked above (or, for negatives, below), ties counting half.
    above = (pooled[:, positive] - among[0]) / n
    under = 1.0 - (pooled[:, ~positive] - among[1]) / m
    return above.mean(axis=1), np.atleast_2d(np.cov(above)) / m + np.atleast_2d(np.cov(under)) / n


@dataclass(frozen=True)
class MeanRoc:
    """Curves of several folds and their mean, as Mittermeier 2022 draws them.

    Attributes
    ----------
    false_positive : numpy.ndarray
        Grid of rates at which the mean is taken.
    true_positive, sd : numpy.ndarray
        Mean and sample SD over the folds; SD is 0 everywhere for one fold.
    curves : tuple of RocCurve
        Those of all folds, also of folds without a curve.
    auc_mean, auc_sd : float
        Over the folds' areas.
    note : str
        Which folds have no curve.
    """

    false_positive: np.ndarray
    true_positive: np.ndarray
    sd: np.ndarray
    curves: tuple[RocCurve, ...]
    auc_mean: float
    auc_sd: float
    note: str = field(default="")


def mean_roc(curves: Sequence[RocCurve], points: int = 101) -> MeanRoc:
    """Return the vertical mean of the folds' curves.

    Parameters
    ----------
    curves : sequence of RocCurve
        One a fold.
    points : int
        Length of the grid.
    """
    grid = np.linspace(0.0, 1.0, points)
    drawn = [curve for curve in curves if not np.isnan(curve.auc)]
    lost = len(curves) - len(drawn)
    note = f"{lost} of {len(curves)} folds left out: patients of one class only." if lost else ""
    if not drawn:
        nothing = np.full(points, _NAN)
        return MeanRoc(grid, nothing, nothing, tuple(curves), _NAN, _NAN, note or "No folds.")
    rates = np.stack([np.interp(grid, curve.false_positive, curve.true_positive) for curve in drawn])
    rates[:, 0] = 0.0
    areas = np.array([curve.auc for curve in drawn])
    several = len(drawn) > 1
    sd = rates.std(axis=0, ddof=1) if several else np.zeros(points)
    auc_sd = float(areas.std(ddof=1)) if several else _NAN
    return MeanRoc(grid, rates.mean(axis=0), sd, tuple(curves), float(areas.mean()), auc_sd, note)
