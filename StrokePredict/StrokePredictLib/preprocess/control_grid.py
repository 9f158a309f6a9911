"""A smooth displacement field: cubic B-splines on a coarse lattice of control points over a working grid."""

from __future__ import annotations

import numpy as np


class ControlGrid:
    """Displacements of a working grid's voxels, from coefficients on a lattice of control points.

    Parameters
    ----------
    shape : tuple of int
        Working grid ``(z, y, x)``.
    spacing_mm : float
        Its voxel size, the same along every axis.
    control_mm : float
        Distance of the control points.
    extent_mm : tuple of float
        Size ``(z, y, x)`` of the box that the lattice fills, centred on the grid: grids of other voxels over the same
        box share their coefficients.
    """

    def __init__(
        self, shape: tuple[int, int, int], spacing_mm: float, control_mm: float, extent_mm: tuple[float, ...]
    ) -> None:
        self.weights = [
            _basis(n, spacing_mm / control_mm, size / control_mm) for n, size in zip(shape, extent_mm, strict=True)
        ]
        self.shape = (3, *(w.shape[1] for w in self.weights))

    def displacements(self, coefficients: np.ndarray) -> np.ndarray:
        """Return ``(3, z, y, x)`` of coefficients of the size in `shape`."""
        return _through(coefficients, self.weights)

    def gathered(self, gradient: np.ndarray) -> np.ndarray:
        """Return the gradient on coefficients of a gradient ``(3, z, y, x)`` on displacements."""
        return _through(gradient, [w.T for w in self.weights])

    def bending(self, coefficients: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the mean squared second difference over the lattice, mixed ones included, and its gradient."""
        total, gradient = 0.0, np.zeros_like(coefficients)
        for first in (1, 2, 3):
            for second in range(first, 4):
                bent = np.diff(np.diff(coefficients, axis=first), axis=second)
                factor = (1.0 if first == second else 2.0) / coefficients[0].size
                total += factor * float((bent**2).sum())
                gradient += 2.0 * factor * _undiff(_undiff(bent, second), first)
        return total, gradient


def _basis(count: int, step: float, extent: float) -> np.ndarray:
    """Return cubic B-spline weights ``(count, controls)`` of points; lengths in distances of the control points."""
    # Centred over the points, and one control point beyond the box on either side.
    controls = int(np.ceil(extent)) + 3
    place = (np.arange(count) - (count - 1) / 2) * step + (controls - 1) / 2
    t = np.abs(place[:, None] - np.arange(controls)[None, :])
    near, far = 2 / 3 - t**2 + t**3 / 2, (2 - t) ** 3 / 6
    return np.where(t < 1, near, np.where(t < 2, far, 0.0))


def _through(array: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    z, y, x = weights
    array = np.tensordot(array, x, axes=(3, 1))
    array = np.moveaxis(np.tensordot(array, y, axes=(2, 1)), -1, 2)
    return np.moveaxis(np.tensordot(array, z, axes=(1, 1)), -1, 1)


def _undiff(array: np.ndarray, axis: int) -> np.ndarray:
    """Return the adjoint of ``numpy.diff``."""
    pad = [(0, 0)] * array.ndim
    pad[axis] = (1, 1)
    return -np.diff(np.pad(array, pad), axis=axis)
