"""Rigid registration of two images of one head, with a figure that says how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import SimpleITK
from scipy import ndimage

from ..errors import StrokeError
from ..io.images import to_itk
from ..volume import Volume
from .pyramid import Level, is_ct, levels
from .resample import through

#: Two optimisations from different starts that end further apart than this (mm) do not count as an answer.
LARGEST_SPREAD_MM = 2.0
#: Mutual information (nats) over the head below this is what unrelated images have.
SMALLEST_INFORMATION = 0.10
#: A displacement (mm, root mean square over the head) within the method's own error: the images are aligned.
ALIGNED_MM = 0.5
#: The second search begins from a head turned by this much about each axis: its answer is independent of the first.
TURN_RAD = np.deg2rad(5.0)
#: One radian of turning moves the head's edge by this much (mm).
HEAD_RADIUS_MM = 80.0
#: Nobody's head lies further off than this between two images that share a coordinate system (mm, degrees).
LARGEST_SHIFT_MM, LARGEST_TURN_DEG = 80.0, 35.0


@dataclass(frozen=True)
class Registration:
    """Where the tissue of a fixed image lies in a moving one.

    Attributes
    ----------
    matrix : numpy.ndarray
        4×4, LPS mm of the fixed image to LPS mm of the moving one; exactly the identity where they were aligned.
    information : float
        Mutual information in nats inside the fixed head; larger is better.
    before : float
        The same without registration.
    spread_mm : float
        How far apart two optimisations from different starts ended (root mean square over the head).
    moved_mm : float
        Displacement, root mean square over the head.
    failure : str
        Why the result must not be used; empty where it may.
    """

    matrix: np.ndarray
    information: float
    before: float
    spread_mm: float
    moved_mm: float
    failure: str = ""

    @property
    def is_identity(self) -> bool:
        """Whether nothing needs to move."""
        return bool(np.array_equal(self.matrix, np.eye(4)))

    @property
    def inverse(self) -> np.ndarray:
        """4×4, LPS mm of the moving image to LPS mm of the fixed one: brings results home."""
        return np.linalg.inv(self.matrix)

    def describe(self) -> str:
        """Return one sentence for the reader."""
        if self.failure:
            return f"registration failed: {self.failure}"
        told = f"mutual information {self.information:.2f}, repeat within {self.spread_mm:.1f} mm"
        return f"already aligned ({told})" if self.is_identity else f"registered, moved {self.moved_mm:.1f} mm ({told})"


def register_rigid(fixed: Volume, moving: Volume, *, head: Volume | None = None, seed: int = 0) -> Registration:
    """Find the rigid motion between two images of one head, of any modality.

    Mattes' mutual information (IEEE Trans Med Imaging 22 (2003) 120) over a pyramid, from two starts: as the headers
    say, and with the heads' centres on each other. The two answers must agree.

    Parameters
    ----------
    fixed, moving : Volume
        3D, or a series, whose first frames are averaged.
    head : Volume, optional
        bool, on the fixed image's grid: where to compare. Found from the image if left out.
    seed : int
        For the sampling of voxels.

    Returns
    -------
    Registration
        With `Registration.failure` set where the answer cannot be trusted.

    Raises
    ------
    StrokeError
        If an image is empty or too small to register.
    """
    fixed, moving = _still(fixed), _still(moving)
    for image in (fixed, moving):
        if min(image.shape) < 2 or float(np.ptp(image.array)) == 0.0:
            raise StrokeError(f"{image.name}: cannot be registered: it is empty or a single section.")
    if is_ct(moving.array) and not is_ct(fixed.array):
        # Bone tells where a head is; from MR, where bone is as dark as air, the search ends beside it now and then.
        found = register_rigid(moving, fixed, seed=seed)
        return found if found.is_identity else replace(found, matrix=found.inverse)
    where = _head_of(fixed, head)
    points = _points(where)
    centre = points.mean(axis=0)
    pyramid = levels(fixed, moving, where)
    ends = [_descend(pyramid, centre, start, seed) for start in _starts(centre, moving)]
    (information, best), (less, other) = sorted(ends, key=lambda item: -item[0])
    if not np.isfinite(information):
        return Registration(np.eye(4), 0.0, 0.0, np.inf, 0.0, "the images do not overlap")
    best, other = (_matrix(_transform(parameters, centre)) for parameters in (best, other))
    spread = _distance(best, other, points) if np.isfinite(less) else np.inf
    before = _information(pyramid[-1], np.eye(4), seed)
    moved = _distance(best, np.eye(4), points)
    failure = _failure(information, before, spread, best, centre)
    if not failure and moved < ALIGNED_MM:
        best, information = np.eye(4), before
    return Registration(best, information, before, spread, moved, failure)


def _still(image: Volume) -> Volume:
    """Return a series' first frames averaged, before the bolus; the first two are not yet in steady state."""
    if not image.is_series:
        return image
    frames = image.array[2:8] if image.array.shape[0] >= 8 else image.array[:1]
    return image.with_array(frames.mean(axis=0, dtype=np.float32))


def _head_of(fixed: Volume, head: Volume | None) -> Volume:
    """Return where to compare: the brain and what surrounds it closely, whose edge tells most."""
    if head is None:
        inside = to_itk(fixed.with_array(fixed.array.astype(np.float32)))
        inside = SimpleITK.SmoothingRecursiveGaussian(inside, 2.0)
        array = SimpleITK.GetArrayFromImage(SimpleITK.OtsuThreshold(inside, 0, 1)) > 0
        labels, count = ndimage.label(array)
        if count > 1:
            array = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    else:
        array = head.array > 0
    if np.count_nonzero(array) < 100:
        raise StrokeError(f"{fixed.name}: cannot be registered: no head found in it.")
    radius = [max(1, round(8.0 / s)) if s <= 8.0 else 0 for s in fixed.spacing]
    grown = SimpleITK.BinaryDilate(to_itk(fixed.with_array(array)), [int(r) for r in radius], SimpleITK.sitkBall)
    return fixed.with_array(SimpleITK.GetArrayFromImage(grown) > 0)


def _points(mask: Volume) -> np.ndarray:
    """Return at most some thousand voxel centres of a mask, ``(n, 3)`` LPS mm."""
    index = np.argwhere(mask.array)[:, ::-1]
    index = index[:: max(1, len(index) // 3000)]
    return index @ mask.affine[:3, :3].T + mask.affine[:3, 3]


def _starts(centre: np.ndarray, moving: Volume) -> list[np.ndarray]:
    """Return where the search begins: as the headers say, and centre on centre but turned."""
    level = float(np.percentile(moving.array, 99)) * 0.2
    index = np.argwhere(moving.array > max(level, float(moving.array.min())))[:, ::-1].mean(axis=0)
    shift = moving.affine[:3, :3] @ index + moving.affine[:3, 3] - centre
    return [np.zeros(6), np.concatenate([np.full(3, TURN_RAD), shift])]


def _descend(pyramid: list[Level], centre: np.ndarray, start: np.ndarray, seed: int) -> tuple[float, np.ndarray]:
    """Optimise from one start through a pyramid; return the mutual information and the parameters where it ended."""
    transform = _transform(start, centre)
    for level in pyramid:
        method = _method(level, seed)
        method.SetInitialTransform(transform, inPlace=True)
        # Derivative-free: the gradient of Mattes' information misleads where contrasts are inverted (b0 and FLAIR).
        method.SetOptimizerAsPowell(
            numberOfIterations=4, maximumLineIterations=20, stepLength=level.step_mm,
            stepTolerance=0.02 * level.step_mm, valueTolerance=1e-4,
        )  # fmt: skip
        method.SetOptimizerScales([HEAD_RADIUS_MM] * 3 + [1.0] * 3)
        try:
            method.Execute(level.fixed, level.moving)
        except RuntimeError:  # the heads lost each other: this start leads nowhere
            return -np.inf, np.zeros(6)
    parameters = np.array(transform.GetParameters())
    return _information(pyramid[-1], _matrix(transform), seed), parameters


def _transform(parameters: np.ndarray, centre: np.ndarray) -> SimpleITK.Euler3DTransform:
    transform = SimpleITK.Euler3DTransform()
    transform.SetCenter(centre.tolist())
    transform.SetParameters(parameters.tolist())
    return transform


def _method(level: Level, seed: int) -> SimpleITK.ImageRegistrationMethod:
    method = SimpleITK.ImageRegistrationMethod()
    # Sums in a fixed number of parts: the same answer on every run.
    method.SetNumberOfWorkUnits(4)
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=32)
    method.SetMetricFixedMask(level.mask)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(level.share, seed + 1)
    method.SetInterpolator(SimpleITK.sitkLinear)
    return method


def _information(level: Level, matrix: np.ndarray, seed: int) -> float:
    """Return the mutual information in nats at a given motion; −∞ where the images do not overlap."""
    method = _method(level, seed)
    transform = SimpleITK.AffineTransform(3)
    transform.SetMatrix(matrix[:3, :3].ravel().tolist())
    transform.SetTranslation(matrix[:3, 3].tolist())
    method.SetInitialTransform(transform)
    try:
        return -float(method.MetricEvaluate(level.fixed, level.moving))
    except RuntimeError:
        return -np.inf


def _matrix(transform: SimpleITK.Euler3DTransform) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
    matrix[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    return matrix


def _distance(a: np.ndarray, b: np.ndarray, points: np.ndarray) -> float:
    """Return mm between two motions, root mean square over points ``(n, 3)``."""
    gap = points @ (a - b)[:3, :3].T + (a - b)[:3, 3]
    return float(np.sqrt((gap**2).sum(axis=1).mean()))


def _failure(information: float, before: float, spread: float, matrix: np.ndarray, centre: np.ndarray) -> str:
    shift = float(np.linalg.norm(matrix[:3, :3] @ centre + matrix[:3, 3] - centre))
    turn = float(np.degrees(np.arccos(np.clip((np.trace(matrix[:3, :3]) - 1) / 2, -1, 1))))
    if information < SMALLEST_INFORMATION:
        return f"the images have hardly anything in common (mutual information {information:.2f})"
    if information < before - 0.01:
        return "it made the images fit less well than their headers do"
    if spread > LARGEST_SPREAD_MM:
        return f"two attempts ended {spread:.1f} mm apart"
    if shift > LARGEST_SHIFT_MM or turn > LARGEST_TURN_DEG:
        return f"it would move the head by {shift:.0f} mm and {turn:.0f}°"
    return ""


def apply_rigid(image: Volume, reference: Volume, matrix: np.ndarray, *, is_mask: bool = False) -> Volume:
    """Resample a 3D image onto a reference grid through a rigid motion.

    Parameters
    ----------
    image : Volume
        The moving image.
    reference : Volume
        Gives the grid.
    matrix : numpy.ndarray
        4×4 of `Registration`.
    is_mask : bool
        Nearest neighbour for labels; linear otherwise. Nothing is interpolated where nothing moves.
    """
    if np.array_equal(matrix, np.eye(4)) and image.same_grid(reference):
        return reference.with_array(image.array, name=image.name)
    transform = SimpleITK.AffineTransform(3)
    transform.SetMatrix(matrix[:3, :3].ravel().tolist())
    transform.SetTranslation(matrix[:3, 3].tolist())
    return through(image, reference, transform, is_mask=is_mask)
