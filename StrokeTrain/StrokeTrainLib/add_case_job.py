"""The job that takes a patient who is open in StrokePredict into a cohort folder: images and clinical facts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from StrokePredictLib.case import ROLES
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.folder import find_files
from StrokePredictLib.io.images import read_image, write_image
from StrokePredictLib.io.output import write_text
from StrokePredictLib.progress import Progress, silent

from .cohort.edit import save_facts

_IMAGES = ("b0", "dwi", "adc", "pwi", "ctp", "ncct", "flair")
_MAPS = ("tmax", "cbf", "cbv", "mtt")


def run(
    *,
    cohort: Path | str,
    patient: str,
    source: Mapping[str, Any] | None = None,
    images: Mapping[str, str] | None = None,
    facts: Mapping[str, Any] | None = None,
    output: Path | str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Copy a patient's images into a cohort of DESIGN's layout; files that are there stay.

    Parameters
    ----------
    cohort : path-like
        Its folder; made if missing.
    patient : str
        Identifier; ``sub-`` is put before it where it lacks it.
    source : mapping, optional
        ``folder`` and ``patient`` of the images.
    images : mapping, optional
        Files by role, of images that came from no folder.
    facts : mapping, optional
        Clinical facts, into ``participants.tsv``.
    output : path-like, optional
        Not used.

    Returns
    -------
    dict
        ``patient``, ``files`` (what was copied).

    Raises
    ------
    StrokeError
        If there is no image, the name cannot be used or is another patient's, or the disk refuses.
    """
    bare = re.sub(r"[^A-Za-z0-9]", "", patient.removeprefix("sub-"))
    if not bare:
        raise StrokeError(f"'{patient}' is no patient identifier; use letters and digits.")
    name, cohort = f"sub-{bare}", Path(cohort)
    found = {role: Path(path) for role, path in (images or {}).items()}
    if source and source.get("folder"):
        if Path(source["folder"]).resolve() == cohort.resolve():
            raise StrokeError(f"{patient}: is in this cohort already.")
        found = dict(find_files(source["folder"], source.get("patient")).roles) | found
    if not found:
        raise StrokeError(f"{patient}: has no images to copy; open or choose some in Stroke Predict.")
    if (cohort / "raw_data" / name).exists():
        raise StrokeError(f"{cohort}: has a patient {name} already; rename one of them.")
    copied = []
    for number, role in enumerate(role for role in (*_IMAGES, *_MAPS) if role in found):
        progress(number / len(found), f"copying {ROLES[role][0]}")
        copied.append(str(_copy(found[role], cohort, name, role)))
    known = {key: _text(value) for key, value in (facts or {}).items() if value is not None}
    save_facts(cohort, name, known)
    return {"patient": name, "files": copied}


def _copy(path: Path, cohort: Path, name: str, role: str) -> Path:
    if role in _MAPS:
        folder = cohort / "derivatives" / name / "ses-01" / "perfusion-maps"
    else:
        folder = cohort / "raw_data" / name / "ses-01"
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{name}_ses-01_{role}.nii.gz"
    write_image(place, read_image(path), np.float32)
    beside = path.with_name(path.name.split(".nii")[0] + ".json")
    if beside.is_file():
        write_text(place.with_name(place.name.replace(".nii.gz", ".json")), beside.read_text(encoding="utf-8"))
    return place


def _text(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
