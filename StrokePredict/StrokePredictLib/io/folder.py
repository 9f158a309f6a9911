"""A patient's folder, in BIDS layout or loose, to the files that play each role."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..case import ClinicalFacts
from ..errors import StrokeError
from .images import is_image_name
from .json_files import read_json_object
from .layouts import in_one_space, inner_root, is_isles_case, isles_cases
from .roles import role_of

if TYPE_CHECKING:
    from .dicom.export import DicomExport

_SUBJECT = re.compile(r"sub-[A-Za-z0-9]+")
#: Follow-up sessions; their images are never baseline input.
_FOLLOW_UP = re.compile(r"(^|[_/\\])ses-(0*[23]|[0-9]+[hd])([_/\\]|$)")


@dataclass
class PatientFiles:
    """The files of one patient.

    Attributes
    ----------
    patient : str
        Identifier.
    roles : dict of str to Path
        Baseline image by role.
    reasons : dict of str to str
        By role, the rule that chose the file.
    row : dict of str to str
        The patient's line of ``participants.tsv``; empty where there is none.
    table : Path or None
        That table.
    simulated : bool
        The folder says that nobody was imaged.
    notes : list of str
        What a reader should know of the choice.
    export : DicomExport or None
        The sorted files where the folder holds DICOM; `roles` then name each image's first file.
    """

    patient: str
    roles: dict[str, Path] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    row: dict[str, str] = field(default_factory=dict)
    table: Path | None = None
    simulated: bool = False
    notes: list[str] = field(default_factory=list)
    export: DicomExport | None = None

    @property
    def facts(self) -> ClinicalFacts:
        """The clinical facts of the table's row."""
        return ClinicalFacts.from_row(self.row, f"{self.table} ({self.patient})")


def list_patients(folder: Path | str) -> list[str]:
    """Return the patients of a cohort folder, sorted; empty for a loose folder.

    They are its ``sub-…`` folders, or the cases of ISLES'17 or '18.
    """
    folder = inner_root(require_folder(folder))
    if _SUBJECT.fullmatch(folder.name):
        return [folder.name]
    names = {p.name for base in _bases(folder) for p in base.glob("sub-*") if p.is_dir() and _SUBJECT.fullmatch(p.name)}
    return sorted(names) or list(isles_cases(folder))


def find_files(folder: Path | str, patient: str | None = None) -> PatientFiles:
    """Find a patient's baseline files.

    Parameters
    ----------
    folder : path-like
        A cohort folder (``raw_data/sub-…`` and ``derivatives/sub-…``, or ``sub-…`` at its top), one ``sub-…`` folder,
        a case or the whole of ISLES'17 or '18, a loose folder of image files, or DICOM files at any depth.
    patient : str, optional
        Which one, in a cohort of several.

    Raises
    ------
    StrokeError
        If the folder is missing, holds no image that a name rule knows, or holds several patients and none was named.
    """
    folder = inner_root(require_folder(folder))
    patients = list_patients(folder)
    if patient is not None and patient not in patients:
        raise StrokeError(f"{folder}: no patient '{patient}' here; there are {_few(patients) or 'none'}.")
    if patient is None and len(patients) > 1:
        raise StrokeError(f"{folder}: holds {len(patients)} patients ({_few(patients)}); name one.")
    if patient is None and patients:
        patient = patients[0]
    root = cohort_root(folder)
    found = assign_roles(patient or folder.name, baseline_images(folder, patient))
    if not found.roles and not patients:
        _look_for_dicom(found, folder)
    if not found.roles:
        raise StrokeError(
            f"{folder}: no image found whose name tells its role; name the files like dwi.nii.gz, adc.nii.gz, "
            "tmax.nii.gz, or give them one by one (--dwi FILE --adc FILE …)."
        )
    _read_participants(found, root)
    found.simulated = _says_simulated(root)
    return found


def require_folder(folder: Path | str) -> Path:
    """Return the folder as an absolute path, or raise `StrokeError`."""
    path = Path(folder)
    try:
        if not path.exists():
            raise StrokeError(f"{path}: no such folder; check the name.")
        if not path.is_dir():
            raise StrokeError(f"{path}: is a file; a patient's folder is needed here.")
        next(path.iterdir(), None)
    except OSError as error:  # no permission, or a name that is too long
        raise StrokeError(f"{path}: cannot be opened ({(error.strerror or str(error)).lower()}).") from error
    return path.absolute()


def _look_for_dicom(found: PatientFiles, folder: Path) -> None:
    """Sort the folder as DICOM where it holds any."""
    from .dicom.scan import holds_dicom

    if not holds_dicom(folder):
        return
    stamps = [path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()]
    export = _export(folder, len(stamps), max(stamps))
    if not export.roles:
        raise StrokeError(
            f"{folder}: none of its {len(export.images)} DICOM images plays a role here ({export.left[0]})."
        )
    found.export = export
    found.roles = {role: image.grid[0][0].path for role, image in export.roles.items()}
    found.reasons = {role: f"{image.name}, {export.reasons[role]}" for role, image in export.roles.items()}
    found.notes += [*export.doubts, *export.left, *(f"left out: {reason}" for reason in export.skipped)]


@lru_cache(maxsize=2)
def _export(folder: Path, count: int, newest: int) -> DicomExport:
    """Sort a folder once, however often a command asks; ``count`` and ``newest`` tell when it has changed."""
    from .dicom.export import open_export

    return open_export(folder)


def _bases(folder: Path) -> list[Path]:
    return [base for base in (folder / "raw_data", folder / "rawdata", folder / "derivatives", folder) if base.is_dir()]


def cohort_root(folder: Path) -> Path:
    """Return the cohort folder that a ``sub-…`` folder belongs to, or the folder itself."""
    if not _SUBJECT.fullmatch(folder.name):
        return folder
    return folder.parent.parent if folder.parent.name in ("raw_data", "rawdata", "derivatives") else folder.parent


def assign_roles(patient: str, paths: list[Path]) -> PatientFiles:
    """Give each file the role that its name tells; the first of a role is taken, the others are noted."""
    found = PatientFiles(patient)
    others: dict[str, list[Path]] = {}
    for path in paths:
        _offer(found, path, others)
    for role, path in in_one_space(found.roles, others).items():
        found.roles[role], found.reasons[role] = path, f"'{path.name}' lies in the space of the maps"
    return found


def baseline_images(folder: Path, patient: str | None) -> list[Path]:
    """Return a patient's image files that are no follow-up's; parameters and order as `patient_images`."""
    root = cohort_root(folder)
    return [p for p in patient_images(folder, patient) if not is_follow_up(p.relative_to(root))]


def patient_images(folder: Path, patient: str | None) -> list[Path]:
    """Return a patient's image files in order of preference: acquired before derived ones, then by path.

    Parameters
    ----------
    folder : Path
        A cohort's (`inner_root`), a ``sub-…`` folder, a case of ISLES'17 or '18, or a loose folder.
    patient : str or None
        None for a loose folder, whose sub-folders are not searched.
    """
    if patient is None:
        return sorted(p for p in folder.iterdir() if p.is_file() and is_image_name(p))
    if not _SUBJECT.fullmatch(patient):
        case = folder if is_isles_case(folder) else isles_cases(folder)[patient]
        return sorted(p for p in case.rglob("*") if p.is_file() and is_image_name(p))
    root = cohort_root(folder)
    places = [base / patient for base in _bases(root) if (base / patient).is_dir()] or [folder]
    files: list[Path] = []
    for place in places:
        files += sorted(p for p in place.rglob("*") if p.is_file() and is_image_name(p))
    # `truth` is what a simulated patient really has: no reader, and no loader, may see it.
    shown = [p for p in files if not _is_hidden(p.relative_to(root))]
    results = {place for place in {p.parent for p in shown} if _is_result_folder(place)}
    return [p for p in shown if p.parent not in results]


def _is_hidden(place: Path) -> bool:
    return any(word == "truth" or word.startswith(".") for word in place.parts)


def is_follow_up(place: Path) -> bool:
    """Whether a file, by its place in the cohort, belongs to a later session than the baseline."""
    return bool(_FOLLOW_UP.search(place.as_posix()))


def _is_result_folder(folder: Path) -> bool:
    """Whether our own commands wrote into a folder: masks of an earlier run are no input."""
    return any((folder / name).is_file() for name in ("volumes.json", "prediction.json", "report.json"))


def _offer(found: PatientFiles, path: Path, others: dict[str, list[Path]]) -> None:
    answer = role_of(path.name)
    if answer is None:
        return
    role, reason = answer
    if role in found.roles:
        others.setdefault(role, []).append(path)
        found.notes.append(f"{path.name} could also be {role}; {found.roles[role].name} was taken.")
        return
    found.roles[role] = path
    found.reasons[role] = reason


def _read_participants(found: PatientFiles, root: Path) -> None:
    table = root / "participants.tsv"
    if not table.is_file():
        return
    try:
        with table.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StrokeError(f"{table}: cannot be read as a tab-separated table ({error}).") from error
    if rows and "participant_id" not in rows[0]:
        found.notes.append(f"{table.name} has no column participant_id (tab-separated): its facts are not used.")
    matches = [row for row in rows if (row.get("participant_id") or "").strip() == found.patient]
    if any(row != matches[0] for row in matches[1:]):
        raise StrokeError(f"{table}: lists {found.patient} {len(matches)} times with different words; keep one line.")
    if len(matches) > 1:
        found.notes.append(f"{table.name} lists {found.patient} {len(matches)} times with the same words.")
    if matches:
        found.row, found.table = matches[0], table
    elif rows and "participant_id" in rows[0]:
        found.notes.append(f"{table.name} has no line for {found.patient}: age, NIHSS and times are unknown.")


def _says_simulated(root: Path) -> bool:
    description = root / "dataset_description.json"
    if not description.is_file():
        return False
    return bool(read_json_object(description).get("Simulated", False))


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
