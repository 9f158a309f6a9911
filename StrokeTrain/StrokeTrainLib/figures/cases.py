"""Pictures of single patients: best, median and worst, with outlines of truth and predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from StrokePredictLib.report.colours import style_for
from StrokePredictLib.report.mosaic import choose_slices
from StrokePredictLib.report.orientation import for_display
from StrokePredictLib.volume import Volume

from .page import FAINT, ORANGE, PURPLE, SKY, files_of, page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Truth, then predictions: light colours that stand out on grey, and a second cue for grey prints.
_OUTLINES = ((SKY, "-"), (ORANGE, (0, (3, 1.2))), (PURPLE, (0, (5, 1, 1, 1))))
_MARGIN_MM, _GAP_PIXELS = 6.0, 2
_TILE_IN, _WORDS_IN = 1.05, 1.35


def pick_cases(values: Sequence[float]) -> dict[str, int]:
    """Return the places of the best, the median and the worst patient.

    Parameters
    ----------
    values : sequence of float
        A measure of which high is best, one a patient; patients without a value are not chosen.

    Returns
    -------
    dict of str to int
        ``best``, ``median`` and ``worst``; fewer for fewer than three patients, and none twice. Ties go to the first.
    """
    values = np.asarray(values, np.float64)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(-values[known], kind="stable")]
    places = {"best": 0, "median": len(order) // 2, "worst": len(order) - 1}
    chosen: dict[str, int] = {}
    for name in ("best", "worst", "median")[: len(order)]:
        chosen[name] = int(order[places[name]])
    return {name: chosen[name] for name in places if name in chosen}


@dataclass(frozen=True)
class CasePicture:
    """One patient's strip of sections, small enough to keep.

    Attributes
    ----------
    words : str
        What stands at its left, in lines.
    image : numpy.ndarray
        ``(y, x, 3)`` RGB 0 to 1, sections side by side from caudal to cranial, radiological convention.
    outlines : dict of str to numpy.ndarray
        bool strips: ``"Truth"`` first, then predictions by name.
    pixel : tuple of float
        Width and height of a pixel in mm.
    places : list of (float, str)
        Where each section starts (pixels), and which it is.
    """

    words: str
    image: np.ndarray
    outlines: dict[str, np.ndarray]
    pixel: tuple[float, float]
    places: list[tuple[float, str]]


def picture_of(
    words: str,
    role: str,
    image: Volume,
    truth: Volume,
    predictions: Mapping[str, Volume],
    brain: Volume | None = None,
    tiles: int = 6,
) -> CasePicture:
    r"""Return the strip of one patient.

    Parameters
    ----------
    words : str
        Such as ``"Best\nsub-0007\nDSC 0.81"``.
    role : str
        Of the image (`report.colours.style_for`), such as ``"dwi"``.
    image, truth : Volume
        3D on one grid.
    predictions : mapping of str to Volume
        One or two masks by name, the network's first.
    brain : Volume, optional
        To crop to.
    tiles : int
        The most sections.

    Raises
    ------
    StrokeError
        If the grids differ.
    ValueError
        For more than two predictions, whose outlines nobody could tell apart.
    """
    if len(predictions) >= len(_OUTLINES):
        raise ValueError(f"{len(predictions)} predictions: at most {len(_OUTLINES) - 1} outlines beside the truth")
    for other in (truth, *predictions.values(), *([brain] if brain is not None else [])):
        image.require_same_grid(other)
    shown = for_display(image)
    masks = {"Truth": truth, **predictions}
    turned = {name: for_display(mask).array > 0.5 for name, mask in masks.items()}
    lesion = np.logical_or.reduce(list(turned.values()))
    inside = for_display(brain).array > 0.5 if brain is not None else np.ones(shown.shape, bool)
    extent = inside | lesion
    rows, columns = (_crop(extent.any(axis=axes), shown.spacing[k]) for axes, k in (((0, 2), 1), ((0, 1), 0)))
    sections = choose_slices(lesion.any(axis=(1, 2)), inside.any(axis=(1, 2)), tiles)
    style = style_for(role, image, brain.array > 0.5 if brain is not None else None)
    colours = style.colours(_strip(shown.array, sections, rows, columns))
    width = columns.stop - columns.start + _GAP_PIXELS
    colours[:, np.arange(colours.shape[1]) % width >= width - _GAP_PIXELS] = 1.0
    return CasePicture(
        words,
        colours,
        {name: _strip(mask, sections, rows, columns) for name, mask in turned.items()},
        (float(shown.spacing[0]), float(shown.spacing[1])),
        [(float(i * width), f"{k + 1}/{shown.shape[0]}") for i, k in enumerate(sections)],
    )


def draw_cases(stem: Path | str, cases: Sequence[CasePicture], *, simulated: bool = False) -> tuple[Path, Path]:
    """Draw patients one below the other.

    Parameters
    ----------
    stem : path-like
        Without suffix.
    cases : sequence of CasePicture
        At least one; the outlines' names are those of the first.
    simulated : bool
        Mark the figure.

    Returns
    -------
    tuple of Path
        PDF and PNG.
    """
    if not cases:
        raise ValueError("no case to draw")
    heights = [_strip_height(case) for case in cases]
    widest = max(len(case.places) for case in cases)
    with page(
        stem, _WORDS_IN + widest * _TILE_IN, sum(heights) + 0.06 * len(cases) + 0.42, rows=len(cases), columns=2,
        simulated=simulated, gridspec_kw={"height_ratios": heights, "width_ratios": (_WORDS_IN, widest * _TILE_IN)},
    ) as (figure, axes):  # fmt: skip
        for case, (beside, panel) in zip(cases, axes, strict=True):
            _write_words(beside, case.words)
            _draw_strip(panel, case, widest)
        _draw_legend(figure, list(cases[0].outlines))
    return files_of(stem)


def _write_words(axes: Axes, words: str) -> None:
    title, *rest = words.split("\n")
    axes.set_axis_off()
    where = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "top"}
    axes.annotate(title, (0.0, 1.0), xytext=(2, -2), fontsize=9, weight="bold", **where)
    axes.annotate("\n".join(rest), (0.0, 1.0), xytext=(2, -17), fontsize=7.5, linespacing=1.4, color=FAINT, **where)


def _draw_strip(axes: Axes, case: CasePicture, widest: int) -> None:
    from matplotlib.patheffects import withStroke

    height, width = case.image.shape[:2]
    tile = width / len(case.places)
    axes.imshow(case.image, aspect=case.pixel[1] / case.pixel[0], interpolation="bilinear")
    axes.set_xlim(-0.5, tile * widest - 0.5)
    axes.set_anchor("NW")
    axes.set_axis_off()
    halo = [withStroke(linewidth=1.6, foreground="black", alpha=0.6)]
    for (colour, line), mask in zip(_OUTLINES, case.outlines.values(), strict=False):
        if mask.any():
            drawn = axes.contour(mask, levels=[0.5], colors=[colour], linewidths=0.9, linestyles=[line])
            drawn.set_path_effects(halo)
    small = {"color": "#c9ced6", "fontsize": 6}
    for start, name in case.places:
        axes.text(start + 0.03 * tile, 0.03 * height, name, va="top", **small)
        axes.text(start + 0.03 * tile, 0.97 * height, "R", va="bottom", **small)
        axes.text(start + 0.9 * tile, 0.97 * height, "L", va="bottom", ha="right", **small)


def _draw_legend(figure: Figure, names: list[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, linestyle=line, linewidth=2, label=name)
        for (colour, line), name in zip(_OUTLINES, names, strict=False)
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(names), handlelength=3)


def _strip_height(case: CasePicture) -> float:
    height, width = case.image.shape[:2]
    return _TILE_IN * height * case.pixel[1] / (width / len(case.places) * case.pixel[0])


def _strip(array: np.ndarray, sections: Sequence[int], rows: slice, columns: slice) -> np.ndarray:
    """Return the sections side by side, with a gap after each."""
    gap = np.zeros((rows.stop - rows.start, _GAP_PIXELS), array.dtype)
    return np.concatenate([part for k in sections for part in (array[k, rows, columns], gap)], axis=1)


def _crop(present: np.ndarray, spacing: float) -> slice:
    where = np.flatnonzero(present)
    margin = int(np.ceil(_MARGIN_MM / spacing))
    if not where.size:
        return slice(0, present.size)
    return slice(max(int(where[0]) - margin, 0), min(int(where[-1]) + margin + 1, present.size))
