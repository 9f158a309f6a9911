"""What a curve looks like: height, arrival, width, roughness, area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .residue import open_peak


@dataclass(frozen=True)
class Features:
    """Shape of each curve, ``(V,)`` each; times in s.

    Attributes
    ----------
    height, area : numpy.ndarray
        Interpolated maximum, and time integral.
    peak : numpy.ndarray
        Time of the maximum.
    arrival : numpy.ndarray
        Time at which the curve last crosses 20 % of its maximum on the way up.
    width : numpy.ndarray
        Full width at half maximum of the first pass.
    roughness : numpy.ndarray
        Root mean square second difference over the height, noise rather than bolus.
    """

    height: np.ndarray
    area: np.ndarray
    peak: np.ndarray
    arrival: np.ndarray
    width: np.ndarray
    roughness: np.ndarray


def describe(curves: np.ndarray, dt: float) -> Features:
    """Return the shape of each row of ``(V, N)`` curves sampled every ``dt`` s."""
    height, place = open_peak(curves)
    top = curves.argmax(axis=1)
    arrival = _crossing(curves, top, 0.2 * height, -1)
    width = _crossing(curves, top, 0.5 * height, +1) - _crossing(curves, top, 0.5 * height, -1)
    bend = np.diff(curves, 2, axis=1)
    # Away from the first pass, where a sharp bolus bends the curve as much as noise does.
    frames = np.arange(1, curves.shape[1] - 1)
    apart = np.abs(frames[None] - top[:, None]) * dt > 10.0
    rough = np.sqrt((bend**2 * apart).sum(axis=1) / np.maximum(apart.sum(axis=1), 1)) / np.maximum(height, 1e-12)
    return Features(height, curves.sum(axis=1) * dt, place * dt, arrival * dt, width * dt, rough)


def _crossing(curves: np.ndarray, top: np.ndarray, level: np.ndarray, step: int) -> np.ndarray:
    """Return where (in samples) each curve first falls below ``level`` going away from its top."""
    rows, n = np.arange(len(curves)), curves.shape[1]
    index = np.arange(n)[None]
    below = curves < level[:, None]
    below &= (index < top[:, None]) if step < 0 else (index > top[:, None])
    found = below.any(axis=1)
    at = (n - 1 - below[:, ::-1].argmax(axis=1)) if step < 0 else below.argmax(axis=1)
    inner = np.clip(at - step, 0, n - 1)
    outside, inside = curves[rows, at], curves[rows, inner]
    share = (level - outside) / np.where(inside > outside, inside - outside, 1.0)
    return np.where(found, at - step * np.clip(share, 0.0, 1.0), 0.0 if step < 0 else n - 1.0)
