"""Image files: geometry kept to the last bit, faults told in one line."""

import hashlib

import nibabel
import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import from_itk, is_image_name, read_image, to_itk, write_image
from StrokePredictLib.volume import Volume


def save_nifti(path, shape=(5, 6, 7), affine=None, codes=(0, 1), dtype=np.int16, data=None):
    data = np.arange(np.prod(shape)).reshape(shape) + 1 if data is None else data
    image = nibabel.Nifti1Image(data.astype(dtype), np.eye(4) if affine is None else affine)
    image.set_qform(image.affine, codes[0])
    image.set_sform(image.affine, codes[1])
    nibabel.save(image, path)
    return image


@st.composite
def headers(draw):
    """Oblique, flipped, left-handed, thick-slice and slab headers."""
    rotation = Rotation.from_euler("xyz", draw(st.tuples(*[st.floats(-180, 180)] * 3)), degrees=True).as_matrix()
    flips = np.diag(draw(st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3)))
    spacing = np.diag(draw(st.tuples(st.floats(0.3, 4), st.floats(0.3, 4), st.floats(0.5, 10))))
    affine = np.eye(4)
    affine[:3, :3] = rotation @ flips @ spacing
    affine[:3, 3] = draw(st.tuples(*[st.floats(-300, 300)] * 3))
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4)))
    codes = draw(st.sampled_from([(0, 1), (1, 0), (1, 1), (2, 4), (1, 3)]))
    return affine, shape, codes


@given(headers())
@settings(max_examples=200, deadline=None)
def test_geometry_and_codes_survive_reading_and_writing(tmp_path_factory, header):
    affine, shape, codes = header
    folder = tmp_path_factory.mktemp("geometry")
    source = save_nifti(folder / "in.nii.gz", shape, affine, codes)
    volume = read_image(folder / "in.nii.gz")
    write_image(folder / "out.nii.gz", volume.with_array(volume.array > 3))
    written = nibabel.load(folder / "out.nii.gz")
    ends = np.array([[i, j, k, 1] for i in (0, shape[0]) for j in (0, shape[1]) for k in (0, shape[2])]).T
    before = nibabel.load(folder / "in.nii.gz").affine @ ends
    assert np.abs(written.affine @ ends - before).max() < 1e-3
    assert (int(written.header["qform_code"]), int(written.header["sform_code"])) == codes
    assert np.array_equal(written.get_fdata(), source.get_fdata() > 3)


@given(headers())
@settings(max_examples=50, deadline=None)
def test_simpleitk_agrees_on_where_a_voxel_is(header):
    affine, shape, _ = header
    lps = np.diag([-1, -1, 1, 1]) @ affine
    volume = Volume(np.zeros(shape[::-1], np.float32), lps)
    index = [n - 1 for n in shape]
    place = to_itk(volume).TransformIndexToPhysicalPoint(index)
    assert np.allclose(place, (lps @ [*index, 1])[:3], atol=1e-6)
    assert from_itk(to_itk(volume)).same_grid(volume)


def test_world_place_agrees_with_simpleitk_reader(tmp_path):
    affine = np.diag([1.5, 2.0, 5.0, 1.0])
    affine[:3, 3] = [-30, 40, 10]
    save_nifti(tmp_path / "a.nii.gz", affine=affine)
    itk = SimpleITK.ReadImage(str(tmp_path / "a.nii.gz"))
    volume = read_image(tmp_path / "a.nii.gz")
    assert np.allclose(volume.origin, itk.GetOrigin(), atol=1e-5)
    assert np.array_equal(volume.array, SimpleITK.GetArrayFromImage(itk))


def test_series_has_time_first_and_keeps_its_time_step(tmp_path):
    data = np.random.default_rng(0).integers(1, 100, (4, 5, 3, 7))
    image = nibabel.Nifti1Image(data.astype(np.int16), np.eye(4))
    image.header.set_zooms((1, 1, 1, 1.5))
    nibabel.save(image, tmp_path / "s.nii.gz")
    volume = read_image(tmp_path / "s.nii.gz", series=True)
    assert volume.array.shape == (7, 3, 5, 4)
    assert volume.array[6, 2, 4, 3] == data[3, 4, 2, 6]
    write_image(tmp_path / "o.nii.gz", volume)
    assert nibabel.load(tmp_path / "o.nii.gz").header.get_zooms()[3] == pytest.approx(1.5)


def test_same_content_gives_same_bytes(tmp_path):
    volume = Volume(np.random.default_rng(1).random((3, 4, 5), np.float32), np.eye(4))
    digests = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_image(tmp_path / name / "x.nii.gz", volume)
        digests.add(hashlib.sha256((tmp_path / name / "x.nii.gz").read_bytes()).hexdigest())
    assert len(digests) == 1


def test_nrrd_round_trip(tmp_path):
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    volume = Volume(np.random.default_rng(1).random((3, 4, 5), np.float32), affine)
    write_image(tmp_path / "x.nrrd", volume)
    again = read_image(tmp_path / "x.nrrd")
    assert np.array_equal(again.array, volume.array)
    assert again.same_grid(volume)


def test_a_moved_volume_does_not_keep_the_old_header(tmp_path):
    save_nifti(tmp_path / "a.nii.gz")
    volume = read_image(tmp_path / "a.nii.gz")
    moved = Volume(volume.array, volume.affine + np.array([[0, 0, 0, 9]] * 3 + [[0] * 4]), header=volume.header)
    write_image(tmp_path / "b.nii.gz", moved)
    assert read_image(tmp_path / "b.nii.gz").same_grid(moved)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: None, "no such file"),
        (lambda p: p.write_bytes(b"this is no image"), "no readable image"),
        (lambda p: save_nifti(p, data=np.zeros((4, 4, 4))), "every voxel is zero"),
        (lambda p: save_nifti(p, data=np.full((4, 4, 4), np.nan), dtype=np.float32), "every voxel is NaN"),
        (lambda p: save_nifti(p, shape=(3, 3)), "2 dimensions"),
    ],
)
def test_faulty_files_are_told_in_one_line(tmp_path, make, words):
    path = tmp_path / "x.nii.gz"
    make(path)
    with pytest.raises(StrokeError, match=words) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_truncated_file(tmp_path):
    rng = np.random.default_rng(0)
    save_nifti(tmp_path / "a.nii.gz", data=rng.integers(0, 9999, (32, 32, 32)))
    content = (tmp_path / "a.nii.gz").read_bytes()
    (tmp_path / "a.nii.gz").write_bytes(content[: len(content) // 2])
    with pytest.raises(StrokeError, match="no readable image"):
        read_image(tmp_path / "a.nii.gz")


def test_dimension_asked_for(tmp_path):
    save_nifti(tmp_path / "three.nii.gz")
    save_nifti(tmp_path / "four.nii.gz", shape=(3, 4, 5, 6))
    with pytest.raises(StrokeError, match="4D series"):
        read_image(tmp_path / "three.nii.gz", series=True)
    with pytest.raises(StrokeError, match="6 frames"):
        read_image(tmp_path / "four.nii.gz", series=False)


def test_sheared_axes_are_refused(tmp_path):
    affine = np.eye(4)
    affine[0, 1] = 0.3
    image = nibabel.Nifti1Image(np.ones((4, 4, 4), np.int16), affine)
    nibabel.save(image, tmp_path / "a.nii.gz")
    with pytest.raises(StrokeError, match="right angles"):
        read_image(tmp_path / "a.nii.gz")


def test_some_nan_voxels_become_zero_and_are_counted(tmp_path):
    data = np.ones((4, 4, 4))
    data[0, 0, :2] = np.nan
    save_nifti(tmp_path / "a.nii.gz", data=data, dtype=np.float32)
    volume = read_image(tmp_path / "a.nii.gz")
    assert volume.meta["nonfinite_voxels"] == 2
    assert volume.array.sum() == 62


def test_image_names():
    assert is_image_name("A.NII.GZ")
    assert is_image_name("b.nrrd")
    assert not is_image_name("b.json")
