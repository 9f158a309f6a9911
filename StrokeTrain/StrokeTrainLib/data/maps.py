"""Perfusion maps of patients who have the series alone, made once by the same code as ``stroke perfusion``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image, write_image
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictLib.io.output import write_text

from .cache import key_of, made_once

if TYPE_CHECKING:
    from ..cohort.table import Patient

MAPS = ("cbf", "cbv", "mtt", "tmax", "ttp")
_RECORD = "perfusion.json"
#: Patients that a note names.
_FEW = 10


def missing_maps(patient: Patient, needed: tuple[str, ...], cache: Path) -> dict[str, Path]:
    """Return files of the maps that a recipe needs and a patient lacks, computed if they are not in the cache.

    All maps come from one source: where one is missing, all are computed.

    Raises
    ------
    StrokeError
        If the series cannot be used.
    """
    series = _series_for(patient, needed)
    if series is None:
        return {}
    folder = _folder_of(series, cache)
    made_once(folder, _RECORD, lambda stage: _compute(series, stage))
    return {role: folder / f"{role}.nii.gz" for role in MAPS}


def quality_notes(patients: Iterable[Patient], needed: tuple[str, ...], cache: Path) -> list[str]:
    """Return a sentence that names whose maps come from a series that failed its quality check, or none.

    Parameters
    ----------
    patients : iterable of Patient
        Whose maps are there: their own, which are judged where ``perfusion.json`` lies beside them, or in the cache.
    needed : tuple of str
        Roles that are used.
    cache : Path
        As for `missing_maps`.
    """
    judged = {patient.id: _failed_checks(patient, needed, cache) for patient in patients}
    failed = {name: checks for name, checks in judged.items() if checks}
    if not failed:
        return []
    told = [f"{name} ({', '.join(checks)})" for name, checks in list(failed.items())[:_FEW]]
    more = f" and {len(failed) - _FEW} more" if len(failed) > _FEW else ""
    return [
        f"The perfusion series of {len(failed)} of {len(judged)} patients failed the quality check, and what rests on "
        f"their maps may be wrong: {', '.join(told)}{more}. Look at them, or leave them out."
    ]


def _failed_checks(patient: Patient, needed: tuple[str, ...], cache: Path) -> list[str]:
    wanted = [role for role in needed if role in MAPS]
    if not wanted:
        return []
    series = _series_for(patient, needed)
    own = next((patient.images[role] for role in wanted if role in patient.images), None)
    if series is None and own is None:
        return []
    record = (own.parent if series is None else _folder_of(series, cache)) / _RECORD
    try:
        found = read_json_object(record)
    except StrokeError:  # maps from elsewhere have no record, or one of another kind
        return []
    return [str(check) for check in found.get("quality_failed") or []] if found.get("quality_passed") is False else []


def _series_for(patient: Patient, needed: tuple[str, ...]) -> Path | None:
    """Return the series that the needed maps are computed from; None where there is none, or no need."""
    series = next((patient.images[role] for role in ("pwi", "ctp") if role in patient.images), None)
    return None if all(role in patient.images for role in needed if role in MAPS) else series


def _folder_of(series: Path, cache: Path) -> Path:
    files = {"series": series} | ({"sidecar": sidecar} if (sidecar := sidecar_of(series)) else {})
    return cache / "maps" / key_of({"method": "bsvd"}, files)


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
