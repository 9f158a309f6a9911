"""To the network's sections and home again, whatever the case's own grid."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from StrokePredictLib.preprocess.sections import Sections
from StrokePredictLib.volume import Volume


def grid(angles, permute, flips, spacing, shape):
    """A grid with its centre at a fixed place, from a rotation, a permutation of axes and flips."""
    axes = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()[:, permute] * np.array(flips)
    affine = np.eye(4)
    affine[:3, :3] = axes * np.array(spacing)
    affine[:3, 3] = [10, -20, 30] - affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2)
    return Volume(np.zeros(shape, np.float32), affine)


def blob(volume, radius, at=(10, -20, 30)):
    """A smooth ball in physical space."""
    nz, ny, nx = volume.shape
    index = np.stack(np.meshgrid(np.arange(nx), np.arange(ny), np.arange(nz), indexing="ij"), -1).reshape(-1, 3)
    places = index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    distance = np.linalg.norm(places - np.array(at), axis=1).reshape(nx, ny, nz).transpose(2, 1, 0)
    return volume.with_array(1 / (1 + np.exp((distance - radius) / 3)).astype(np.float32))


GRIDS = {
    "axial": grid((0, 0, 0), [0, 1, 2], (1, 1, 1), (1.8, 1.8, 6), (24, 100, 100)),
    "left-handed": grid((0, 0, 0), [0, 1, 2], (-1, 1, 1), (0.9, 0.9, 5), (30, 200, 200)),
    "oblique": grid((12, -8, 5), [0, 1, 2], (-1, -1, 1), (1.2, 1.2, 5), (30, 150, 150)),
    "sagittal": grid((0, 0, 0), [1, 2, 0], (1, -1, 1), (1.5, 1.5, 2.5), (70, 110, 110)),
}


@pytest.mark.parametrize("name", GRIDS)
def test_there_and_back_keeps_a_smooth_image(name):
    reference = GRIDS[name]
    image = blob(reference, 55)
    brain = image.with_array(image.array > 0.01)
    sections = Sections.around(brain, (1.8, 1.8), (128, 128))
    array = sections.bring(image)
    assert array.shape[1:] == (128, 128)
    home = sections.bring_home(array, "home")
    assert home.same_grid(reference)
    assert np.abs(home.array - image.array).max() < 0.06
    assert np.abs(home.array - image.array).mean() < 0.004


@pytest.mark.parametrize("name", GRIDS)
def test_sections_run_left_back_and_up(name):
    """A mark on the patient's left, one at the back and one at the top move x, y and the section number up."""
    reference = GRIDS[name]
    brain = blob(reference, 60)
    sections = Sections.around(brain.with_array(brain.array > 0.5), (1.8, 1.8), (128, 128))
    centre = np.array(ndimage.center_of_mass(sections.bring(blob(reference, 15))))
    for step, axis in (((30, 0, 0), 2), ((0, 30, 0), 1), ((0, 0, 30), 0)):
        mark = blob(reference, 15, np.array([10, -20, 30]) + step)
        moved = np.array(ndimage.center_of_mass(sections.bring(mark))) - centre
        assert np.argmax(np.abs(moved)) == axis
        assert moved[axis] > 0


def test_masks_stay_masks():
    image = blob(GRIDS["oblique"], 50)
    brain = image.with_array(image.array > 0.5)
    array = Sections.around(brain, (1.8, 1.8), (128, 128)).bring(brain, is_mask=True)
    assert set(np.unique(array)) == {0.0, 1.0}
