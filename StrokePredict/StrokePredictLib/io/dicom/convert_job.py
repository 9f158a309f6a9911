"""The job behind ``stroke convert``: a DICOM export to one patient's folder of NIfTI files with sidecars."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ...case import ROLES
from ...errors import StrokeError
from ...progress import Progress, silent
from ...volume import Volume
from ..folder import require_folder
from ..images import write_image
from ..output import staged_folder, write_text
from .export import DicomExport, open_export, read_volume
from .series import DicomImage


def run(folder: Path | str, output: Path | str, *, progress: Progress = silent) -> dict[str, Any]:
    """Convert a folder of DICOM files.

    Parameters
    ----------
    folder : path-like
        DICOM files, at any depth.
    output : path-like
        Folder to write into: one NIfTI file a role, and a JSON sidecar with BIDS' words for times, echo time and
        b-value, which the other commands read.

    Returns
    -------
    dict
        ``files``; ``roles`` with series, rule and size; ``left`` and ``skipped``; ``doubts``.

    Raises
    ------
    StrokeError
        If nothing in it plays a role, or a chosen image cannot be read.
    """
    progress(0.0, "reading headers")
    export = open_export(require_folder(folder))
    if not export.roles:
        raise StrokeError(f"{folder}: none of its {len(export.images)} images plays a role here ({export.left[0]}).")
    written: list[str] = []
    with staged_folder(output) as stage:
        for number, (role, image) in enumerate(export.roles.items()):
            progress(0.2 + 0.8 * number / len(export.roles), f"converting {ROLES[role][0]}")
            volume = read_volume(image)
            write_image(stage / f"{role}.nii.gz", volume)
            write_text(stage / f"{role}.json", json.dumps(sidecar(image, volume), indent=1, ensure_ascii=False) + "\n")
            written += [f"{role}.nii.gz", f"{role}.json"]
            written += _section_times(stage, role, image)
    progress(1.0, "done")
    return {"files": [str(Path(output) / name) for name in written], **summary(export)}


def summary(export: DicomExport) -> dict[str, Any]:
    """Return what an export holds, in words that JSON can carry."""
    roles = {
        role: {"series": image.name, "rule": export.reasons[role], "grid": image.describe(), "times": image.clock}
        for role, image in export.roles.items()
    }
    return {"roles": roles, "left": export.left, "skipped": export.skipped, "doubts": export.doubts}


def sidecar(image: DicomImage, volume: Volume) -> dict[str, Any]:
    """Return BIDS' JSON for an image; no patient's data."""
    facts = image.first.facts
    told: dict[str, Any] = {
        "Modality": facts["modality"],
        "Manufacturer": facts["manufacturer"],
        "SeriesDescription": facts["description"],
        "SeriesNumber": facts["series_number"],
        "ImageType": list(image.first.kind),
    }
    if "echo_time_s" in volume.meta:
        told["EchoTime"] = volume.meta["echo_time_s"]
    if image.b_value is not None:
        told["DiffusionBValue"] = image.b_value
    times = volume.meta.get("times")
    if times is not None:
        middle = times if times.ndim == 1 else times.mean(axis=1) - times.mean(axis=1).min()
        told["VolumeTiming"] = [round(float(t), 4) for t in middle]
        told["VolumeTimingSource"] = image.clock
    return told


def _section_times(stage: Path, role: str, image: DicomImage) -> list[str]:
    """Write the times of every section where they differ, as ``--times`` takes them."""
    if image.times is None or image.times.ndim == 1:
        return []
    name = f"{role}_times.csv"
    write_text(stage / name, "\n".join(",".join(f"{t:.4f}" for t in row) for row in np.asarray(image.times)) + "\n")
    return [name]
