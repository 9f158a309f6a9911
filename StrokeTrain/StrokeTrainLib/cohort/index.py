"""Any folder of patients to a `Cohort`: names and headers are read, voxels are not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from StrokePredictLib.case import REFERENCE_ORDER, SERIES_ROLES
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.folder import (
    PatientFiles,
    assign_roles,
    cohort_root,
    is_follow_up,
    list_patients,
    patient_images,
    require_folder,
)
from StrokePredictLib.io.images import is_image_name
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictLib.io.layouts import inner_root, is_isles_case, isles_cases
from StrokePredictLib.progress import Progress, silent

from .grids import place_label
from .labels import Place, find_labels
from .participants import DECISIVE, Table, checked, read_table
from .table import Cohort, Patient
from .twins import mark_twins

_SESSION = re.compile(r"ses-([A-Za-z0-9]+)")
_ANATOMY = ("flair", "dwi", "ncct", "b0", "adc")


def index_cohort(root: Path | str, *, headers: bool = True, progress: Progress = silent) -> Cohort:
    """Index a folder of patients.

    Parameters
    ----------
    root : path-like
        DESIGN's layout or ISLES'24's (``raw_data``, ``derivatives``, ``participants.tsv``), ISLES'22's, a folder of
        ISLES'17 or '18 cases, a folder of loose patient folders, or one loose patient.
    headers : bool
        Also look whether each label lies on a grid of its patient, and for one patient under two names; needs nibabel.
    progress : Progress
        Told how far it is.

    Returns
    -------
    Cohort
        Everybody whose folder is there or whom the table names, with `Patient.problems` where one cannot be used.

    Raises
    ------
    StrokeError
        If the folder is missing, holds no patient, or its table cannot be read.
    """
    asked = inner_root(require_folder(root))
    root = cohort_root(asked)
    progress(0.0, "looking for patients")
    table = read_table(root)
    places = _places(asked, root)
    if not places:
        raise StrokeError(f"{root}: no patients here; a cohort holds sub-… folders, ISLES cases, or folders of images.")
    simulated = _says_simulated(root)
    patients = []
    for number, (name, (folder, layout)) in enumerate(places.items()):
        progress(0.9 * number / len(places), name)
        patients.append(_patient(name, folder, layout, table, headers, simulated))
    if asked == root:
        patients += [_absent(name, root, table) for name in table.rows if name and name not in places]
    if headers:
        progress(0.9, "looking for one patient under two names")
        patients = mark_twins(patients)
    progress(1.0, f"{len(patients)} patients")
    return Cohort(root, tuple(sorted(patients, key=lambda patient: patient.id)), tuple(table.notes))


def _places(asked: Path, root: Path) -> dict[str, tuple[Path, str]]:
    """Return every patient's folder (the cohort's own in BIDS) and layout, by identifier."""
    names = list_patients(asked)
    if names and re.fullmatch(r"sub-[A-Za-z0-9]+", names[0]):
        return dict.fromkeys(names, (root, "bids"))
    if names:
        return {name: (place, "isles") for name, place in isles_cases(asked).items()}
    if any(is_image_name(entry) for entry in asked.iterdir()) and not is_isles_case(asked):
        return {asked.name: (asked, "loose")}
    folders = sorted(entry for entry in asked.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    return {
        entry.name: (entry, "loose") for entry in folders if any(is_image_name(inside) for inside in entry.iterdir())
    }


def _patient(name: str, folder: Path, layout: str, table: Table, headers: bool, simulated: bool) -> Patient:
    paths = patient_images(folder, None if layout == "loose" else name)
    baseline = [path for path in paths if not is_follow_up(path.relative_to(folder))]
    found = assign_roles(name, baseline)
    later = _later(name, [path for path in paths if is_follow_up(path.relative_to(folder))], folder)
    labels, notes = find_labels(paths, Place(layout, folder, frozenset(found.roles)))
    problems = []
    if headers:
        grids = [place_label(label, _order(found), _follow_up_order(later)) for label in labels]
        labels = [label for label, _ in grids]
        notes += [said for _, said in grids if said]
    facts, said, faults = _facts(name, table)
    if not found.roles:
        problems.append(f"{name}: no baseline image whose name tells its role.")
    return Patient(
        id=name,
        folder=folder,
        layout=layout,
        images=found.roles,
        labels=tuple(labels),
        facts=facts,
        role=facts.get("role") or "any",
        problems=(*problems, *faults),
        notes=(*found.notes, *notes, *said),
        later=later,
        person=facts.get("person") or name,
        simulated=simulated,
    )


def _later(name: str, paths: list[Path], folder: Path) -> dict[str, dict[str, Path]]:
    """Return the follow-up's images by session and role."""
    sessions: dict[str, list[Path]] = {}
    for path in paths:
        match = _SESSION.search(path.relative_to(folder).as_posix())
        if match:
            sessions.setdefault(match[1], []).append(path)
    found = {session: assign_roles(name, here).roles for session, here in sessions.items()}
    return {session: roles for session, roles in found.items() if roles}


def _order(found: PatientFiles) -> list[Path]:
    """Return the baseline images, the one that gives the reference grid first; series last, their headers are slow."""
    known = sorted(found.roles, key=lambda role: (role in SERIES_ROLES, _rank(role)))
    return [found.roles[role] for role in known]


def _rank(role: str) -> int:
    return REFERENCE_ORDER.index(role) if role in REFERENCE_ORDER else len(REFERENCE_ORDER)


def _follow_up_order(later: dict[str, dict[str, Path]]) -> list[Path]:
    return [roles[role] for roles in later.values() for role in _ANATOMY if role in roles]


def _facts(name: str, table: Table) -> tuple[dict[str, Any], list[str], list[str]]:
    """Return a patient's typed facts, notes, and what forbids to use the patient.

    A role or person that cannot be understood forbids it: a patient who may only train would be tested.
    """
    lines = table.rows.get(name, [])
    if not lines:
        said = f"{table.path.name} has no line for {name}: age, NIHSS and times are unknown." if table.rows else None
        return {}, [said] if said else [], []
    facts, unusable = checked(lines[0], f"{table.path} ({name})")
    notes = [said for column, said in unusable.items() if column not in DECISIVE]
    faults = [table.faults[name]] if name in table.faults else []
    faults += [f"{name}: {said}" for column, said in unusable.items() if column in DECISIVE]
    if all(line == lines[0] for line in lines[1:]):
        if len(lines) > 1:
            notes.append(f"{table.path.name} lists {name} {len(lines)} times with the same words; one is enough.")
        return facts, notes, faults
    centers = sorted({line.get("center", "").strip() for line in lines} - {""})
    if len(centers) > 1:
        fault = f"{name}: a patient in two centres ({', '.join(centers)}) by {table.path.name}; rename or remove one."
    else:
        fault = f"{name}: {table.path.name} lists it {len(lines)} times with different words; keep one line."
    # Of contradicting lines none is believed; what all say alike stays.
    others = [checked(line, "")[0] for line in lines[1:]]
    agreed = {key: value for key, value in facts.items() if all(other.get(key) == value for other in others)}
    return agreed, notes, [fault, *faults]


def _absent(name: str, root: Path, table: Table) -> Patient:
    """Return a patient of whom only the table knows."""
    facts, notes, faults = _facts(name, table)
    fault = f"{name}: stands in {table.path.name}, but there is no folder of that name."
    return Patient(
        id=name, folder=root, layout="bids", images={}, facts=facts, problems=(fault, *faults), notes=tuple(notes)
    )


def _says_simulated(root: Path) -> bool:
    description = root / "dataset_description.json"
    return description.is_file() and bool(read_json_object(description).get("Simulated", False))
