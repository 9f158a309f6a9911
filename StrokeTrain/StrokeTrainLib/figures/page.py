"""One look for all figures, and how they are written: PDF for print and PNG for the screen, whole or not at all."""

from __future__ import annotations

import contextlib
import io
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from StrokePredictLib.io.output import write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe's and Ito's colours, told apart with every kind of colour vision; the order also falls in lightness steps.
BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)
#: Second cue beside colour, for grey prints.
MARKERS = ("o", "s", "^", "D", "v", "P")
INK, FAINT, GRID = "#1a1a1a", "#5f6670", "#d9dce1"
DPI = 200
#: Inches at the foot for the mark of simulated patients.
_FOOT = 0.26
_MARK = "Simulated patients: no person was imaged."

_RC = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.labelsize": 9,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "figure.facecolor": "white",
    # TrueType, so that journals can edit the text; Type 3 fonts are refused by many.
    "pdf.fonttype": 42,
    "path.simplify": True,
    "axes.unicode_minus": True,
}


@contextlib.contextmanager
def page(
    stem: Path | str, width: float, height: float, *, rows: int = 1, columns: int = 1, simulated: bool = False,
    **subplots,
) -> Iterator[tuple[Figure, np.ndarray]]:
    """Give a figure with axes to draw on; write it as ``stem.pdf`` and ``stem.png`` and free it.

    Parameters
    ----------
    stem : path-like
        Without suffix.
    width, height : float
        Inches.
    rows, columns : int
        Axes.
    simulated : bool
        Mark the figure as showing simulated patients.
    **subplots
        For ``Figure.subplots``, such as ``sharey=True``.

    Yields
    ------
    figure, axes
        ``axes`` is always a 2D array ``(rows, columns)``.

    Raises
    ------
    StrokeError
        If the disk refuses; nothing is left half-written.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_RC):
        foot = _FOOT if simulated else 0.0
        # Without pyplot nothing is registered anywhere: the figure goes when this ends.
        figure = Figure(figsize=(width, height + foot), layout="constrained")
        FigureCanvasAgg(figure)
        figure.get_layout_engine().set(rect=(0.0, foot / (height + foot), 1.0, height / (height + foot)))
        axes = figure.subplots(rows, columns, squeeze=False, **subplots)
        try:
            yield figure, axes
            if simulated:
                figure.text(0.012, 0.3 * foot / (height + foot), _MARK, color=VERMILION, fontsize=7.5, weight="bold")
            for suffix, data in _rendered(figure).items():
                write_bytes(Path(stem).with_name(Path(stem).name + suffix), data)
        finally:
            figure.clear()


def _rendered(figure: Figure) -> dict[str, bytes]:
    """Return the figure's files by suffix; without times in them, so that the same figure gives the same bytes."""
    files = {}
    for suffix, metadata in ((".pdf", {"CreationDate": None}), (".png", {"Software": None})):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=suffix[1:], dpi=DPI, metadata=metadata)
        files[suffix] = buffer.getvalue()
    return files


def files_of(stem: Path | str) -> tuple[Path, Path]:
    """Return the PDF and the PNG that `page` writes for a stem."""
    stem = Path(stem)
    return stem.with_name(stem.name + ".pdf"), stem.with_name(stem.name + ".png")


def say_nothing(axes: Axes, why: str) -> None:
    """Write why there is nothing to draw, in place of an empty frame that looks like a fault."""
    axes.text(0.5, 0.5, why, ha="center", va="center", color=FAINT, transform=axes.transAxes, wrap=True)
    # Ticks are hidden, not removed: other axes may share them.
    axes.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)
    axes.grid(visible=False)


def name_panel(axes: Axes, name: str, told: str) -> None:
    """Write a panel's name in bold, and in a line of its own below it what it shows, such as ``n = 67``."""
    # A comparison, and a number with its unit, stay in one line.
    whole = re.sub(r" (?=[<>×]|mm|%)|(?<=[<>×]) ", "\u00a0", name)
    axes.set_title(textwrap.fill(whole, 34), pad=17)
    axes.annotate(told, (0.5, 1.0), xytext=(0, 4), xycoords="axes fraction", textcoords="offset points", ha="center",
                  fontsize=8.5)  # fmt: skip


def legend(axes: Axes, **where) -> None:
    """Draw a legend that stays readable where curves run behind it."""
    axes.legend(frameon=True, framealpha=0.85, edgecolor="none", facecolor="white", **where)


def grid(axes: Axes, which: str = "both") -> None:
    """Draw a light grid."""
    axes.grid(visible=True, axis=which, color=GRID, linewidth=0.6)
