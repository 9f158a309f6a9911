import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from StrokeTrainLib.metrics.auc import RATES, binary_auc, roc_at, roc_auc
from StrokeTrainLib.metrics.overlap import count


@pytest.mark.parametrize("decimals", [1, 2, 9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_auc_equals_scikit_learn_with_and_without_ties(decimals, dtype):
    rng = np.random.default_rng(decimals)
    truth = rng.random(3000) < 0.1
    score = np.round(rng.random(3000) + 0.4 * truth, decimals).astype(dtype)
    assert roc_auc(truth, score) == pytest.approx(roc_auc_score(truth, score), abs=1e-12)


def test_auc_of_a_mask_is_the_mean_of_sensitivity_and_specificity():
    rng = np.random.default_rng(0)
    truth, mask = rng.random(500) < 0.3, rng.random(500) < 0.4
    assert binary_auc(count(truth, mask)) == pytest.approx(roc_auc_score(truth, mask))
    assert binary_auc(count(truth, mask)) == pytest.approx(roc_auc(truth, mask.astype(np.float32)))


def test_infinite_scores_rank_and_missing_ones_are_undefined():
    truth = np.array([True, True, False, False])
    assert roc_auc(truth, np.array([np.inf, 0.2, 0.1, -np.inf])) == 1.0
    assert np.isnan(roc_auc(truth, np.array([np.nan, 0.2, 0.1, 0.0])))
    assert np.isnan(roc_auc(truth, np.array([0.3, 0.2, np.nan, 0.0])))


@pytest.mark.parametrize("truth", [np.ones(4, bool), np.zeros(4, bool)])
def test_one_class_alone_has_no_auc(truth):
    assert np.isnan(roc_auc(truth, np.arange(4.0)))
    assert np.isnan(binary_auc(count(truth, np.array([True, False, True, False]))))


@pytest.mark.parametrize("decimals", [1, 9])
def test_curve_at_fixed_rates_is_scikit_learns(decimals):
    rng = np.random.default_rng(decimals)
    truth = rng.random(2000) < 0.1
    score = np.round(rng.random(2000) + 0.4 * truth, decimals)
    misses, hits, _ = roc_curve(truth, score, drop_intermediate=False)
    found = roc_at(truth, score)
    for rate, share in zip(RATES, found, strict=True):
        # Between the last corner not beyond the rate and the first beyond it.
        beyond = hits[misses > rate]
        assert hits[misses <= rate].max() - 1e-12 <= share <= (beyond.min() if beyond.size else 1.0) + 1e-12
    assert np.trapezoid(roc_at(truth, score, misses_grid := np.linspace(0, 1, 20001)), misses_grid) == pytest.approx(
        roc_auc_score(truth, score), abs=2e-4
    )


def test_without_a_lesion_there_is_no_curve():
    assert np.isnan(roc_at(np.zeros(5, bool), np.arange(5.0))).all()
    assert np.isnan(roc_at(np.array([True, False]), np.array([np.nan, 1.0]))).all()
