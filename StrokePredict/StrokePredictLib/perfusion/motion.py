"""Rigid head motion between frames, estimated against the baseline by least squares.

Inverse-compositional registration (Baker and Matthews, Int J Comput Vis 56 (2004) 221): the derivatives of the
reference are taken once, and each frame needs only resampling and a small product. The contrast's own change of the
image is projected out as an appearance (a gain, an offset and the smooth pattern of the bolus), so that it is not
taken for motion.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from ..volume import Volume
from .threads import in_threads

#: Frames that moved less than this (mm, mean over the head) are left as they are: resampling would only blur them.
NEGLIGIBLE = 1.0
#: Frames that moved more than this (mm) are rejected: motion within the frame cannot be undone.
REJECT = 8.0
#: Working voxel size in mm, in the slice.
WORKING = 4.0
#: A field of view narrower than this (mm) shows too little of a head to register.
SMALLEST_VIEW = 60.0
#: Fewer working voxels than this tell nothing about a head's place.
FEWEST_POINTS = 200
#: Blur of the coarse images, in working voxels: the first gives the reach, the second the precision.
BLURS = (2.0, 0.7)


@dataclass
class Motion:
    """Motion of each frame against the baseline.

    Attributes
    ----------
    matrices : numpy.ndarray
        ``(T, 4, 4)`` from a place in the reference (LPS mm) to the same tissue's place in the frame.
    displacement : numpy.ndarray
        ``(T,)`` mm, root mean square over the head.
    rejected : list of int
        Frames replaced by interpolation in time.
    corrected : list of int
        Frames resampled.
    """

    matrices: np.ndarray
    displacement: np.ndarray
    rejected: list[int] = field(default_factory=list)
    corrected: list[int] = field(default_factory=list)


def estimate(series: Volume, baseline: slice, peak: int, modality: str, limit: float = REJECT) -> Motion:
    """Estimate every frame's rigid motion.

    Parameters
    ----------
    series : Volume
        ``(t, z, y, x)``.
    baseline : slice
        Frames whose mean is the reference.
    peak : int
        Frame of the bolus maximum.
    limit : float
        Motion in mm beyond which a frame is rejected.
    """
    frames = range(series.array.shape[0])
    matrices = np.tile(np.eye(4), (len(frames), 1, 1))
    if min(series.shape[1:]) * min(series.spacing[:2]) < SMALLEST_VIEW:
        return Motion(matrices, np.zeros(len(frames)))
    for blur in BLURS:
        aligner = _Aligner(series, baseline, peak, modality, blur)
        if len(aligner.head) < FEWEST_POINTS:  # no bone in view (CT), or hardly any head
            return Motion(matrices, np.zeros(len(frames)))
        matrices = aligner.align_all(matrices)
    moved = np.einsum("tij,nj->tni", matrices, aligner.head) - aligner.head[None]
    displacement = np.sqrt((moved[..., :3] ** 2).sum(axis=2).mean(axis=1))
    rejected = [int(t) for t in np.flatnonzero(displacement > limit)]
    corrected = [int(t) for t in np.flatnonzero((displacement > NEGLIGIBLE) & (displacement <= limit))]
    return Motion(matrices, displacement, rejected, corrected)


def resample_frame(frame: np.ndarray, grid: Volume, matrix: np.ndarray, index: np.ndarray | None = None) -> np.ndarray:
    """Return a frame's values where the reference's voxels lie in it, by linear interpolation.

    Parameters
    ----------
    frame : numpy.ndarray
        ``(z, y, x)``.
    grid : Volume
        Its grid.
    matrix : numpy.ndarray
        4×4 of `Motion`.
    index : numpy.ndarray, optional
        Flat indices of the voxels wanted; all if left out.
    """
    whole = index is None
    index = np.arange(int(np.prod(grid.shape))) if whole else index
    z, y, x = np.unravel_index(index, grid.shape)
    voxels = np.stack([x, y, z, np.ones_like(x)]).astype(np.float64)
    to = (np.linalg.inv(grid.affine) @ matrix @ grid.affine) @ voxels
    values = ndimage.map_coordinates(frame, to[2::-1], order=1, mode="nearest", output=np.float32)
    return values.reshape(grid.shape) if whole else values


class _Aligner:
    """Registers coarse frames to the coarse baseline mean."""

    def __init__(self, series: Volume, baseline: slice, peak: int, modality: str, blur: float) -> None:
        self.series, self.modality, self.blur = series, modality, blur
        self.factor = tuple(max(1, round(WORKING / s)) for s in series.spacing[1::-1])  # along y, x
        reference = self._coarse(series.array[baseline].mean(axis=0))
        self.affine = self._coarse_affine()
        change = self._coarse(series.array[peak : peak + 3].mean(axis=0)) - reference
        self.shape = reference.shape
        self._prepare(reference, change)

    def _coarse(self, frame: np.ndarray) -> np.ndarray:
        fy, fx = self.factor
        nz, ny, nx = frame.shape
        cut = frame[:, : ny // fy * fy, : nx // fx * fx]
        if self.modality == "CT":
            # Bone alone: contrast hardly reaches these values, so it cannot pass for motion.
            cut = np.clip(cut, 200.0, 1000.0)
        small = cut.reshape(nz, ny // fy, fy, nx // fx, fx).mean(axis=(2, 4), dtype=np.float64)
        return ndimage.gaussian_filter(small, (0.0, self.blur, self.blur))

    def _coarse_affine(self) -> np.ndarray:
        fy, fx = self.factor
        scale = np.diag([fx, fy, 1.0, 1.0])
        scale[:2, 3] = (fx - 1) / 2.0, (fy - 1) / 2.0
        return self.series.affine @ scale

    def _prepare(self, reference: np.ndarray, change: np.ndarray) -> None:
        low, high = np.percentile(reference, [2, 98])
        head = ndimage.binary_dilation(reference > low + 0.15 * (high - low), iterations=2)
        # The border voxels have no whole neighbourhood, and a single slice tells nothing across itself.
        inner = np.zeros_like(head)
        edge = 1 if reference.shape[0] > 4 else 0
        inner[edge : reference.shape[0] - edge, 2:-2, 2:-2] = True
        self.where = np.argwhere(head & inner)
        voxels = np.concatenate([self.where[:, ::-1], np.ones((len(self.where), 1))], axis=1)
        self.head = voxels @ self.affine.T
        if len(self.head) < FEWEST_POINTS:
            return
        self.centre = self.head[:, :3].mean(axis=0)
        self.free = list(range(6)) if reference.shape[0] > 4 else [0, 1, 5]
        pick = tuple(self.where.T)
        self.target = reference[pick]
        slope = np.stack([gradient[pick] for gradient in self._gradients(reference)], axis=1)
        slope = slope[:, ::-1] @ np.linalg.inv(self.affine[:3, :3])  # by LPS mm
        arm = self.head[:, :3] - self.centre
        jacobian = np.concatenate([slope, np.cross(arm, slope)], axis=1)[:, self.free]
        # Vessels and lesion borders change most: they are left out rather than modelled.
        strong = np.abs(change[pick])
        keep = strong <= np.percentile(strong, 85)
        self.where, self.head, pick = self.where[keep], self.head[keep], tuple(p[keep] for p in pick)
        self.target, jacobian = self.target[keep], jacobian[keep]
        smooth = ndimage.gaussian_filter(change, (0.5, 2.0, 2.0))[pick]
        looks = np.stack([np.ones(len(pick[0])), self.target, smooth], axis=1)
        looks, _ = np.linalg.qr(looks)
        jacobian -= looks @ (looks.T @ jacobian)
        # What the image does not show (a turn of a round head, a shift along a slab) is left at no motion.
        reach = np.array([1.0, 1.0, 1.0, *[np.sqrt((arm**2).sum(axis=1).mean())] * 3])[self.free]
        self.looks, self.inverse = looks, np.linalg.pinv(jacobian / reach, rcond=0.1) / reach[:, None]

    @staticmethod
    def _gradients(image: np.ndarray) -> list[np.ndarray]:
        return [np.gradient(image, axis=a) if n > 1 else np.zeros_like(image) for a, n in enumerate(image.shape)]

    def align_all(self, starts: np.ndarray) -> np.ndarray:
        """Return ``(T, 4, 4)`` of all frames, from those of a coarser look."""
        out = np.empty_like(starts)

        def one(frame: int) -> None:
            out[frame] = self.align(frame, starts[frame])

        for _ in in_threads(one, range(len(starts))):
            pass
        return out

    def align(self, frame: int, start: np.ndarray, steps: int = 12) -> np.ndarray:
        """Return the 4×4 of one frame, from that of a coarser look."""
        image = self._coarse(self.series.array[frame])
        matrix, best, lowest = start, start, np.inf
        to_voxel = np.linalg.inv(self.affine)
        for _ in range(steps):
            place = to_voxel @ matrix @ self.head.T
            values = ndimage.map_coordinates(image, place[2::-1], order=1, mode="nearest")
            error = values - self.target
            error -= self.looks @ (self.looks.T @ error)
            size = float(error @ error)
            if size < lowest:
                best, lowest = matrix, size
            elif size > 2.0 * lowest:
                break
            moved = np.zeros(6)
            moved[self.free] = self.inverse @ error
            matrix = matrix @ np.linalg.inv(_rigid(moved, self.centre))
            if np.abs(moved[:3]).max() < 0.005 and np.abs(moved[3:]).max() < 1e-4:
                break
        return best


def _rigid(parameters: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return 4×4 of a shift (mm) and rotation vector (rad) about ``centre``."""
    from scipy.spatial.transform import Rotation

    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(parameters[3:]).as_matrix()
    matrix[:3, 3] = parameters[:3] + centre - matrix[:3, :3] @ centre
    return matrix
