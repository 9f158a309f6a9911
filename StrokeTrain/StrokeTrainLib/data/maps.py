"""Perfusion maps of patients who have the series alone, made once by the same code as ``stroke perfusion``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from StrokePredictLib.io.images import read_image, write_image
from StrokePredictLib.io.output import write_text

from .cache import key_of, made_once

if TYPE_CHECKING:
    from ..cohort.table import Patient

MAPS = ("cbf", "cbv", "mtt", "tmax", "ttp")
_RECORD = "perfusion.json"


def missing_maps(patient: Patient, needed: tuple[str, ...], cache: Path) -> dict[str, Path]:
    """Return files of the maps that a recipe needs and a patient lacks, computed if they are not in the cache.

    All maps come from one source: where one is missing, all are computed.

    Raises
    ------
    StrokeError
        If the series cannot be used.
    """
    wanted = [role for role in needed if role in MAPS]
    series = next((patient.images[role] for role in ("pwi", "ctp") if role in patient.images), None)
    if series is None or all(role in patient.images for role in wanted):
        return {}
    files = {"series": series} | ({"sidecar": sidecar} if (sidecar := sidecar_of(series)) else {})
    folder = cache / "maps" / key_of({"method": "bsvd"}, files)
    made_once(folder, _RECORD, lambda stage: _compute(series, stage))
    return {role: folder / f"{role}.nii.gz" for role in MAPS}


def sidecar_of(path: Path) -> Path | None:
    """Return the JSON beside an image file, if there is one."""
    name = path.name
    stem = name[:-7] if name.lower().endswith(".nii.gz") else path.stem
    sidecar = path.with_name(stem + ".json")
    return sidecar if sidecar.is_file() else None


def _compute(path: Path, folder: Path) -> None:
    from StrokePredictLib.perfusion.job import guess_modality
    from StrokePredictLib.perfusion.pipeline import compute_maps
    from StrokePredictLib.perfusion.sources import find_timing, read_sidecar

    series = read_image(path, series=True)
    timing = find_timing(series, path)
    modality = guess_modality(series.array, str(path), read_sidecar(path))
    result = compute_maps(series, timing.times, modality=modality, echo_time=timing.echo_time)
    for role in MAPS:
        write_image(folder / f"{role}.nii.gz", result.maps[role])
    write_text(folder / _RECORD, json.dumps(result.summary, indent=1, ensure_ascii=False) + "\n")
