"""Distances from an outline, section by section, as readers draw it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

#: Further from every outline than any place in a head (mm).
FAR_MM = 1e3


def distance_in_plane(mask: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """Return mm from the outline of a mask in each section, positive outside.

    Parameters
    ----------
    mask : numpy.ndarray
        ``(z, y, x)`` bool.
    spacing : tuple of float
        mm along ``(x, y, z)``.

    Returns
    -------
    numpy.ndarray
        ``(z, y, x)`` float32; outlines run half-way between voxel centres. `FAR_MM` in sections without any.
    """
    step = spacing[1::-1]
    distance = np.full(mask.shape, FAR_MM, dtype=np.float32)
    for z in np.flatnonzero(mask.any(axis=(1, 2))):
        out, within = ndimage.distance_transform_edt(~mask[z], step), ndimage.distance_transform_edt(mask[z], step)
        distance[z] = np.where(mask[z], -within + 0.5 * step[0], out - 0.5 * step[0])
    return distance
