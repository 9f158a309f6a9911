"""One patient under two names: the same image in two patients' folders."""

from __future__ import annotations

import gzip
import hashlib
import struct
from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path

from StrokePredictLib.case import SERIES_ROLES

from .table import Patient

#: Bytes before the voxels of a NIfTI file, in one file with them.
_HEADER = 352


def mark_twins(patients: list[Patient]) -> list[Patient]:
    """Return the patients; of those that share an image all but the first (by name) get a problem that says so.

    Only files that look alike from outside are read: for ``.gz`` the checksum and size of the content, which gzip keeps
    in the last eight bytes, else the file's size and a few bytes of its middle.
    """
    suspects: dict[Hashable, list[tuple[str, str, Path]]] = {}
    for patient in patients:
        for role, path in patient.images.items():
            if role not in SERIES_ROLES and role != "brain":
                suspects.setdefault((role, _fingerprint(path)), []).append((patient.id, role, path))
    first: dict[str, tuple[str, str]] = {}
    for group in suspects.values():
        if len(group) < 2 or all(identifier in first for identifier, _, _ in group):
            continue
        for identifier, role, original in _copies(group):
            known = first.get(identifier)
            if known is None or original < known[0]:
                first[identifier] = (original, role)
    return [_mark(patient, first, patients) for patient in patients]


def _copies(group: list[tuple[str, str, Path]]) -> list[tuple[str, str, str]]:
    """Return (patient, role, the patient whose copy it is) of every file whose content another has."""
    contents: dict[str, list[tuple[str, str]]] = {}
    for identifier, role, path in group:
        contents.setdefault(_content(path), []).append((identifier, role))
    found = []
    for same in contents.values():
        original = min(same)[0]
        found += [(identifier, role, original) for identifier, role in same if identifier != original]
    return found


def _mark(patient: Patient, first: dict[str, tuple[str, str]], patients: list[Patient]) -> Patient:
    if patient.id not in first:
        return patient
    original, role = first[patient.id]
    centers = {p.center for p in patients if p.id in (patient.id, original)} - {None}
    where = f" in two centres ({', '.join(sorted(centers))})" if len(centers) > 1 else ""
    said = f"{patient.id}: one patient twice{where}: its {role} is the same image as {original}'s; remove one."
    person = next(p.person for p in patients if p.id == original)
    return replace(patient, person=person, problems=(*patient.problems, said))


def _fingerprint(path: Path) -> Hashable:
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            if path.suffix.lower() != ".gz" or size < 8:
                stream.seek(size // 2)
                return size, stream.read(4096)
            stream.seek(-8, 2)
            return struct.unpack("<II", stream.read(8))
    except OSError:
        return str(path)


def _content(path: Path) -> str:
    """Return a hash of the image, without its compression; its path where it cannot be read or is empty.

    Maps of zeros are alike and say nothing of whose they are.
    """
    try:
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            data = stream.read()
    except (OSError, EOFError):
        return str(path)
    voxels = data[_HEADER:]
    return str(path) if voxels.count(0) == len(voxels) else hashlib.sha256(data).hexdigest()
