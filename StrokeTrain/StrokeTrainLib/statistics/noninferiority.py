"""Non-inferiority: only against a margin that was stated before the data were seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from .effects import Values, hodges_lehmann_paired
from .values import Estimate, complete, joined

_NAN = float("nan")


@dataclass(frozen=True)
class NonInferiority:
    """The result.

    Attributes
    ----------
    difference : Estimate
        First minus second, with a two-sided interval of level 1 − 2·alpha.
    margin : float
        How much worse counts as no worse, in the column's unit, above 0.
    p : float
        One-sided, of "worse by the margin or more".
    verdict : str
        ``"non-inferior"``, ``"not shown"`` or ``"not assessable"``. A p value above .05 of an ordinary test is none.
    note : str
        What limits it.
    """

    difference: Estimate
    margin: float
    p: float
    verdict: str
    note: str = ""


def noninferiority_paired(
    first: Values, second: Values, *, margin: float, alpha: float = 0.025, higher_is_better: bool = True,
    method: str = "t",
) -> NonInferiority:
    """Test whether the first of two paired columns is no worse than the second by ``margin`` or more.

    Parameters
    ----------
    first, second : sequence of float
        One pair a patient, such as a network's and a reader's Dice.
    margin : float
        Stated beforehand, above 0. There is no default.
    alpha : float
        One-sided level.
    higher_is_better : bool
        False for distances and errors.
    method : str
        ``"t"`` (mean difference) or ``"rank"`` (Hodges-Lehmann pseudomedian and signed ranks), for skewed differences.

    Raises
    ------
    ValueError
        If the margin is not above 0, or for another method.
    """
    if not margin > 0 or not np.isfinite(margin):
        raise ValueError(f"margin {margin}: state a margin above 0, in the measure's unit, before looking at the data")
    if method not in ("t", "rank"):
        raise ValueError(f"{method}: choose t or rank")
    (a, b), note = complete(first, second)
    sign = 1.0 if higher_is_better else -1.0
    moved = sign * (a - b) + margin
    level = 1 - 2 * alpha
    if method == "rank":
        difference = hodges_lehmann_paired(a, b, level)
        p = float(stats.wilcoxon(moved, alternative="greater").pvalue) if a.size and np.any(moved) else _NAN
        note = joined(note, difference.note)
    else:
        difference, p = _mean_difference(a - b, moved, level, note)
    bound = difference.low if higher_is_better else -difference.high
    if np.isnan(bound) or np.isnan(p):
        return NonInferiority(difference, margin, _NAN, "not assessable", joined("Too few patients.", note))
    verdict = "non-inferior" if bound > -margin and p < alpha else "not shown"
    return NonInferiority(difference, margin, p, verdict, note)


def _mean_difference(
    difference: np.ndarray, moved: np.ndarray, level: float, note: str
) -> tuple[Estimate, float]:
    n = difference.size
    mean = float(difference.mean()) if n else _NAN
    if n < 2:
        return Estimate(mean, _NAN, _NAN, n, level, "t", note), _NAN
    error = float(difference.std(ddof=1) / np.sqrt(n))
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * error
    # Without any spread the answer is certain either way.
    p = float(stats.t.sf(moved.mean() / error, n - 1)) if error > 0 else float(moved.mean() <= 0)
    return Estimate(mean, mean - half, mean + half, n, level, "t", note), p
