"""Predicted against true volumes: Bland-Altman plots and correlation, one panel a method."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..statistics.agreement import BlandAltman, bland_altman, lin_concordance
from ..statistics.compare import p_text
from ..statistics.values import complete, signed
from .page import BLUE, COLOURS, FAINT, INK, MARKERS, files_of, grid, name_panel, page, say_nothing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Pairs = Mapping[str, tuple[Sequence[float], Sequence[float]]]
_NOBODY = "No patient has both volumes."
#: Panels in a row.
_A_ROW = 3
#: Smallest distance of two labels beside the axes, as a share of their height.
_LINE_APART = 0.115


def draw_bland_altman(stem: Path | str, pairs: Pairs, *, simulated: bool = False) -> tuple[Path, Path]:
    """Draw differences against means, with bias and limits of agreement and their 95 % intervals as bands.

    Parameters
    ----------
    stem : path-like
        Without suffix.
    pairs : mapping of str to (predicted, true)
        Volumes in mL by method; each has axes of its own, so that a method far off does not flatten the others.
    simulated : bool
        Mark the figure.

    Returns
    -------
    tuple of Path
        PDF and PNG.
    """
    drawn: list[Axes] = []
    with _panels(stem, pairs, 3.9, 3.3, simulated, "Mean of predicted and true volume (mL)",
                 "Predicted − true volume (mL)", shared=False) as panels:  # fmt: skip
        for name, panel in panels.items():
            predicted, true = pairs[name]
            found = bland_altman(predicted, true)
            name_panel(panel, name, _growth(found))
            if not found.n:
                say_nothing(panel, _NOBODY)
                continue
            (x, y), _ = complete(predicted, true)
            panel.plot((x + y) / 2, x - y, linestyle="none", marker=MARKERS[0], markersize=4, color=BLUE,
                       alpha=0.65, markeredgewidth=0)  # fmt: skip
            panel.set_xlim(left=-0.03 * float(np.max((x + y) / 2)) or None)
            grid(panel)
            _write_beside(panel, _limits(panel, found))
            drawn.append(panel)
        if drawn:
            drawn[0].figure.legend(handles=_key(), loc="outside upper center", ncols=3)
    return files_of(stem)


@contextlib.contextmanager
def _panels(
    stem: Path | str, pairs: Pairs, width: float, height: float, simulated: bool, x_label: str, y_label: str,
    *, shared: bool = True,
) -> Iterator[dict[str, Axes]]:
    """Give one panel a method, three a row; say so where there is no method."""
    rows, columns = max(-(-len(pairs) // _A_ROW), 1), max(min(len(pairs), _A_ROW), 1)
    with page(
        stem, 0.3 + width * columns, height * rows, rows=rows, columns=columns, simulated=simulated, sharex=shared,
        sharey=shared,
    ) as (_, axes):  # fmt: skip
        spare = axes.flat[max(len(pairs), 1) :]
        for panel in spare:
            panel.set_axis_off()
        if not pairs:
            say_nothing(axes[0, 0], "No method to compare.")
        for place, panel in enumerate(axes.flat[: max(len(pairs), 1)]):
            panel.set_xlabel(x_label)
            panel.tick_params(labelbottom=True)
            if place % columns == 0:
                panel.set_ylabel(y_label)
        yield dict(zip(pairs, axes.flat, strict=False))


def _growth(found: BlandAltman) -> str:
    """Return the number of patients, and whether the limits hold for small and large lesions alike."""
    grows = found.slope_p < 0.05
    return f"n = {found.n}" + (f"; difference depends on size, P {_equals(found.slope_p)}" if grows else "")


def _equals(p: float) -> str:
    text = p_text(p)
    return text.replace("<", "< ") if text[0] in "<>" else f"= {text}"


def _limits(axes: Axes, found: BlandAltman) -> list[tuple[float, str]]:
    """Draw the three lines with their intervals as bands; return their places and words."""
    lines = [(found.lower, "−1.96 SD", "--"), (found.bias, "Bias", "-"), (found.upper, "+1.96 SD", "--")]
    words = []
    axes.axhline(0.0, color=FAINT, linewidth=0.7, linestyle=":")
    for estimate, name, style in lines:
        if np.isnan(estimate.value):
            continue
        axes.axhline(estimate.value, color=INK, linewidth=1.0, linestyle=style)
        if not np.isnan(estimate.low):
            axes.axhspan(estimate.low, estimate.high, color=FAINT, alpha=0.16, linewidth=0)
        words.append((estimate.value, f"{name}\n{signed(estimate.value, 1)} mL"))
    return words


def _key() -> list:
    """Return what the lines and bands of every panel are."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        Line2D([], [], color=INK, linewidth=1.0, label="Bias"),
        Line2D([], [], color=INK, linewidth=1.0, linestyle="--", label="Limits of agreement"),
        Patch(facecolor=FAINT, alpha=0.3, label="95 % CI"),
    ]


def _write_beside(axes: Axes, words: list[tuple[float, str]]) -> None:
    """Write the lines' values at the right, outside the points, moved apart where the lines lie close."""
    low, high = axes.get_ylim()
    places = [(value - low) / (high - low) for value, _ in words]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + _LINE_APART)
    for place, (_, text) in zip(places, words, strict=True):
        axes.annotate(text, (1.0, place), xytext=(4, 0), xycoords="axes fraction", textcoords="offset points",
                      va="center", fontsize=7.5)  # fmt: skip


def draw_volume_correlation(stem: Path | str, pairs: Pairs, *, simulated: bool = False) -> tuple[Path, Path]:
    """Draw predicted against true volumes on cube-root axes, with Lin's concordance of the cube roots (Yu 2020).

    Parameters
    ----------
    stem : path-like
        Without suffix.
    pairs : mapping of str to (predicted, true)
        Volumes in mL by method.
    simulated : bool
        Mark the figure.

    Returns
    -------
    tuple of Path
        PDF and PNG.
    """
    known = {name: complete(*columns)[0] for name, columns in pairs.items()}
    highest = max((float(np.max(column)) for columns in known.values() for column in columns if column.size), default=1)
    with _panels(stem, pairs, 3.1, 3.4, simulated, "True volume (mL)", "Predicted volume (mL)") as panels:
        for index, (name, panel) in enumerate(panels.items()):
            predicted, true = known[name]
            rho = lin_concordance(predicted, true, cube_root=True).rho
            name_panel(panel, name, f"n = {true.size}, ρc = {rho.text()}" if true.size else "n = 0")
            if not true.size:
                say_nothing(panel, _NOBODY)
                continue
            _cube_root_axes(panel, max(highest, 1.0))
            panel.plot(true, predicted, linestyle="none", marker=MARKERS[index % len(MARKERS)], markersize=4,
                       color=COLOURS[index % len(COLOURS)], alpha=0.7, markeredgewidth=0)  # fmt: skip
            grid(panel)
    return files_of(stem)


def _cube_root_axes(axes: Axes, highest: float) -> None:
    top = highest * 1.15
    axes.set_xscale("function", functions=(np.cbrt, lambda x: x**3))
    axes.set_yscale("function", functions=(np.cbrt, lambda x: x**3))
    ticks = [t for t in (0, 1, 5, 20, 50, 100, 200, 400, 800) if t <= top]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, [f"{t:g}" for t in ticks])
        axis.set_ticks([], minor=True)
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    axes.set_box_aspect(1)
    axes.plot([0, top], [0, top], color=INK, linewidth=0.9, linestyle="--", zorder=1)
