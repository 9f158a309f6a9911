"""``participants.tsv``: one line a patient, typed and checked cell by cell."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from StrokePredictLib.case import ClinicalFacts
from StrokePredictLib.errors import StrokeError

NAME = "participants.tsv"
_EMPTY = ("", "n/a", "na", "nan", "none")
_CLINICAL = {item.name for item in fields(ClinicalFacts)}
#: Columns that decide whether a patient may be tested: a cell that cannot be used excludes the patient.
DECISIVE = ("role", "person")
#: Spellings of train-only, without case, spaces, hyphens and underscores.
_TRAIN_ONLY = ("trainonly", "trainingonly", "onlytrain", "onlytraining")
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
_MEANT = {*CHOICES, *NUMBERS, *_CLINICAL, "person", "vendor", "center", "participant_id"}


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
    faults : dict of str to str
        By identifier why a line cannot be trusted: its cells do not stand below the header's.
    """

    path: Path | None = None
    rows: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)


def read_table(root: Path) -> Table:
    """Read the table of a cohort folder; an empty one where there is none.

    Raises
    ------
    StrokeError
        If it is there and cannot be read, or is no tab-separated table with a column ``participant_id``: without its
        facts patients who may only train would be tested.
    """
    path = root / NAME
    if not path.is_file():
        return Table(notes=[f"{root}: no {NAME}: age, NIHSS, times, role, vendor and centre are unknown."])
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, delimiter="\t")
            lines, columns = list(reader), [name or "" for name in reader.fieldnames or ()]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StrokeError(f"{path}: cannot be read as a tab-separated table ({error}).") from error
    _require_columns(path, columns)
    table = Table(path)
    for line in lines:
        name = (line.get("participant_id") or "").strip()
        table.rows.setdefault(name, []).append({key: value or "" for key, value in line.items() if key})
        fault = _misshapen(line, len(columns))
        if name and fault:
            table.faults[name] = f"{name}: its line of {NAME} {fault}; complete the line, n/a where nothing is known."
    if "" in table.rows:
        table.notes.append(f"{path}: {len(table.rows[''])} lines without participant_id are not used.")
    return table


def _require_columns(path: Path, columns: list[str]) -> None:
    if not any(columns):
        raise StrokeError(f"{path}: is empty; write its header (participant_id, …), or remove it.")
    if "participant_id" not in columns:
        commas = any("," in name for name in columns)
        how = "it is comma-separated, save it" if commas else "its first line must name the columns,"
        raise StrokeError(f"{path}: has no column participant_id; {how} tab-separated.")
    known = [_plain(name) for name in columns if name.strip()]
    twice = next((name for name in known if known.count(name) > 1), None)
    if twice:
        raise StrokeError(f"{path}: has two columns '{twice}'; keep one.")


def _misshapen(line: dict[str | None, Any], count: int) -> str | None:
    """Return what is wrong with a line whose cells do not stand below the header's, or None."""
    surplus = line.get(None) or []
    if any(cell.strip() for cell in surplus):
        return f"has {count + len(surplus)} cells, the header {count}"
    lacking = [name for name, cell in line.items() if name and cell is None and _plain(name) in DECISIVE]
    return f"ends before its {lacking[0]}" if lacking else None


def _plain(name: str) -> str:
    return name.strip().lower()


def typed(row: dict[str, str], source: str) -> tuple[dict[str, Any], list[str]]:
    """Return a row with typed cells, and a sentence for every cell that cannot be used (its fact is then None).

    Parameters
    ----------
    row : dict of str to str
        As in the file.
    source : str
        What a sentence names: file and patient.
    """
    facts, faults = checked(row, source)
    return facts, list(faults.values())


def checked(row: dict[str, str], source: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a row with typed cells, and by column why a cell cannot be used; `typed` says what the arguments are.

    Columns that mean something are known in capitals or with spaces around them too.
    """
    facts: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for column, text in row.items():
        name = _plain(column) if _plain(column) in _MEANT else column
        try:
            facts[name] = _cell(name, text.strip(), source)
        except StrokeError as error:
            facts[name] = None
            faults[name] = str(error)
    return facts, faults


def _cell(name: str, text: str, source: str) -> Any:
    if text.lower() in _EMPTY:
        return None
    if name == "role":
        return _role(text, source)
    if name == "person" and text.lower().strip("?-") in ("", "unknown"):
        raise StrokeError(f"{source}: person is '{text}'; a name of one person is needed, or leave it empty.")
    if name in CHOICES:
        return _choice(name, text, source)
    if name in NUMBERS:
        return _number(name, text, source)
    if name in _CLINICAL:
        return getattr(ClinicalFacts.from_row({name: text}, source), name)
    return text


def _role(text: str, source: str) -> str:
    word = re.sub(r"[\s_-]+", "", text.lower())
    if word in _TRAIN_ONLY:
        return "train-only"
    if word == "any":
        return "any"
    raise StrokeError(f"{source}: role is '{text}'; one of {', '.join(CHOICES['role'])} is needed, or leave it empty.")


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
