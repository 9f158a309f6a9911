"""The residue function's maximum, between the frames."""

from __future__ import annotations

import numpy as np


def circular_peak(residue: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return height and place of each row's maximum on a circle, by a parabola through three points.

    Parameters
    ----------
    residue : numpy.ndarray
        ``(V, L)`` residue functions; the second half of the circle stands for negative times.

    Returns
    -------
    height : numpy.ndarray
        ``(V,)`` interpolated maximum.
    place : numpy.ndarray
        ``(V,)`` its time in samples, from −L/2 to L/2.
    """
    rows, length = np.arange(len(residue)), residue.shape[1]
    top = residue.argmax(axis=1)
    middle = residue[rows, top]
    left = residue[rows, top - 1]
    right = residue[rows, np.where(top + 1 == length, 0, top + 1)]
    height, shift = parabola(left, middle, right)
    place = top + shift
    return height, np.where(place >= length / 2, place - length, place).astype(np.float32)


def open_peak(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return height and place (in samples) of each row's maximum on a line; an end point is taken as it is."""
    rows, length = np.arange(len(curves)), curves.shape[1]
    top = curves.argmax(axis=1)
    inner = np.clip(top, 1, length - 2)
    height, shift = parabola(curves[rows, inner - 1], curves[rows, inner], curves[rows, inner + 1])
    ends = inner != top
    height = np.where(ends, curves[rows, top], height)
    return height, np.where(ends, top, inner + shift).astype(np.float32)


def parabola(left: np.ndarray, middle: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return height and offset (−0.5 to 0.5) of the vertex through three neighbours, the middle one the largest."""
    bend = left - 2.0 * middle + right
    bend = np.where(bend < 0, bend, -np.inf)
    shift = np.clip(0.5 * (left - right) / bend, -0.5, 0.5)
    return middle - 0.25 * (left - right) * shift, shift
