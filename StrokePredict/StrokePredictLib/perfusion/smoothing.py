"""Smoothing in the slice that does not mix brain with what surrounds it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

#: Full width at half maximum of a Gaussian over its standard deviation.
FWHM_TO_SIGMA = 1.0 / 2.3548200450309493
#: In-plane width (mm) by modality where the caller leaves it open: CT noise needs it, MR does not.
DEFAULT_FWHM = {"MR": 0.0, "CT": 5.0}


class InPlaneSmoother:
    """Normalised convolution with a Gaussian in the slice, over the voxels of a mask.

    Parameters
    ----------
    mask : numpy.ndarray
        ``(z, y, x)`` bool.
    spacing : numpy.ndarray
        Voxel size in mm along (x, y, z).
    fwhm : float
        Width in mm.
    """

    def __init__(self, mask: np.ndarray, spacing: np.ndarray, fwhm: float) -> None:
        inside = [np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
        self._box = tuple(slice(int(i[0]), int(i[-1]) + 1) for i in inside)
        self._mask = mask[self._box].astype(np.float32)
        self._inside = np.flatnonzero(mask[self._box])
        self._sigma = (fwhm * FWHM_TO_SIGMA / spacing[1], fwhm * FWHM_TO_SIGMA / spacing[0])
        self._weight = self._blur(self._mask).ravel()[self._inside]

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Return the smoothed values of one ``(z, y, x)`` frame at the mask's voxels, ``(V,)`` float32."""
        return self._blur(frame[self._box] * self._mask).ravel()[self._inside] / self._weight

    def _blur(self, array: np.ndarray) -> np.ndarray:
        for axis, sigma in zip((1, 2), self._sigma, strict=True):
            array = ndimage.gaussian_filter1d(array, sigma, axis=axis, mode="constant", truncate=3.0)
        return array
