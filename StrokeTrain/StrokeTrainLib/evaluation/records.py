"""A patient as JSON and back, so that any process can score one without looking at the cohort again."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from ..cohort.table import Label, Patient


def to_record(patient: Patient) -> dict[str, Any]:
    """Return a patient as JSON can carry it."""
    return {
        "id": patient.id,
        "folder": str(patient.folder),
        "layout": patient.layout,
        "images": _texts(patient.images),
        "labels": [
            {item.name: getattr(label, item.name) for item in fields(Label)} | {"path": str(label.path)}
            for label in patient.labels
        ],
        "facts": patient.facts,
        "role": patient.role,
        "later": {session: _texts(images) for session, images in patient.later.items()},
        "person": patient.person,
        "simulated": patient.simulated,
    }


def from_record(record: dict[str, Any]) -> Patient:
    """Return the patient of a record."""
    return Patient(
        **{key: record[key] for key in ("id", "layout", "facts", "role", "person", "simulated")},
        folder=Path(record["folder"]),
        images=_paths(record["images"]),
        labels=tuple(Label(**label | {"path": Path(label["path"])}) for label in record["labels"]),
        later={session: _paths(images) for session, images in record["later"].items()},
    )


def stamps(patient: Patient, *others: Path) -> dict[str, list[int]]:
    """Return size and time of change of a patient's files and others: what makes an old score a stale one."""
    files = [*patient.images.values(), *(label.path for label in patient.labels)]
    files += [path for images in patient.later.values() for path in images.values()]
    found = {}
    for path in (*files, *others):
        if path.is_file():
            status = path.stat()
            found[str(path)] = [status.st_size, status.st_mtime_ns]
    return found


def _texts(images: dict[str, Path]) -> dict[str, str]:
    return {role: str(path) for role, path in images.items()}


def _paths(images: dict[str, str]) -> dict[str, Path]:
    return {role: Path(path) for role, path in images.items()}
