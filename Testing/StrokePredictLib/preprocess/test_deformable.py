"""Deformable registration of simulated heads that were imaged bent: swollen, and distorted as EPI is."""

from dataclasses import replace

import numpy as np
import pytest
from support.bent_heads import BentGrid, bent_to_bent
from support.heads import MovedGrid, as_if_unmoved, motion

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.phantom.patient import simulate_patient
from StrokePredictLib.preprocess.control_grid import ControlGrid
from StrokePredictLib.preprocess.deformable import register_deformable
from StrokePredictLib.preprocess.deformation import apply_deformation, apply_inverse, inverted, volume_change
from StrokePredictLib.preprocess.local_correlation import LocalCorrelation, remapped
from StrokePredictLib.preprocess.registration import register_rigid
from StrokePredictLib.volume import Volume

SEED = 2
LATER = {"shape": (30, 128, 128), "spacing": (1.7, 1.7, 5.0)}


@pytest.fixture(scope="module")
def heads():
    """Baseline with EPI distortion at the front; follow-up with a swelling of 4 mm about the infarct, moved."""
    plain = simulate_patient(SEED, perfusion=False)
    infarct, brain = plain.truth["infarct"], plain.truth["brain"]
    middle, points = places(infarct).mean(axis=0), places(brain)
    front = points[np.argmin(points[:, 1] + 0.6 * points[:, 2])] + [0, 12, 0]
    matrix = motion(np.random.default_rng(1), 10.0, 6.0)
    same = {"pitch_deg": pitch_of(plain)}
    one = BentGrid(**same, bumps=((tuple(front), (0.0, 1.0, 0.0), 4.0, 26.0),))
    other = BentGrid(**LATER, moved=tuple(matrix.ravel()), bumps=((tuple(middle), None, -4.0, 28.0),))
    return (
        simulate_patient(SEED, perfusion=False, grid=one), simulate_patient(SEED, perfusion=False, grid=other),
        one, other, matrix, plain,
    )  # fmt: skip


def pitch_of(patient):
    y, z = patient.volumes["b0"].direction[1:, 1]
    return float(np.degrees(np.arctan2(z, y)))


def places(mask):
    index = np.argwhere(mask.array > 0)[::29, ::-1]
    return index @ mask.affine[:3, :3].T + mask.affine[:3, 3]


@pytest.fixture(scope="module")
def registered(heads):
    fixed, later, *_, matrix, _ = heads
    moving = as_if_unmoved(later.volumes["flair"], matrix)
    rigid = register_rigid(fixed.volumes["b0"], moving, head=mask_of(fixed, "brain"))
    return deformed(fixed, moving, rigid.matrix), moving


def mask_of(patient, name):
    return patient.truth[name].with_array(patient.truth[name].array > 0)


def deformed(fixed, moving, matrix):
    brain, lesion = mask_of(fixed, "brain"), mask_of(fixed, "infarct")
    return register_deformable(fixed.volumes["dwi"], moving, matrix, brain=brain, lesion=lesion)


def target_errors(transform, points, true):
    return np.linalg.norm(np.array([transform.TransformPoint(p.tolist()) for p in points]) - true, axis=1)


def test_swelling_and_distortion_are_followed(heads, registered):
    fixed, _, one, other, matrix, _ = heads
    found, _ = registered
    assert not found.rejected
    points = places(fixed.truth["brain"])
    true = bent_to_bent(points, one, other, matrix)
    before = target_errors(replace(found, rejected="linear").transform(), points, true)
    after = target_errors(found.transform(), points, true)
    assert np.percentile(before, 95) > 3.0  # the bend is truly there
    assert np.percentile(after, 95) < 2.0
    assert np.median(after) < 0.7
    assert np.median(after) < np.median(before)
    assert 0.5 < found.jacobian[0] < 1 < found.jacobian[1] < 2.0
    home = target_errors(found.inverse(), true, points)
    assert np.percentile(home, 95) < 2.2


def test_heads_that_are_not_bent_stay_rigid(heads):
    plain, matrix = heads[-1], heads[4]
    later = simulate_patient(SEED, perfusion=False, grid=MovedGrid(**LATER, moved=tuple(matrix.ravel())))
    found = deformed(plain, as_if_unmoved(later.volumes["flair"], matrix), np.linalg.inv(matrix))
    assert "hardly more alike" in found.rejected
    points = places(plain.truth["brain"])
    moved = np.array([found.transform().TransformPoint(p.tolist()) for p in points])
    assert np.allclose(moved, points @ found.matrix[:3, :3].T + found.matrix[:3, 3])


def test_contrasts_that_differ_too_much_stay_rigid(heads, registered):
    fixed, _, *_, matrix, _ = heads
    brain = mask_of(fixed, "brain")
    found = register_deformable(fixed.volumes["b0"], registered[1], np.linalg.inv(matrix), brain=brain)
    assert "contrasts differ" in found.rejected


def test_images_and_labels_go_there_and_come_home(heads, registered):
    infarct = mask_of(heads[0], "infarct")
    found, moving = registered
    there = apply_inverse(infarct, moving, found, is_mask=True)
    home = apply_deformation(there, infarct, found, is_mask=True)
    assert there.array.dtype == bool
    assert there.same_grid(moving)
    assert 2 * (home.array & infarct.array).sum() / (home.array.sum() + infarct.array.sum()) > 0.8


def test_the_same_answer_twice(heads, registered):
    found, moving = registered
    assert np.array_equal(deformed(heads[0], moving, found.matrix).field.array, found.field.array)


def test_too_little_brain(heads):
    fixed = heads[0].volumes["dwi"]
    with pytest.raises(StrokeError, match="too little brain"):
        register_deformable(fixed, fixed, np.eye(4), brain=fixed.with_array(np.zeros(fixed.shape, bool)))


def test_splines_add_up_to_one_and_bending_knows_no_tilt():
    """A lattice of equal numbers is that number everywhere; evenly rising ones rise evenly and bend nowhere."""
    grid = ControlGrid((9, 8, 7), 4.0, 10.0, (32.0, 28.0, 24.0))
    assert np.allclose(grid.displacements(np.full(grid.shape, 2.5)), 2.5)
    rising = np.broadcast_to(np.arange(grid.shape[3], dtype=float), grid.shape)
    slopes = np.diff(grid.displacements(rising), axis=3)
    assert np.allclose(slopes, 0.4)  # 4 mm of 10
    assert grid.bending(rising)[0] == pytest.approx(0.0, abs=1e-12)


def test_gradients_are_those_of_small_changes():
    rng = np.random.default_rng(0)
    grid = ControlGrid((6, 7, 8), 4.0, 12.0, (20.0, 24.0, 28.0))
    one, other = rng.normal(size=grid.shape), rng.normal(size=(3, 6, 7, 8))
    assert np.vdot(grid.displacements(one), other) == pytest.approx(np.vdot(one, grid.gathered(other)))
    step = 1e-5 * rng.normal(size=grid.shape)
    slope = (grid.bending(one + step)[0] - grid.bending(one - step)[0]) / 2
    assert slope == pytest.approx(np.vdot(grid.bending(one)[1], step), rel=1e-4)
    fixed, weight = rng.normal(size=(6, 7, 8)), (rng.random((6, 7, 8)) > 0.2).astype(float)
    alike, image = LocalCorrelation(fixed, weight, 1.5), fixed + rng.normal(size=fixed.shape)
    step = 1e-5 * rng.normal(size=fixed.shape)
    slope = (alike(image + step)[0] - alike(image - step)[0]) / 2
    # The floor under the variance is held fixed, a part in a hundred.
    assert slope == pytest.approx(np.vdot(alike(image)[1], step), rel=0.1)


def test_local_correlation_of_an_image_with_itself_its_negative_and_noise():
    rng = np.random.default_rng(1)
    image, weight = rng.normal(size=(12, 12, 12)), np.ones((12, 12, 12))
    alike = LocalCorrelation(image, weight, 2.0)
    assert alike(3 * image + 7)[0] == pytest.approx(1.0, abs=0.04)
    assert alike(-image)[0] == pytest.approx(-1.0, abs=0.04)
    assert abs(alike(rng.normal(size=image.shape))[0]) < 0.1


def test_an_inverted_contrast_is_learned():
    rng = np.random.default_rng(2)
    image = rng.uniform(0, 1, (10, 20, 20))
    other = np.where(image < 0.3, 2.0, 1.0 - image)
    shown = remapped(image, other, np.ones(image.shape, bool))
    assert np.abs(shown - other)[np.abs(image - 0.3) > 0.1].max() < 0.1


def test_inverse_and_volume_of_a_known_field():
    """x + u = 1.1 x about the middle: volumes × 1.331, and the inverse displacement at y is −y/11."""
    affine = np.diag([-4.0, -4.0, 5.0, 1.0])
    grid = Volume(np.zeros((15, 16, 17), np.float32), affine)
    place = np.moveaxis(np.indices(grid.shape)[::-1], 0, -1) @ affine[:3, :3].T
    middle = place.reshape(-1, 3).mean(axis=0)
    field = Volume(np.moveaxis(0.1 * (place - middle), -1, 0).astype(np.float32), affine)
    assert np.allclose(volume_change(field), 1.331, atol=1e-4)
    expected = np.moveaxis(-(place - middle) / 11.0, -1, 0)
    inner = (slice(None), slice(2, -2), slice(2, -2), slice(2, -2))
    assert np.allclose(inverted(field).array[inner], expected[inner], atol=1e-3)
