"""The report of an evaluation: one page that needs nothing else."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.study import DEMONSTRATION, NOT_CLINICAL

from ..cohort.flow import Flow
from ..figures.page import DPI
from .plots import Figure
from .tables import Table

_TEMPLATE = Path(__file__).with_name("report.html.j2")
#: Of the page's pixels: a little larger than in print.
_INCH = 115
SIMULATED = "Simulated patients: no person was imaged. Nothing here says how a model does on real ones."


def render(
    *,
    title: str,
    subtitle: str,
    facts: Sequence[tuple[str, str]],
    methods: Sequence[str],
    flow: Flow,
    tables: Sequence[Table],
    figures: Sequence[Figure],
    folder: Path,
    notes: Sequence[str],
    simulated: bool,
    demonstration: bool,
    provenance: Mapping[str, Any],
) -> str:
    """Return the report as HTML; everything that comes from files or users is escaped.

    Parameters
    ----------
    title, subtitle : str
        Head of the page.
    facts : sequence of (str, str)
        What stands first: name and value.
    methods : sequence of str
        Sentences of the methods paragraph.
    flow : Flow
        Who was tested.
    tables : sequence of Table
        In the order of reading.
    figures : sequence of Figure
        Those ``inline`` are embedded.
    folder : Path
        Where the figures' PNG files lie.
    notes : sequence of str
        What a reader must know.
    simulated, demonstration : bool
        Whether patients, and the model's training patients, were simulated.
    provenance : mapping
        As `StrokePredictLib.provenance.provenance` gives it.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["tight"] = _tight
    shown = [_embedded(figure, folder) for figure in figures if figure.inline]
    warnings = [NOT_CLINICAL]
    if simulated:
        warnings.insert(0, SIMULATED)
    if demonstration:
        warnings.append(DEMONSTRATION)
    # The flow's text is escaped where the diagram is made.
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        title=title, subtitle=subtitle, facts=list(facts), methods=" ".join(methods), flow=flow, flow_svg=flow.svg(),
        tables=[table for table in tables if table.inline], figures=shown,
        files=[figure.name for figure in figures if not figure.inline],
        notes=list(notes), warnings=warnings, provenance=_rows(provenance),
    )  # fmt: skip


def _embedded(figure: Figure, folder: Path) -> dict[str, Any]:
    """Return a figure's picture and its width on the page, so that all figures' letters are of one size."""
    path = folder / f"{figure.name}.png"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StrokeError(f"{path}: the figure cannot be read ({error.strerror}); evaluate again.") from error
    (pixels,) = struct.unpack(">I", data[16:20])
    width = round(pixels / DPI * _INCH)
    return {"name": figure.name, "caption": figure.caption, "width": width, "data": base64.b64encode(data).decode()}


def _tight(cell: str) -> str:
    """Return a cell whose interval is not torn apart: it may break before the bracket only."""
    before, bracket, inside = cell.partition(" (")
    if not bracket or not any(sign.isdigit() for sign in inside):
        return cell.replace(" ± ", "\u00a0±\u00a0")
    return before + bracket + inside.replace(" ", "\u00a0")


def _rows(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [("software", provenance["software"]), ("python", provenance["python"])]
    rows += list(provenance["packages"].items())
    return rows + [(key, _words(value)) for key, value in provenance["parameters"].items()]


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "not given" if value is None else str(value)
