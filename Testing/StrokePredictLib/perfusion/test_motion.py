import numpy as np
import pytest
from perfusion_scans import make_scan
from scipy import ndimage
from scipy.spatial.transform import Rotation

from StrokePredictLib.perfusion import motion
from StrokePredictLib.perfusion.pipeline import compute_maps
from StrokePredictLib.volume import Volume

CENTRE = np.array([0.0, 0.0, 31.0])


def rigid(shift, angle) -> np.ndarray:
    """Return 4×4 of a turn about z by ``angle`` rad and a shift in mm, LPS."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec([0, 0, angle]).as_matrix()
    matrix[:3, 3] = CENTRE - matrix[:3, :3] @ CENTRE + shift
    return matrix


def moved(frame: np.ndarray, grid: Volume, matrix: np.ndarray) -> np.ndarray:
    """Return the frame whose tissue went from p to ``matrix`` p, by ITK."""
    import SimpleITK

    from StrokePredictLib.io.images import to_itk

    back = np.linalg.inv(matrix)
    transform = SimpleITK.AffineTransform(back[:3, :3].ravel().tolist(), back[:3, 3].tolist())
    image = to_itk(grid.with_array(frame))
    out = SimpleITK.Resample(image, image, transform, SimpleITK.sitkLinear, float(frame.min()))
    return SimpleITK.GetArrayFromImage(out)


def head(modality: str):
    """Return a scan whose head is round in z too and has texture, so that every motion shows."""
    scan = make_scan(modality, frames=40, slices=9, noise=0.5)
    rng = np.random.default_rng(5)
    z, y, x = np.indices(scan.brain.shape)
    radius = np.sqrt(((x - 21.5) / 16) ** 2 + ((y - 21.5) / 19) ** 2 + ((z - 4) / 7.0) ** 2)
    texture = ndimage.gaussian_filter(rng.normal(0, 1, scan.brain.shape), (1, 2, 2))
    array = scan.series.array
    if modality == "MR":
        array = np.where(radius < 1, array * (1 + 0.15 * texture / texture.std()), 0)
    else:
        array = np.where(radius < 1, array, np.where(radius < 1.2, 900.0, -1000.0))
    scan.series = scan.series.with_array(array.astype(np.float32), "moving head")
    return scan


def displacement(a: np.ndarray, b: np.ndarray) -> float:
    points = np.random.default_rng(0).uniform([-60, -70, 10], [60, 70, 50], (300, 3))
    points = np.c_[points, np.ones(300)]
    return float(np.sqrt((((a - b) @ points.T)[:3] ** 2).sum(axis=0).mean()))


@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_contrast_is_not_taken_for_motion(modality):
    scan = head(modality)
    found = motion.estimate(scan.series, slice(0, 5), 14, modality)
    assert found.displacement.max() < motion.NEGLIGIBLE
    assert found.corrected == []
    assert found.rejected == []


@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_motion_is_found_and_undone(modality):
    scan = head(modality)
    frames = {25: rigid([3.0, -2.0, 0.0], 0.03), 30: rigid([-2.0, 3.0, 1.5], -0.04), 35: rigid([30.0, 0.0, 0.0], 0.0)}
    for t, matrix in frames.items():
        scan.series.array[t] = moved(scan.series.array[t], scan.series, matrix)
    found = motion.estimate(scan.series, slice(0, 5), 14, modality)
    for t in (25, 30):
        assert displacement(found.matrices[t], frames[t]) < 0.45 * displacement(np.eye(4), frames[t])
        assert t in found.corrected
    assert found.displacement[35] > motion.NEGLIGIBLE


def test_rejected_frames_are_bridged_and_reported(monkeypatch):
    scan = head("CT")
    clean = compute_maps(scan.series, scan.times, modality="CT", mask=scan.brain, motion=False)
    scan.series.array[28] = moved(scan.series.array[28], scan.series, rigid([12.0, 0.0, 0.0], 0.0))
    real = motion.estimate

    def with_limit(*args):
        return real(*args, limit=3.0)

    monkeypatch.setattr(motion, "estimate", with_limit)
    result = compute_maps(scan.series, scan.times, modality="CT", mask=scan.brain)
    assert result.summary["motion"]["rejected_frames"] == [28]
    assert any("interpolated in time" in w for w in result.summary["warnings"])
    inside = ndimage.binary_erosion(scan.brain, np.ones((3, 7, 7)))
    error = np.abs(result.maps["tmax"].array - clean.maps["tmax"].array)[inside]
    assert np.median(error) < 0.3


def test_much_motion_fails_the_check(monkeypatch):
    scan = make_scan("CT", slices=8)
    frames = len(scan.times)

    def found(displacement, rejected):
        report = motion.Motion(np.tile(np.eye(4), (frames, 1, 1)), displacement, rejected)
        monkeypatch.setattr(motion, "estimate", lambda *args: report)
        return compute_maps(scan.series, scan.times, modality="CT").summary["quality_failed"]

    still = np.zeros(frames)
    assert found(still, []) == []
    assert found(np.where(np.arange(frames) == 9, 6.5, 0.0), []) == ["motion"]
    assert found(np.where(np.arange(frames) < 6, 9.0, 0.0), list(range(30, 36))) == ["motion"]


@pytest.mark.parametrize("shape", [(1, 12, 12), (3, 6, 40), (2, 30, 30)])
def test_too_little_to_register_is_no_motion(shape):
    array = np.random.default_rng(0).normal(35, 1, (22, *shape)).astype(np.float32)
    series = Volume(array, np.diag([4.0, 4.0, 6.0, 1.0]))
    found = motion.estimate(series, slice(0, 5), 10, "CT")
    assert found.displacement.max() == 0.0
