"""All rows of an evaluation: columns by method, in one order of patients; what every table and figure is made from."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..metrics.patient import COLUMNS
from ..statistics.calibration import BinCounts

#: Facts of a patient that stand beside the scores.
FACTS = ("vendor", "center", "reperfusion_yu", "reperfusion_debs")
NUMBERS = tuple(name for name in COLUMNS if name not in ("patient", "method", "note"))
_NAN = float("nan")


@dataclass(frozen=True)
class Results:
    """Rows of patients × methods.

    Attributes
    ----------
    patients : tuple of str
        In the order of every column.
    methods : dict of str to str
        Titles by method: networks first, then a second reader, then rules.
    kinds : dict of str to str
        By method ``"network"``, ``"reader"`` or ``"rule"``.
    rows : dict of (patient, method) to dict
        `NUMBERS` as floats (NaN where undefined), ``fold`` and ``note``.
    facts : dict of str to dict
        By patient `FACTS`, None where unknown.
    target : str
        What the truth outlines.
    bins : dict of str to (dict of str to BinCounts)
        By network and patient the sums of its calibration curve.
    simulated : bool
        Whether anybody of them was simulated.
    roc : dict of str to (dict of str to sequence of float)
        By network and patient the true positive rates at `StrokeTrainLib.metrics.auc.RATES`.
    """

    patients: tuple[str, ...]
    methods: Mapping[str, str]
    kinds: Mapping[str, str]
    rows: Mapping[tuple[str, str], Mapping[str, Any]]
    facts: Mapping[str, Mapping[str, Any]]
    target: str
    bins: Mapping[str, Mapping[str, BinCounts]] = field(default_factory=dict)
    simulated: bool = False
    roc: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)

    def column(self, method: str, key: str) -> np.ndarray:
        """Return one measure of a method, a float a patient in the order of `patients`; NaN where there is none."""
        rows = (self.rows.get((patient, method), {}) for patient in self.patients)
        return np.array([row.get(key, _NAN) for row in rows], np.float64)

    def of_kind(self, kind: str) -> list[str]:
        """Return the methods of a kind."""
        return [method for method in self.methods if self.kinds[method] == kind]

    def true_ml(self) -> np.ndarray:
        """Return the true volumes in mL, by whichever method's row has them."""
        columns = np.array([self.column(method, "true_ml") for method in self.methods])
        known = np.isfinite(columns)
        first = np.where(known.any(axis=0), columns[known.argmax(axis=0), np.arange(len(self.patients))], _NAN)
        return first if len(self.methods) else np.full(len(self.patients), _NAN)

    def fact(self, name: str) -> list[Any]:
        """Return one fact of every patient."""
        return [self.facts[patient].get(name) for patient in self.patients]

    def folds(self, method: str) -> list[int | None]:
        """Return every patient's fold of a method."""
        return [self.rows.get((patient, method), {}).get("fold") for patient in self.patients]

    def notes(self, method: str) -> dict[str, str]:
        """Return the notes of a method by patient, where there are any."""
        found = {patient: self.rows.get((patient, method), {}).get("note", "") for patient in self.patients}
        return {patient: note for patient, note in found.items() if note}

    def scored(self, method: str) -> np.ndarray:
        """Return who has a usable prediction, bool a patient."""
        return np.isfinite(self.column(method, "dice"))

    def tested(self) -> Results:
        """Return the results of those whom a network was tested on: in them alone others can be set beside it."""
        networks = self.of_kind("network")
        return self.where(np.logical_or.reduce([self.scored(name) for name in networks])) if networks else self

    def only(self, patients: Collection[str]) -> Results:
        """Return the results of some patients, in the same order."""
        wanted = set(patients)
        return replace(self, patients=tuple(patient for patient in self.patients if patient in wanted))

    def where(self, mask: np.ndarray) -> Results:
        """Return the results of the patients of a bool mask."""
        return self.only([patient for patient, kept in zip(self.patients, mask, strict=True) if kept])

    def table(self) -> list[dict[str, Any]]:
        """Return all rows in the order of ``metrics.csv``: facts stand before the measures, the note last."""
        made = []
        for patient in self.patients:
            for method in self.methods:
                row = self.rows.get((patient, method))
                if row is None:
                    continue
                head = {"patient": patient, "method": method, "fold": row["fold"]}
                made.append(
                    head | {name: self.facts[patient].get(name) for name in FACTS}
                    | {name: row[name] for name in NUMBERS} | {"note": row["note"]}
                )  # fmt: skip
        return made


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as CSV: empty cells where there is no value, numbers to six significant digits after the point."""
    if not rows:
        return ""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _cell(value) for key, value in row.items()})
    return stream.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.10g}"
    return value
