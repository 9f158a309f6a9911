"""A cohort as rows of a table: what a panel shows, sorts and filters. Imports nothing heavy."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictLib.io.output import write_text
from StrokePredictLib.progress import Progress, silent

from .reperfusion import from_table
from .table import Cohort, Patient
from .votes import truth

#: Facts that the panel lets a reader edit, in the order in which it shows them.
EDITABLE = (
    "age", "nihss", "onset_to_imaging_min", "onset_known", "mtici", "reperfusion_debs", "reperfusion_yu",
    "imaging_to_reperfusion_min", "vendor", "center", "role",
)  # fmt: skip
#: Raised when a remembered row changes its meaning.
VERSION = 2


def rows_of(
    cohort: Cohort,
    excluded: Mapping[str, str],
    volumes: Mapping[str, Mapping[str, float | None]],
    locked: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Return a dictionary a patient.

    Parameters
    ----------
    cohort : Cohort
        Whose patients.
    excluded : mapping of str to str
        Why a patient is left out, by identifier.
    volumes : mapping of str to (mapping of str to float)
        Lesion in mL by patient and target, as far as they were measured.
    locked : collection of str
        Identifiers and persons of the locked test set (`StrokeTrainLib.cohort.locked.kept_out`).
    """
    return [
        _row(patient, excluded.get(patient.id, ""), volumes.get(patient.id, {}))
        | {"locked": patient.id in locked or patient.person in locked}
        for patient in cohort
    ]


def _row(patient: Patient, excluded: str, volumes: Mapping[str, float | None]) -> dict[str, Any]:
    try:
        course = from_table(patient)
        debs, yu = course.debs, course.yu
    except StrokeError:
        debs = yu = "unknown"
    labels: dict[str, list[str]] = {}
    for label in patient.labels:
        words = (label.reader or "unnamed") + (f" {label.read}" if label.read else "")
        words += " (settled)" if label.settles else ""
        labels.setdefault(label.target, []).append(words if label.usable else f"{words} (other grid)")
    facts = {name: _text(patient.facts.get(name)) for name in EDITABLE}
    return {
        "patient": patient.id, "folder": str(patient.folder), "layout": patient.layout,
        "images": sorted(patient.images), "later": sorted(patient.later), "debs": debs, "yu": yu,
        "vendor": patient.vendor or "", "center": patient.center or "", "role": patient.role, "labels": labels,
        "files": {label.target: str(label.path) for label in reversed(patient.labels) if label.usable},
        "volumes": dict(volumes), "excluded": excluded.removeprefix(f"{patient.id}: "), "facts": facts,
        "notes": [*patient.problems, *patient.notes], "simulated": patient.simulated,
    }  # fmt: skip


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


class Remembered:
    """Lesion volumes measured before, by the files that they were measured on.

    Parameters
    ----------
    folder : Path
        Of the cache.
    root : Path
        The cohort's.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
        self.path = folder / "cohorts" / f"{digest}.json"
        self._known = self._read()

    def _read(self) -> dict[str, Any]:
        if not self.path.is_file():
            return {}
        try:
            content = read_json_object(self.path)
        except StrokeError:
            return {}
        return content["patients"] if content.get("version") == VERSION else {}

    def volumes(self, patient: Patient) -> dict[str, float | None] | None:
        """Return a patient's volumes by target (None: unreadable); None where they are not known, or not any more."""
        known = self._known.get(patient.id)
        return known["volumes"] if known and known["stamp"] == _stamp(patient) else None

    def measure(
        self, cohort: Cohort, progress: Progress = silent
    ) -> tuple[dict[str, dict[str, float | None]], dict[str, str]]:
        """Measure whoever is not known, and remember; return volumes by patient, and what could not be read."""
        found, faults = {}, {}
        for number, patient in enumerate(cohort):
            progress(number / max(1, len(cohort)), patient.id)
            before = self.volumes(patient)
            found[patient.id] = _measured(patient, faults) if before is None or None in before.values() else before
        stamps = {patient.id: _stamp(patient) for patient in cohort}
        kept = {name: {"stamp": stamps[name], "volumes": volumes} for name, volumes in found.items()}
        with contextlib.suppress(OSError, StrokeError):  # not remembered is only slower
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_text(self.path, json.dumps({"version": VERSION, "patients": kept}) + "\n")
        return found, faults


def _measured(patient: Patient, faults: dict[str, str]) -> dict[str, float | None]:
    volumes: dict[str, float | None] = {}
    for target in sorted({label.target for label in patient.labels if label.usable}):
        try:
            volumes[target] = round(truth(patient, target).ml, 3)
        except StrokeError as error:
            volumes[target], faults[patient.id] = None, " ".join(str(error).split())
    return volumes


def _stamp(patient: Patient) -> list[list[Any]]:
    stamps = []
    for label in patient.labels:
        try:
            told = label.path.stat()
        except OSError:
            continue
        stamps.append([label.path.name, told.st_size, told.st_mtime_ns])
    return sorted(stamps)
