import math
import time

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.metrics import confusion_matrix, roc_auc_score

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.volume import Volume
from StrokeTrainLib.metrics.catalogue import METRICS
from StrokeTrainLib.metrics.patient import COLUMNS, Scores, score_patient

AFFINE = np.diag([1.5, 2.0, 5.0, 1.0])


def volume(array, affine=AFFINE):
    return Volume(np.asarray(array), affine)


@pytest.fixture(scope="module")
def example():
    rng = np.random.default_rng(5)
    chance = gaussian_filter(rng.normal(size=(8, 20, 22)), 2)
    chance = (chance - chance.min()) / np.ptp(chance)
    brain = np.zeros(chance.shape, bool)
    brain[1:7, 2:18, 2:20] = True
    truth = (chance + rng.normal(0, 0.1, chance.shape) > np.quantile(chance[brain], 0.9)) & brain
    return truth, (chance > np.quantile(chance[brain], 0.85)) & brain, chance.astype(np.float32), brain


def test_row_agrees_with_scikit_learn_and_with_volumes_by_hand(example):
    truth, mask, chance, brain = example
    row = score_patient("p", "net", *map(volume, (truth.astype(np.int16), mask, chance, brain)))
    (tn, fp), (fn, tp) = confusion_matrix(truth[brain], mask[brain])
    assert row.auc == pytest.approx(roc_auc_score(truth[brain], chance[brain]))
    assert row.binary_auc == pytest.approx(roc_auc_score(truth[brain], mask[brain]))
    assert row.specificity == pytest.approx(tn / (tn + fp))
    assert (row.ppv, row.recall) == pytest.approx((tp / (tp + fp), tp / (tp + fn)))
    assert row.dice == pytest.approx(2 * tp / (2 * tp + fp + fn))
    assert row.true_ml == pytest.approx(truth.sum() * 0.015)
    assert row.volume_error_ml == pytest.approx((int(mask.sum()) - int(truth.sum())) * 0.015)
    assert row.absolute_volume_error_ml == abs(row.volume_error_ml)
    assert row.note == ""
    assert tuple(row.row()) == COLUMNS
    assert set(METRICS) <= set(COLUMNS)


def test_spacing_is_taken_in_the_order_of_the_array():
    truth, mask = np.zeros((2, 3, 4, 5), bool)
    truth[0, 0, 0], mask[2, 0, 0] = True, True
    assert score_patient("p", "m", volume(truth), volume(mask)).hausdorff_mm == pytest.approx(10.0)
    mask[:] = False
    mask[0, 0, 4] = True
    assert score_patient("p", "m", volume(truth), volume(mask)).hausdorff_mm == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("true", "predicted", "overlap", "words"),
    [(False, False, 1.0, "Truth and"), (False, True, 0.0, "The truth"), (True, False, 0.0, "The prediction")],
)
def test_empty_masks_are_scored_by_convention_and_said(example, true, predicted, overlap, words):
    truth, mask, chance, brain = example
    row = score_patient("p", "net", volume(truth & true), volume(mask & predicted), volume(chance), volume(brain))
    assert (row.dice, row.volumetric_similarity, row.lesion_f1) == (overlap,) * 3
    assert math.isnan(row.hausdorff_mm)
    assert math.isnan(row.hausdorff_95_mm)
    assert math.isnan(row.auc) is (not true)
    assert row.note.startswith(words)


def test_what_is_missing_or_outside_the_brain_is_said(example):
    truth, mask, chance, brain = example
    without = score_patient("p", "net", volume(truth), volume(mask))
    assert math.isnan(without.auc)
    assert "No brain mask" in without.note
    assert without.dice > 0
    beyond = truth.copy()
    beyond[0, 0, :4] = True
    row = score_patient("p", "net", volume(beyond), volume(mask), None, volume(brain))
    assert "0.06 mL of the truth outside the brain mask" in row.note
    assert "No continuous map" in row.note
    chance = chance.copy()
    chance[3, 5, 5] = np.nan
    assert "without a value" in score_patient("p", "n", *map(volume, (truth, mask, chance, brain))).note


def test_other_grids_are_refused_and_a_missing_prediction_is_a_row(example):
    truth, mask, _, _ = example
    with pytest.raises(StrokeError, match="does not match"):
        score_patient("p", "net", volume(truth), volume(mask, np.diag([1.5, 2.0, 5.1, 1.0])))
    row = Scores.missing("p", "net", "No prediction of this patient in the run.")
    assert math.isnan(row.dice)
    assert row.note


def test_a_large_pair_takes_half_a_second_at_most():
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in (40, 256, 256)), indexing="ij"))
    brain = (grid**2).sum(0) < 0.7
    noise = gaussian_filter(np.random.default_rng(0).normal(size=brain.shape).astype(np.float32), (1, 4, 4))
    chance = 1 / (1 + np.exp(-(1 - ((grid - 0.25) ** 2).sum(0) * 4 + 8 * noise))).astype(np.float32)
    truth, mask = brain & (chance > 0.55), brain & (chance > 0.5) & (noise > -0.05)
    volumes = [volume(array, np.diag([0.9, 0.9, 4.0, 1.0])) for array in (truth, mask, chance, brain)]
    took = []
    for _ in range(3):
        start = time.process_time()
        row = score_patient("p", "net", *volumes)
        took.append(time.process_time() - start)
    assert 0.5 < row.dice < 1
    # Processor time, so that other work on the machine does not count.
    assert min(took) < 0.5
