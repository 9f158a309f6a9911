"""Samples that are no numbers must never act as signal."""

import numpy as np
import pytest
from perfusion_scans import make_scan
from scipy import ndimage

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image, write_image
from StrokePredictLib.perfusion import motion
from StrokePredictLib.perfusion.pipeline import compute_maps
from StrokePredictLib.perfusion.timing import make_axis
from StrokePredictLib.perfusion.values import bridge_gaps, without_lost
from StrokePredictLib.volume import Volume

#: Normal tissue of the right hemisphere, slices 2 to 5: 400 voxels.
PATCH = (slice(2, 6), slice(22, 32), slice(8, 18))
CHECKS = {"MR": 0.03, "CT": None}


@pytest.fixture(scope="module", params=["MR", "CT"])
def clean(request):
    scan = make_scan(request.param)
    return request.param, scan, maps_of(scan, scan.series, request.param)


def maps_of(scan, series, modality, **options):
    return compute_maps(series, scan.times, modality=modality, echo_time=CHECKS[modality], **options)


def spoilt(scan, frames, where, value=np.nan):
    array = scan.series.array.copy()
    for t in frames:
        array[(t, *where)] = value
    return scan.series.with_array(array)


def late_ml(result):
    return np.count_nonzero(result.maps["tmax"].array > 6) * result.mask.voxel_ml


def said(result, name="values"):
    return next(check for check in result.summary["quality"] if check["name"] == name)


@pytest.mark.parametrize("frames", [(8, 9, 10, 11), (3, 4, 5, 6), (30, 31, 32, 33), range(45)])
def test_a_spoilt_patch_makes_no_lesion(clean, tmp_path, frames):
    modality, scan, before = clean
    write_image(tmp_path / "series.nii.gz", spoilt(scan, frames, PATCH))
    result = maps_of(scan, read_image(tmp_path / "series.nii.gz"), modality)
    assert late_ml(result) == pytest.approx(late_ml(before), abs=1.0)
    assert not result.mask.array[PATCH].any()
    assert result.summary["not_numbers"]["samples"] == len(frames) * 400
    assert result.summary["not_numbers"]["lost"] == 400
    told = " ".join(result.summary["warnings"])
    assert f"{len(frames) * 400} samples are not numbers" in told
    assert "400 left out" in told
    assert result.summary["quality_failed"] == ["values"]
    assert said(result)["value"] == pytest.approx(400 / before.mask.array.sum(), rel=0.02)
    assert "not numbers" in said(result)["sentence"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, -1e20])
def test_single_samples_are_interpolated(clean, value):
    modality, scan, before = clean
    where = (slice(3, 4), slice(22, 26), slice(8, 16))  # 32 voxels: below 1 % of the brain
    result = maps_of(scan, spoilt(scan, (5, 16, 40), where, value), modality)
    assert result.mask.array[where].all()
    assert result.summary["quality_passed"], result.summary["quality"]
    assert result.summary["not_numbers"] == {
        "samples": 96, "bridged": 32, "lost": 0, "voxels": int(before.mask.array.sum())
    }  # fmt: skip
    change = np.abs(result.maps["tmax"].array - before.maps["tmax"].array)
    assert np.median(change[where]) < 0.5
    assert late_ml(result) == pytest.approx(late_ml(before), abs=0.5)
    told = " ".join(result.summary["warnings"])
    assert "96 samples are not numbers" in told
    assert "32 voxels of the brain were interpolated" in told


def test_a_whole_frame_is_interpolated_and_flagged(clean):
    modality, scan, before = clean
    result = maps_of(scan, spoilt(scan, (20,), (slice(None),) * 3), modality)
    assert result.summary["quality_failed"] == ["values"]
    assert late_ml(result) == pytest.approx(late_ml(before), rel=0.05)


def test_nothing_around_the_head_is_no_fault(clean):
    """Series cut out of their surroundings often hold NaN there."""
    modality, scan, before = clean
    outside = ~ndimage.binary_dilation(scan.brain, np.ones((1, 3, 3)), iterations=2)
    array = scan.series.array.copy()
    array[:, outside] = np.nan
    result = maps_of(scan, scan.series.with_array(array), modality)
    np.testing.assert_array_equal(result.mask.array, before.mask.array)
    assert result.summary["quality_passed"], result.summary["quality"]
    np.testing.assert_allclose(result.maps["tmax"].array, before.maps["tmax"].array, atol=0.05)
    assert any("0 voxels of the brain" in w for w in result.summary["warnings"])


def test_a_hole_does_not_leak_into_frames_that_are_moved_back(monkeypatch):
    scan = make_scan("MR", noise=0.3)
    matrices = np.tile(np.eye(4), (45, 1, 1))
    corrected = list(range(12, 30))
    matrices[corrected, 0, 3] = 2.0  # half a voxel: every second value is mixed with its neighbour's
    found = motion.Motion(matrices, np.where(matrices[:, 0, 3] > 0, 2.0, 0.0), [], corrected)
    monkeypatch.setattr(motion, "estimate", lambda *args: found)
    before = maps_of(scan, scan.series, "MR", mask=scan.brain)
    result = maps_of(scan, spoilt(scan, range(45), PATCH), "MR", mask=scan.brain)
    hole = np.zeros_like(scan.brain)
    hole[PATCH] = True
    around = ndimage.binary_dilation(hole, np.ones((1, 3, 3))) & ~hole & scan.brain
    assert result.mask.array[around].all()
    beside = around & ~np.roll(hole, 1, axis=2) & np.roll(hole, -1, axis=2)  # they read half their value in the hole
    change = np.abs(result.maps["cbv"].array - before.maps["cbv"].array)[beside]
    assert change.max() < 0.5
    assert np.abs(result.maps["tmax"].array - before.maps["tmax"].array)[beside].mean() < 0.5


@pytest.mark.parametrize("per_slice", [False, True])
def test_interpolation_follows_the_times(per_slice):
    """Against numpy's interpolation, voxel by voxel, with uneven times."""
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.uniform(1.0, 2.0, 30))
    times = times[:, None] + np.linspace(0, 0.8, 3) if per_slice else times
    array = rng.normal(100, 10, (30, 3, 4, 5)).astype(np.float32)
    bad = np.zeros(array.shape, dtype=bool)
    bad[[0, 7, 29]] = rng.random((3, 3, 4, 5)) < 0.5
    bad[15:17, 1] = True  # two in a row, and with the others at most four of thirty: too many
    bad[[0, 7, 29], 1] = False
    series = Volume(np.where(bad, np.nan, array).astype(np.float32), np.eye(4))
    mended, gaps = bridge_gaps(series, make_axis(times, 30, 3))
    assert not gaps.lost.any()
    np.testing.assert_array_equal(gaps.bridged, bad.any(axis=0))
    for z, y, x in np.ndindex(3, 4, 5):
        t, good = times[:, z] if per_slice else times, ~bad[:, z, y, x]
        expected = np.interp(t, t[good], array[good, z, y, x])
        np.testing.assert_allclose(mended.array[:, z, y, x], expected, rtol=1e-5)


def test_what_is_left_out_gets_a_neighbours_curve():
    array = np.arange(30 * 2 * 3 * 4, dtype=np.float32).reshape(30, 2, 3, 4)
    spoilt_array = array.copy()
    spoilt_array[:, 1, 1, 0] = np.nan
    series = Volume(spoilt_array, np.diag([1.0, 2.0, 5.0, 1.0]))
    mended, gaps = bridge_gaps(series, make_axis(np.arange(30) * 1.5, 30, 2))
    kept, count = without_lost(mended, np.arange(24), gaps)
    assert (count.lost, count.bridged, count.voxels) == (1, 0, 24)
    np.testing.assert_array_equal(kept, np.delete(np.arange(24), 16))
    np.testing.assert_array_equal(mended.array[:, 1, 1, 0], array[:, 1, 1, 1])  # 1 mm away along x
    assert np.isnan(series.array).any(), "the series given stays as it was"


def test_marked_samples_are_not_read():
    """What the door set to 0 is marked, and counts as no number."""
    array = np.full((30, 1, 2, 2), 50.0, dtype=np.float32)
    marked = np.zeros(array.shape, dtype=bool)
    marked[9, 0, 0, 0] = True
    array[marked] = 0.0
    series = Volume(array, np.eye(4), meta={"nonfinite": marked})
    mended, gaps = bridge_gaps(series, make_axis(np.arange(30) * 1.5, 30, 1))
    assert gaps.samples == 1
    assert mended.array.min() == 50.0


@pytest.mark.parametrize("frames", [range(45), range(10, 30)])
def test_no_numbers_at_all_are_told(frames):
    scan = make_scan("MR", slices=3)
    with pytest.raises(StrokeError, match="numbers"):
        maps_of(scan, spoilt(scan, frames, (slice(None),) * 3), "MR")
