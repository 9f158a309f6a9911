"""Two classifiers of a cross-validation compared within its folds, whose networks and limits differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .compare import Comparison
from .effects import Values
from .roc import delong_paired
from .values import Estimate, complete, joined

_NAN = float("nan")
_NAME = "AUC within folds, mean difference; patients drawn within fold and class"


@dataclass(frozen=True)
class WithinFolds:
    """The result.

    Attributes
    ----------
    comparison : Comparison
        ``shift`` is the mean over folds of the difference of areas, first minus second; ``n`` counts the patients of
        the folds that entered it.
    folds : dict of int to Comparison
        DeLong's paired test of each fold with both classes; its shift has no interval, and P is NaN, in a fold with
        fewer than two patients of a class.
    """

    comparison: Comparison
    folds: dict[int, Comparison]


def auc_within_folds(
    labels: Values, first: Values, second: Values, folds: Values, *, seed: int, resamples: int = 2000,
    level: float = 0.95,
) -> WithinFolds:
    """Compare two scores by the mean over folds of the difference of their areas under the ROC curve.

    Probabilities of different folds are never ranked against each other: they come from other networks, and what is
    positive may depend on the fold (a median of its training part).

    Parameters
    ----------
    labels : sequence
        True or 1 for positive patients.
    first, second : sequence of float
        Two scores a patient.
    folds : sequence of int
        Which fold tests the patient.
    seed : int
        Of the drawing.
    resamples : int
        How often patients are drawn, with replacement, within their fold and class, both scores together.
    level : float
        Confidence level.

    Returns
    -------
    WithinFolds
        The interval is the percentiles'; P is twice the share of resamples on the rarer side of 0 (those at 0 count
        half, one is added to both counts, after Davison and Hinkley 1997, 4.2).

    Notes
    -----
    The folds' networks share most of their training patients: the interval speaks of these networks in other patients,
    not of networks trained anew.
    """
    (y, a, b, fold), note = complete(labels, first, second, folds)
    rng = np.random.default_rng([seed, 1997])
    values, drawn, tests, entered, lost = [], [], {}, 0, 0
    for number in np.unique(fold):
        mine = fold == number
        kernel = _kernel(y[mine] > 0.5, a[mine], b[mine])
        if kernel is None:
            lost += 1
            continue
        entered += int(mine.sum())
        values.append(float(kernel.mean()))
        drawn.append(_drawn(kernel, rng, resamples))
        found = delong_paired(y[mine], a[mine], b[mine], level)
        shift = Estimate(values[-1], found.shift.low, found.shift.high, found.n, level, found.test)
        tests[int(number)] = Comparison(found.test, found.statistic, found.p, found.n, shift=shift, note=found.note)
    if lost:
        note = joined(note, f"{lost} of {lost + len(values)} folds left out: patients of one class only.")
    if not values:
        return WithinFolds(Comparison(_NAME, _NAN, _NAN, 0, note=note or "No patients."), tests)
    return WithinFolds(_summary(np.mean(values), np.mean(drawn, axis=0), entered, level, note), tests)


def _kernel(positive: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """Return for every pair (positive, negative) what it adds to the difference of areas; None of one class only."""
    if positive.all() or not positive.any():
        return None
    ranks = [np.sign(score[positive][:, None] - score[~positive][None]) for score in (a, b)]
    return (ranks[0] - ranks[1]) / 2.0


def _drawn(kernel: np.ndarray, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """Return the difference of areas in patients drawn anew: their pairs weighted by how often each was drawn."""
    m, n = kernel.shape
    often = [rng.multinomial(size, np.full(size, 1 / size), resamples) for size in (m, n)]
    return ((often[0] @ kernel) * often[1]).sum(axis=1) / (m * n)


def _summary(value: float, drawn: np.ndarray, n: int, level: float, note: str) -> Comparison:
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    if np.ptp(drawn) < 1e-12:
        # No pair is ranked otherwise anywhere, or all are: drawing patients shows no spread to test against.
        note = joined(note, "The difference does not vary between drawn patients.")
        return Comparison(_NAME, _NAN, 1.0 if abs(value) < 1e-12 else _NAN, n,
                          shift=Estimate(value, value, value, n, level, _NAME), note=note)  # fmt: skip
    ties = 0.5 * np.count_nonzero(np.abs(drawn) < 1e-12)
    rarer = min(np.count_nonzero(drawn > 1e-12), np.count_nonzero(drawn < -1e-12)) + ties
    p = min(1.0, 2.0 * (rarer + 1.0) / (drawn.size + 1.0))
    return Comparison(_NAME, _NAN, float(p), n, shift=Estimate(float(value), float(low), float(high), n, level, _NAME),
                      note=note)  # fmt: skip
