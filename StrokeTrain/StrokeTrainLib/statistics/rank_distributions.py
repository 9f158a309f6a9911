"""Exact null distributions of the two Wilcoxon statistics: without ties for intervals, over tied ranks for P values."""

from __future__ import annotations

import numpy as np
from scipy import stats

#: Larger samples use the normal distribution (as R does).
LARGEST_EXACT = 50


def signed_rank_low(n: int, tail: float) -> int:
    """Return the smallest w with P(W ≤ w) ≥ ``tail``, W the signed-rank statistic of n differences."""
    if n > LARGEST_EXACT:
        mean, variance = n * (n + 1) / 4.0, n * (n + 1) * (2 * n + 1) / 24.0
        return _normal_low(mean, variance, tail)
    ways = np.zeros(n * (n + 1) // 2 + 1)
    ways[0] = 1.0
    for rank in range(1, n + 1):
        shifted = np.zeros_like(ways)
        shifted[rank:] = ways[:-rank]
        ways += shifted
    return _exact_low(ways, tail)


def rank_sum_low(m: int, n: int, tail: float) -> int:
    """Return the smallest u with P(U ≤ u) ≥ ``tail``, U the Mann-Whitney statistic of samples of m and n."""
    if max(m, n) > LARGEST_EXACT:
        return _normal_low(m * n / 2.0, m * n * (m + n + 1) / 12.0, tail)
    # ways[j] holds the numbers of orders of i and j values by U; the largest value belongs to either sample.
    ways = [np.ones(1) for _ in range(n + 1)]
    for i in range(1, m + 1):
        row = [np.ones(1)]
        for j in range(1, n + 1):
            orders = np.zeros(i * j + 1)
            orders[j:] = ways[j]
            orders[: row[j - 1].size] += row[j - 1]
            row.append(orders)
        ways = row
    return _exact_low(ways[n], tail)


def signed_rank_p(difference: np.ndarray) -> tuple[float, float]:
    """Return the exact two-sided P of the signed-rank test over all signs, and the smallest that could have been.

    Parameters
    ----------
    difference : numpy.ndarray
        float, none of them 0, `LARGEST_EXACT` at most. Tied sizes share their mean rank.

    Notes
    -----
    Every sign is as likely as the other: the sums of ranks with positive sign are counted rank by rank, which gives
    the same as writing down all 2ⁿ (Pratt and Gibbons 1981, chapter 3). P is twice the smaller tail, 1 at most.
    """
    ranks = _doubled_ranks(np.abs(difference))
    ways = np.zeros(int(ranks.sum()) + 1)
    ways[0] = 1.0
    for rank in ranks:
        ways[rank:] += ways[:-rank].copy()
    return _two_sided(ways, int(ranks[difference > 0].sum()))


def rank_sum_p(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Return the exact two-sided P of the Mann-Whitney test over all allocations, and the smallest that could be.

    Parameters
    ----------
    first, second : numpy.ndarray
        float, one value a patient, `LARGEST_EXACT` at most in either. Ties share their mean rank.

    Notes
    -----
    Every choice of the first sample among all values is as likely as another: the sums of its ranks are counted value
    by value, which gives the same as writing down all choices. P is twice the smaller tail, 1 at most.
    """
    ranks = _doubled_ranks(np.concatenate([first, second]))
    ways = np.zeros((first.size + 1, int(ranks.sum()) + 1))
    ways[0, 0] = 1.0
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, :-rank].copy()
    return _two_sided(ways[-1], int(ranks[: first.size].sum()))


def _doubled_ranks(values: np.ndarray) -> np.ndarray:
    """Return twice the mean ranks, which are whole numbers."""
    return np.rint(2.0 * stats.rankdata(values)).astype(int)


def _two_sided(ways: np.ndarray, found: int) -> tuple[float, float]:
    chance = ways / ways.sum()
    lower, upper = np.cumsum(chance), np.cumsum(chance[::-1])[::-1]
    p = np.minimum(2.0 * np.minimum(lower, upper), 1.0)
    return float(p[found]), float(p[chance > 0].min())


def _exact_low(ways: np.ndarray, tail: float) -> int:
    cumulated = np.cumsum(ways) / ways.sum()
    return int(np.searchsorted(cumulated, tail * (1.0 - 1e-12), "left"))


def _normal_low(mean: float, variance: float, tail: float) -> int:
    return max(int(np.ceil(mean + stats.norm.ppf(tail) * np.sqrt(variance) - 0.5)), 0)
