"""Against nibabel's reorientation and SimpleITK's, and against the position of every voxel."""

import nibabel
import numpy as np
import pytest
import SimpleITK
from support.studies import GRIDS, ellipsoid, grid, positions

from StrokePredictLib.io.images import to_itk
from StrokePredictLib.report.orientation import for_display
from StrokePredictLib.volume import Volume


def numbered(name):
    empty = grid(name)
    return empty.with_array(np.arange(empty.array.size, dtype=np.float32).reshape(empty.shape))


@pytest.mark.parametrize("name", GRIDS)
def test_as_nibabel_turns_it(name):
    volume = numbered(name)
    to_ras = np.diag([-1.0, -1.0, 1.0, 1.0])
    affine = to_ras @ volume.affine
    wanted = nibabel.orientations.axcodes2ornt(("L", "P", "S"))
    here = nibabel.orientations.io_orientation(affine)
    change = nibabel.orientations.ornt_transform(here, wanted)
    image = nibabel.Nifti1Image(volume.array.T, affine).as_reoriented(change)
    shown = for_display(volume)
    assert np.array_equal(shown.array, np.asarray(image.dataobj).T)
    assert np.allclose(to_ras @ shown.affine, image.affine, atol=1e-9)


@pytest.mark.parametrize("name", GRIDS)
def test_as_simpleitk_turns_it(name):
    volume = numbered(name)
    image = SimpleITK.DICOMOrient(to_itk(volume), "LPS")
    shown = for_display(volume)
    assert np.array_equal(shown.array, SimpleITK.GetArrayFromImage(image))
    assert np.allclose(shown.origin, image.GetOrigin(), atol=1e-6)


@pytest.mark.parametrize("name", GRIDS)
def test_a_mark_at_the_patients_left_appears_at_the_images_right(name):
    empty = grid(name)
    at = positions(empty)
    for centre, axis, high in (((50, 0, 0), 2, True), ((0, -60, 0), 1, False), ((0, 0, 40), 0, True)):
        mark = ellipsoid(at, centre, (12, 12, 12)).astype(np.float32)
        shown = for_display(empty.with_array(mark))
        middle = (np.argwhere(shown.array > 0).mean(axis=0) / (np.array(shown.shape) - 1))[axis]
        assert (middle > 0.6) if high else (middle < 0.4)


def test_voxels_stay_where_they_are():
    volume = numbered("oblique left-handed")
    shown = for_display(volume)
    rng = np.random.default_rng(3)
    for _ in range(20):
        k, j, i = (int(rng.integers(n)) for n in shown.shape)
        place = shown.affine @ [i, j, k, 1.0]
        x, y, z = np.linalg.solve(volume.affine, place)[:3].round(6)
        assert volume.array[round(z), round(y), round(x)] == shown.array[k, j, i]


def test_a_single_slice_is_turned_too():
    affine = np.diag([-2.0, -2.0, 5.0, 1.0])
    volume = Volume(np.array([[[1.0, 2.0], [3.0, 4.0]]], np.float32), affine)
    assert for_display(volume).array.tolist() == [[[4.0, 3.0], [2.0, 1.0]]]
