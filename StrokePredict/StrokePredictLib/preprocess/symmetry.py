"""The plane about which a head mirrors best, in its own space, however it lies in the scanner."""

from __future__ import annotations

import numpy as np
from scipy import ndimage, optimize

from ..volume import Volume

#: Blur (mm) that makes the fit smooth enough to follow from far, and how many places are compared.
_BLUR_MM, _PLACES = 5.0, 12_000
#: Heads lie turned by less than this against the scanner (degrees).
LARGEST_TURN_DEG = 30.0
#: Turning costs this much of the image's variance a radian²: only a slab of few sections leaves it open.
_RELUCTANCE = 0.002


def mirror_plane(image: Volume) -> tuple[np.ndarray, float]:
    """Return normal (towards the patient's left) and offset of the plane that mirrors an image best onto itself.

    Parameters
    ----------
    image : Volume
        3D: a mask, or an image whose outside is dark.

    Returns
    -------
    tuple of (numpy.ndarray, float)
        Unit normal ``(3,)`` and offset in LPS mm: points with normal · p = offset lie on the plane.
    """
    array = image.array.astype(np.float32)
    sigma = _BLUR_MM / image.spacing[::-1]
    sigma[image.spacing[::-1] > _BLUR_MM] = 0.0
    smooth = ndimage.gaussian_filter(array, sigma)
    index = np.argwhere(smooth > 0.05 * float(smooth.max()))
    index = index[:: max(1, len(index) // _PLACES)]
    values = smooth[tuple(index.T)]
    points = index[:, ::-1] @ image.affine[:3, :3].T + image.affine[:3, 3]
    centre = np.average(points, axis=0, weights=np.maximum(values, 1e-6))
    inverse = np.linalg.inv(image.affine[:3, :3])
    spread = float(values.var()) + 1e-12

    def mismatch(parameters: np.ndarray) -> float:
        normal, offset = _plane(parameters, centre)
        mirrored = points - 2.0 * np.outer(points @ normal - offset, normal)
        place = ((mirrored - image.affine[:3, 3]) @ inverse.T).T[::-1]
        seen = ndimage.map_coordinates(smooth, place, order=1, mode="constant", cval=0.0)
        # Where a slab does not reach there is nothing to compare.
        inside = np.all((place >= -0.5) & (place <= np.array(smooth.shape)[:, None] - 0.5), axis=0)
        if np.count_nonzero(inside) < 0.3 * len(values):
            return 1e3
        gap = float(np.mean((seen[inside] - values[inside]) ** 2)) / spread
        return gap + _RELUCTANCE * float(parameters[0] ** 2 + parameters[1] ** 2)

    best = min((_fit(mismatch, yaw) for yaw in (-0.2, 0.0, 0.2)), key=lambda found: found.fun)
    return _plane(best.x, centre)


def _fit(mismatch, yaw: float) -> optimize.OptimizeResult:
    simplex = np.array([[yaw, 0, 0], [yaw + 0.1, 0, 0], [yaw, 0.1, 0], [yaw, 0, 0.1]])
    options = {"initial_simplex": simplex, "xatol": 5e-4, "fatol": 1e-6, "maxiter": 150}
    return optimize.minimize(mismatch, simplex[0], method="Nelder-Mead", options=options)


def _plane(parameters: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the plane of two slopes (rad, limited) and a shift in units of 50 mm from a centre."""
    limit = np.tan(np.deg2rad(LARGEST_TURN_DEG))
    normal = np.array([1.0, *(limit * np.tanh(np.asarray(parameters[:2]) / limit))])
    normal /= np.linalg.norm(normal)
    return normal, float(normal @ centre + 50.0 * parameters[2])
