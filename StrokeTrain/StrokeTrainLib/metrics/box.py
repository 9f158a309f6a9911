"""The box around masks: lesions fill a small part of the grid, and most measures need only that."""

from __future__ import annotations

import numpy as np


def common_box(*masks: np.ndarray) -> tuple[slice, ...]:
    """Return the smallest box that holds every voxel of any mask; an empty box where all are empty.

    Parameters
    ----------
    *masks : numpy.ndarray
        bool, of one shape.
    """
    either = masks[0] if len(masks) == 1 else np.logical_or.reduce(masks)
    slices = []
    for axis in range(either.ndim):
        where = np.flatnonzero(either.any(axis=tuple(other for other in range(either.ndim) if other != axis)))
        slices.append(slice(int(where[0]), int(where[-1]) + 1) if where.size else slice(0, 0))
    return tuple(slices)
