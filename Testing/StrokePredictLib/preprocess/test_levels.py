"""Section levels through MNI space, against simulated heads whose place in MNI space is known."""

import numpy as np
import pytest
from support.same_head import PLAIN, SLAB, ct_of_patient

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.phantom.anatomy import build_anatomy, draw_pose
from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.patient import simulate_patient
from StrokePredictLib.preprocess.brain_mask_ct import brain_mask_ct
from StrokePredictLib.preprocess.levels import (
    BASAL_GANGLIA,
    SUPRAGANGLIONIC,
    find_levels,
    propose_sections,
    section_heights,
)
from StrokePredictLib.preprocess.sections import Sections
from StrokePredictLib.volume import Volume


def head(seed):
    """A simulated brain on 6 mm sections, and the true MNI height of each section's middle."""
    grid = Grid(shape=(26, 64, 64), spacing=(3.6, 3.6, 6.0))
    pose = draw_pose(seed, female=bool(seed % 2))
    anatomy = build_anatomy(seed, grid, pose, age=70.0)
    brain = Volume(anatomy.on_grid(anatomy.brain, False), grid.affine, name="brain")
    ras = np.stack([brain.affine @ [32, 32, k, 1] for k in range(26)])[:, :3] * [-1, -1, 1]
    return brain, pose.to_mni(ras)[:, 2]


def shown(brain):
    return Sections.around(brain, (3.6, 3.6), (64, 64))


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_whole_heads(seed):
    brain, true = head(seed)
    low, high = propose_sections(brain, shown(brain))
    assert abs(true[low] - BASAL_GANGLIA) < 6
    assert abs(true[high] - SUPRAGANGLIONIC) < 6
    assert high > low


@pytest.mark.parametrize("seed", [1, 2])
def test_a_slab_of_ct_perfusion(seed):
    """8 cm around the nuclei, as CT scanners cover."""
    brain, true = head(seed)
    keep = np.flatnonzero((true > -25) & (true < 58))
    array = np.zeros_like(brain.array)
    array[keep] = brain.array[keep]
    slab = brain.with_array(array)
    low, high = propose_sections(slab, shown(slab))
    assert abs(true[low] - BASAL_GANGLIA) < 8
    assert abs(true[high] - SUPRAGANGLIONIC) < 8


@pytest.fixture(scope="module")
def patient():
    return simulate_patient(2, perfusion=False)


def true_heights(patient, sections):
    """The MNI heights of the sections' middles, by the pose that the patient was made with."""
    pose = draw_pose(patient.seed, female=patient.facts["sex"] == "F")
    width, height, count = sections.grid.GetSize()
    middle = [(width - 1) / 2, (height - 1) / 2]
    lps = [sections.grid.TransformContinuousIndexToPhysicalPoint([*middle, float(k)]) for k in range(count)]
    return pose.to_mni(np.array(lps) * [-1, -1, 1])[:, 2]


def test_whole_heads_are_registered(patient):
    """On MR and on plain CT, where the mask reaches into the skull base and the outline misleads by a section."""
    mr = patient.volumes["dwi"]
    plain = ct_of_patient(patient, np.eye(4), PLAIN)
    for image, brain in ((mr, mr.with_array(patient.truth["brain"].array > 0)), (plain, brain_mask_ct(plain))):
        sections = shown(brain)
        found = find_levels(brain, sections, image)
        true = true_heights(patient, sections)
        assert found.by == "registration with MNI152"
        assert abs(true[found.sections[0]] - BASAL_GANGLIA) < 5
        assert abs(true[found.sections[1]] - SUPRAGANGLIONIC) < 5


def test_slabs_and_brains_without_image_fall_back_to_the_outline(patient):
    slab = ct_of_patient(patient, np.eye(4), SLAB, 5.0)
    brain = brain_mask_ct(slab)
    sections = shown(brain)
    found = find_levels(brain, sections, slab)
    true = true_heights(patient, sections)
    assert found.by == "the brain's outline"
    assert abs(true[found.sections[0]] - BASAL_GANGLIA) < 6
    assert abs(true[found.sections[1]] - SUPRAGANGLIONIC) < 6
    whole, _ = head(1)
    assert find_levels(whole, shown(whole)).sections == propose_sections(whole, shown(whole))


def test_heights_rise_evenly():
    brain, _ = head(1)
    heights = section_heights(brain, shown(brain))
    assert np.allclose(np.diff(heights), np.diff(heights)[0])
    assert 6 / 1.10 - 1e-6 <= np.diff(heights)[0] <= 6 / 0.80 + 1e-6


def test_too_little_brain():
    brain, _ = head(1)
    array = np.zeros_like(brain.array)
    array[12] = brain.array[12]
    one = brain.with_array(array)
    with pytest.raises(StrokeError, match="name the sections yourself"):
        propose_sections(one, shown(one))
