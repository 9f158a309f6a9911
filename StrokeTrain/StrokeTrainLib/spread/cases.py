"""What is spread over a cohort: perfusion maps of every series, predictions of every patient."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from StrokePredictLib.case import SERIES_ROLES
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictLib.io.output import staged_folder, write_text
from StrokePredictLib.predict_cohort import is_done
from StrokePredictLib.predict_job import considered, open_models
from StrokePredictLib.predict_job import run as predict_job
from StrokePredictLib.progress import Progress, silent
from StrokePredictLib.provenance import sha256_of

from ..cohort.table import Cohort, Patient
from .ledger import Ledger, key_of
from .work import Outcome, spread

MAPS = "perfusion-maps"
#: What was computed, how, and whether it can be trusted; beside the maps.
_RECORD = "perfusion.json"
_WORK = "StrokeTrainLib.spread.cases:write_maps"
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

    Maps that this made earlier are made again where the series has changed or another method is asked for.

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
    ledger = Ledger(cohort.root / "derivatives" / RECEIPTS / MAPS)
    items: dict[str, dict[str, Any]] = {}
    left_out: dict[str, str] = {}
    for patient in cohort:
        if patient.layout != "bids" or patient.problems:
            why = "maps are written for the BIDS layout only"
            left_out[patient.id] = patient.problems[0] if patient.problems else why
            continue
        wanted = {
            _item(patient, session): {
                "series": str(series), "output": str(_maps_folder(cohort.root, patient.id, series)), "method": method,
                "stamp": _stamp(series),
            }
            for session, series, _ in _all_series(patient)
        }  # fmt: skip
        made = {_item(patient, session) for session, _, there in _all_series(patient) if there}
        # Maps from elsewhere, such as a scanner's or a reader's own, have no receipt and are never replaced.
        ours = {item for item in made if ledger.receipt(item).is_file()}
        stay = (made - ours) | {item for item in ours if not _is_old(ledger, item, wanted[item])}
        if not wanted.keys() - stay:
            left_out[patient.id] = _why_not(made, ours)
        items |= {item: parameters for item, parameters in wanted.items() if item not in stay}
    outcome = spread(
        _WORK,
        items,
        ledger=ledger.folder,
        scheduler=scheduler,
        workers=workers,
        progress=progress,
    )
    return outcome, left_out


def write_maps(series: str, output: str, method: str, stamp: list[int]) -> dict[str, Any]:
    """Compute one series' maps and write them under BIDS' names; ``stamp`` makes a changed file a new item."""
    from StrokePredictLib.perfusion.job import OWN_FILES, run

    _sweep(Path(output))
    prefix = _prefix(Path(series))
    stale = [f"{prefix}_{pattern}" for pattern in OWN_FILES]  # another method's
    with staged_folder(output, owns=stale, inputs=[series]) as stage:
        inner = stage / "maps"
        run(series, inner, method=method)
        names = []
        for path in sorted(inner.iterdir()):
            names.append(f"{prefix}_{path.name}" if path.name.endswith(".nii.gz") else path.name)
            path.replace(stage / names[-1])
        inner.rmdir()
    return {"files": [str(Path(output) / name) for name in names]}


def failed_quality(cohort: Cohort) -> list[str]:
    """Return whose maps in the cohort's ``derivatives`` come from a series that failed its quality check.

    Named as the items of `compute_cohort_maps`.
    """
    return [
        _item(patient, session)
        for patient in cohort
        for session, series, _ in _all_series(patient)
        if _record(_maps_folder(cohort.root, patient.id, series)).get("quality_passed") is False
    ]


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


def _all_series(patient: Patient) -> list[tuple[str, Path, bool]]:
    """Return session (the baseline's is an empty name), series, and whether its maps are there."""
    sessions = {"": patient.images, **{name: roles for name, roles in patient.later.items() if name != ""}}
    found = []
    for session, roles in sessions.items():
        series = next((roles[role] for role in SERIES_ROLES if role in roles), None)
        if series is not None:
            found.append((session, series, "tmax" in roles))
    return found


def _item(patient: Patient, session: str) -> str:
    return f"{patient.id} ses-{session}" if session else patient.id


def _record(folder: Path) -> dict[str, Any]:
    """Return ``perfusion.json``; empty where it is missing or cannot be read."""
    try:
        return read_json_object(folder / _RECORD)
    except StrokeError:
        return {}


def _is_old(ledger: Ledger, item: str, parameters: dict[str, Any]) -> bool:
    """Whether maps were made by another method, or of another series than lies there now; in whatever folder."""
    if ledger.read(item, key_of(_WORK, parameters)) is not None:
        return False
    record = _record(Path(parameters["output"]))
    known = record.get("provenance", {}).get("inputs", {}).get("series", {}).get("sha256")
    return record.get("method") != parameters["method"] or known != sha256_of(parameters["series"])


def _why_not(made: set[str], ours: set[str]) -> str:
    if not made:
        return "no perfusion series"
    return "its maps are there" if made == ours else "has maps from elsewhere, which stay"


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
