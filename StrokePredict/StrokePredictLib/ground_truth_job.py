"""The job behind the panel's Accept: a reader's correction into a cohort folder, with where it came from."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from .case import ROLES
from .errors import StrokeError
from .io.folder import find_files
from .io.images import read_image, write_image
from .io.output import write_text
from .progress import Progress, silent
from .provenance import provenance
from .volume import Volume

#: Target to session and the mask's name (DESIGN, "Folder of a cohort").
PLACES = {"acute-core": ("ses-01", "core-msk"), "final-infarct": ("ses-02", "lesion-msk")}
_IMAGES = ("b0", "dwi", "adc", "pwi", "ctp", "ncct", "flair")


def run(
    *,
    cohort: Path | str,
    patient: str,
    mask: Path | str,
    target: str,
    reader: str,
    start: str | None = None,
    start_mask: Path | str | None = None,
    start_hash: str | None = None,
    settles: Sequence[str] = (),
    source: dict[str, Any] | None = None,
    images: dict[str, str] | None = None,
    output: Path | str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Save a correction: the next read of this reader, never over an earlier one.

    Parameters
    ----------
    cohort : path-like
        Folder of DESIGN's layout; made if missing.
    patient : str
        Identifier; ``sub-`` is put before it where it lacks it.
    mask : path-like
        The correction.
    target : {"acute-core", "final-infarct"}
        What was outlined.
    reader : str
        Who.
    start, start_mask, start_hash : str, path-like, str, optional
        What the correction began with: its name, its mask, and the hash of the model that made it.
    settles : sequence of str
        Files of other readers' outlines that differed, and that this one settles.
    source : dict, optional
        ``folder`` and ``patient`` of the images; those in another folder are copied into the cohort.
    images : dict, optional
        Files by role of images that came from no folder.
    output : path-like, optional
        Not used.

    Returns
    -------
    dict
        ``files``, ``label`` (path), ``read`` (number), and ``edits``: mL added and removed, Dice to the start.

    Raises
    ------
    StrokeError
        For an unknown target, a missing name, a mask on another grid than the start, and a disk that refuses.
    """
    if target not in PLACES:
        raise StrokeError(f"unknown target '{target}'; there are {', '.join(PLACES)}.")
    name = re.sub(r"[^A-Za-z0-9]", "", reader)
    if not name:
        raise StrokeError("the reader's name is missing; give a name or initials in letters or digits.")
    patient = _identifier(patient)
    progress(0.0, "reading the correction")
    drawn = read_image(mask, series=False, may_be_empty=True)
    edits = _edits(drawn, start_mask)
    cohort = Path(cohort)
    header, copied = _images_into(cohort, patient, source or {}, images or {}, drawn, progress)
    session, kind = PLACES[target]
    folder = cohort / "derivatives" / patient / session
    folder.mkdir(parents=True, exist_ok=True)
    number = _next_read(folder, patient, session, name)
    stem = f"{patient}_{session}_rater-{name}_read-{number}_{kind}"
    label = folder / f"{stem}.nii.gz"
    told = {
        "target": target, "reader": name, "read": number, "start": start, "start_hash": start_hash, "edits": edits,
        **({"settles": [Path(name).name for name in settles]} if settles else {}),
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "provenance": provenance({}, {"target": target, "start": start}),
    }  # fmt: skip
    progress(0.9, "writing")
    # The sidecar first: a mask without it would pass for one drawn from nothing.
    write_text(folder / f"{stem}.json", json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    kept = Volume(drawn.array > 0.5, drawn.affine, name=label.name, header=header)
    write_image(label, kept, np.uint8)
    return {"files": [*copied, str(label)], "label": str(label), "read": number, "edits": edits}


def _identifier(patient: str) -> str:
    bare = re.sub(r"[^A-Za-z0-9]", "", patient.removeprefix("sub-"))
    if not bare:
        raise StrokeError(f"'{patient}' is no patient identifier; use letters and digits.")
    return f"sub-{bare}"


def _edits(drawn: Volume, start: Path | str | None) -> dict[str, float] | None:
    """Return what was added and removed in mL, and the Dice coefficient to the start; None for a blank start."""
    if start is None:
        return None
    before = read_image(start, series=False, may_be_empty=True)
    before.require_same_grid(drawn)
    a, b = before.array > 0.5, drawn.array > 0.5
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return {
        "added_ml": round(float(np.count_nonzero(b & ~a)) * drawn.voxel_ml, 3),
        "removed_ml": round(float(np.count_nonzero(a & ~b)) * drawn.voxel_ml, 3),
        "dice": round(2.0 * float(np.count_nonzero(a & b)) / total, 4) if total else 1.0,
    }


def _images_into(
    cohort: Path, patient: str, source: dict[str, Any], images: dict[str, str], drawn: Volume, progress: Progress
) -> tuple[object, list[str]]:
    """Copy images that the cohort lacks; return the header of one on the mask's grid, and what was copied."""
    found = {role: Path(path) for role, path in images.items()}
    if source.get("folder"):
        found = dict(find_files(source["folder"], source.get("patient")).roles) | found
    folder = cohort / "raw_data" / patient / "ses-01"
    header, copied = None, []
    for number, role in enumerate(role for role in _IMAGES if role in found):
        progress(0.1 + 0.7 * number / len(_IMAGES), f"copying {ROLES[role][0]}")
        image = read_image(found[role])
        flat = image.with_array(image.array[0]) if image.is_series else image
        header = header or (image.header if flat.same_grid(drawn) else None)
        place = folder / f"{patient}_ses-01_{role}.nii.gz"
        if (
            place.exists()
            or cohort in found[role].resolve().parents
            or cohort.resolve() in found[role].resolve().parents
        ):
            continue
        folder.mkdir(parents=True, exist_ok=True)
        write_image(place, image, np.float32)
        copied.append(str(place))
        beside = found[role].with_name(found[role].name.split(".nii")[0] + ".json")
        if beside.is_file():
            write_text(place.with_name(place.name.replace(".nii.gz", ".json")), beside.read_text(encoding="utf-8"))
    return header, copied


def _next_read(folder: Path, patient: str, session: str, reader: str) -> int:
    """Return the number of this reader's next read."""
    pattern = re.compile(rf"{re.escape(patient)}_{session}_rater-{reader}_read-(\d+)_")
    numbers = [int(hit[1]) for path in folder.iterdir() if (hit := pattern.match(path.name))]
    return max(numbers, default=0) + 1
