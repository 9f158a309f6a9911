"""The plane between the hemispheres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..volume import Volume
from .registration import apply_rigid
from .symmetry import mirror_plane

#: Masks smaller than this (mL) have no shape to find a plane by.
SMALLEST_ML = 300.0


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
    """Return the plane about which the brain mask mirrors best, however the head is turned in the scanner.

    Parameters
    ----------
    brain : Volume
        bool. Of less than a hemisphere's worth, or a single section, the sagittal plane that halves it is taken.
    """
    inside = brain.array > 0
    if min(brain.shape) < 3 or np.count_nonzero(inside) * brain.voxel_ml < SMALLEST_ML:
        return _halved(brain, inside)
    normal, offset = mirror_plane(brain.with_array(inside))
    return Midline(normal, offset)


def _halved(brain: Volume, inside: np.ndarray) -> Midline:
    k, j, i = np.nonzero(inside)
    points = brain.affine[:3, :3] @ np.stack([i, j, k]) + brain.affine[:3, 3:]
    return Midline(np.array([1.0, 0.0, 0.0]), float(np.median(points[0])) if i.size else 0.0)


def mirrored(image: Volume, midline: Midline, *, is_mask: bool = False) -> Volume:
    """Return the image with every voxel's value taken from the other hemisphere.

    Parameters
    ----------
    image : Volume
        3D.
    midline : Midline
        From `midline_of`.
    is_mask : bool
        Nearest neighbour; linear otherwise.
    """
    matrix = np.eye(4)
    matrix[:3, :3] -= 2.0 * np.outer(midline.normal, midline.normal)
    matrix[:3, 3] = 2.0 * midline.offset * midline.normal
    return apply_rigid(image, image, matrix, is_mask=is_mask)


def side_of(mask: Volume, midline: Midline) -> str:
    """Say on which side a finding lies: ``"left"``, ``"right"``, ``"both"`` (less than 80 % on one), or ``"none"``."""
    total = int(np.count_nonzero(mask.array))
    if total == 0:
        return "none"
    left = float(np.count_nonzero(mask.array & (midline.distance(mask) > 0))) / total
    return "left" if left >= 0.8 else "right" if left <= 0.2 else "both"
