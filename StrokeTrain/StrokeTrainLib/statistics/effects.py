"""How large a difference is: Cohen's d, rank-biserial correlation, and Hodges' and Lehmann's shift with its interval.

Differences are always first minus second.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from .rank_distributions import rank_sum_low, signed_rank_low
from .values import Estimate, complete, joined

Values = Sequence[float] | np.ndarray
_NAN = float("nan")


def cohens_d(first: Values, second: Values) -> float:
    """Return Cohen's d of two independent samples: difference of means over the pooled SD; NaN without a spread."""
    (a,), _ = complete(first)
    (b,), _ = complete(second)
    if a.size < 2 or b.size < 2:
        return _NAN
    pooled = np.sqrt(((a.size - 1) * a.var(ddof=1) + (b.size - 1) * b.var(ddof=1)) / (a.size + b.size - 2))
    return float((a.mean() - b.mean()) / pooled) if pooled > 0 else _NAN


def cohens_dz(first: Values, second: Values) -> float:
    """Return Cohen's d_z of paired samples: mean over SD of the differences; NaN without a spread."""
    (a, b), _ = complete(first, second)
    spread = np.std(a - b, ddof=1) if a.size > 1 else 0.0
    return float(np.mean(a - b) / spread) if spread > 0 else _NAN


def rank_biserial_paired(first: Values, second: Values) -> float:
    """Return the matched-pairs rank-biserial correlation (Kerby 2014).

    (rank sum of pairs where the first is larger − of those where the second is) / their sum; pairs without a difference
    are left out; 0 where there is no difference at all, NaN without pairs.
    """
    (a, b), _ = complete(first, second)
    if not a.size:
        return _NAN
    difference = (a - b)[a != b]
    if not difference.size:
        return 0.0
    ranks = stats.rankdata(np.abs(difference))
    return float(np.sum(ranks * np.sign(difference)) / ranks.sum())


def rank_biserial(first: Values, second: Values) -> float:
    """Return the rank-biserial correlation of independent samples: P(first > second) − P(first < second)."""
    (a,), _ = complete(first)
    (b,), _ = complete(second)
    if not a.size or not b.size:
        return _NAN
    larger = stats.rankdata(np.concatenate([a, b]))[: a.size].sum() - a.size * (a.size + 1) / 2.0
    return float(2.0 * larger / (a.size * b.size) - 1.0)


def hodges_lehmann_paired(first: Values, second: Values, level: float = 0.95) -> Estimate:
    """Return the pseudomedian of paired differences with the interval that inverts the signed-rank test.

    Parameters
    ----------
    first, second : sequence of float
        One pair a patient.
    level : float
        Confidence level.

    Notes
    -----
    Median and order statistics of the Walsh averages (Hollander, Wolfe and Chicken 2014, 3.2 and 3.3): exact up to 50
    pairs, by the normal distribution above.
    """
    (a, b), note = complete(first, second)
    difference = a - b
    rows, columns = np.triu_indices(difference.size)
    walsh = np.sort((difference[rows] + difference[columns]) / 2.0)
    low = signed_rank_low(difference.size, (1.0 - level) / 2.0)
    return _shift(walsh, low, difference.size, level, note)


def hodges_lehmann(first: Values, second: Values, level: float = 0.95) -> Estimate:
    """Return the shift between independent samples with the interval that inverts the Mann-Whitney test.

    Parameters
    ----------
    first, second : sequence of float
        One value a patient; the samples may differ in size.
    level : float
        Confidence level.

    Notes
    -----
    Median and order statistics of all differences (Hollander, Wolfe and Chicken 2014, 4.2 and 4.3): exact up to 50
    patients a sample, by the normal distribution above.
    """
    (a,), lost_a = complete(first)
    (b,), lost_b = complete(second)
    low = rank_sum_low(a.size, b.size, (1.0 - level) / 2.0) if a.size and b.size else 0
    return _shift(np.sort(np.subtract.outer(a, b).ravel()), low, a.size + b.size, level, joined(lost_a, lost_b))


def _shift(ordered: np.ndarray, low: int, n: int, level: float, note: str) -> Estimate:
    method = "Hodges-Lehmann"
    if not ordered.size:
        return Estimate(_NAN, _NAN, _NAN, n, level, method, joined("No patients.", note))
    if ordered.size == 1:
        note = joined("One patient: no interval." if n == 1 else "One patient each: no interval.", note)
        return Estimate(float(ordered[0]), _NAN, _NAN, n, level, method, note)
    if low == 0:
        # Even the widest interval, from the smallest to the largest, does not reach the level.
        note = joined(f"Too few patients for a {level:.0%} interval: the whole range is given.", note)
        low = 1
    return Estimate(float(np.median(ordered)), float(ordered[low - 1]), float(ordered[-low]), n, level, method, note)
