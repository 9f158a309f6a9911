import numpy as np
import pytest
from scipy import stats

from StrokeTrainLib.statistics.effects import (
    cohens_d,
    cohens_dz,
    hodges_lehmann,
    hodges_lehmann_paired,
    rank_biserial,
    rank_biserial_paired,
)
from StrokeTrainLib.statistics.rank_distributions import rank_sum_low, signed_rank_low

RNG = np.random.default_rng(8)
A, B, C = RNG.normal(0.5, 1, 14), RNG.normal(0, 1, 14), RNG.normal(0.2, 2, 9)


def test_cohens_d_follows_from_students_t():
    assert cohens_d(A, C) == pytest.approx(stats.ttest_ind(A, C).statistic * np.sqrt(1 / 14 + 1 / 9))
    assert cohens_dz(A, B) == pytest.approx(stats.ttest_rel(A, B).statistic / np.sqrt(14))
    assert np.isnan(cohens_d([1.0], [2.0, 3.0]))
    assert np.isnan(cohens_dz([1.0, 2.0], [0.0, 1.0]))


def test_rank_biserial_is_the_balance_of_pairs():
    pairs = [np.sign(x - y) for x in A for y in C]
    assert rank_biserial(A, C) == pytest.approx(np.mean(pairs))
    # Signed ranks are the balance of Walsh averages, which is how the paired one is checked here.
    d = A - B
    signs = [np.sign(d[i] + d[j]) for i in range(14) for j in range(i, 14)]
    assert rank_biserial_paired(A, B) == pytest.approx(np.mean(signs))
    assert rank_biserial_paired([1, 2], [1, 2]) == 0
    assert np.isnan(rank_biserial([], [1.0]))
    assert np.isnan(rank_biserial_paired([], []))


def test_paired_shift_inverts_the_exact_signed_rank_test():
    found = hodges_lehmann_paired(A, B)
    step = 1e-6
    p = [stats.wilcoxon(A - B - at, method="exact").pvalue for at in
         (found.low - step, found.low + step, found.high - step, found.high + step)]  # fmt: skip
    assert p[0] < 0.05 <= p[1]
    assert p[3] < 0.05 <= p[2]
    d = A - B
    assert found.value == pytest.approx(np.median([(d[i] + d[j]) / 2 for i in range(14) for j in range(i, 14)]))


def test_unpaired_shift_inverts_the_exact_mann_whitney_test():
    found = hodges_lehmann(A, C)
    step = 1e-6
    p = [stats.mannwhitneyu(A - at, C, method="exact").pvalue for at in
         (found.low - step, found.low + step, found.high - step, found.high + step)]  # fmt: skip
    assert p[0] < 0.05 <= p[1]
    assert p[3] < 0.05 <= p[2]
    assert found.value == pytest.approx(np.median([x - y for x in A for y in C]))


def test_large_samples_use_the_normal_distribution_which_meets_the_exact_one():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.3, 1, 80), rng.normal(0, 1, 80)
    found = hodges_lehmann_paired(a, b)
    for at in (found.low, found.high):
        assert stats.wilcoxon(a - b - at, method="approx").pvalue == pytest.approx(0.05, abs=2e-3)
    found = hodges_lehmann(a, b)
    for at in (found.low, found.high):
        assert stats.mannwhitneyu(a - at, b).pvalue == pytest.approx(0.05, abs=2e-3)


def test_quantiles_equal_tables():
    # Hollander and Wolfe, tables A.4 and A.6; R: qsignrank(0.025, 9) = 6, qwilcox(0.025, 10, 5) = 9.
    assert signed_rank_low(9, 0.025) == 6
    assert rank_sum_low(10, 5, 0.025) == 9
    for m, n in ((3, 4), (6, 5)):
        all_u = [stats.rankdata(np.arange(m + n))[list(pick)].sum() - m * (m + 1) / 2
                 for pick in __import__("itertools").combinations(range(m + n), m)]  # fmt: skip
        low = rank_sum_low(m, n, 0.05)
        assert np.mean(np.array(all_u) <= low) >= 0.05 > np.mean(np.array(all_u) <= low - 1)


def test_too_few_patients_give_the_whole_range_and_say_so():
    found = hodges_lehmann_paired([3.0, 5.0, 9.0], [1.0, 1.0, 1.0])
    assert (found.low, found.high) == (2.0, 8.0)
    assert "Too few patients" in found.note
    assert "No patients." in hodges_lehmann([], [1.0]).note
    assert np.isnan(hodges_lehmann_paired([], []).value)
