"""The one-page picture: the maps side by side, core and hypoperfusion over them, and the volumes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..io.output import write_bytes
from ..segments import kind_of, ordered, segment_for
from ..study import Study
from .colours import MapStyle
from .mosaic import Mosaic, make_mosaic
from .summary_text import (
    WARNING,
    add_header,
    add_numbers,
    add_warnings,
    header_height,
    numbers_height,
    warnings_height,
)
from .tables import perfusion_failed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

WIDTH_IN = 16.0
DPI = 110
_LEFT, _RIGHT, _GAP = 1.95, 1.15, 0.07
#: Of a legend, as large as the room at its row's left allows.
_LEGEND_POINTS = (8.0, 7.5, 7.0, 6.5, 6.0)
_BACKGROUND, _TEXT, _FAINT = "#0b0d10", "#f2f4f7", "#9aa4b2"
#: Maps in the order of their rows.
_PERFUSION = ("tmax", "mtt", "cbf", "cbv")
_MAPS = ("adc", "tmax", "mtt", "cbf", "cbv", "ncct")
_TICKS = {"tmax": (0, 3, 6, 9, 12), "mtt": (0, 5, 10, 15), "cbf": (0, 20, 40, 60, 80), "cbv": (0, 2, 4, 6)}
_TICKS["adc"] = (200, 620, 1100, 1600)
#: Where the tissue rules cut, marked on the colour bar.
_RULES = {"adc": 620.0, "tmax": 6.0}
#: Masks drawn filled, and those drawn as outline.
_FILLED = ("core_adc", "core_cbf", "core_network")
_OUTLINED = ("infarct_predicted", "infarct_predicted_attention")
#: Drawn in a row of their own: what reperfusion changes.
_COURSES = ("infarct_predicted_reperfused", "infarct_predicted_not_reperfused")
_TRUTH = "ground_truth"


def write_summary(study: Study, path: Path | str) -> None:
    """Write the summary picture as PNG, whole or not at all.

    Parameters
    ----------
    study : Study
        Shown with whatever it holds; rows of maps that are missing are left out.
    path : path-like
        The .png file.

    Raises
    ------
    StrokeError
        If the disk refuses.
    """
    buffer = io.BytesIO()
    make_figure(study).savefig(buffer, format="png", dpi=DPI, facecolor=_BACKGROUND, metadata={"Software": None})
    write_bytes(path, buffer.getvalue())


def make_figure(study: Study, tiles: int = 8) -> Figure:
    """Return the summary as a matplotlib figure.

    Parameters
    ----------
    study : Study
        What to show.
    tiles : int
        The most slices a row.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    mosaic = make_mosaic(study, tiles)
    rows = _rows(mosaic)
    tile_width, tile_height = mosaic.tile_mm
    # Few slices must not become giants: a tile is at most a sixth of the width.
    strip_width = (WIDTH_IN - _LEFT - _RIGHT) * min(1.0, len(mosaic.slices) / 6)
    row_height = strip_width / len(mosaic.slices) * tile_height / tile_width
    top = header_height(study) + numbers_height(study)
    height = top + len(rows) * (row_height + _GAP) + warnings_height(study, WIDTH_IN)
    figure = Figure(figsize=(WIDTH_IN, height), dpi=DPI, facecolor=_BACKGROUND)
    FigureCanvasAgg(figure)
    add_header(figure, study, WIDTH_IN, height)
    add_numbers(figure, study, WIDTH_IN, height - header_height(study))
    for index, (title, role, filled, outlined) in enumerate(rows):
        bottom = height - top - (index + 1) * (row_height + _GAP)
        box = [_LEFT / WIDTH_IN, bottom / height, strip_width / WIDTH_IN, row_height / height]
        axes = figure.add_axes(box)
        _draw_row(figure, axes, mosaic, role, filled, outlined)
        _mark_sides(axes, mosaic, with_slices=index == 0)
        if demonstrated(study) & {*filled, *outlined}:
            _watermark(axes, mosaic)
        failed = perfusion_failed(study) and (role in _PERFUSION or "hypoperfused_tmax" in filled)
        _label_row(axes, title, [*filled, *outlined], failed)
    add_warnings(figure, study, WIDTH_IN)
    return figure


def _rows(mosaic: Mosaic) -> list[tuple[str, str, list[str], list[str]]]:
    """Return title, role of the image, and keys of filled and of outlined masks, of every row that can be drawn."""
    images = {role: v for role, v in mosaic.study.case.volumes.items() if not v.is_series}
    masks = [key for key in ordered(mosaic.study.masks) if mosaic.mask(key) is not None]
    core = [key for key in masks if kind_of(key) in _FILLED]
    truth = [_TRUTH] if _TRUTH in masks else []
    outlined = [key for key in masks if kind_of(key) in _OUTLINED] + truth
    courses = [key for key in masks if kind_of(key) in _COURSES]
    base = next((role for role in ("dwi", "b0", "adc", "ncct", "cbv", "tmax") if role in images), None)
    rows = []
    if base is not None and "hypoperfused_tmax" in masks:
        rows.append(("Mismatch", base, ["hypoperfused_tmax", *core], []))
    if base is not None:
        rows.append((SHORT.get(base, base), base, core, outlined))
        if courses:
            rows.append(("Reperfusion", base, [], courses + truth))
    rows += [(SHORT[role], role, [], []) for role in _MAPS if role in images and role != base]
    return rows


SHORT = {
    "dwi": "DWI", "b0": "b0", "adc": "ADC", "flair": "FLAIR", "ncct": "CT", "tmax": "Tmax", "mtt": "MTT", "cbf": "CBF",
    "cbv": "CBV",
}  # fmt: skip


def _draw_row(
    figure: Figure, axes: Axes, mosaic: Mosaic, role: str, filled: list[str], outlined: list[str]
) -> None:
    picture, style = mosaic.picture(role, mosaic.study.case.volumes[role])
    tile_width, height = mosaic.tile_mm
    width = tile_width * len(mosaic.slices)
    axes.imshow(picture, extent=(0, width, height, 0), interpolation="bilinear", aspect="auto")
    axes.set_axis_off()
    # Over the DWI the core is thin, so that the image itself can be read through it.
    fill = 0.55 if "hypoperfused_tmax" in filled else 0.28
    for key in filled:
        _draw_mask(axes, mosaic, key, fill=fill if kind_of(key) in _FILLED else 0.4)
    for key in outlined:
        _draw_mask(axes, mosaic, key, fill=0.0)
    if role in _TICKS and not filled:
        _draw_bar(figure, axes, role, style)


def _draw_mask(axes: Axes, mosaic: Mosaic, key: str, fill: float) -> None:
    mask = mosaic.mask(key)
    if mask is None:
        return
    width, height = mosaic.pixel
    x = (np.arange(mask.shape[1]) + 0.5) * width
    y = (np.arange(mask.shape[0]) + 0.5) * height
    colour = segment_for(key).colour
    values = mask.astype(float)
    if fill:
        axes.contourf(x, y, values, levels=[0.5, 1.5], colors=[colour], alpha=fill)
    axes.contour(x, y, values, levels=[0.5], colors=[colour], linewidths=0.8 if fill else 1.3)


def _draw_bar(figure: Figure, axes: Axes, role: str, style: MapStyle) -> None:
    box = axes.get_position()
    bar = figure.add_axes([box.x1 + 0.12 / WIDTH_IN, box.y0 + 0.07 * box.height, 0.14 / WIDTH_IN, 0.8 * box.height])
    bar.imshow(style.table[:, None, :], extent=(0, 1, style.low, style.high), origin="lower", aspect="auto")
    bar.set_xticks([])
    bar.yaxis.tick_right()
    usual = _TICKS[role]
    if style.high > usual[-1]:  # a wider scale than usual
        from matplotlib.ticker import MaxNLocator

        bar.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    else:
        bar.set_yticks(usual)
    bar.tick_params(colors=_TEXT, labelsize=8, length=3, width=0.7, pad=2)
    bar.set_title(style.unit, color=_FAINT, fontsize=8, loc="left", pad=7)
    if role in _RULES:
        bar.axhline(_RULES[role], color="#ffffff", linewidth=1.2)
    for spine in bar.spines.values():
        spine.set_edgecolor(_FAINT)
        spine.set_linewidth(0.6)


def _mark_sides(axes: Axes, mosaic: Mosaic, with_slices: bool) -> None:
    """Mark the patient's right and left on every tile, below the brain, and on the first row which slice it is."""
    width, height = mosaic.tile_mm
    small = {"color": _FAINT, "fontsize": 7, "va": "center"}
    for index, number in enumerate(mosaic.slices):
        axes.text(index * width + 0.02 * width, 0.95 * height, "R", ha="left", **small)
        axes.text((index + 1) * width - 0.02 * width, 0.95 * height, "L", ha="right", **small)
        if with_slices:
            where = (index * width + 0.02 * width, 0.045 * height)
            axes.text(*where, f"{number + 1}/{mosaic.count}", ha="left", color=_FAINT, fontsize=7, va="center")


def demonstrated(study: Study) -> set[str]:
    """Return the segments that rest on demonstration weights."""
    models = (study.prediction or {}).get("models") or []
    return {model.get("segment", "") for model in models if model.get("demonstration")}


def _watermark(axes: Axes, mosaic: Mosaic) -> None:
    """Write on every tile that what is outlined there comes from demonstration weights: tiles are cut out and shown."""
    width, height = mosaic.tile_mm
    style = {"color": WARNING, "fontsize": 6, "ha": "center", "va": "center"}
    for index in range(len(mosaic.slices)):
        axes.text((index + 0.5) * width, 0.95 * height, "demonstration", **style)


def _label_row(axes: Axes, title: str, keys: list[str], failed: bool) -> None:
    """Name the row at its left, with a legend of the masks on it, and say if it rests on a failed series."""
    figure = axes.get_figure()
    box = axes.get_position()
    lines = len(keys) + failed
    middle = (box.y0 + box.y1) / 2
    step = 0.2 / figure.get_figheight()
    x = 0.25 / WIDTH_IN
    figure.text(x, middle + lines * step / 2, title, color=_TEXT, fontsize=13, weight="bold", va="center")
    for index, key in enumerate(keys):
        y = middle + lines * step / 2 - (index + 1.15) * step
        figure.text(x, y, "■" if kind_of(key) in _FILLED or key == "hypoperfused_tmax" else "□",
                    color=segment_for(key).colour, fontsize=9, va="center")  # fmt: skip
        _fitted_text(figure, x + 0.16 / WIDTH_IN, y, legend_of(key), box.x0 - 0.1 / WIDTH_IN)
    if failed:
        y = middle + lines * step / 2 - (lines + 0.15) * step
        figure.text(x, y, "Quality check failed", color=WARNING, fontsize=8, va="center")


def _fitted_text(figure: Figure, x: float, y: float, words: str, right: float) -> None:
    """Write a line of a legend; smaller, then shorter, where it would reach beyond ``right`` (share of the width)."""
    text = figure.text(x, y, words, color=_TEXT, va="center")
    for size in _LEGEND_POINTS:
        text.set_fontsize(size)
        if _fits(text, right):
            return
    while len(words) > 1 and not _fits(text, right):
        words = words[:-1]
        text.set_text(f"{words}…")


def _fits(text: Text, right: float) -> bool:
    return text.get_window_extent().x1 <= right * text.get_figure().bbox.width


def legend_of(key: str) -> str:
    """Return what the legend calls a mask."""
    kind = kind_of(key)
    own = key.removeprefix(kind)[1:]
    return f"{LEGEND.get(kind, kind)} ({own})" if own else LEGEND.get(kind, segment_for(key).name)


LEGEND = {
    "core_adc": "Core, ADC < 620",
    "core_cbf": "Core, rCBF < 30 %",
    "core_network": "Core, network",
    "hypoperfused_tmax": "Tmax > 6 s",
    "infarct_predicted": "Predicted infarct",
    "infarct_predicted_attention": "… (attention U-Net)",
    "infarct_predicted_reperfused": "… if reperfused",
    "infarct_predicted_not_reperfused": "… if not reperfused",
    "ground_truth": "Ground truth",
}
