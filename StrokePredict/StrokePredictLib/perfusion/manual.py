"""Arterial input and venous output as a reader gives them: voxels, points, a region, or a curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import StrokeError
from ..volume import Volume
from .inputs import Choice, Tissue
from .timing import TimeAxis


@dataclass(frozen=True)
class InputVoxels:
    """Where the reader put the input function; exactly one is given.

    Attributes
    ----------
    voxels : tuple
        Voxel indices (x, y, z).
    points : tuple
        LPS mm, each taken to its nearest voxel.
    roi : array or Volume
        ``(z, y, x)`` mask.
    """

    voxels: tuple[tuple[int, int, int], ...] = ()
    points: tuple[tuple[float, float, float], ...] = ()
    roi: np.ndarray | Volume | None = None


def from_voxels(given: InputVoxels, tissue: Tissue, what: str = "arterial input") -> Choice:
    """Return the mean curve of the voxels that a reader chose.

    Parameters
    ----------
    given : InputVoxels
        Where.
    tissue : Tissue
        The brain's curves.
    what : str
        What an error calls it.

    Raises
    ------
    StrokeError
        If they lie outside the image or outside the brain mask, or hold no contrast.
    """
    grid = tissue.grid
    flat, source = _flat(given, grid, what)
    rows = np.searchsorted(tissue.index, flat)
    inside = (rows < tissue.index.size) & (tissue.index[np.minimum(rows, tissue.index.size - 1)] == flat)
    if not inside.any():
        raise StrokeError(f"{grid.name}: the {what} chosen lies outside the brain mask; choose inside it.")
    rows = rows[inside]
    curve = tissue.curves[:, rows].mean(axis=1).astype(np.float64)
    if not (curve.max() > 0 and curve.sum() > 0):
        raise StrokeError(f"{grid.name}: the {what} chosen holds no contrast; choose another place.")
    return Choice(
        curve=curve,
        source=source,
        voxel=tissue.voxel(rows[:1])[0].tolist(),
        place=np.round(tissue.place(rows[:1])[0], 3).tolist(),
        rows=rows,
    )


def from_curve(curve: np.ndarray, axis: TimeAxis, start: float, frames: int, name: str) -> Choice:
    """Return a curve on the even grid.

    Parameters
    ----------
    curve : numpy.ndarray
        ``(frames,)`` concentrations at the acquired times, or ``(n, 2)`` of time (s from the first acquired frame) and
        concentration.
    axis : TimeAxis
        Times of the frames used.
    start : float
        s from the first acquired frame to the first used.
    frames : int
        Number of frames acquired.
    name : str
        What an error calls the series.
    """
    curve = np.asarray(curve, dtype=np.float64)
    times = axis.acquired if axis.acquired.ndim == 1 else axis.acquired.mean(axis=1)
    if curve.ndim == 1 and curve.size == frames:
        values = np.interp(axis.even, times, curve[-len(times) :])
    elif curve.ndim == 2 and curve.shape[1] == 2 and len(curve) > 1 and np.all(np.diff(curve[:, 0]) > 0):
        values = np.interp(axis.even + start, curve[:, 0], curve[:, 1])
    else:
        raise StrokeError(
            f"{name}: the arterial curve needs one value for each of the {frames} frames, or rising times with values."
        )
    if not np.all(np.isfinite(values)) or values.max() <= 0:
        raise StrokeError(f"{name}: the arterial curve never rises above zero; give concentrations (ΔR2* or ΔHU).")
    return Choice(values, "given curve")


def _flat(given: InputVoxels, grid: Volume, what: str) -> tuple[np.ndarray, str]:
    if given.roi is not None:
        if isinstance(given.roi, Volume):
            grid.require_same_grid(given.roi)
        roi = np.asarray(given.roi.array if isinstance(given.roi, Volume) else given.roi) > 0
        if roi.shape != grid.shape or not roi.any():
            raise StrokeError(f"{grid.name}: the region of the {what} is empty or not on the series' grid.")
        return np.flatnonzero(roi), "chosen by hand: region"
    if given.points:
        place = np.c_[np.array(given.points, dtype=float), np.ones(len(given.points))]
        voxels = np.rint((np.linalg.inv(grid.affine) @ place.T).T[:, :3]).astype(int)
        source = "chosen by hand: point"
    else:
        voxels, source = np.array(given.voxels, dtype=int).reshape(-1, 3), "chosen by hand: voxel"
    size = np.array(grid.shape[::-1])
    if len(voxels) == 0 or np.any(voxels < 0) or np.any(voxels >= size):
        raise StrokeError(f"{grid.name}: the {what} chosen lies outside the image.")
    x, y, z = voxels.T
    return np.ravel_multi_index((z, y, x), grid.shape), source
