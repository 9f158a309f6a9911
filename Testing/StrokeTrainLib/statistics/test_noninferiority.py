import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from StrokeTrainLib.statistics.noninferiority import noninferiority_paired

RNG = np.random.default_rng(9)
READER = RNG.beta(8, 2, 60)
NETWORK = READER - 0.01 + RNG.normal(0, 0.06, 60)


def test_p_value_equals_half_of_statsmodels_equivalence_test():
    _, (_, lower_p, _), _ = ttost_paired(NETWORK, READER, -0.03, 0.03)
    found = noninferiority_paired(NETWORK, READER, margin=0.03)
    assert found.p == pytest.approx(lower_p)
    low, high = stats.ttest_rel(NETWORK, READER).confidence_interval(0.95)
    assert (found.difference.low, found.difference.high) == pytest.approx((low, high))


def test_verdict_and_interval_say_the_same():
    for margin in (0.001, 0.01, 0.02, 0.05):
        for method in ("t", "rank"):
            found = noninferiority_paired(NETWORK, READER, margin=margin, method=method)
            assert (found.verdict == "non-inferior") is (found.difference.low > -margin)
    assert noninferiority_paired(NETWORK, READER, margin=0.05).verdict == "non-inferior"
    assert noninferiority_paired(NETWORK, READER, margin=0.005).verdict == "not shown"


def test_a_p_value_above_005_is_not_non_inferiority():
    # Six patients, no significant difference, an interval far wider than the margin: Alis' conclusion would not hold.
    few, reader = np.array([0.7, 0.9, 0.6, 0.85, 0.5, 0.8]), np.array([0.85, 0.8, 0.8, 0.9, 0.7, 0.75])
    assert stats.wilcoxon(few, reader).pvalue > 0.05
    assert noninferiority_paired(few, reader, margin=0.05).verdict == "not shown"


def test_distances_are_better_when_small():
    distance = RNG.gamma(4, 5, 40)
    worse = distance + 1 + RNG.normal(0, 1, 40)
    assert noninferiority_paired(worse, distance, margin=3, higher_is_better=False).verdict == "non-inferior"
    assert noninferiority_paired(worse, distance, margin=0.5, higher_is_better=False).verdict == "not shown"
    assert noninferiority_paired(distance, worse, margin=0.5, higher_is_better=False).verdict == "non-inferior"


def test_a_margin_must_be_stated():
    with pytest.raises(TypeError):
        noninferiority_paired(NETWORK, READER)
    with pytest.raises(ValueError, match="state a margin"):
        noninferiority_paired(NETWORK, READER, margin=0)
    with pytest.raises(ValueError, match="choose"):
        noninferiority_paired(NETWORK, READER, margin=0.1, method="z")


def test_too_few_patients_are_not_assessable():
    assert noninferiority_paired([0.5], [0.5], margin=0.1).verdict == "not assessable"
    assert noninferiority_paired([], [], margin=0.1, method="rank").verdict == "not assessable"
    same = noninferiority_paired([0.5, 0.6], [0.5, 0.6], margin=0.1)
    assert same.verdict == "non-inferior"
