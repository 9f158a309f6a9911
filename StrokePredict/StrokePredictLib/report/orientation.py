"""Arrays turned for display: radiological convention, whatever the grid's orientation."""

from __future__ import annotations

import itertools

import numpy as np

from ..volume import Volume


def nearest_axes(direction: np.ndarray) -> tuple[int, int, int]:
    """Return, for L, P and S, the voxel axis that runs along it most; each axis once.

    Parameters
    ----------
    direction : numpy.ndarray
        3×3, columns are the unit vectors of the voxel axes ``(x, y, z)``.

    Returns
    -------
    tuple of int
        Voxel axes (0 x, 1 y, 2 z) for the world axes 0, 1, 2.
    """
    cosines = np.abs(direction)
    return max(itertools.permutations(range(3)), key=lambda axes: sum(cosines[w, a] for w, a in enumerate(axes)))


def for_display(volume: Volume) -> Volume:
    """Return the same voxels with axes reordered and reversed so that they run towards L, P and S.

    Shown with the first row on top, every slice then has the patient's left at the image's right and the nose on top;
    slices go from caudal to cranial. Nothing is resampled: an oblique grid keeps its own planes.

    Parameters
    ----------
    volume : Volume
        3D, on any grid.
    """
    axes = nearest_axes(volume.direction)
    matrix = np.eye(4)
    matrix[:3, :3] = 0
    array = np.transpose(volume.array, [2 - axes[world] for world in (2, 1, 0)])
    sizes = volume.shape[::-1]
    for world, axis in enumerate(axes):
        forward = volume.direction[world, axis] > 0
        matrix[axis, world] = 1.0 if forward else -1.0
        matrix[axis, 3] = 0.0 if forward else sizes[axis] - 1.0
        if not forward:
            array = np.flip(array, axis=2 - world)
    return Volume(np.ascontiguousarray(array), volume.affine @ matrix, name=volume.name)
