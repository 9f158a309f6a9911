import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from StrokeTrainLib.statistics.intervals import bootstrap, proportion

VALUES = np.random.default_rng(3).gamma(1.5, 20, 31)
OTHER = VALUES * 0.8 + np.random.default_rng(4).normal(0, 9, 31)


@pytest.mark.parametrize(("method", "name"), [("wilson", "wilson"), ("exact", "beta")])
@pytest.mark.parametrize(("k", "n"), [(0, 20), (7, 20), (38, 40), (40, 40)])
def test_proportions_equal_statsmodels(method, name, k, n):
    found = proportion(k, n, method)
    assert (found.low, found.high) == pytest.approx(proportion_confint(k, n, method=name), abs=1e-7)


def test_proportions_of_published_examples():
    # Newcombe 1998, table I: methods 3 (Wilson) and 5 (Clopper-Pearson).
    for k, n, wilson, exact in ((81, 263, (0.2553, 0.3662), (0.2527, 0.3676)), (0, 20, (0.0, 0.1611), (0.0, 0.1684))):
        assert (proportion(k, n).low, proportion(k, n).high) == pytest.approx(wilson, abs=6e-5)
        assert (proportion(k, n, "exact").low, proportion(k, n, "exact").high) == pytest.approx(exact, abs=6e-5)


def test_impossible_proportions():
    assert proportion(0, 0).note == "No patients."
    with pytest.raises(ValueError, match="cannot be"):
        proportion(3, 2)
    with pytest.raises(ValueError, match="choose"):
        proportion(1, 2, "wald")


@pytest.mark.parametrize("method", ["BCa", "percentile"])
def test_bootstrap_equals_scipy_on_one_and_on_paired_columns(method):
    # With one generator both draw the same patients.
    def correlation(x, y):
        return np.corrcoef(x, y)[0, 1]

    for statistic, columns in ((np.mean, (VALUES,)), (np.median, (VALUES,)), (correlation, (VALUES, OTHER))):
        expected = stats.bootstrap(
            columns, statistic, paired=len(columns) > 1, vectorized=False, method=method, n_resamples=500,
            rng=np.random.default_rng(11),
        ).confidence_interval  # fmt: skip
        found = bootstrap(statistic, *columns, seed=11, method=method, resamples=500)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-9)
        assert found.value == pytest.approx(statistic(*columns))


def test_same_seed_same_interval_and_other_seed_another():
    first, again, other = (bootstrap(np.mean, VALUES, seed=seed, resamples=300) for seed in (5, 5, 6))
    assert first == again
    assert first.low != other.low


def test_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(1)
    found = [bootstrap(np.mean, rng.normal(0, 1, 40), seed=i, resamples=200) for i in range(300)]
    assert np.mean([e.low <= 0 <= e.high for e in found]) == pytest.approx(0.94, abs=0.035)


def test_patients_can_be_looked_up_by_their_number():
    groups = [np.arange(3.0), np.arange(5.0), np.ones(2), np.zeros(7)]

    def pooled(index):
        return np.concatenate([groups[int(i)] for i in index]).mean()

    found = bootstrap(pooled, np.arange(4), seed=0, resamples=200)
    assert found.value == pytest.approx(np.concatenate(groups).mean())
    assert found.low <= found.value <= found.high


def test_degenerate_columns_are_told():
    assert "Too few patients" in bootstrap(np.mean, [1.0], seed=0).note
    assert np.isnan(bootstrap(np.mean, [], seed=0).value)
    same = bootstrap(np.mean, [2.0] * 6, seed=0, resamples=50)
    assert (same.low, same.high) == (2.0, 2.0)
    assert "percentiles instead" in same.note
    assert "2 of 8 patients left out" in bootstrap(np.mean, [*VALUES[:6], np.nan, np.nan], seed=0, resamples=50).note

    def only_with_both(y):
        return np.mean(y) if 0 < np.sum(y) < y.size else np.nan

    found = bootstrap(only_with_both, [0, 0, 1, 1, 0], seed=0, resamples=200)
    assert "resamples gave no value" in found.note
    assert np.isfinite(found.low)
    with pytest.raises(ValueError, match="choose"):
        bootstrap(np.mean, VALUES, seed=0, method="basic")
