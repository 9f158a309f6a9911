"""The words and numbers of the summary picture: header, cards of volumes, warnings at the foot."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..study import Study
from .tables import (
    Row,
    coverage_text,
    criteria,
    doubts,
    is_demonstration,
    mismatch_rows,
    prediction_rows,
    side_text,
    volume_rows,
    warnings,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

_TEXT, _FAINT, WARNING, _CARD = "#f2f4f7", "#9aa4b2", "#ffb454", "#171b21"
_MARGIN = 0.25
_CARD_HEIGHT = 0.86
_LINE = 0.22
_MOST_DOUBTS = 4
_MOST_REASONS = 2
_SMALLEST = 7.0


def header_height(study: Study) -> float:
    """Return the header's height in inches."""
    return 0.95


def numbers_height(study: Study) -> float:
    """Return the height of the volumes and criteria in inches."""
    return _CARD_HEIGHT + 0.12 + (0.36 if criteria(study) else 0.0)


def warnings_height(study: Study, width: float) -> float:
    """Return the foot's height in inches."""
    return 0.3 + _LINE * len(_foot_lines(study, width))


def add_header(figure: Figure, study: Study, width: float, height: float) -> None:
    """Write who, what and how it is to be read at the top."""
    left, right = _MARGIN / width, 1 - _MARGIN / width

    def y(inches: float) -> float:
        return 1 - inches / height

    title = f"Stroke summary  ·  {study.case.patient}"
    _fit(figure, figure.text(left, y(0.32), title, color=_TEXT, fontsize=17, weight="bold", va="center"), width / 2)
    parts = [study.case.modality, f"Side: {side_text(study)}", _grid_text(study)]
    figure.text(left, y(0.68), "  ·  ".join(parts), color=_FAINT, fontsize=10, va="center")
    marks = ["SIMULATED"] * study.case.simulated + ["DEMONSTRATION"] * is_demonstration(study)
    figure.text(right, y(0.32), "  ·  ".join([*marks, "NOT FOR CLINICAL USE"]), color=WARNING, fontsize=12,
                weight="bold", va="center", ha="right")  # fmt: skip
    convention = "Radiological convention: patient's right at image left (R … L)  ·  slices from caudal to cranial"
    figure.text(right, y(0.68), convention, color=_FAINT, fontsize=10, va="center", ha="right")


def add_numbers(figure: Figure, study: Study, width: float, top: float) -> None:
    """Write the measured numbers as cards, and one line for each trial's criteria, below ``top`` inches."""
    from matplotlib.patches import Rectangle

    height = figure.get_figheight()
    rows = headline_rows(study)
    gap = 0.12
    card = (width - 2 * _MARGIN - gap * (len(rows) - 1)) / max(len(rows), 1)
    card = min(card, 3.2)
    for index, row in enumerate(rows):
        x, y = _MARGIN + index * (card + gap), top - _CARD_HEIGHT
        place = ((x / width, y / height), card / width, _CARD_HEIGHT / height)
        figure.patches.append(Rectangle(*place, transform=figure.transFigure, facecolor=_CARD, edgecolor="none"))
        if row.colour is not None:
            place = ((x / width, y / height), 0.07 / width, _CARD_HEIGHT / height)
            figure.patches.append(Rectangle(*place, transform=figure.transFigure, facecolor=row.colour))
        _write_card(figure, row, (x + 0.18, y), card - 0.24)
    parts = [_verdict(trial) for trial in criteria(study)]
    if parts:
        at = (_MARGIN / width, (top - _CARD_HEIGHT - 0.24) / height)
        line = figure.text(*at, "   ·   ".join(parts), color=_TEXT, fontsize=11, va="center")
        _fit(figure, line, width - 2 * _MARGIN)


def _verdict(trial: Mapping[str, Any]) -> str:
    """Return a trial's verdict with the items that decide it: a good picture and "not met" need their reason."""
    deciding = [item for item in trial["items"] if item["met"] == trial["verdict"] != "met"]
    because = [f"{item['name']}: {item['value']}" for item in deciding]
    if len(because) > _MOST_REASONS:
        because[_MOST_REASONS:] = [f"and {len(because) - _MOST_REASONS} more"]
    return f"{trial['title']}: {trial['verdict']}" + (f" ({'; '.join(because)})" if because else "")


def _write_card(figure: Figure, row: Row, place: tuple[float, float], room: float) -> None:
    number = row.value[:1].isdigit() or row.value[:1] in "-∞"
    lines = [(0.66, row.short or row.label, 9, _FAINT, "normal"), (0.36, row.text, 19 if number else 12, _TEXT, "bold")]
    if row.truth:
        lines.append((0.11, f"true {row.truth} {row.unit}", 8, _FAINT, "normal"))
    width, height = figure.get_size_inches()
    for above, text, size, colour, weight in lines:
        at = (place[0] / width, (place[1] + above) / height)
        _fit(figure, figure.text(*at, text, color=colour, fontsize=size, weight=weight, va="center"), room)


def _fit(figure: Figure, text: Text, room: float) -> None:
    """Make a text smaller, then shorter, until it is at most ``room`` inches wide."""
    renderer = figure.canvas.get_renderer()

    def too_wide() -> bool:
        return text.get_window_extent(renderer).width > room * figure.dpi

    while too_wide() and text.get_fontsize() > _SMALLEST:
        text.set_fontsize(text.get_fontsize() - 0.5)
    while too_wide() and len(text.get_text()) > 2:
        text.set_text(text.get_text()[:-2].rstrip() + "…")


def headline_rows(study: Study) -> list[Row]:
    """Return the numbers a reader asks for first: core, hypoperfused, mismatch, ratio, HIR, prediction."""
    by_key = {row.key: row for row in volume_rows(study)}
    source = study.volumes.get("core_source", "core_adc")
    keys = [source, *(key for key in ("core_adc", "core_cbf") if key != source and key in by_key), "hypoperfused_tmax"]
    rows = [by_key[key] for key in keys if key in by_key]
    return [*rows, *mismatch_rows(study), *prediction_rows(study)[:2]][:8]


def add_warnings(figure: Figure, study: Study, width: float) -> None:
    """Write what stands on every page at the foot."""
    height = figure.get_figheight()
    lines = _foot_lines(study, width)
    for index, (text, colour, weight) in enumerate(lines):
        y = (0.15 + _LINE * (len(lines) - index - 0.5)) / height
        figure.text(_MARGIN / width, y, text, color=colour, fontsize=9.5, weight=weight, va="center")


def _foot_lines(study: Study, width: float) -> list[tuple[str, str, str]]:
    characters = int((width - 2 * _MARGIN) * 12.4)
    paragraphs = [(text, WARNING, "bold") for text in warnings(study)]
    paragraphs.append((f"Coverage: {coverage_text(study)}", _TEXT, "normal"))
    found = doubts(study)
    paragraphs += [(f"Note: {text}", _FAINT, "normal") for text in found[:_MOST_DOUBTS]]
    if len(found) > _MOST_DOUBTS:
        paragraphs.append((f"{len(found) - _MOST_DOUBTS} more notes in the report.", _FAINT, "normal"))
    return [(line, c, w) for text, c, w in paragraphs for line in textwrap.wrap(text, characters) or [""]]


def _grid_text(study: Study) -> str:
    return study.case.reference.describe_grid()
