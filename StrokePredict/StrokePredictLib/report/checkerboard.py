"""Two registered images as a checkerboard: edges that run on from square to square are aligned."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..volume import Volume
from .orientation import for_display

#: Side of a square in mm, and sections shown.
_SQUARE_MM, _SECTIONS = 22.0, 6


def checkerboard(fixed: Volume, moved: Volume, brain: Volume | None = None) -> np.ndarray:
    """Return the mosaic, grey values 0 to 1, ``(sections, y, x)`` in display orientation.

    Parameters
    ----------
    fixed, moved : Volume
        3D, on one grid; each is scaled to its own 99th percentile inside the brain.
    brain : Volume, optional
        bool; sections are chosen evenly over it.

    Raises
    ------
    StrokeError
        If the grids differ.
    """
    fixed.require_same_grid(moved)
    turned = [for_display(image) for image in (fixed, moved)]
    inside = for_display(brain).array > 0 if brain is not None else turned[0].array > turned[0].array.mean()
    filled = np.flatnonzero(inside.any(axis=(1, 2)))
    low, high = (filled[0], filled[-1]) if filled.size else (0, len(inside) - 1)
    chosen = np.unique(
        np.linspace(low + 0.15 * (high - low), high - 0.15 * (high - low), _SECTIONS).round().astype(int)
    )
    dx, dy = turned[0].spacing[:2]
    y, x = np.indices(inside.shape[1:])
    squares = ((x * dx // _SQUARE_MM).astype(int) + (y * dy // _SQUARE_MM).astype(int)) % 2 == 0
    grey = [np.clip(image.array[chosen] / _top(image.array, inside), 0, 1) for image in turned]
    return np.where(squares, grey[0], grey[1]).astype(np.float32)


def write_checkerboard(path: Path, fixed: Volume, moved: Volume, brain: Volume | None, words: str) -> None:
    """Write the checkerboard as a PNG with a line of words over it.

    Parameters
    ----------
    path : Path
        The file.
    fixed, moved, brain
        See `checkerboard`.
    words : str
        What was registered, and its quality figure.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    tiles = checkerboard(fixed, moved, brain)
    spacing = for_display(fixed).spacing
    rows, columns = tiles.shape[1] * spacing[1], tiles.shape[2] * spacing[0]
    figure = Figure(figsize=(2.2 * len(tiles), 2.2 * rows / columns + 0.35), facecolor="black")
    FigureCanvasAgg(figure)
    top = 1.0 - 0.35 / figure.get_figheight()
    for number, tile in enumerate(tiles):
        axes = figure.add_axes((number / len(tiles), 0.0, 0.99 / len(tiles), top))
        axes.imshow(tile, cmap="gray", vmin=0, vmax=1, aspect=spacing[1] / spacing[0], interpolation="nearest")
        axes.set_axis_off()
    figure.text(0.01, 1.0 - 0.12 / figure.get_figheight(), words, color="white", fontsize=9, va="top")
    figure.savefig(path, dpi=120, facecolor="black")


def _top(array: np.ndarray, inside: np.ndarray) -> float:
    values = array[inside] if inside.any() else array
    return max(float(np.percentile(values, 99)), 1e-6)
