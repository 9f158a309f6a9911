import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from StrokeTrainLib.statistics.calibration import bin_counts, brier_score, calibration
from StrokeTrainLib.statistics.intervals import proportion

RNG = np.random.default_rng(6)
PROBABILITY = RNG.beta(0.6, 0.9, 400)
TRUTH = RNG.random(400) < PROBABILITY**1.4


def test_curve_and_brier_score_equal_scikit_learn():
    found = calibration([bin_counts(y, p) for y, p in zip(TRUTH, PROBABILITY, strict=True)])
    observed, predicted = calibration_curve(TRUTH, PROBABILITY, n_bins=10)
    np.testing.assert_allclose(found.observed, observed)
    np.testing.assert_allclose(found.predicted, predicted)
    assert found.brier == pytest.approx(brier_score_loss(TRUTH, PROBABILITY))
    assert brier_score(TRUTH, PROBABILITY).value == pytest.approx(found.brier)
    assert found.expected_error == pytest.approx(np.sum(found.n * np.abs(observed - predicted)) / 400)


def test_one_probability_a_patient_has_wilsons_interval():
    found = calibration([bin_counts(y, p) for y, p in zip(TRUTH, PROBABILITY, strict=True)])
    in_first = PROBABILITY < 0.1
    expected = proportion(int(TRUTH[in_first].sum()), int(in_first.sum()))
    assert (found.low[0], found.high[0]) == pytest.approx((expected.low, expected.high))


def test_voxels_of_a_patient_do_not_narrow_the_interval():
    # Twelve patients of 500 voxels that are all ill or all healthy carry the information of twelve patients.
    rng = np.random.default_rng(0)
    ill = rng.random(12) < 0.5
    patients = [bin_counts(np.full(500, y), np.full(500, 0.55)) for y in ill]
    found = calibration(patients, seed=1)
    share = np.array([np.mean(ill[rng.integers(0, 12, 12)]) for _ in range(4000)])
    assert (found.low[5], found.high[5]) == pytest.approx(tuple(np.quantile(share, (0.025, 0.975))), abs=0.06)
    assert found.high[5] - found.low[5] > 0.3
    assert calibration(patients, seed=1).low[5] == found.low[5]


def test_patients_add_up():
    halves = bin_counts(TRUTH[:100], PROBABILITY[:100]) + bin_counts(TRUTH[100:], PROBABILITY[100:])
    whole = bin_counts(TRUTH, PROBABILITY)
    np.testing.assert_array_equal(halves.n, whole.n)
    np.testing.assert_allclose(halves.probability, whole.probability)
    assert halves.squared == pytest.approx(whole.squared)


def test_edges_of_bins_and_bad_input():
    counts = bin_counts(np.array([0, 1, 1]), np.array([0.0, 0.1, 1.0]))
    assert counts.n.tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    for bad in ([1.2], [-0.1], [np.nan]):
        with pytest.raises(ValueError, match="between 0 and 1"):
            bin_counts(np.array([1]), np.array(bad))
    assert calibration([]).note == "No patients."
    assert calibration([bin_counts(np.empty(0), np.empty(0))]).note == "No cases."
    one = calibration([bin_counts(TRUTH, PROBABILITY)])
    assert np.isnan(one.low).all()
    assert "no interval" in one.note
