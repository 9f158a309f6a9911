"""What is spread over a cohort: perfusion maps of every series, predictions of every patient."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from StrokePredictLib.case import SERIES_ROLES
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.output import staged_folder, write_text
from StrokePredictLib.predict_cohort import is_done
from StrokePredictLib.predict_job import considered, open_models
from StrokePredictLib.predict_job import run as predict_job
from StrokePredictLib.progress import Progress, silent

from ..cohort.table import Cohort, Patient
from .work import Outcome, spread

MAPS = "perfusion-maps"
#: Receipts lie in hidden folders, which no index looks into.
RECEIPTS = ".receipts"


def compute_cohort_maps(
    cohort: Cohort,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    method: str = "bsvd",
    progress: Progress = silent,
) -> tuple[Outcome, dict[str, str]]:
    """Compute the perfusion maps of every series that has none, into the cohort's ``derivatives``.

    Parameters
    ----------
    cohort : Cohort
        In BIDS layout.
    scheduler, workers
        See `StrokeTrainLib.spread.work.spread`.
    method : str
        Deconvolution (`StrokePredictLib.perfusion.job.run`).
    progress : Progress
        Told how many are done.

    Returns
    -------
    tuple of (Outcome, dict)
        Items are ``sub-0001`` and, of a later session, ``sub-0001 ses-24h``; and by patient why nothing was to be done.
    """
    items: dict[str, dict[str, Any]] = {}
    left_out: dict[str, str] = {}
    for patient in cohort:
        found = _series_without_maps(patient)
        if patient.layout != "bids" or patient.problems or not found:
            why = "maps are written for the BIDS layout only" if patient.layout != "bids" else "no series without maps"
            left_out[patient.id] = patient.problems[0] if patient.problems else why
            continue
        for session, series in found.items():
            name = f"{patient.id} ses-{session}" if session else patient.id
            place = _maps_folder(cohort.root, patient.id, series)
            items[name] = {
                "series": str(series), "output": str(place), "method": method, "stamp": _stamp(series),
            }  # fmt: skip
    outcome = spread(
        "StrokeTrainLib.spread.cases:write_maps",
        items,
        ledger=cohort.root / "derivatives" / RECEIPTS / MAPS,
        scheduler=scheduler,
        workers=workers,
        progress=progress,
    )
    return outcome, left_out


def write_maps(series: str, output: str, method: str, stamp: list[int]) -> dict[str, Any]:
    """Compute one series' maps and write them under BIDS' names; ``stamp`` makes a changed file a new item."""
    from StrokePredictLib.perfusion.job import run

    _sweep(Path(output))
    prefix = _prefix(Path(series))
    with staged_folder(output) as stage:
        inner = stage / "maps"
        run(series, inner, method=method)
        names = []
        for path in sorted(inner.iterdir()):
            names.append(f"{prefix}_{path.name}" if path.name.endswith(".nii.gz") else path.name)
            path.replace(stage / names[-1])
        inner.rmdir()
    return {"files": [str(Path(output) / name) for name in names]}


def predict_cohort(
    output: Path | str,
    cohort: Cohort,
    *,
    models: list[str] | None = None,
    device: str = "auto",
    form: str = ".nii.gz",
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Predict every patient, each into a folder of its own: `StrokePredictLib.predict_cohort.run_cohort`, spread out.

    Returns
    -------
    dict
        ``files``, and ``cohort`` as in ``cohort.json``.
    """
    output = Path(output).absolute()
    wanted = considered(open_models(models)[0])
    options = {"models": _absolute(models), "device": device, "form": form, "wanted": wanted}
    usable = [patient for patient in cohort if not patient.problems]
    items = {
        patient.id: options
        | {"output": str(output / patient.id), "stamp": [x for p in patient.images.values() for x in _stamp(p)]}
        | {"folder": str(patient.folder), "patient": patient.id if patient.layout == "bids" else None}
        for patient in usable
    }
    outcome = spread(
        "StrokeTrainLib.spread.cases:predict_one",
        items,
        ledger=output / RECEIPTS,
        scheduler=scheduler,
        workers=workers,
        progress=progress,
    )
    before = {item for item, result in outcome.done.items() if result["before"]} | set(outcome.skipped)
    failed = outcome.failed | {patient.id: patient.problems[0] for patient in cohort if patient.problems}
    summary = {
        "done": sorted(set(outcome.done) - before),
        "skipped": sorted(before),
        "failed": [{"patient": name, "reason": reason} for name, reason in sorted(failed.items())],
        "models": wanted,
    }
    files = [name for item in summary["done"] for name in outcome.done[item]["files"]]
    if before or outcome.done:
        write_text(output / "cohort.json", json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
        files.append(str(output / "cohort.json"))
    return {"files": files, "cohort": summary}


def predict_one(
    output: str,
    folder: str,
    patient: str | None,
    models: list[str] | None,
    device: str,
    form: str,
    wanted: dict[str, str],
    stamp: list[int],
) -> dict[str, Any]:
    """Predict one patient unless the whole result of these models on these files is there already."""
    _sweep(Path(output))
    here = considered(open_models(models)[0])
    if here != wanted:
        raise StrokeError("the worker has other models than the machine that asked; install the same ones there.")
    if patient is not None and is_done(Path(output), folder, patient, wanted, form):
        return {"files": sorted(str(path) for path in Path(output).glob(f"*{form}")), "before": True}
    result = predict_job(output, folder=folder, patient=patient, models=models, device=device, form=form)
    return {"files": result["files"], "before": False}


def _series_without_maps(patient: Patient) -> dict[str, Path]:
    """Return the series to compute by session; the baseline's under an empty name."""
    sessions = {"": patient.images, **{name: roles for name, roles in patient.later.items() if name != ""}}
    found = {}
    for session, roles in sessions.items():
        series = next((roles[role] for role in SERIES_ROLES if role in roles), None)
        if series is not None and "tmax" not in roles:
            found[session] = series
    return found


def _sweep(output: Path) -> None:
    """Remove what a worker that was killed left unfinished; its receipt's lock is ours by now."""
    for path in output.glob(".unfinished-*"):
        shutil.rmtree(path, ignore_errors=True)


def _maps_folder(root: Path, patient: str, series: Path) -> Path:
    session = re.search(r"ses-[A-Za-z0-9]+", series.parent.name)
    base = root / "derivatives" / patient
    return (base / session[0] if session else base) / MAPS


def _prefix(series: Path) -> str:
    """Return BIDS' entities of a series' name: all but its last word."""
    return series.name.split(".nii")[0].rsplit("_", 1)[0]


def _stamp(path: Path) -> list[int]:
    """Return size and time of change: what makes a receipt old."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _absolute(models: list[str] | None) -> list[str] | None:
    """Return bundle folders as absolute paths, names as they are."""
    return None if models is None else [str(Path(m).absolute()) if Path(m).is_dir() else m for m in models]
