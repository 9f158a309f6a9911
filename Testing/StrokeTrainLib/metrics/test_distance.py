import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import directed_hausdorff

from StrokeTrainLib.metrics.distance import distances

SPACING = (6.5, 1.8, 0.9)  # z, y, x


def blobs(seed, level):
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(9, 24, 30)), (1, 2, 2))
    return noise > np.quantile(noise, level)


def monai_95(truth, prediction):
    import torch
    from monai.metrics import compute_hausdorff_distance

    y, p = (torch.tensor(mask[None, None], dtype=torch.float32) for mask in (truth, prediction))
    return compute_hausdorff_distance(p, y, include_background=True, percentile=95, spacing=SPACING).item()


PAIRS = {
    "blobs": (blobs(1, 0.9), blobs(2, 0.9)),
    "many": (blobs(3, 0.6), blobs(4, 0.7)),
    "overlapping": (blobs(5, 0.8), blobs(5, 0.9)),
    "same": (blobs(6, 0.8), blobs(6, 0.8)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_hausdorff_equals_simpleitk_and_scipy_and_its_95_percent_variant_monai(name):
    truth, prediction = PAIRS[name]
    got = distances(truth, prediction, SPACING)
    images = [sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in (truth, prediction)]
    for image in images:
        image.SetSpacing(SPACING[::-1])
    itk = sitk.HausdorffDistanceImageFilter()
    itk.Execute(*images)
    points = [np.argwhere(mask) * SPACING for mask in (truth, prediction)]
    both = max(directed_hausdorff(*points)[0], directed_hausdorff(*points[::-1])[0])
    assert got.hausdorff == pytest.approx(both, abs=1e-4)
    assert got.hausdorff == pytest.approx(itk.GetHausdorffDistance(), abs=1e-4)
    assert got.hausdorff_95 == pytest.approx(monai_95(truth, prediction), abs=1e-4)


def test_lesions_at_the_image_border_have_a_surface_there():
    truth, prediction = np.zeros((2, 5, 20, 20), bool)
    truth[:, :, :8] = True
    prediction[:2, :4, :6] = True
    assert distances(truth, prediction, SPACING).hausdorff_95 == pytest.approx(monai_95(truth, prediction), abs=1e-4)


def test_two_voxels_lie_as_far_apart_as_their_spacing_says():
    truth, prediction = np.zeros((2, 4, 5, 6), bool)
    truth[0, 0, 0] = prediction[2, 3, 1] = True
    expected = np.hypot(np.hypot(2 * 6.5, 3 * 1.8), 0.9)
    got = distances(truth, prediction, SPACING)
    assert (got.hausdorff, got.hausdorff_95) == pytest.approx((expected, expected))


def test_distance_to_nothing_is_undefined():
    empty, full = np.zeros((2, 3, 3), bool), np.ones((2, 3, 3), bool)
    for pair in ((empty, full), (full, empty), (empty, empty)):
        assert np.isnan(distances(*pair, SPACING).hausdorff)
        assert np.isnan(distances(*pair, SPACING).hausdorff_95)
    assert distances(full, full, SPACING).hausdorff == 0
