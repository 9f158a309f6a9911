"""All files of a folder to DICOM headers, with a reason for each that is left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import StrokeError
from .header import Header, Unusable, read_header
from .private import WANTED

_WANTED = [
    "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID", "PatientBirthDate", "Modality",
    "SeriesDescription", "ProtocolName", "SequenceName", "SeriesNumber", "InstanceNumber", "AcquisitionNumber",
    "ImageType", "Rows", "Columns", "SamplesPerPixel", "NumberOfFrames", "BitsAllocated", "ImagePositionPatient",
    "ImageOrientationPatient", "PixelSpacing", "SpacingBetweenSlices", "SliceThickness", "FrameOfReferenceUID",
    "TemporalPositionIdentifier", "TemporalResolution", "AcquisitionTime", "AcquisitionDateTime", "ContentTime",
    "TriggerTime", "EchoTime", "RepetitionTime", "InversionTime", "DiffusionBValue", "DiffusionGradientOrientation",
    "ContrastBolusAgent", "Manufacturer", "RescaleType", "Units", "PerFrameFunctionalGroupsSequence",
    "SharedFunctionalGroupsSequence", *WANTED,
]  # fmt: skip


@dataclass
class Scan:
    """What a folder's files are.

    Attributes
    ----------
    folder : Path
        Where.
    headers : list of Header
        The images, by path.
    reasons : dict of str to list of Path
        By reason, the files that were left out for it.
    """

    folder: Path
    headers: list[Header] = field(default_factory=list)
    reasons: dict[str, list[Path]] = field(default_factory=dict)

    @property
    def skipped(self) -> list[str]:
        """One sentence for each reason for which files were left out."""
        told = []
        for reason, paths in self.reasons.items():
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            told.append(f"{paths[0].relative_to(self.folder)}{more}: {reason}")
        return told


def holds_dicom(folder: Path) -> bool:
    """Whether a folder, or a folder below it, holds a DICOM file; looks at some dozens of files."""
    for number, path in enumerate(p for p in folder.rglob("*") if p.is_file()):
        if is_dicom(path):
            return True
        if number >= 60:
            break
    return False


def is_dicom(path: Path) -> bool:
    """Whether a file carries DICOM's mark after its preamble."""
    try:
        with path.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def scan(folder: Path) -> Scan:
    """Read the headers of all files below a folder.

    Raises
    ------
    StrokeError
        If pydicom is not installed, or the files belong to several patients.
    """
    try:
        import pydicom
    except ImportError as error:
        raise StrokeError(f"{folder}: holds DICOM; install pydicom to read it (pip install pydicom).") from error

    found = Scan(folder)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        try:
            found.headers.append(_one(path, pydicom))
        except Unusable as reason:
            if str(reason):
                found.reasons.setdefault(str(reason), []).append(path)
    _require_one_patient(found)
    _drop_copies(found)
    return found


def _one(path: Path, pydicom: Any) -> Header:
    if path.name.upper() == "DICOMDIR":
        raise Unusable("")
    if not is_dicom(path):
        raise Unusable("no DICOM file")
    try:
        dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_WANTED)
        return read_header(path, dataset)
    except Unusable:
        raise
    except Exception as error:  # pydicom raises many kinds on a broken file
        raise Unusable(f"unreadable header ({type(error).__name__})") from error


def _require_one_patient(found: Scan) -> None:
    patients: dict[str, Path] = {}
    for header in found.headers:
        patients.setdefault(header.patient, header.path)
    if len(patients) > 1:
        first, second = list(patients.values())[:2]
        raise StrokeError(
            f"{found.folder}: holds DICOM of {len(patients)} patients (by ID and birth date, as in "
            f"{first.relative_to(found.folder)} and {second.relative_to(found.folder)}); give one patient's files."
        )


def _drop_copies(found: Scan) -> None:
    """Leave out files that are copies of another by SOPInstanceUID."""
    seen: dict[str, Header] = {}
    kept = []
    for header in found.headers:
        if header.instance and header.instance in seen:
            found.reasons.setdefault("a copy of another file (same SOPInstanceUID)", []).append(header.path)
            continue
        seen[header.instance] = header
        kept.append(header)
    found.headers = kept
