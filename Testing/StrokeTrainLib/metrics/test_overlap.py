import numpy as np
import pytest
from sklearn.metrics import jaccard_score, precision_score, recall_score

from StrokeTrainLib.metrics.overlap import Counts, count, dice, ppv, recall, specificity, volumetric_similarity


def pair(seed, share=0.3):
    rng = np.random.default_rng(seed)
    return rng.random((4, 7, 9)) < share, rng.random((4, 7, 9)) < share


@pytest.mark.parametrize("seed", range(5))
def test_overlap_equals_scikit_learn_and_monai(seed):
    import torch
    from monai.metrics import ConfusionMatrixMetric, compute_dice

    truth, prediction = pair(seed)
    counts = count(truth, prediction)
    assert ppv(counts) == pytest.approx(precision_score(truth.ravel(), prediction.ravel()))
    assert recall(counts) == pytest.approx(recall_score(truth.ravel(), prediction.ravel()))
    jaccard = jaccard_score(truth.ravel(), prediction.ravel())
    assert dice(counts) == pytest.approx(2 * jaccard / (1 + jaccard))
    y, p = (torch.tensor(mask[None, None], dtype=torch.float32) for mask in (truth, prediction))
    assert dice(counts) == pytest.approx(compute_dice(p, y).item())
    metric = ConfusionMatrixMetric(metric_name="specificity")
    metric(p, y)
    assert specificity(counts) == pytest.approx(metric.aggregate()[0].item())


def test_volumetric_similarity_equals_simpleitk():
    import SimpleITK as sitk

    truth, prediction = pair(7, 0.4)
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(*(sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in (truth, prediction)))
    # ITK's is 2(V1 - V2)/(V1 + V2), signed; Taha's and Debs' is 1 - |V1 - V2|/(V1 + V2).
    assert volumetric_similarity(count(truth, prediction)) == pytest.approx(
        1 - abs(overlap.GetVolumeSimilarity()) / 2
    )


def test_inside_counts_only_the_brain():
    truth, prediction = pair(3)
    inside = np.zeros_like(truth)
    inside[1:3] = True
    assert count(truth, prediction, inside) == count(truth[1:3], prediction[1:3])


def test_nothing_to_find_and_nothing_found_is_perfect_and_one_empty_is_zero():
    measures = (dice, ppv, recall, volumetric_similarity)
    assert [measure(Counts(0, 0, 0, 10)) for measure in measures] == [1, 1, 1, 1]
    assert [measure(Counts(0, 3, 0, 7)) for measure in measures] == [0, 0, 0, 0]
    assert [measure(Counts(0, 0, 3, 7)) for measure in measures] == [0, 0, 0, 0]
    assert np.isnan(specificity(Counts(5, 0, 5, 0)))


def test_masks_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match="different shapes"):
        count(np.zeros((2, 3, 4), bool), np.zeros((2, 3, 5), bool))
