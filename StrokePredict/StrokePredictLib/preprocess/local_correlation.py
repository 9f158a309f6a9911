"""How alike two images are, place by place: correlation in a window that slides over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

#: Bins of the first image whose mean in the second says what it would look like there.
_BINS = 48
#: Variance that counts as none, as a share of the variance within the mask: flat tissue says nothing.
_FLOOR = 0.02


def remapped(image: np.ndarray, other: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return an image with the grey values that its tissues have in another one, aligned to it.

    Each value becomes the other image's mean where the image has that value (Guimond et al, IEEE Trans Med Imaging 20
    (2001) 58), so that contrasts may be inverted, or fluid be brightest in one and darkest in the other.

    Parameters
    ----------
    image, other : numpy.ndarray
        One shape.
    where : numpy.ndarray
        bool; voxels that count.
    """
    values = image[where]
    edges = np.unique(np.percentile(values, np.linspace(0, 100, _BINS + 1)))
    if edges.size < 3:
        return np.zeros_like(image)
    number = np.clip(np.searchsorted(edges, values) - 1, 0, edges.size - 2)
    count = np.bincount(number, minlength=edges.size - 1)
    mean = np.bincount(number, weights=other[where], minlength=edges.size - 1) / np.maximum(count, 1)
    middle = np.bincount(number, weights=values, minlength=edges.size - 1) / np.maximum(count, 1)
    known = count > 0
    smooth = ndimage.gaussian_filter1d(mean[known], 1.0, mode="nearest")
    return np.interp(image, middle[known], smooth).astype(np.float32)


@dataclass(frozen=True)
class LocalCorrelation:
    """Correlation of a fixed image with others in Gaussian windows, and how it changes with them.

    Attributes
    ----------
    fixed : numpy.ndarray
        ``(z, y, x)``.
    weight : numpy.ndarray
        Same shape, 0 to 1: what each voxel counts.
    sigma : float
        Window in voxels.
    """

    fixed: np.ndarray
    weight: np.ndarray
    sigma: float

    def __call__(self, moving: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the weighted mean of the local correlation, and its gradient on the moving image."""
        w, f, m = self.weight, self.fixed, moving
        total = self._smooth(w)
        seen = np.maximum(total, 1e-3)
        share = w / max(float(w.sum()), 1e-6)
        mean_f, mean_m = self._smooth(w * f) / seen, self._smooth(w * m) / seen
        spread_f = np.maximum(self._smooth(w * f * f) / seen - mean_f**2, 0) + _FLOOR * _variance(f, w)
        spread_m = np.maximum(self._smooth(w * m * m) / seen - mean_m**2, 0) + _FLOOR * _variance(m, w)
        together = self._smooth(w * f * m) / seen - mean_f * mean_m
        root = np.sqrt(spread_f * spread_m)
        correlation = together / root
        # d/d(E[fm]), d/d(E[m]) and d/d(E[m²]) of the weighted sum, then back through the window.
        by_product = share / root
        by_square = -0.5 * share * correlation / spread_m
        by_mean = -by_product * mean_f - 2.0 * by_square * mean_m
        back = [self._smooth(part / seen) for part in (by_product, by_mean, by_square)]
        gradient = w * (back[0] * f + back[1] + 2.0 * back[2] * m)
        return float((share * correlation).sum()), gradient

    def _smooth(self, array: np.ndarray) -> np.ndarray:
        # Nothing outside: the window's smoothing is then its own adjoint.
        return ndimage.gaussian_filter(array, self.sigma, mode="constant", truncate=2.5)


def _variance(array: np.ndarray, weight: np.ndarray) -> float:
    mean = float(np.average(array, weights=weight + 1e-12))
    return float(np.average((array - mean) ** 2, weights=weight + 1e-12)) + 1e-12


def information(fixed: np.ndarray, moving: np.ndarray, where: np.ndarray) -> float:
    """Return the mutual information in nats of two images' voxels, each cut into 32 classes of equal size."""
    count = max(1, int(where.sum()))
    ranks = [np.argsort(np.argsort(image[where], kind="stable")) * 32 // count for image in (fixed, moving)]
    joint = np.histogram2d(*ranks, bins=32, range=((-0.5, 31.5), (-0.5, 31.5)))[0]
    joint /= max(joint.sum(), 1.0)
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    seen = joint > 0
    return float((joint[seen] * np.log(joint[seen] / apart[seen])).sum())
