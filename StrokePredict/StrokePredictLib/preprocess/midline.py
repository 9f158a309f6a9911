"""The plane between the hemispheres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..volume import Volume


@dataclass(frozen=True)
class Midline:
    """A plane in LPS space: points p with normal · p = offset lie on it; larger is the patient's left.

    Attributes
    ----------
    normal : numpy.ndarray
        Unit vector, ``(3,)``.
    offset : float
        mm.
    """

    normal: np.ndarray
    offset: float

    def distance(self, volume: Volume) -> np.ndarray:
        """Return every voxel's signed distance in mm, ``(z, y, x)``; positive on the patient's left."""
        nz, ny, nx = volume.shape
        step = self.normal @ volume.affine[:3, :3]
        start = float(self.normal @ volume.affine[:3, 3]) - self.offset
        k, j, i = np.ogrid[:nz, :ny, :nx]
        return (start + i * step[0] + j * step[1] + k * step[2]).astype(np.float32)


def midline_of(brain: Volume) -> Midline:
    """Return the sagittal plane that halves the brain mask.

    The normal is the scanner's left-right axis; the head's own tilt is left to registration.

    Parameters
    ----------
    brain : Volume
        bool.
    """
    normal = np.array([1.0, 0.0, 0.0])
    k, j, i = np.nonzero(brain.array)
    points = brain.affine[:3, :3] @ np.stack([i, j, k]) + brain.affine[:3, 3:]
    return Midline(normal, float(np.median(points[0])))


def side_of(mask: Volume, midline: Midline) -> str:
    """Say on which side a finding lies: ``"left"``, ``"right"``, ``"both"`` (less than 80 % on one), or ``"none"``."""
    total = int(np.count_nonzero(mask.array))
    if total == 0:
        return "none"
    left = float(np.count_nonzero(mask.array & (midline.distance(mask) > 0))) / total
    return "left" if left >= 0.8 else "right" if left <= 0.2 else "both"
