"""Tissue rules, cleaning and the numbers made of them, on cases whose answer is known by construction."""

import numpy as np
import pytest
from scipy import ndimage

from StrokePredictLib.case import ClinicalFacts, StrokeCase
from StrokePredictLib.cleaning import CleaningOptions, clean, without
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.preprocess.midline import Midline, midline_of, side_of
from StrokePredictLib.quantify import ThresholdOptions, quantify
from StrokePredictLib.thresholds import adc_core, hypoperfused, volume_ml
from StrokePredictLib.volume import Volume

# 2×2×5 mm voxels: 0.02 mL each. x grows to the patient's left (LPS), the midline lies at x = 0.
AFFINE = np.diag([2.0, 2.0, 5.0, 1.0])
AFFINE[:3, 3] = [-39, -39, 0]
SHAPE = (10, 40, 40)
VOXEL_ML = 0.02
MIDLINE = Midline(np.array([1.0, 0.0, 0.0]), 0.0)


def volume(array, dtype=np.float32):
    return Volume(np.asarray(array, dtype=dtype), AFFINE)


def box(z, y, x):
    mask = np.zeros(SHAPE, bool)
    mask[z, y, x] = True
    return mask


@pytest.fixture
def case():
    """Left lesion: 20×10×4 core (16 mL) inside 20×20×6 of Tmax 8 s (48 mL), 10 mL of it at 12 s; a CSF pool; specks."""
    adc = np.full(SHAPE, 800.0)
    tmax = np.full(SHAPE, 2.0)
    tmax[box(slice(2, 8), slice(10, 30), slice(20, 40))] = 8.0
    tmax[box(slice(2, 7), slice(10, 20), slice(20, 30))] = 12.0
    adc[box(slice(3, 7), slice(10, 30), slice(25, 35))] = 450.0
    adc[0, 0, 0] = -5.0
    adc[0, 0, 1] = 0.0
    return StrokeCase(
        "known",
        {
            "adc": volume(adc), "tmax": volume(tmax), "brain": volume(np.ones(SHAPE), bool),
            "dwi": volume(np.where(adc == 450.0, 3.0, 1.0)),
        },
        ClinicalFacts(age=70, nihss=15, onset_to_imaging_min=480),
    )


def test_adc_rule_is_strict_and_never_takes_invalid_voxels():
    adc = np.full(SHAPE, 620.0)
    adc[0, 0, :4] = [619.9, 0.0, -10.0, 1.0]
    brain = volume(np.ones(SHAPE), bool)
    found = adc_core(volume(adc), brain).array
    assert np.flatnonzero(found).tolist() == [0, 3]
    brain.array[0, 0, 0] = False
    assert np.flatnonzero(adc_core(volume(adc), brain).array).tolist() == [3]


def test_tmax_rule_is_strict():
    tmax = np.full(SHAPE, 6.0)
    tmax[0, 0, 0] = 6.01
    assert np.flatnonzero(hypoperfused(volume(tmax), volume(np.ones(SHAPE), bool)).array).tolist() == [0]


def test_other_grid_is_refused():
    other = Volume(np.ones(SHAPE, bool), AFFINE + np.array([[0, 0, 0, 0.1]] + [[0] * 4] * 3))
    with pytest.raises(StrokeError, match="does not match"):
        adc_core(volume(np.ones(SHAPE)), other)


def test_volume_in_ml():
    assert volume_ml(volume(box(slice(0, 2), slice(0, 10), slice(0, 5)), bool)) == pytest.approx(100 * VOXEL_ML)


def test_known_volumes(case):
    numbers = quantify(case).volumes
    ml = numbers["volumes_ml"]
    assert ml["core_adc"] == pytest.approx(16.0)
    assert ml["hypoperfused_tmax"] == pytest.approx(48.0)
    assert ml["tmax_gt_4"] == pytest.approx(48.0)
    assert ml["tmax_gt_8"] == ml["tmax_gt_10"] == pytest.approx(10.0)
    assert ml["penumbra"] == pytest.approx(32.0)
    assert numbers["mismatch"] == {"volume_ml": pytest.approx(32.0), "ratio": pytest.approx(3.0)}
    assert numbers["hir"] == pytest.approx(10 / 48, abs=1e-3)
    assert numbers["side"] == "left"
    assert numbers["criteria"]["defuse3"]["verdict"] == "met"


def test_side_is_the_patients_whatever_the_storage_order(case):
    flip = np.eye(4)
    flip[0, 0], flip[0, 3] = -1, SHAPE[2] - 1
    flipped = {
        role: Volume(np.ascontiguousarray(v.array[..., ::-1]), v.affine @ flip) for role, v in case.volumes.items()
    }
    assert quantify(StrokeCase("flipped", flipped, case.facts)).volumes["side"] == "left"


def test_core_is_bright_on_dwi(case):
    dim = box(slice(3, 4), slice(10, 20), slice(25, 35))
    case.volumes["dwi"].array[dim] = 1.0  # as bright as the rest of the brain
    assert quantify(case).volumes["volumes_ml"]["core_adc"] == pytest.approx(16.0 - 100 * VOXEL_ML)
    options = ThresholdOptions(core_cleaning=CleaningOptions(csf_adc=None))
    assert quantify(case, options).volumes["volumes_ml"]["core_adc"] == pytest.approx(16.0)
    del case.volumes["dwi"]  # without a DWI there is nothing to ask
    assert quantify(case).volumes["volumes_ml"]["core_adc"] == pytest.approx(16.0)


def test_csf_is_no_tissue(case):
    pool = box(slice(2, 4), slice(10, 20), slice(20, 25))
    case.volumes["adc"].array[pool] = 3000.0
    cleaned = quantify(case).volumes
    assert cleaned["volumes_ml"]["hypoperfused_tmax"] == pytest.approx(48.0 - 100 * VOXEL_ML)
    options = ThresholdOptions(tmax_cleaning=CleaningOptions(csf_adc=None))
    assert quantify(case, options).volumes["volumes_ml"]["hypoperfused_tmax"] == pytest.approx(48.0)


def test_small_islands_go_and_the_record_adds_up():
    rng = np.random.default_rng(4)
    array = ndimage.binary_opening(rng.random(SHAPE) < 0.55, np.ones((1, 2, 2)))
    options = CleaningOptions(smallest_island_ml=0.5, far_island_ml=None)
    cleaned, steps = clean(volume(array, bool), "m", options, MIDLINE)
    structure = ndimage.generate_binary_structure(3, 1)
    structure[1] = True
    labels, count = ndimage.label(cleaned.array, structure)
    sizes = ndimage.sum_labels(cleaned.array, labels, range(1, count + 1)) * VOXEL_ML
    assert count > 0
    assert sizes.min() >= 0.5
    removed = sum(step["removed_ml"] for step in steps)
    assert removed == pytest.approx((array.sum() - cleaned.array.sum()) * VOXEL_ML, abs=0.01)
    assert removed > 0
    assert [step["step"] for step in steps] == ["small islands removed"]


def test_far_specks_go_but_a_second_lesion_stays():
    main = box(slice(2, 8), slice(10, 30), slice(22, 40))  # 43 mL on the left
    speck = box(slice(2, 5), slice(10, 20), slice(2, 12))  # 6 mL on the right
    options = CleaningOptions(smallest_island_ml=None, far_island_ml=10.0)
    cleaned, _ = clean(volume(main | speck, bool), "m", options, MIDLINE)
    assert np.array_equal(cleaned.array, main)
    second = box(slice(2, 9), slice(10, 30), slice(2, 17))  # 42 mL on the right: both sides are ill
    cleaned, _ = clean(volume(main | second, bool), "m", options, MIDLINE)
    assert np.array_equal(cleaned.array, main | second)


def test_majority_takes_single_voxels_and_leaves_a_block():
    array = box(slice(2, 4), slice(10, 20), slice(10, 20))
    array[5, 5, 5] = True
    options = CleaningOptions(speckle_mm=6.0, smallest_island_ml=None, far_island_ml=None)
    cleaned = clean(volume(array, bool), "m", options, MIDLINE)[0].array
    assert not cleaned[5].any()
    assert cleaned[2, 11:19, 11:19].all()


def test_every_step_can_be_left_out():
    array = box(slice(2, 3), slice(10, 11), slice(10, 11))
    options = CleaningOptions(csf_adc=None, smallest_island_ml=None, far_island_ml=None)
    cleaned, steps = clean(volume(array, bool), "m", options, MIDLINE, {"adc": volume(np.full(SHAPE, 3000.0))})
    assert np.array_equal(cleaned.array, array)
    assert steps == []


def test_steps_can_be_left_out_by_name():
    options = CleaningOptions(dwi_above=1.0)
    assert without(options, ["dwi", "csf", "islands", "far"]) == CleaningOptions(None, None, None, None, None)
    assert without(options, []) == options
    with pytest.raises(StrokeError, match="no cleaning step 'soap'; there are dwi, csf"):
        without(options, ["soap"])


def test_failed_quality_reads_not_computed_until_a_reader_overrides(case):
    quality = {
        "quality_passed": False,
        "quality": [{"name": "truncation", "passed": False, "sentence": "The series ends before the bolus has left."}],
    }
    numbers = quantify(case, quality=quality).volumes
    for key in ("hypoperfused_tmax", "penumbra", "tmax_gt_4", "tmax_gt_10"):
        assert numbers["volumes_ml"][key] == "not computed"
    assert numbers["volumes_ml"]["core_adc"] == pytest.approx(16.0)
    assert numbers["mismatch"] == {"volume_ml": "not computed", "ratio": "not computed"}
    assert numbers["hir"] == "not computed"
    assert numbers["criteria"]["defuse3"]["verdict"] == "not assessable"
    assert any("The series ends before" in doubt for doubt in numbers["doubts"])
    overridden = quantify(case, ThresholdOptions(override="Dr Reader"), quality).volumes
    assert overridden["volumes_ml"]["hypoperfused_tmax"] == pytest.approx(48.0)
    assert any("Dr Reader" in doubt for doubt in overridden["doubts"])


def test_only_tmax_gives_no_core_and_no_mismatch(case):
    del case.volumes["adc"]
    numbers = quantify(case).volumes
    assert numbers["core_source"] is None
    assert "penumbra" not in numbers["volumes_ml"]
    assert numbers["mismatch"]["ratio"] == "not computed"


def test_ct_core_is_low_relative_flow_inside_hypoperfusion(case):
    """No ADC: CBF of 50 on the right is normal; left, 25 mL/100 g/min is half of it and 10 is a fifth."""
    del case.volumes["adc"], case.volumes["dwi"]
    ill = box(slice(2, 8), slice(10, 30), slice(20, 40))
    core = box(slice(3, 7), slice(10, 30), slice(25, 35))
    cbf = np.full(SHAPE, 50.0)
    cbf[ill] = 25.0
    cbf[core] = 10.0
    cbf[box(slice(0, 1), slice(0, 20), slice(25, 35))] = 10.0  # low, but its Tmax is normal
    case.volumes |= {"cbf": volume(cbf), "cbv": volume(np.full(SHAPE, 3.0))}
    numbers = quantify(case).volumes
    assert numbers["core_source"] == "core_cbf"
    assert numbers["volumes_ml"]["core_cbf"] == pytest.approx(core.sum() * VOXEL_ML)
    assert numbers["mismatch"]["volume_ml"] == pytest.approx((ill.sum() - core.sum()) * VOXEL_ML)
    assert numbers["rcbf"]["reference"] == pytest.approx(50.0)
    said = "the core may be much larger"
    assert any(said in doubt for doubt in numbers["doubts"])
    # The vascular model has not SVD's bias, but another than the limit was set with.
    vascular = quantify(case, quality={"method": "vascular", "quality_passed": True}).volumes["doubts"]
    assert not any(said in doubt for doubt in vascular)
    assert any("the core is larger here" in doubt for doubt in vascular)


def test_where_diffusion_was_measured_no_second_core_is_made_of_flow(case):
    case.volumes |= {"cbf": volume(np.full(SHAPE, 50.0)), "cbv": volume(np.full(SHAPE, 3.0))}
    findings = quantify(case)
    assert "core_cbf" not in findings.masks
    assert findings.volumes["core_source"] == "core_adc"


def test_neither_adc_nor_tmax(case):
    del case.volumes["adc"], case.volumes["tmax"]
    with pytest.raises(StrokeError, match="neither ADC"):
        quantify(case)


def test_nothing_found(case):
    case.volumes["adc"].array[:] = 800
    case.volumes["tmax"].array[:] = 2
    numbers = quantify(case).volumes
    assert numbers["side"] == "none"
    assert numbers["mismatch"] == {"volume_ml": 0.0, "ratio": "not assessable"}
    assert numbers["hir"] == "not assessable"


def test_midline_halves_a_shifted_brain():
    brain = volume(box(slice(0, 10), slice(5, 35), slice(10, 36)), bool)
    assert midline_of(brain).offset == pytest.approx(-39 + 2 * 22.5, abs=2.0)
    left = volume(box(slice(0, 2), slice(10, 12), slice(30, 34)), bool)
    assert side_of(left, midline_of(brain)) == "left"
    both = volume(box(slice(0, 2), slice(10, 12), slice(18, 28)), bool)
    assert side_of(both, midline_of(brain)) == "both"


def test_small_slab_is_a_doubt(case):
    assert any("mL of brain is covered" in doubt for doubt in quantify(case).volumes["doubts"])
