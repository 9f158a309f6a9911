"""Pictures for the record: input curves, and the maps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from ..report.colours import COLOUR_MAPS, MapStyle, style_for
from ..report.orientation import for_display
from ..study import NOT_CLINICAL, SIMULATED
from ..volume import Volume
from .pipeline import PerfusionResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Maps in the order of their rows.
ROWS = ("cbf", "cbv", "mtt", "tmax", "delay", "ttp")
BACKGROUND, TEXT, FAINT, ALERT = "#0b0d10", "#f2f4f7", "#9aa4b2", "#ffb454"
_IN_PLANE = ndimage.generate_binary_structure(3, 1) & (np.arange(3)[:, None, None] == 1)
#: Inches: a tile's width, room for the maps' names, for the colour bars, for the head and for the foot.
TILE, LEFT, RIGHT, HEAD, FOOT = 1.75, 0.85, 1.1, 0.62, 0.34


def plot_inputs(result: PerfusionResult, path: Path) -> None:
    """Draw arterial input, venous output and the brain's mean curve."""
    from matplotlib.figure import Figure

    summary = result.summary
    unit = "ΔR2* (1/s)" if summary["modality"] == "MR" and summary["echo_time_s"] else "−ln(S/S0)"
    unit = "ΔHU" if summary["modality"] == "CT" else unit
    figure = Figure(figsize=(7.5, 4.2), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    times = summary["times"]["times_s"]
    axes.plot(times, summary["aif"]["curve"], color="#c0392b", lw=2, label=f"artery ({summary['aif']['source']})")
    if summary["vof"]:
        axes.plot(times, summary["vof"]["curve"], color="#2c5aa0", lw=2, label="venous output")
    brain = np.array(summary["brain_curve"])
    factor = _round_factor(max(summary["aif"]["curve"]) / max(brain.max(), 1e-9) / 2.0)
    axes.plot(times, factor * brain, color="#555555", lw=1.5, label=f"brain mean × {factor:g}")
    axes.axvspan(*summary["bolus"]["baseline_s"], color="#dddddd", alpha=0.6, lw=0, label="baseline")
    axes.set(xlabel="time (s)", ylabel=unit, title="Input functions")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    marks = _marks(result)
    figure.supxlabel("  ·  ".join(marks), fontsize=8, color="#b34700")
    figure.savefig(path)


def plot_maps(result: PerfusionResult, path: Path, slices: int = 5) -> None:
    """Draw a row of slices of every map in radiological convention, whatever the grid's orientation."""
    from matplotlib.figure import Figure

    mask = for_display(result.mask)
    shown, window = _slices(mask.array, slices), _box(mask.array)
    names = [n for n in ROWS if n in result.maps]
    tall = TILE * _height_to_width(mask, window)
    width, height = LEFT + TILE * len(shown) + RIGHT, HEAD + tall * len(names) + FOOT
    width = max(width, 8.0)  # room for the foot
    figure = Figure(figsize=(width, height), dpi=110, facecolor=BACKGROUND)
    for row, name in enumerate(names):
        seen = for_display(result.maps[name])
        array, style = seen.array, _style(name, seen, mask.array)
        bottom = height - HEAD - (row + 1) * tall
        for column, z in enumerate(shown):
            box = (LEFT + column * TILE, bottom, TILE - 0.04, tall - 0.04)
            axes = figure.add_axes(_share(box, width, height))
            colours = style.colours(array[z][window])
            colours[~mask.array[z][window]] = 0.0
            axes.imshow(colours, aspect="auto", interpolation="nearest")
            axes.set_axis_off()
            _mark_sides(axes)
            if row == 0:
                where = f"{z + 1}/{mask.shape[0]}"
                axes.text(0.03, 0.97, where, color=FAINT, fontsize=7, ha="left", va="top", transform=axes.transAxes)
        figure.text(0.15 / width, (bottom + tall / 2) / height, style.title, color=TEXT, fontsize=12, va="center")
        box = (LEFT + len(shown) * TILE + 0.12, bottom + 0.1 * tall, 0.13, 0.76 * tall)
        _draw_bar(figure.add_axes(_share(box, width, height)), style)
    _write_head_and_foot(figure, result)
    figure.savefig(path, facecolor=BACKGROUND)


def _style(name: str, seen: Volume, inside: np.ndarray) -> MapStyle:
    """Return the map's colours and range, as in the summary; TTP follows the series, whose start is arbitrary.

    ``seen`` and the brain mask lie as they are displayed, first axis along the head.
    """
    if name == "delay":
        return MapStyle(name, "Delay", "s", -2.0, 10.0, COLOUR_MAPS["tmax"].table)
    values, style = seen.array, style_for(name, seen, inside)
    if name != "ttp":
        return style
    # The rim, where skull and fluid share a voxel, peaks whenever noise does.
    core = ndimage.binary_erosion(inside, _IN_PLANE, iterations=2)
    values = values[(core if core.any() else inside) & (values > 0)]
    if values.size == 0:
        return style
    low, high = np.percentile(values, [1, 98])
    return replace(style, low=float(np.floor(low)), high=float(max(np.ceil(high), np.floor(low) + 1)))


def _mark_sides(axes: Axes) -> None:
    small = {"color": FAINT, "fontsize": 7, "va": "bottom", "transform": axes.transAxes}
    axes.text(0.03, 0.02, "R", ha="left", **small)
    axes.text(0.97, 0.02, "L", ha="right", **small)


def _draw_bar(axes: Axes, style: MapStyle) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.imshow(style.table[:, None], extent=(0, 1, style.low, style.high), origin="lower", aspect="auto")
    axes.set_xticks([])
    axes.yaxis.tick_right()
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 3, 4, 5, 10], integer=True))
    axes.tick_params(colors=TEXT, labelsize=7, length=3, width=0.7, pad=2)
    axes.set_title(style.unit, color=FAINT, fontsize=8, loc="left", pad=7)
    for spine in axes.spines.values():
        spine.set(edgecolor=FAINT, linewidth=0.6)


def _write_head_and_foot(figure: Figure, result: PerfusionResult) -> None:
    width, height = figure.get_size_inches()
    failed = result.summary["quality_failed"]
    title = "Perfusion maps" + (f"  ·  quality check failed: {', '.join(failed)}" if failed else "")
    figure.text(0.15 / width, 1 - 0.22 / height, title, color=ALERT if failed else TEXT, fontsize=12, va="center")
    name = [result.summary["series"]] if "series" in result.summary else []
    said = "Patient's right at the image's left (R … L)  ·  slices from caudal to cranial"
    figure.text(0.15 / width, 1 - 0.47 / height, "  ·  ".join([*name, said]), color=FAINT, fontsize=8, va="center")
    words = "  ·  ".join(_marks(result))
    figure.text(0.15 / width, 0.17 / height, words, color=ALERT, fontsize=8, va="center")


def _marks(result: PerfusionResult) -> list[str]:
    """Return what every picture must say."""
    return [SIMULATED] * bool(result.summary.get("simulated")) + [NOT_CLINICAL]


def _share(box: tuple[float, ...], width: float, height: float) -> tuple[float, ...]:
    """Return a box in inches as shares of the figure."""
    return box[0] / width, box[1] / height, box[2] / width, box[3] / height


def _height_to_width(mask: Volume, window: tuple[slice, slice]) -> float:
    rows, columns = (min(cut.stop, size) - cut.start for cut, size in zip(window, mask.shape[1:], strict=True))
    return rows * mask.spacing[1] / (columns * mask.spacing[0])


def _slices(mask: np.ndarray, count: int) -> list[int]:
    """Return slices spread over those with the most brain."""
    full = np.flatnonzero(mask.sum(axis=(1, 2)) > 0.3 * mask.sum(axis=(1, 2)).max())
    return sorted({int(z) for z in full[np.linspace(0, len(full) - 1, min(count, len(full))).round().astype(int)]})


def _box(mask: np.ndarray) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=(0, 2))), np.flatnonzero(mask.any(axis=(0, 1)))
    return slice(max(0, rows[0] - 2), rows[-1] + 3), slice(max(0, columns[0] - 2), columns[-1] + 3)


def _round_factor(value: float) -> float:
    return float(max(1, round(value)))
