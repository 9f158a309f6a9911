"""Where the field is bent by air in the skull: echo-planar images are shifted along the phase direction, and fade."""

from __future__ import annotations

import numpy as np

from .anatomy import Anatomy
from .skull import every_mni

#: Places (MNI centre, SD in mm), those with x ≠ 0 on both sides: above the frontal and ethmoid sinuses, and above the
#: air cells of the temporal bones; the shift over the largest one.
_PLACES = (((0, 52, -24), (20, 17, 11), 1.0), ((50, -22, -32), (13, 16, 10), -0.6))
#: s⁻¹: what the bent field adds to R2* at its worst place at 3 T.
FADING = 16.0


def bent_field(anatomy: Anatomy) -> np.ndarray:
    """Return ``(z, y, x)`` the field's offset over its largest value, −1 to 1, float32."""
    side = every_mni(anatomy)
    side[:, 0] = np.abs(side[:, 0])
    total = np.zeros(len(side), dtype=np.float32)
    for centre, width, size in _PLACES:
        total += size * np.exp(-0.5 * (((side - centre) / width) ** 2).sum(axis=1))
    return total.reshape(anatomy.grid.shape)


def shift_field(anatomy: Anatomy, largest_mm: float) -> np.ndarray:
    """Return ``(z, y, x)`` mm along +y (posterior) from a voxel of the acquired image to the place that it shows."""
    return np.float32(largest_mm) * bent_field(anatomy)


class Distortion:
    """Applies a shift field, as prepared once for a whole series.

    Parameters
    ----------
    shift_mm : numpy.ndarray
        ``(z, y, x)`` s: the acquired image at y shows the head at y + s(y), brighter by 1 + ds/dy: signal is neither
        lost nor made.
    spacing_y : float
        mm.
    """

    def __init__(self, shift_mm: np.ndarray, spacing_y: float) -> None:
        ny = shift_mm.shape[1]
        shift = shift_mm / spacing_y
        self.pile = (1.0 + np.gradient(shift, axis=1)).astype(np.float32)
        place = np.clip(np.arange(ny)[None, :, None] + shift, 0, ny - 1.001)
        below = np.floor(place).astype(np.intp)
        self.part = (place - below).astype(np.float32)
        z, _, x = np.indices(shift.shape, sparse=True)
        self.below = np.ravel_multi_index(np.broadcast_arrays(z, below, x), shift.shape)
        self.row = shift.shape[2]

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Return the distorted image, by linear interpolation along y."""
        flat = image.ravel()
        low, high = np.take(flat, self.below), np.take(flat, self.below + self.row)
        return (low + (high - low) * self.part) * self.pile
