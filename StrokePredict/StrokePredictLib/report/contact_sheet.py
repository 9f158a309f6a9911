"""A cohort at a glance: a row of pictures for every patient."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..case import ROLES, StrokeCase
from ..volume import Volume
from .orientation import for_display

#: Columns, the images most worth a look first; a patient shows those it has.
COLUMNS = ("ncct", "ctp", "b0", "dwi", "adc", "flair", "pwi", "tmax", "cbf", "cbv", "mtt")
#: Patients on one sheet.
ROWS = 10
#: Inches of one picture, and of a row's words.
_TILE, _WORDS = 1.25, 2.0
#: Fixed grey scales, where the unit is one; other images are scaled by their own brain.
_SCALES = {"ncct": (0, 80), "ctp": (0, 80), "adc": (0, 2000), "tmax": (0, 12), "mtt": (0, 15)}


@dataclass
class Row:
    """One patient's row.

    Attributes
    ----------
    words : str
        Patient, and the number of doubts or the error.
    pictures : dict of str to numpy.ndarray
        By role, ``(y, x)`` grey values 0 to 1 of the section with most brain.
    outline : numpy.ndarray or None
        bool, the brain mask in that section.
    aspect : float
        Height over width of a pixel.
    """

    words: str
    pictures: dict[str, np.ndarray] = field(default_factory=dict)
    outline: np.ndarray | None = None
    aspect: float = 1.0


def row_of(entry: dict[str, Any], case: StrokeCase | None) -> Row:
    """Return the row of a checked patient (`check_job.check_patient`)."""
    if case is None:
        return Row(_wrapped(f"{entry['patient']}\ncannot be read: {entry['error']}"))
    doubts = len(entry["doubts"])
    words = f"{case.patient}{' (simulated)' if case.simulated else ''}\n{doubts or 'no'} doubt{'s' * (doubts != 1)}"
    row = Row(_wrapped(words))
    brain = case.volumes.get("brain")
    shown = {role: _still(volume) for role, volume in case.volumes.items() if role in COLUMNS}
    fit = {role: volume for role, volume in shown.items() if volume.same_grid(case.reference)}
    number = _fullest(brain, case.reference)
    for role, volume in shown.items():
        turned = for_display(volume).array
        section = number if role in fit else len(turned) // 2
        inside = for_display(brain).array[section] > 0 if brain is not None and role in fit else None
        row.pictures[role] = _grey(turned[section], role, inside)
    if brain is not None and brain.same_grid(case.reference):
        row.outline = for_display(brain).array[number] > 0
    spacing = for_display(case.reference).spacing
    row.aspect = float(spacing[1] / spacing[0])
    return row


def write_sheets(folder: Path, rows: list[Row]) -> list[str]:
    """Write ``contact-sheet-1.png``, … into a folder; return their names."""
    columns = [role for role in COLUMNS if any(role in row.pictures for row in rows)]
    names = []
    for start in range(0, len(rows), ROWS):
        names.append(f"contact-sheet-{start // ROWS + 1}.png")
        _sheet(rows[start : start + ROWS], columns, folder / names[-1])
    return names


def _sheet(rows: list[Row], columns: list[str], path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = _WORDS + _TILE * max(len(columns), 1), _TILE * len(rows) + 0.35
    figure = Figure(figsize=(width, height), facecolor="black")
    FigureCanvasAgg(figure)
    for number, row in enumerate(rows):
        bottom = (_TILE * (len(rows) - 1 - number)) / height
        middle = bottom + 0.5 * _TILE / height
        figure.text(0.08 / width, middle, row.words, color="white", fontsize=8, va="center", linespacing=1.4)
        for place, role in enumerate(columns):
            if role not in row.pictures:
                continue
            box = ((_WORDS + _TILE * place) / width, bottom, _TILE / width * 0.97, _TILE / height * 0.97)
            axes = figure.add_axes(box)
            axes.imshow(row.pictures[role], cmap="gray", vmin=0, vmax=1, aspect=row.aspect, interpolation="bilinear")
            if row.outline is not None and row.outline.shape == row.pictures[role].shape and row.outline.any():
                axes.contour(row.outline, levels=[0.5], colors="#ffb000", linewidths=0.5)
            axes.set_axis_off()
    for place, role in enumerate(columns):
        centre = (_WORDS + _TILE * (place + 0.5)) / width
        title = {"pwi": "PWI series", "ctp": "CTP series", "ncct": "CT"}.get(role, ROLES[role][0])
        figure.text(centre, 1 - 0.1 / height, title, color="white", fontsize=8, ha="center", va="top")
    figure.savefig(path, dpi=140, facecolor="black")


def _still(volume: Volume) -> Volume:
    return volume.with_array(volume.array[0]) if volume.is_series else volume


def _fullest(brain: Volume | None, reference: Volume) -> int:
    """Return the section with most brain, in display orientation; the middle one without a mask."""
    if brain is None or not brain.same_grid(reference):
        return len(for_display(reference).array) // 2
    return int(np.argmax((for_display(brain).array > 0).sum(axis=(1, 2))))


def _grey(section: np.ndarray, role: str, inside: np.ndarray | None) -> np.ndarray:
    values = section[inside] if inside is not None and inside.any() else section
    low, high = _SCALES.get(role, (0.0, float(np.percentile(values, 99))))
    return np.clip((section - low) / max(high - low, 1e-6), 0, 1)


def _wrapped(text: str) -> str:
    import textwrap

    return "\n".join(line for part in text.split("\n") for line in textwrap.wrap(part, 28)[:5])
