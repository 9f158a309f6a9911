import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from StrokeTrainLib.metrics.auc import binary_auc, roc_auc
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
