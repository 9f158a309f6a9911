from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from StrokeTrainLib.statistics.compare import adjust, mann_whitney, p_text, shapiro_wilk, stars, wilcoxon_paired

# Hollander and Wolfe 1973, p. 29: depression scale at first and second visit; also R's example of wilcox.test.
BEFORE = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
AFTER = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
# Hollander and Wolfe 1973, p. 69: permeability of the membrane at term and at 12 to 26 weeks.
TERM = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
EARLY = [1.15, 0.88, 0.90, 0.74, 1.21]


def test_wilcoxon_of_the_published_example():
    found = wilcoxon_paired(BEFORE, AFTER)
    # V = 40, one-sided P = .01953; the pseudomedian is 0.46.
    assert found.statistic == 45 - 40
    assert found.p == pytest.approx(2 * 0.01953, abs=2e-5)
    assert found.shift.value == pytest.approx(0.46, abs=5e-3)
    assert found.effect == pytest.approx((40 - 5) / 45)
    assert (found.n, found.note) == (9, "")
    assert "exact" in found.test


def test_mann_whitney_of_the_published_example():
    found = mann_whitney(TERM, EARLY)
    # W = 35, one-sided P = .1272; shift 0.305.
    assert found.statistic == 35
    assert found.p == pytest.approx(2 * 0.1272, abs=2e-4)
    assert found.shift.value == pytest.approx(0.305)
    assert found.effect == pytest.approx(2 * 35 / 50 - 1)


def test_shapiro_wilk_of_the_published_example():
    # Shapiro and Wilk 1965: weights in pounds of eleven men; W = 0.79.
    found = shapiro_wilk([148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236])
    assert found.statistic == pytest.approx(0.79, abs=5e-3)
    assert found.p == pytest.approx(0.0067, abs=1e-4)


def test_many_ties_are_corrected_for_as_the_textbook_formula_says_and_told():
    n, rng = 80, np.random.default_rng(80)
    a, b = rng.integers(0, 9, n).astype(float), rng.integers(0, 8, n).astype(float)
    a[:2] = b[:2]
    moved = (a - b)[a != b]
    ranks = stats.rankdata(np.abs(moved))
    low = min(ranks[moved > 0].sum(), ranks[moved < 0].sum())
    _, times = np.unique(np.abs(moved), return_counts=True)
    m = moved.size
    assert m > 50
    variance = m * (m + 1) * (2 * m + 1) / 24 - (times**3 - times).sum() / 48
    found = wilcoxon_paired(a, b)
    assert found.p == pytest.approx(2 * stats.norm.cdf((low - m * (m + 1) / 4) / np.sqrt(variance)))
    assert "Tied ranks: corrected for." in found.note
    assert f"{n - m} of {n} pairs do not differ." in found.note
    assert np.isnan(found.least_p)


def all_signs(moved):
    """Return the two-sided P of a signed-rank sum and the smallest one, with every choice of signs written down."""
    ranks = stats.rankdata(np.abs(moved))
    sums = np.array(list(product((0, 1), repeat=len(ranks)))) @ ranks

    def p(seen):
        return min(1.0, 2 * min(np.mean(sums <= seen + 1e-9), np.mean(sums >= seen - 1e-9)))

    return p(ranks[np.asarray(moved) > 0].sum()), min(p(seen) for seen in set(sums))


@pytest.mark.parametrize(
    "difference",
    [
        [1, 1, 1, 1, 0, 0],
        [0.2] * 5,
        [1, -1, 2, 2, 2, -3, 4, 4, 4, 5, 0],
        [3, 3, -1, -1, -1, 2],
        [1, 2, 3, 4, -5, 6],
    ],
)
def test_few_pairs_are_tested_exactly_whether_tied_or_not(difference):
    moved = [x for x in difference if x]
    found = wilcoxon_paired(difference, np.zeros(len(difference)))
    assert (found.p, found.least_p) == pytest.approx(all_signs(moved))
    assert found.p == pytest.approx(stats.wilcoxon(moved, method=stats.PermutationMethod()).pvalue)
    assert found.test.endswith("exact")
    tied = len({abs(x) for x in moved}) < len(moved)
    assert ("Tied ranks: exact over all rearrangements." in found.note) == tied


def test_four_tied_differences_and_two_without_are_no_finding():
    # All of one sign: 2 of 2⁴ choices of signs are as far out, whatever the ties. The normal distribution says .046.
    assert wilcoxon_paired([1, 1, 1, 1, 0, 0], [0] * 6).p == 0.125


@pytest.mark.parametrize("sizes", [(3, 3), (4, 5), (2, 9), (6, 4)])
def test_small_independent_samples_with_ties_are_tested_exactly(sizes):
    rng = np.random.default_rng(sizes)
    a, b = rng.integers(0, 4, sizes[0]).astype(float), rng.integers(1, 6, sizes[1]).astype(float)
    a[0] = b[0]
    found = mann_whitney(a, b)
    ranks = stats.rankdata(np.concatenate([a, b]))
    sums = np.array([ranks[list(chosen)].sum() for chosen in combinations(range(sum(sizes)), sizes[0])])
    tails = [min(1.0, 2 * min(np.mean(sums <= s), np.mean(sums >= s))) for s in (ranks[: sizes[0]].sum(), *set(sums))]
    assert found.p == pytest.approx(tails[0])
    assert found.least_p == pytest.approx(min(tails))
    assert found.p == pytest.approx(stats.mannwhitneyu(a, b, method=stats.PermutationMethod()).pvalue)
    assert found.test.endswith("exact")
    assert "Tied ranks: exact" in found.note


def test_samples_without_ties_are_tested_as_before():
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=50), rng.normal(0.3, size=50)
    assert wilcoxon_paired(a, b).p == stats.wilcoxon(a, b, method="exact").pvalue
    found = mann_whitney(a[:5], b[:4])
    assert found.p == stats.mannwhitneyu(a[:5], b[:4], method="exact").pvalue
    assert found.least_p == pytest.approx(2 / 126)  # 9 over 4


def test_mann_whitney_of_many_with_ties_equals_the_textbook_formula():
    rng = np.random.default_rng(4)
    a, b = rng.integers(0, 6, 20).astype(float), rng.integers(1, 7, 60).astype(float)
    u = sum((x > b).sum() + 0.5 * (x == b).sum() for x in a)
    _, times = np.unique(np.concatenate([a, b]), return_counts=True)
    variance = 20 * 60 / 12 * (81 - (times**3 - times).sum() / (80 * 79))
    expected = 2 * stats.norm.sf((abs(u - 600) - 0.5) / np.sqrt(variance))
    found = mann_whitney(a, b)
    assert found.statistic == pytest.approx(u)
    assert found.p == pytest.approx(expected)
    assert "Tied ranks: corrected for." in found.note


def test_nothing_to_compare_is_said():
    same = wilcoxon_paired([1, 2, 3], [1, 2, 3])
    assert (same.p, same.effect) == (1.0, 0.0)
    assert "3 of 3 pairs do not differ." in same.note
    one = wilcoxon_paired([2.0], [1.0])
    assert all(np.isnan(number) for number in (one.p, one.statistic, one.effect, one.shift.low, one.shift.high))
    assert (one.n, one.shift.value) == (1, 1.0)
    assert "One patient: no test." in one.note
    two = wilcoxon_paired([2.0, 4.0], [1.0, 1.0])
    assert two.p == 0.5  # both signs of both differences: 2 of 4
    assert "Too few patients" in two.note
    each = mann_whitney([2.0], [1.0])
    assert (each.p, each.shift.value) == (1.0, 1.0)
    assert np.isnan(each.shift.low)
    none = wilcoxon_paired([np.nan], [1.0])
    assert np.isnan(none.p)
    assert "1 of 1 patients left out" in none.note
    empty = mann_whitney([], [1.0, 2.0])
    assert np.isnan(empty.p)
    assert "empty" in empty.note
    assert mann_whitney([1.0, 1.0], [1.0]).p == 1.0
    assert "Fewer than three" in shapiro_wilk([1.0, 2.0]).note
    assert "equal" in shapiro_wilk([1.0] * 5).note


@pytest.mark.parametrize("method", ["bonferroni", "holm"])
def test_adjusted_p_values_equal_statsmodels(method):
    p = np.random.default_rng(3).beta(0.4, 2, 15)
    p[3] = p[4]
    np.testing.assert_allclose(adjust(p, method), multipletests(p, method=method)[1])


def test_tests_that_could_not_be_done_do_not_count_in_the_adjustment():
    assert adjust([0.01, np.nan, 0.04], "bonferroni") == pytest.approx([0.02, np.nan, 0.08], nan_ok=True)
    assert adjust([0.01, np.nan, 0.04]) == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)
    assert adjust([]) == []
    with pytest.raises(ValueError, match="choose"):
        adjust([0.1], "tukey")


def test_marks_and_texts():
    assert [stars(p) for p in (0.2, 0.09, 0.04, 0.009, 0.0009, np.nan)] == ["", "(.)", "(*)", "(**)", "(***)", ""]
    written = {0.0004: "<.001", 0.002: ".002", 0.37: ".37", 0.999: ">.99", 1.0: ">.99", np.nan: "–"}
    assert [p_text(p) for p in written] == list(written.values())
