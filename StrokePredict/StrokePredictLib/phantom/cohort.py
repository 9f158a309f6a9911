"""A folder of simulated patients in the layout that cohorts are read from."""

from __future__ import annotations

import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import StrokeError
from ..io.output import staged_folder, write_text
from ..progress import Progress, part, silent
from ..threads import available_threads
from .fields import stream
from .freeze import fingerprint
from .frozen_record import FIGURES
from .grid import Grid
from .patient import simulate_patient
from .patient_files import to_json, write_patient
from .populations import population_of

COLUMNS = (
    "participant_id", "age", "sex", "nihss", "onset_to_imaging_min", "onset_known", "imaging_to_reperfusion_min",
    "mtici", "reperfusion_rate", "reperfusion_yu", "reperfusion_debs", "role", "vendor", "center",
    "side", "occlusion", "collaterals", "circulation", "stroke_confirmed", "followup_days", "perfusion_quality",
    "artefacts", "population", "person",
)  # fmt: skip


@dataclass(frozen=True)
class _Task:
    """One patient to simulate and write, small enough to be sent to another process."""

    stage: Path
    name: str
    seed: int
    options: dict[str, Any]


def write_cohort(
    folder: Path | str,
    cases: int,
    seed: int,
    *,
    perfusion: bool = True,
    grid: Grid | None = None,
    population: str = "lvo",
    modality: str = "MR",
    vendor: str = "A",
    centers: int = 1,
    workers: int = 1,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write a simulated cohort: images, labels, truth, participants.tsv, dataset_description.json.

    Parameters
    ----------
    folder : path-like
        Made if it is missing; whole or absent.
    cases : int
        How many patients, at least 1.
    seed : int
        Patient n (from 1) is ``simulate_patient(seed * 1_000_003 + n − 1)``: the first of seed 0 is patient 0.
    perfusion : bool
        Whether to write the perfusion series, which is most of the disk and time.
    grid : Grid, optional
        As `simulate_patient`.
    population, modality : str
        As `simulate_patient`.
    vendor : {"A", "B", "both"}
        Whose scanners. "both": the odd centres have A's, the even ones B's.
    centers : int
        Among how many centres the patients are spread; at least two with both vendors.
    workers : int
        Processes that simulate patients side by side; 0: as many as there are cores. The files are the same.
    progress : Progress
        Told how far it is.

    Returns
    -------
    dict
        ``folder``, ``cases``, ``participants`` (rows as written), ``files`` (paths).

    Raises
    ------
    StrokeError
        If a number or a name is not usable, a process dies, or the disk refuses.
    """
    _refuse_numbers(cases, seed, workers, centers)
    population_of(0, population)
    _refuse_others(Path(folder), {f"sub-{n + 1:04d}" for n in range(cases)})
    centers = max(centers, 2) if vendor == "both" else centers
    with staged_folder(folder) as stage:
        common = {"grid": grid, "perfusion": perfusion, "population": population, "modality": modality}
        tasks = []
        for n in range(cases):
            own = cohort_seed(seed, n)
            where = dict(zip(("vendor", "center"), _place(own, vendor, centers), strict=True))
            tasks.append(_Task(stage, f"sub-{n + 1:04d}", own, common | where))
        rows = _simulate_all(tasks, min(workers or available_threads(), cases), progress)
        write_text(stage / "participants.tsv", _table(rows))
        write_text(stage / "dataset_description.json", to_json(_description(cases, seed, population)))
        names = sorted(path.relative_to(stage) for path in stage.rglob("*") if path.is_file())
    files = [str(Path(folder) / name) for name in names]
    return {"folder": str(folder), "cases": cases, "participants": rows, "files": files}


def _refuse_numbers(cases: int, seed: int, workers: int, centers: int) -> None:
    if cases < 1:
        raise StrokeError(f"--cases {cases}: at least 1 patient is needed.")
    if seed < 0:
        raise StrokeError(f"--seed {seed}: a whole number from 0 on is needed.")
    if workers < 0:
        raise StrokeError(f"--workers {workers}: a whole number from 0 on is needed (0: one for each core).")
    if centers < 1:
        raise StrokeError(f"--centers {centers}: at least 1 centre is needed.")


def _refuse_others(folder: Path, names: set[str]) -> None:
    """Refuse a folder that holds patients besides those to be written: its table would no longer list them."""
    there = {path.name for base in ("raw_data", "derivatives") for path in (folder / base).glob("sub-*")}
    if there - names:
        raise StrokeError(f"{folder}: holds other patients ({min(there - names)} …); choose an empty folder with -o.")


def cohort_seed(seed: int, n: int) -> int:
    """Return the seed of patient ``n`` (from 0) of a cohort."""
    # A prime, so that no patient of one cohort is one of another, nor one of those that shipped models learnt from.
    return seed * 1_000_003 + n


def _place(seed: int, vendor: str, centers: int) -> tuple[str, str]:
    """Return vendor and centre of one patient, who comes to any centre with equal chance."""
    number = int(stream(seed, "population").integers(1_000_000)) % centers
    own = "AB"[number % 2] if vendor == "both" else vendor
    return own, "simulated" if centers == 1 else f"simulated-{number + 1}"


def _simulate_all(tasks: list[_Task], workers: int, progress: Progress) -> list[dict[str, Any]]:
    """Simulate and write all patients; return their rows, in order."""
    if workers > 1:
        return _side_by_side(tasks, workers, progress)
    rows = []
    for n, task in enumerate(tasks):
        step = part(progress, n / len(tasks), (n + 1) / len(tasks))
        rows.append(_write_one(task, part(step, 0.0, 0.8)))
        step(1.0, f"{task.name} written")
    return rows


def _side_by_side(tasks: list[_Task], workers: int, progress: Progress) -> list[dict[str, Any]]:
    before = set(multiprocessing.active_children())
    # Started afresh: a forked copy of a process with threads (torch, ITK) can hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_leave_interrupts)
    rows: dict[int, dict[str, Any]] = {}
    try:
        running = {pool.submit(_write_one, task): n for n, task in enumerate(tasks)}
        progress(0.0, f"{workers} processes started")
        for future in as_completed(running):
            rows[running.pop(future)] = future.result()
            progress(len(rows) / len(tasks), f"{len(rows)} of {len(tasks)} patients written")
    except BrokenProcessPool as error:
        raise StrokeError(
            f"one of {workers} processes was ended from outside (memory?); try fewer with --workers."
        ) from error
    finally:
        # Whoever cancels does not wait for patients that are half simulated.
        pool.shutdown(wait=len(rows) == len(tasks), cancel_futures=True)
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
            child.join()
    return [rows[n] for n in range(len(tasks))]


def _leave_interrupts() -> None:
    """Let the parent alone answer Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _write_one(task: _Task, progress: Progress = silent) -> dict[str, Any]:
    """Simulate and write one patient; return the row of participants.tsv."""
    patient = simulate_patient(task.seed, progress=progress, **task.options)
    write_patient(task.stage, task.name, patient)
    facts = patient.facts
    # Another scanner's images of the same head and stroke are records of the same person, whatever the cohort.
    person = f"phantom-{facts['population']}-{task.seed}"
    return {"participant_id": task.name, **facts, "person": person}


def _table(rows: list[dict[str, Any]]) -> str:
    lines = ["\t".join(COLUMNS)]
    for row in rows:
        lines.append("\t".join("n/a" if row[c] is None else str(row[c]) for c in COLUMNS))
    return "\n".join(lines) + "\n"


def _description(cases: int, seed: int, population: str) -> dict[str, Any]:
    from .. import __version__

    return {
        "Name": f"SIMULATED stroke patients (n = {cases}, seed {seed}, population {population}): no person was imaged",
        "BIDSVersion": "1.9.0",
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "StrokePredictLib.phantom", "Version": __version__}],
        "Simulated": True,
        "PhantomFingerprint": fingerprint(FIGURES),
    }
