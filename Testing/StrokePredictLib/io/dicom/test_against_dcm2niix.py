"""What we read of synthetic DICOM against what was written, and against dcm2niix: voxel for voxel, in world space."""

import subprocess
import sys

import nibabel
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.dicom_files import Place, write_classic, write_enhanced, write_mosaic

from StrokePredictLib.io.dicom.export import open_export, read_volume

pytest.importorskip("dcm2niix", reason="dcm2niix (PyPI) is the reference; pip install dcm2niix")

TURNS = {
    "axial": np.eye(3),
    "oblique": Rotation.from_euler("xyz", [-17, 4, 6], degrees=True).as_matrix(),
    "coronal": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
}
WRITERS = {"classic": write_classic, "enhanced": write_enhanced, "mosaic": write_mosaic}


def numbers(*shape, seed=0):
    """Distinct, signed values: any voxel that is swapped, flipped or shifted shows."""
    return np.random.default_rng(seed).permutation(np.arange(int(np.prod(shape)))).reshape(shape) % 30000


def converted(folder, out):
    """Return dcm2niix's images, by series number."""
    out.mkdir()
    binary = [sys.executable, "-m", "dcm2niix", "-z", "n", "-b", "y", "-f", "%s", "-o", str(out), str(folder)]
    done = subprocess.run(binary, capture_output=True, text=True, timeout=120)
    files = sorted(out.glob("*.nii"))
    assert files, done.stdout + done.stderr
    return {path.stem: nibabel.load(path) for path in files}


def require_same(volume, image):
    """Every voxel of ours lies, with its value, where dcm2niix has it."""
    data = np.asarray(image.dataobj)
    frames = data[..., None] if data.ndim == 3 else data
    ours = volume.array if volume.is_series else volume.array[None]
    assert frames.shape[3] == len(ours)
    nz, ny, nx = volume.shape
    index = np.stack(np.meshgrid(np.arange(nx), np.arange(ny), np.arange(nz), indexing="ij"), -1).reshape(-1, 3)
    lps = index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    ras = lps * [-1, -1, 1]
    inverse = np.linalg.inv(image.affine)
    place = ras @ inverse[:3, :3].T + inverse[:3, 3]
    near = np.rint(place).astype(int)
    assert np.abs(place - near).max() < 5e-3  # voxels; dcm2niix stores its affine in float32
    assert (np.sort(near.max(axis=0)) == np.sort(np.array(data.shape[:3]) - 1)).all()
    for frame, values in zip(np.moveaxis(frames, 3, 0), ours, strict=True):
        assert np.array_equal(frame[tuple(near.T)], values.transpose(2, 1, 0).ravel())


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("kind", WRITERS)
def test_series_agree(kind, turn, tmp_path):
    array = numbers(12, 9, 20, 24)
    place = Place(TURNS[turn], spacing=(1.8, 1.8, 5.5), corner=(-20.0, 31.0, -44.0))
    WRITERS[kind](tmp_path / "in", array, place, number=7, interval=1.4)
    export = open_export(tmp_path / "in")
    assert len(export.images) == 1
    volume = read_volume(export.images[0])
    # Against what was written: voxel (x, y, z) of the array lies at the place given.
    for z, y, x in ((0, 0, 0), (8, 19, 23), (4, 3, 17)):
        index = np.linalg.inv(volume.affine) @ np.append(place.world(z, y, x), 1.0)
        i, j, k = np.rint(index[:3]).astype(int)
        assert np.abs(index[:3] - [i, j, k]).max() < 1e-4
        assert np.array_equal(volume.array[:, k, j, i], array[:, z, y, x])
    assert volume.array.sum() == array.sum()
    assert np.allclose(volume.meta["times"], np.arange(12) * 1.4, atol=1e-4)
    require_same(volume, next(iter(converted(tmp_path / "in", tmp_path / "out").values())))


def test_ct_with_rescaling_agrees(tmp_path):
    array = numbers(15, 32, 32) % 2000
    more = {"modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024, "RescaleType": "HU"}
    write_classic(tmp_path / "in", array, Place(spacing=(0.5, 0.5, 5.0)), number=4, description="Head 5.0", **more)
    export = open_export(tmp_path / "in")
    assert set(export.roles) == {"ncct"}
    volume = read_volume(export.roles["ncct"])
    assert np.array_equal(np.sort(volume.array.ravel()), np.sort(array.ravel() - 1024))
    require_same(volume, converted(tmp_path / "in", tmp_path / "out")["4"])


def test_files_in_any_order_and_sections_from_the_top_down(tmp_path):
    array = numbers(8, 16, 16)
    down = Place(spacing=(1.0, 1.0, 4.0))
    write_classic(tmp_path / "in", array, down, number=5, frames=lambda ds, t, z: setattr(ds, "InstanceNumber", 9 - z))
    volume = read_volume(open_export(tmp_path / "in").images[0])
    require_same(volume, next(iter(converted(tmp_path / "in", tmp_path / "out").values())))
