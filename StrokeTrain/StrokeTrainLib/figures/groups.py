"""A measure by subgroup and method: violin, box, and every patient as a point."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..statistics.describe import subgroups
from .page import COLOURS, FAINT, INK, MARKERS, files_of, grid, page, say_nothing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Below this a density or quartiles would say more than the patients do.
_FEWEST_FOR_BOX, _FEWEST_FOR_VIOLIN = 5, 10


def draw_groups(
    stem: Path | str,
    values: Mapping[str, Sequence[float]],
    labels: Sequence[Any],
    *,
    title: str,
    levels: Sequence[Any] = (),
    grouped_by: str = "",
    notes: Mapping[str, str] | None = None,
    simulated: bool = False,
) -> tuple[Path, Path]:
    """Draw one measure for every subgroup, methods side by side.

    Parameters
    ----------
    stem : path-like
        Without suffix.
    values : mapping of str to sequence of float
        By method, one value a patient, NaN where there is none; all methods in the same order of patients.
    labels : sequence
        Each patient's subgroup.
    title : str
        The axis's words with the unit (`metrics.catalogue.Metric.label`).
    levels : sequence, optional
        Order of the subgroups; those declared are shown even when empty.
    grouped_by : str, optional
        What the subgroups are of, such as ``"Reperfusion (Debs 2021)"``: a "yes" alone says nothing.
    notes : mapping of str to str, optional
        What stands above a subgroup, such as ``"P = .37"``.
    simulated : bool
        Mark the figure.

    Returns
    -------
    tuple of Path
        PDF and PNG.
    """
    columns = {method: np.asarray(column, np.float64) for method, column in values.items()}
    groups = subgroups(labels, levels)
    slot = 0.8 / max(len(columns), 1)
    width = max(1.2 + max(len(groups), 1) * (0.5 + 0.55 * len(columns)), 3.4)
    with page(stem, width, 3.8, simulated=simulated) as (figure, axes):
        panel = axes[0, 0]
        panel.set_ylabel(title)
        panel.set_xlabel(grouped_by)
        if not groups or not columns:
            say_nothing(panel, "No patients.")
            return files_of(stem)
        for place, mask in enumerate(groups.values()):
            for number, column in enumerate(columns.values()):
                known = column[mask & np.isfinite(column)]
                at = place + (number - (len(columns) - 1) / 2) * slot
                _draw_one(panel, known, at, slot, number)
        panel.set_xticks(range(len(groups)), [_tick(name, mask, columns) for name, mask in groups.items()])
        panel.set_xlim(-0.6, len(groups) - 0.4)
        grid(panel, "y")
        if min((np.nanmin(column, initial=0.0) for column in columns.values()), default=0.0) < 0:
            panel.axhline(0.0, color=FAINT, linewidth=0.9)
        for place, name in enumerate(groups):
            if notes and name in notes:
                panel.annotate(notes[name], (place, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
                               textcoords="offset points", ha="center", fontsize=8)  # fmt: skip
        if len(columns) > 1:
            figure.legend(handles=_handles(columns), loc="outside upper center", ncols=_legend_columns(columns, width))
    return files_of(stem)


def _draw_one(axes: Axes, known: np.ndarray, at: float, slot: float, number: int) -> None:
    colour = COLOURS[number % len(COLOURS)]
    if known.size >= _FEWEST_FOR_VIOLIN and np.ptp(known) > 0:
        # A density has tails beyond the data; cut there, or a Dice above 1 would be drawn.
        body = axes.violinplot(known, positions=[at], widths=0.9 * slot, showextrema=False, points=200)["bodies"][0]
        body.set(facecolor=colour, alpha=0.22, edgecolor="none")
    # The same patients stand in the same place whatever else is drawn.
    jitter = np.random.default_rng(known.size).uniform(-0.16, 0.16, known.size) * slot
    axes.plot(at + jitter, known, linestyle="none", marker=MARKERS[number % len(MARKERS)], markersize=3, color=colour,
              alpha=0.65, markeredgewidth=0)  # fmt: skip
    if known.size >= _FEWEST_FOR_BOX:
        line = {"color": INK, "linewidth": 0.9}
        axes.boxplot(known, positions=[at], widths=0.34 * slot, showfliers=False, manage_ticks=False, boxprops=line,
                     whiskerprops=line, capprops=line, medianprops={"color": INK, "linewidth": 1.8})  # fmt: skip
    elif known.size:
        axes.hlines(np.median(known), at - 0.2 * slot, at + 0.2 * slot, color=INK, linewidth=1.8)
    else:
        axes.annotate("none", (at, 0.5), xycoords=("data", "axes fraction"), color=FAINT, ha="center", fontsize=7.5)


def _legend_columns(names: Collection[str], width: float) -> int:
    """Return how many entries of a legend stand side by side in a figure of ``width`` inches, at most three."""
    longest = max(len(name) for name in names)
    # Points: a marker with its gaps, and a letter of the legend's font.
    return min(3, len(names), max(1, int(72 * width / (34 + 4.9 * longest))))


def _tick(name: str, mask: np.ndarray, columns: Mapping[str, np.ndarray]) -> str:
    """Return the subgroup with its number; with each method's own where patients lack a value."""
    counts = [int(np.isfinite(column[mask]).sum()) for column in columns.values()]
    told = str(counts[0]) if len(set(counts)) == 1 else "/".join(map(str, counts))
    return f"{textwrap.fill(name, 16)}\nn = {told}"


def _handles(columns: Mapping[str, np.ndarray]) -> list:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], linestyle="none", marker=MARKERS[i % len(MARKERS)], color=COLOURS[i % len(COLOURS)], label=name)
        for i, name in enumerate(columns)
    ]
