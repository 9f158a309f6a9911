"""The plane between the hemispheres of heads that lie askew."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.heads import MovedGrid, as_if_unmoved

from StrokePredictLib.phantom.anatomy import draw_pose
from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.patient import simulate_patient
from StrokePredictLib.preprocess.midline import midline_of, mirrored, side_of
from StrokePredictLib.volume import Volume


def true_plane(patient, matrix):
    """Return normal and a point of the template's symmetry plane, where the moved head seems to lie."""
    pose = draw_pose(patient.seed, female=patient.facts["sex"] == "F")
    corners = np.array([[0.0, -17, 5], [0, 23, 5], [0, -17, 45]])
    places = pose.to_ras(corners) * [-1, -1, 1]
    back = np.linalg.inv(matrix)
    places = places @ back[:3, :3].T + back[:3, 3]
    normal = np.cross(places[1] - places[0], places[2] - places[0])
    return normal / np.linalg.norm(normal) * np.sign(normal[0]), places.mean(axis=0)


@pytest.mark.parametrize("angles", [(2, -7, -14), (-9, 9, 12), (0, 0, 0), (4, 12, 5)])
def test_the_plane_of_a_turned_head(angles):
    """Up to about 15° of roll and yaw: the anatomy's own asymmetry leaves some 2 to 4°."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    centre = np.array(Grid().centre_lps)
    matrix[:3, 3] = centre - matrix[:3, :3] @ centre
    patient = simulate_patient(3, perfusion=False, grid=MovedGrid(moved=tuple(matrix.ravel())))
    midline = midline_of(as_if_unmoved(patient.truth["brain"], matrix))
    normal, point = true_plane(patient, matrix)
    assert np.degrees(np.arccos(np.clip(midline.normal @ normal, -1, 1))) < 5.0
    assert abs(midline.normal @ point - midline.offset) < 4.0


def test_mirroring_twice_is_no_change_and_once_changes_sides():
    grid = Volume(np.zeros((24, 60, 60), np.float32), np.diag([3.0, 3.0, 5.0, 1.0]))
    z, y, x = np.indices(grid.shape)
    brain = ((x - 30) / 24) ** 2 + ((y - 30) / 28) ** 2 + ((z - 12) / 11) ** 2 < 1
    midline = midline_of(grid.with_array(brain))
    mark = grid.with_array(brain & (np.hypot(x - 42, y - 30) < 5) & (np.abs(z - 12) < 3))
    other = mirrored(mark, midline, is_mask=True)
    assert {side_of(mark, midline), side_of(other, midline)} == {"left", "right"}
    assert side_of(mark, midline) == "left"  # larger x is the patient's left in LPS
    again = mirrored(other, midline, is_mask=True).array
    assert 2 * (again & mark.array).sum() / (again.sum() + mark.array.sum()) > 0.9


def test_single_sections_and_small_masks_are_halved():
    single = Volume(np.zeros((1, 20, 20), bool), np.eye(4))
    single.array[0, 5:15, 4:16] = True
    midline = midline_of(single)
    assert np.array_equal(midline.normal, [1, 0, 0])
    assert midline.offset == pytest.approx(9.5)


def test_a_lesion_does_not_pull_the_plane():
    """A third of one hemisphere missing from the mask moves the plane by few millimetres."""
    patient = simulate_patient(3, perfusion=False)
    brain = patient.truth["brain"]
    whole = midline_of(brain)
    index = np.argwhere(brain.array > 0)
    centre = index.mean(axis=0)
    _, y, x = np.indices(brain.shape)
    bite = np.hypot((x - centre[2] - 36), (y - centre[1])) < 9
    bitten = brain.with_array((brain.array > 0) & ~bite)
    moved = midline_of(bitten)
    assert np.degrees(np.arccos(np.clip(moved.normal @ whole.normal, -1, 1))) < 2.5
