"""``participants.tsv``: one line a patient, typed and checked cell by cell."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from StrokePredictLib.case import ClinicalFacts
from StrokePredictLib.errors import StrokeError

NAME = "participants.tsv"
_EMPTY = ("", "n/a", "na", "nan", "none")
_CLINICAL = {item.name for item in fields(ClinicalFacts)}
#: Columns whose cells are one of a few words; ``unknown`` is one, where it is listed, and None elsewhere.
CHOICES: dict[str, tuple[str, ...]] = {
    "mtici": ("0", "1", "2", "2a", "2b", "2c", "3"),
    "reperfusion_yu": ("minimal", "partial", "major", "unknown"),
    "reperfusion_debs": ("yes", "no", "unknown"),
    "role": ("any", "train-only"),
    "circulation": ("anterior", "posterior"),
    "perfusion_quality": ("good", "poor"),
    "stroke_confirmed": ("yes", "no"),
}
#: Numbers besides those of `ClinicalFacts`, and between what they must lie.
NUMBERS: dict[str, tuple[float, float]] = {
    "reperfusion_rate": (float("-inf"), 100.0),
    "followup_days": (0.0, 3650.0),
    "hypoperfusion_ml": (0.0, 3000.0),
}


@dataclass
class Table:
    """The table of a cohort.

    Attributes
    ----------
    path : Path or None
        None where there is none.
    rows : dict of str to (list of dict)
        By identifier its lines; more than one is a fault of the table.
    notes : list of str
        What is wrong with the whole of it.
    """

    path: Path | None = None
    rows: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_table(root: Path) -> Table:
    """Read the table of a cohort folder; an empty one where there is none.

    Raises
    ------
    StrokeError
        If it is there and cannot be read.
    """
    path = root / NAME
    if not path.is_file():
        return Table(notes=[f"{root}: no {NAME}: age, NIHSS, times, role, vendor and centre are unknown."])
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = list(csv.DictReader(stream, delimiter="\t"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StrokeError(f"{path}: cannot be read as a tab-separated table ({error}).") from error
    table = Table(path)
    if lines and "participant_id" not in lines[0]:
        table.notes.append(f"{path} has no column participant_id (tab-separated): its facts are not used.")
        return table
    for line in lines:
        name = (line.get("participant_id") or "").strip()
        table.rows.setdefault(name, []).append({key: value or "" for key, value in line.items() if key})
    return table


def typed(row: dict[str, str], source: str) -> tuple[dict[str, Any], list[str]]:
    """Return a row with typed cells, and a sentence for every cell that cannot be used (its fact is then None).

    Parameters
    ----------
    row : dict of str to str
        As in the file.
    source : str
        What a sentence names: file and patient.
    """
    facts: dict[str, Any] = {}
    notes: list[str] = []
    for name, text in row.items():
        try:
            facts[name] = _cell(name, text.strip(), source)
        except StrokeError as error:
            facts[name] = None
            notes.append(str(error))
    return facts, notes


def _cell(name: str, text: str, source: str) -> Any:
    if text.lower() in _EMPTY:
        return None
    if name in CHOICES:
        return _choice(name, text, source)
    if name in NUMBERS:
        return _number(name, text, source)
    if name in _CLINICAL:
        return getattr(ClinicalFacts.from_row({name: text}, source), name)
    return text


def _choice(name: str, text: str, source: str) -> str | None:
    word = text.lower().removeprefix("tici").strip() if name == "mtici" else text.lower()
    if word in CHOICES[name]:
        return word
    if word == "unknown":
        return None
    raise StrokeError(f"{source}: {name} is '{text}'; one of {', '.join(CHOICES[name])} is needed, or leave it empty.")


def _number(name: str, text: str, source: str) -> float:
    low, high = NUMBERS[name]
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise StrokeError(f"{source}: {name} is '{text}'; a number of at most {high:g} is needed, or leave it empty.")
    return value
