"""Rigid registration of simulated heads that truly moved: imaged again on another grid, not resampled."""

import numpy as np
import pytest
from support.heads import MovedGrid, as_if_unmoved, ct_head, motion
from support.same_head import PLAIN, SLAB, ct_of_patient, pwi_of_patient

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import from_itk
from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.patient import simulate_patient
from StrokePredictLib.preprocess.pyramid import levels
from StrokePredictLib.preprocess.registration import apply_rigid, register_rigid
from StrokePredictLib.volume import Volume

OTHER = {"shape": (28, 110, 110), "spacing": (2.1, 2.1, 5.5)}
CT_GRID = {"shape": (30, 180, 180), "spacing": (1.2, 1.2, 5.0)}


def head_points(brain):
    index = np.argwhere(brain.array > 0)[::17, ::-1]
    return index @ brain.affine[:3, :3].T + brain.affine[:3, 3]


def errors(found, true, points):
    gap = (found - true)[:3]
    return np.linalg.norm(points @ gap[:, :3].T + gap[:, 3], axis=1)


@pytest.fixture(scope="module")
def mr():
    """One patient, and the same head after three motions, on another grid."""
    rng = np.random.default_rng(11)
    patient = simulate_patient(3, perfusion=False)
    moved = []
    for _ in range(3):
        matrix = motion(rng)
        grid = MovedGrid(**OTHER, moved=tuple(matrix.ravel()))
        moved.append((matrix, simulate_patient(3, perfusion=False, grid=grid)))
    return patient, moved


def test_moved_heads_across_mr_contrasts(mr):
    """Errors of the whole brain over contrasts and motions up to 15 mm and 10°: median < 1 mm, 95 % < 2 mm."""
    patient, moved = mr
    brain = patient.truth["brain"].with_array(patient.truth["brain"].array > 0)
    points = head_points(brain)
    all_errors = []
    for (matrix, other), pair in zip(moved, (("b0", "flair"), ("dwi", "flair"), ("b0", "dwi")), strict=True):
        image = as_if_unmoved(other.volumes[pair[1]], matrix)
        result = register_rigid(patient.volumes[pair[0]], image, head=brain)
        assert not result.failure
        assert result.spread_mm < 2.0
        all_errors.append(errors(result.matrix, np.linalg.inv(matrix), points))
    together = np.concatenate(all_errors)
    assert np.median(together) < 1.0
    assert np.percentile(together, 95) < 2.0


@pytest.mark.parametrize("role", ["b0", "dwi"])
def test_perfusion_at_24_h_to_diffusion(mr, role):
    """Another contrast, another day, another grid."""
    patient, moved = mr
    matrix = moved[0][0]
    result = register_rigid(patient.volumes[role], as_if_unmoved(pwi_of_patient(patient, matrix, OTHER), matrix))
    gap = errors(result.matrix, np.linalg.inv(matrix), head_points(patient.truth["brain"]))
    assert not result.failure
    assert np.median(gap) < 1.0
    assert np.percentile(gap, 95) < 2.0


@pytest.mark.parametrize(("where", "role"), [(PLAIN, "b0"), (SLAB, "dwi"), (SLAB, "flair")])
def test_ct_and_mr_of_one_head(mr, where, role):
    """Whichever is fixed: the two answers are each other's inverse, as it is one search."""
    patient, moved = mr
    matrix = moved[1][0]
    ct, image = as_if_unmoved(ct_of_patient(patient, matrix, where), matrix), patient.volumes[role]
    result = register_rigid(image, ct)
    gap = errors(result.matrix, np.linalg.inv(matrix), head_points(patient.truth["brain"]))
    assert not result.failure
    assert np.median(gap) < 1.0
    assert np.percentile(gap, 95) < 2.0
    if role == "dwi":
        assert np.allclose(register_rigid(ct, image).matrix, np.linalg.inv(result.matrix))


def test_ct_to_ct_without_a_mask():
    matrix = motion(np.random.default_rng(2))
    fixed, brain = ct_head(5, Grid(**CT_GRID))
    other, _ = ct_head(5, MovedGrid(shape=(40, 160, 160), spacing=(1.4, 1.4, 4.0), moved=tuple(matrix.ravel())), 12.0)
    result = register_rigid(fixed, as_if_unmoved(other, matrix))
    assert not result.failure
    assert np.percentile(errors(result.matrix, np.linalg.inv(matrix), head_points(brain)), 95) < 0.4


@pytest.mark.parametrize("spacing", [0.5, 0.9, 1.4, 1.9])
def test_coarse_levels_show_values_where_they_are(spacing):
    """An image whose values rise with x by 1 a mm: so does every level, at the same places."""
    array = np.broadcast_to(spacing * np.arange(120, dtype=np.float32) - 100.0, (12, 60, 120)).copy()
    array[0, 0, 0] = -1000.0  # air: these are HU, whose contrast is not stretched
    ramp = Volume(array, np.diag([spacing, spacing, 5.0, 1.0]))
    for level in levels(ramp, ramp, ramp.with_array(np.ones(ramp.shape, bool))):
        image = from_itk(level.fixed)
        x = image.affine[0, 3] + image.affine[0, 0] * np.arange(image.shape[2])
        inside = (x > 24 * spacing) & (x < 96 * spacing)
        assert np.allclose(image.array[6, image.shape[1] // 2, inside], x[inside] - 100.0, atol=0.02)


def test_aligned_images_stay_as_they_are(mr):
    """No interpolation: the identity, exactly, and the voxels unchanged."""
    patient, _ = mr
    result = register_rigid(patient.volumes["dwi"], patient.volumes["flair"])
    assert result.is_identity
    assert not result.failure
    kept = apply_rigid(patient.volumes["flair"], patient.volumes["dwi"], result.matrix)
    assert np.array_equal(kept.array, patient.volumes["flair"].array)


def test_the_inverse_brings_results_home():
    grid = Volume(np.zeros((20, 40, 40), np.float32), np.diag([3.0, 3.0, 5.0, 1.0]))
    mark = grid.with_array(np.zeros(grid.shape, bool))
    mark.array[8:12, 15:25, 15:25] = True
    matrix = motion(np.random.default_rng(0), 5.0, 5.0)
    there = apply_rigid(mark, grid, matrix, is_mask=True)
    home = apply_rigid(there, grid, np.linalg.inv(matrix), is_mask=True)
    assert there.array.dtype == bool
    assert 2 * (home.array & mark.array).sum() / (home.array.sum() + mark.array.sum()) > 0.85
    # A voxel's centre x of the fixed grid shows the moving image at matrix · x.
    place = np.array([60.0, 60.0, 50.0, 1.0])
    seen = np.linalg.inv(grid.affine) @ matrix @ place
    k, j, i = np.rint(seen[2::-1]).astype(int)
    assert there.array[10, 20, 20] == mark.array[k, j, i]


def test_a_failure_is_noticed(mr):
    """Noise in place of the follow-up, and another body part's worth of shapes."""
    patient, _ = mr
    fixed = patient.volumes["dwi"]
    noise = np.random.default_rng(1).normal(100, 20, fixed.shape).astype(np.float32)
    assert register_rigid(fixed, fixed.with_array(noise)).failure


def test_images_that_cannot_be_registered_are_one_line(mr):
    fixed = mr[0].volumes["dwi"]
    with pytest.raises(StrokeError, match="empty or a single section"):
        register_rigid(fixed, fixed.with_array(np.zeros(fixed.shape, np.float32), name="nothing"))
    single = Volume(np.ones((1, 30, 30), np.float32), np.eye(4), name="one")
    with pytest.raises(StrokeError, match="one: cannot be registered"):
        register_rigid(fixed, single)


def test_the_same_answer_twice(mr):
    patient, moved = mr
    image = as_if_unmoved(moved[0][1].volumes["flair"], moved[0][0])
    first, second = (register_rigid(patient.volumes["dwi"], image) for _ in range(2))
    assert np.array_equal(first.matrix, second.matrix)
