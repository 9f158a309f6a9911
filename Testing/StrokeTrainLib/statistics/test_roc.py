import numpy as np
import pytest
import sklearn.metrics
from scipy import stats

from StrokeTrainLib.statistics.roc import delong, delong_paired, delong_unpaired, mean_roc, roc_curve

# Hanley and McNeil 1982: CT images of 109 patients rated 1 (definitely normal) to 5 (definitely abnormal).
NORMAL, ABNORMAL = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)
RATING = np.concatenate([np.repeat(np.arange(1, 6), counts) for counts in (NORMAL, ABNORMAL)])
ILL = np.repeat([0, 1], [58, 51])


def cohort(seed, n=60, effect=1.0):
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.4
    common = rng.normal(size=n)
    return y, common + effect * y + rng.normal(size=n), np.round(common + 0.5 * y + rng.normal(size=n), 1)


def structural(y, score):
    """Return DeLong's structural components, written as in the paper's equations."""
    ill, well = score[y], score[~y]
    psi = np.array([[(x > v) + 0.5 * (x == v) for v in well] for x in ill], float)
    return psi.mean(), psi.mean(axis=1), psi.mean(axis=0)


@pytest.mark.parametrize("seed", range(3))
def test_curve_equals_scikit_learn(seed):
    y, _, score = cohort(seed)
    found = roc_curve(y, score)
    false, true, threshold = sklearn.metrics.roc_curve(y, score, drop_intermediate=False)
    np.testing.assert_allclose(found.false_positive, false)
    np.testing.assert_allclose(found.true_positive, true)
    np.testing.assert_allclose(found.threshold[1:], threshold[1:])
    assert found.auc == pytest.approx(sklearn.metrics.roc_auc_score(y, score))
    assert (found.positives, found.negatives) == (y.sum(), (~y).sum())


def test_delong_of_the_published_example():
    # Stata's manual, roctab: area 0.8932, DeLong's standard error 0.0307, 95 % CI 0.83295 to 0.95339.
    found = delong(ILL, RATING)
    assert found.value == pytest.approx(0.8932, abs=5e-5)
    assert (found.low, found.high) == pytest.approx((0.83295, 0.95339), abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_paired_test_equals_the_papers_equations(seed):
    y, a, b = cohort(seed)
    (auc_a, ill_a, well_a), (auc_b, ill_b, well_b) = structural(y, a), structural(y, b)
    variance = np.var(ill_a - ill_b, ddof=1) / y.sum() + np.var(well_a - well_b, ddof=1) / (~y).sum()
    z = (auc_a - auc_b) / np.sqrt(variance)
    found = delong_paired(y, a, b)
    assert found.statistic == pytest.approx(z)
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(z)))
    assert found.shift.value == pytest.approx(auc_a - auc_b)
    assert found.shift.high - found.shift.low == pytest.approx(2 * 1.959964 * np.sqrt(variance), rel=1e-6)


def test_unpaired_test_adds_the_variances():
    (y1, a, _), (y2, b, _) = cohort(1), cohort(2, 45)
    first, second = structural(y1, a), structural(y2, b)
    variance = sum(
        np.var(ill, ddof=1) / ill.size + np.var(well, ddof=1) / well.size for _, ill, well in (first, second)
    )
    found = delong_unpaired((y1, a), (y2, b))
    assert found.statistic == pytest.approx((first[0] - second[0]) / np.sqrt(variance))
    assert found.n == 105


def test_mean_curve_over_folds_interpolates_vertically():
    folds = [roc_curve(*cohort(seed)[:2]) for seed in range(4)]
    found = mean_roc(folds)
    at = 37
    values = [np.interp(0.37, fold.false_positive, fold.true_positive) for fold in folds]
    assert found.true_positive[at] == pytest.approx(np.mean(values))
    assert found.sd[at] == pytest.approx(np.std(values, ddof=1))
    areas = [fold.auc for fold in folds]
    assert (found.auc_mean, found.auc_sd) == pytest.approx((np.mean(areas), np.std(areas, ddof=1)))
    assert (found.true_positive[0], found.true_positive[-1]) == (0, 1)


def test_what_cannot_be_had_is_said():
    one_class = roc_curve([1, 1], [0.2, 0.3])
    assert np.isnan(one_class.auc)
    assert "one class" in one_class.note
    assert "no interval" in delong([1, 0, 0], [0.9, 0.1, 0.2]).note
    perfect = delong([1, 1, 0, 0], [0.9, 0.8, 0.1, 0.2])
    assert (perfect.value, perfect.low) == (1, 1)
    assert "no width" in perfect.note
    same = delong_paired([1, 1, 0, 0], [4, 2, 3, 1], [4, 2, 3, 1])
    assert same.p == 1
    assert np.isnan(delong_paired([1, 0, 0], [1, 2, 3], [1, 2, 3]).p)
    assert "no test" in delong_unpaired(([1, 0], [1, 2]), ([1, 1, 0, 0], [4, 2, 3, 1])).note
    folds = mean_roc([one_class, roc_curve([1, 0], [0.9, 0.1])])
    assert "1 of 2 folds left out" in folds.note
    assert np.isnan(folds.auc_sd)
    assert np.isnan(mean_roc([]).auc_mean)
