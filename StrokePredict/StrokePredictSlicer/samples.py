"""Simulated patients: made on this computer by the worker, kept in its cache and checked, never downloaded."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import qt

from StrokePredictLib import __version__
from StrokePredictLib.io.output import write_text

#: Name in Slicer's Sample Data → modality and seed.
SAMPLES = {"Simulated stroke, MRI": ("MR", 0), "Simulated stroke, CT perfusion": ("CT", 0)}
_SUMS = "SHA256SUMS"


def simulated_cohort(modality: str = "MR", seed: int = 0) -> Path:
    """Return where the simulated patient of this version is kept; it may not have been made yet."""
    base = qt.QStandardPaths.writableLocation(qt.QStandardPaths.CacheLocation)
    return Path(str(base)) / "StrokeInfarct" / f"simulated-{modality}-{seed}-{__version__}"


def is_whole(folder: Path) -> bool:
    """Whether a sample is there and no file of it has changed since it was made."""
    try:
        lines = (folder / _SUMS).read_text(encoding="utf-8").splitlines()
        return bool(lines) and all(_digest(folder / line[66:]) == line[:64] for line in lines)
    except OSError:
        return False


def seal(folder: Path) -> None:
    """Note the checksums of a sample that was just made."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _SUMS)
    lines = [f"{_digest(path)}  {path.relative_to(folder).as_posix()}" for path in files]
    write_text(folder / _SUMS, "\n".join(lines) + "\n")


def discard(folder: Path) -> None:
    """Delete a sample that is not whole, so that it can be made again."""
    shutil.rmtree(folder, ignore_errors=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
