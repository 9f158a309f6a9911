"""Series to maps: right numbers on a known head, right words on bad input."""

import numpy as np
import pytest
from perfusion_scans import make_scan

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.perfusion.deconvolve import METHODS
from StrokePredictLib.perfusion.manual import InputVoxels
from StrokePredictLib.perfusion.pipeline import compute_maps
from StrokePredictLib.perfusion.ratio import ct_core, mirrored, relative_cbf
from StrokePredictLib.perfusion.scaling import Scaling
from StrokePredictLib.volume import Volume


@pytest.fixture(scope="module", params=["MR", "CT"])
def scan(request):
    return request.param, make_scan(request.param)


@pytest.fixture(scope="module")
def result(scan):
    modality, head = scan
    return compute_maps(head.series, head.times, modality=modality, echo_time=0.03 if modality == "MR" else None)


def inner(region):
    """Return a region without its rim, which smoothing mixes."""
    from scipy.ndimage import binary_erosion

    return binary_erosion(region, np.ones((1, 5, 5)))


def test_brain_is_found(scan, result):
    found, true = result.mask.array, scan[1].brain
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) > 0.95


def test_maps_are_on_the_grid_and_empty_outside(scan, result):
    assert set(result.maps) == {"cbf", "cbv", "mtt", "tmax", "ttp"}
    for volume in result.maps.values():
        assert volume.array.dtype == np.float32
        assert volume.same_grid(scan[1].series)
        assert np.isfinite(volume.array).all()
        assert not volume.array[~result.mask.array].any()


def test_normal_tissue_and_lesion_are_told_apart(scan, result):
    head = scan[1]
    lesion = inner(head.lesion)
    vessels = np.zeros_like(head.brain)
    for where in (head.artery, head.sinus):
        vessels[where] = True
    normal = inner(head.brain & ~head.lesion & (np.indices(head.brain.shape)[2] < 11))
    tmax, cbv = result.maps["tmax"].array, result.maps["cbv"].array
    assert (tmax[lesion] > 6).mean() > 0.95
    assert (tmax[normal] < 6).mean() > 0.97
    assert np.median(cbv[normal]) == pytest.approx(head.cbv["normal"], rel=0.12)
    ttp = result.maps["ttp"].array
    assert np.median(ttp[lesion]) > np.median(ttp[normal]) + 4.0


def test_cbf_scales_with_haematocrit_and_density(scan, result):
    modality, head = scan
    other = compute_maps(head.series, head.times, modality=modality, scaling=Scaling(1.0, 1.0))
    inside = result.mask.array & (result.maps["cbf"].array > 1)
    ratio = other.maps["cbf"].array[inside] / result.maps["cbf"].array[inside]
    np.testing.assert_allclose(ratio, 1.05 / 0.73, rtol=1e-4)


def test_artery_and_vein_come_from_the_right_places(scan, result):
    head, summary = scan[1], result.summary
    x, y, _ = summary["aif"]["voxel"]
    assert 13 <= x < 15, "the artery of the unaffected side"
    assert 18 <= y < 20
    assert summary["aif"]["affected_side"] == "L"
    x, y, _ = summary["vof"]["voxel"]
    assert 20 <= x < 23
    assert 37 <= y < 40
    scores = [c["score"] for c in summary["aif"]["candidates"] if c["side"] == "R"]
    assert scores == sorted(scores, reverse=True)
    place = head.series.affine[:3, :3] @ summary["aif"]["voxel"] + head.series.affine[:3, 3]
    np.testing.assert_allclose(summary["aif"]["place_lps_mm"], place, atol=1e-3)


def test_quality_passes_and_every_check_has_a_sentence(result):
    assert result.summary["quality_passed"], result.summary["quality"]
    names = {c["name"] for c in result.summary["quality"]}
    assert names == {
        "bolus", "contrast-to-noise", "baseline", "truncation", "arterial-input", "coverage", "values", "motion"
    }  # fmt: skip
    assert all(len(c["sentence"]) > 20 for c in result.summary["quality"])


@pytest.mark.parametrize("method", METHODS)
def test_every_method_runs(method):
    head = make_scan("CT", slices=7)
    result = compute_maps(head.series, head.times, modality="CT", method=method)
    assert (result.maps["tmax"].array[inner(head.lesion)] > 6).mean() > 0.9
    assert ("delay" in result.maps) == (method == "vascular")
    if method == "vascular":
        delay = result.maps["delay"].array[inner(head.lesion)]
        assert np.median(delay) == pytest.approx(head.delay["lesion"], abs=0.5)
        flow = result.maps["cbf"].array[inner(head.lesion)]
        assert np.median(flow) == pytest.approx(head.cbf["lesion"], rel=0.2)


def test_echo_time_does_not_change_the_maps():
    head = make_scan("MR", slices=7)
    one = compute_maps(head.series, head.times, echo_time=0.03)
    other = compute_maps(head.series, head.times)
    np.testing.assert_allclose(one.maps["cbf"].array, other.maps["cbf"].array, rtol=1e-3, atol=0.05)
    assert any("echo time" in w for w in other.summary["warnings"])


@pytest.mark.parametrize("form", ["voxel", "point", "roi", "curve", "table"])
def test_arterial_input_by_hand(form):
    head = make_scan("CT", slices=7)
    roi = np.zeros(head.brain.shape, dtype=bool)
    roi[(slice(3, 4), *head.artery[1:])] = True
    curve = head.series.array[:, roi].mean(axis=1) - 35.0
    point = tuple(head.series.affine[:3, :3] @ [13, 18, 3] + head.series.affine[:3, 3] + 1.0)
    given = {
        "voxel": InputVoxels(voxels=((13, 18, 3),)),
        "point": InputVoxels(points=(point,)),
        "roi": InputVoxels(roi=roi),
        "curve": curve,
        "table": np.stack([head.times, curve], axis=1),
    }[form]
    result = compute_maps(head.series, head.times, modality="CT", aif=given, scale_aif=False)
    # The pure artery is known: gamma-variate of 300 HU.
    assert max(result.summary["aif"]["curve"]) == pytest.approx(max(curve), rel=0.05)
    assert (result.maps["tmax"].array[inner(head.lesion)] > 6).mean() > 0.95


@pytest.mark.parametrize(
    ("aif", "said"),
    [
        (InputVoxels(voxels=((99, 0, 0),)), "outside the image"),
        (InputVoxels(voxels=((0, 0, 0),)), "outside the brain"),
        (np.zeros(45), "never rises"),
        (np.ones(7), "one value for each"),
        ("manual", "unknown arterial input"),
    ],
)
def test_bad_arterial_inputs_are_told(aif, said):
    head = make_scan("CT", slices=7)
    with pytest.raises(StrokeError, match=said):
        compute_maps(head.series, head.times, modality="CT", aif=aif)


def test_venous_output_by_hand_scales_the_artery():
    """An artery that fills half its voxel is scaled to the area of the vein that the reader chose: a vein of half the
    area gives half the curve."""
    head = make_scan("CT", slices=7, noise=0.3)
    array = head.series.array
    array[(slice(None), *head.artery)] = 35.0 + (array[(slice(None), *head.artery)] - 35.0) / 2
    small = (slice(3, 4), slice(30, 32), slice(20, 23))
    array[(slice(None), *small)] = 35.0 + (array[:, 3:4, 37:39, 20:23] - 35.0) * 0.75
    artery = InputVoxels(voxels=((13, 18, 3),))
    peaks = {}
    for name, vein in (("sinus", (21, 38, 3)), ("small", (21, 30, 3))):
        found = compute_maps(
            head.series, head.times, modality="CT", aif=artery, vof=InputVoxels(voxels=(vein,)), smoothing=0.0
        ).summary
        assert found["vof"]["voxel"] == list(vein)
        assert found["vof"]["source"] == "chosen by hand: voxel"
        peaks[name] = max(found["aif"]["curve"])
    assert peaks["sinus"] == pytest.approx(300.0, rel=0.08)
    assert peaks["small"] == pytest.approx(0.75 * peaks["sinus"], rel=0.04)


@pytest.mark.parametrize(
    ("vof", "said"),
    [
        (InputVoxels(voxels=((99, 0, 0),)), "venous output chosen lies outside the image"),
        (InputVoxels(voxels=((0, 0, 0),)), "venous output chosen lies outside the brain"),
        (InputVoxels(voxels=((5, 21, 3),)), "venous output chosen holds no contrast"),
        (InputVoxels(voxels=((13, 18, 3),)), "peaks before the arterial input"),
        ("manual", "unknown venous output"),
    ],
)
def test_bad_venous_outputs_are_told(vof, said):
    head = make_scan("CT", slices=7)
    head.series.array[:, 3, 21, 5] = 35.0 - np.arange(45) * 0.1
    late = InputVoxels(voxels=((29, 18, 3),))
    with pytest.raises(StrokeError, match=said):
        compute_maps(head.series, head.times, modality="CT", aif=late, vof=vof, smoothing=0.0)


def test_uneven_and_per_slice_times_give_the_same_tmax():
    """A scan of 1 s then 3 s frames, and one whose slices have their own times, against the evenly sampled one."""
    fine = make_scan("CT", dt=1.0, frames=76, slices=7, noise=0.3)
    inside = inner(fine.brain & ~fine.lesion)
    even = compute_maps(fine.series, fine.times, modality="CT").maps["tmax"].array
    pick = np.r_[np.arange(46), np.arange(48, 76, 3)]
    uneven = compute_maps(fine.series.with_array(fine.series.array[pick]), fine.times[pick], modality="CT")
    assert "resampled" in " ".join(uneven.summary["warnings"])
    assert np.median(np.abs(uneven.maps["tmax"].array - even)[inside]) < 0.2
    # Odd slices a second later: the same bolus read at other times.
    array, times = fine.series.array[::2].copy(), np.tile(fine.times[::2, None], (1, 7))
    array[:-1, 1::2], times[:, 1::2] = fine.series.array[1::2][: len(array) - 1, 1::2], fine.times[::2, None] + 1.0
    array[-1, 1::2] = fine.series.array[-1, 1::2]
    shuttle = compute_maps(fine.series.with_array(array), times, modality="CT").maps["tmax"].array
    ignored = compute_maps(fine.series.with_array(array), times[:, 0], modality="CT").maps["tmax"].array
    odd = inside.copy()
    odd[::2] = False
    assert np.median(np.abs(shuttle - even)[odd]) < 0.25
    assert np.median(np.abs(ignored - even)[odd]) > 0.4, "leaving the slices' times out must show"


def test_saturated_first_frames_are_dropped():
    head = make_scan("MR", slices=7)
    head.series.array[:2] *= np.array([1.6, 1.2], dtype=np.float32)[:, None, None, None]
    result = compute_maps(head.series, head.times)
    assert result.summary["times"]["dropped_first"] == 2
    assert result.summary["times"]["times_s"][0] == pytest.approx(3.0)
    assert np.median(result.maps["cbv"].array[inner(head.brain & ~head.lesion)]) == pytest.approx(4.0, rel=0.12)


def test_negative_zero_and_constant_voxels_are_left_out():
    head = make_scan("MR", slices=7)
    head.series.array[:, 3, 20:22, 20] = 0.0
    head.series.array[:, 3, 20:22, 21] = 640.0
    head.series.array[:, 3, 20:22, 22] = -5.0
    result = compute_maps(head.series, head.times, mask=head.brain)
    assert not result.mask.array[3, 20:22, 20:23].any()
    assert any("left out" in w for w in result.summary["warnings"])
    assert all(np.isfinite(v.array).all() for v in result.maps.values())


@pytest.mark.parametrize("intercept", [1024.0, 1000.0])
def test_ct_values_without_their_intercept(intercept):
    head = make_scan("CT", slices=7)
    plain = compute_maps(head.series, head.times, modality="CT")
    stored = head.series.with_array(np.maximum(head.series.array + np.float32(intercept), 0.0))
    result = compute_maps(stored, head.times, modality="CT")
    assert f"{intercept:g} was subtracted" in " ".join(result.summary["warnings"])
    np.testing.assert_allclose(result.maps["tmax"].array, plain.maps["tmax"].array, atol=0.05)


def test_no_contrast_is_an_error():
    head = make_scan("CT", slices=7)
    still = np.broadcast_to(head.series.array[:1], head.series.array.shape)
    noise = np.random.default_rng(0).normal(0, 1, head.series.array.shape)
    with pytest.raises(StrokeError, match="no contrast arrives"):
        compute_maps(head.series.with_array((still + noise).astype(np.float32)), head.times, modality="CT")


def test_one_slice_is_computed_and_flagged():
    head = make_scan("CT", slices=1)
    result = compute_maps(head.series, head.times, modality="CT")
    assert result.summary["quality_failed"] == ["coverage"]
    assert not result.summary["quality_passed"]
    assert (result.maps["tmax"].array[inner(head.lesion)] > 6).mean() > 0.9


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("modality", ["MR", "CT"])
@pytest.mark.parametrize("slices", [1, 2, 3])
def test_few_slices_are_computed(modality, slices):
    head = make_scan(modality, slices=slices)
    result = compute_maps(head.series, head.times, modality=modality, smoothing=5.0)
    assert result.mask.shape[0] == slices
    for z in range(slices):
        found, true = result.mask.array[z], head.brain[z]
        assert 2 * (found & true).sum() / (found.sum() + true.sum()) > 0.95
        assert (result.maps["tmax"].array[z][inner(head.lesion)[z]] > 6).mean() > 0.9
    normal = inner(head.brain & ~head.lesion & (np.indices(head.brain.shape)[2] < 11))
    assert np.median(result.maps["cbv"].array[normal]) == pytest.approx(head.cbv["normal"], rel=0.15)
    assert result.summary["quality_failed"] == ["coverage"]
    assert result.summary["motion"]["rejected_frames"] == []


def test_truncated_scan_is_flagged():
    head = make_scan("CT", frames=20)
    result = compute_maps(head.series, head.times, modality="CT")
    assert "truncation" in result.summary["quality_failed"]
    sentence = next(c["sentence"] for c in result.summary["quality"] if c["name"] == "truncation")
    assert "ended too early" in sentence


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: a[:19], "at least 20"),
        (lambda a: a[0], "4D series"),
        (lambda a: a * 0 + 7, "no brain|no contrast"),
    ],
)
def test_bad_series_are_told(change, said):
    head = make_scan("CT", slices=4)
    array = change(head.series.array)
    with pytest.raises(StrokeError, match=said):
        compute_maps(head.series.with_array(array), np.arange(len(array)) * 1.5, modality="CT")


def test_masks_must_fit():
    head = make_scan("CT", slices=4)
    with pytest.raises(StrokeError, match="mask"):
        compute_maps(head.series, head.times, modality="CT", mask=np.ones((2, 2, 2)))
    with pytest.raises(StrokeError, match="empty"):
        compute_maps(head.series, head.times, modality="CT", mask=np.zeros(head.brain.shape))
    shifted = Volume(head.brain, head.series.affine + np.diag([1.0, 0, 0, 0]), name="other mask")
    with pytest.raises(StrokeError, match="other mask"):
        compute_maps(head.series, head.times, modality="CT", mask=shifted)


def test_relative_flow_and_core(result, scan):
    head = scan[1]
    ratio, told = relative_cbf(result.maps, result.mask)
    assert told["fallback"] is None
    lesion = inner(head.lesion)
    true = head.cbf["lesion"] / head.cbf["normal"]
    measured = np.median(ratio.array[lesion])
    assert true < measured < true + 0.25, "SVD biases the ratio upwards"
    core = ct_core(ratio, result.maps["tmax"], flow=measured + 0.1)
    assert core.array[lesion].mean() > 0.7
    assert not core.array[head.brain & ~head.lesion & (np.indices(head.brain.shape)[2] < 11)].any()


def test_mirror_is_across_the_midline(scan):
    head = scan[1]
    mask = head.series.with_array(head.brain, "mask")
    np.testing.assert_array_equal(mirrored(head.lesion, mask), head.lesion[:, :, ::-1])


def test_relative_flow_without_a_lesion_says_so(scan, result):
    maps = result.maps | {"tmax": result.maps["tmax"].with_array(np.minimum(result.maps["tmax"].array, 3.0))}
    assert "all normal tissue" in relative_cbf(maps, result.mask)[1]["fallback"]
