"""Exact null distributions of the two Wilcoxon statistics without ties, for the intervals of Hodges and Lehmann."""

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


def _exact_low(ways: np.ndarray, tail: float) -> int:
    cumulated = np.cumsum(ways) / ways.sum()
    return int(np.searchsorted(cumulated, tail * (1.0 - 1e-12), "left"))


def _normal_low(mean: float, variance: float, tail: float) -> int:
    return max(int(np.ceil(mean + stats.norm.ppf(tail) * np.sqrt(variance) - 0.5)), 0)
