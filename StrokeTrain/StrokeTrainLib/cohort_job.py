"""The jobs behind the panel's section Cohort."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.progress import Progress, part, silent

from .cohort.index import index_cohort
from .cohort.locked import LockedSet, read_locked
from .cohort.rows import Remembered, rows_of
from .cohort.select import select
from .cohort.table import Patient
from .cohort.votes import settling
from .data.cache import cache_folder


def run(
    folder: Path | str,
    *,
    target: str = "final-infarct",
    needs: Collection[str] = (),
    measure: bool = True,
    output: Path | str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """List a cohort.

    Parameters
    ----------
    folder : path-like
        The cohort's.
    target : str
        Which label a patient must have.
    needs : collection of str
        Which images.
    measure : bool
        Read headers and labels too; without it names alone, and the volumes that are remembered.
    output : path-like, optional
        Not used.

    Returns
    -------
    dict
        ``root``, ``rows`` (`StrokeTrainLib.cohort.rows.rows_of`), ``notes``, ``measured``, ``locked`` (the locked test
        set in words, empty where there is none), ``closed`` (whether it is there and not opened) and ``files``, none.
    """
    cohort = index_cohort(folder, headers=measure, progress=part(progress, 0.0, 0.4))
    remembered = Remembered(cache_folder(), cohort.root)
    faults: dict[str, str] = {}
    if measure:
        volumes, faults = remembered.measure(cohort, part(progress, 0.4, 0.95))
    else:
        volumes = {patient.id: remembered.volumes(patient) or {} for patient in cohort}
    chosen = select(cohort, needs, target, measure=False, may_be_empty=True)
    why = faults | {patient.id: reason for patient, reason in chosen.excluded}
    locked, said = _locked(cohort.root)
    return {
        "files": [], "root": str(cohort.root), "rows": rows_of(cohort, why, volumes, locked.kept_out if locked else ()),
        "notes": [*said, *chosen.notes], "measured": measure, "locked": locked.words() if locked else "",
        "closed": locked is not None and locked.closed,
    }  # fmt: skip


def _locked(root: Path) -> tuple[LockedSet | None, list[str]]:
    """Return the locked test set, and what is wrong with it: a cohort is listed all the same, but not trained on."""
    try:
        return read_locked(root), []
    except StrokeError as error:
        return None, [str(error)]


def agreement(
    folder: Path | str,
    *,
    target: str = "final-infarct",
    output: Path | str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Compare the readers of a cohort, two by two.

    Returns
    -------
    dict
        ``pairs``: by two readers' names the Dice coefficients of the patients whom both read (each reader's last read).

    Raises
    ------
    StrokeError
        If no patient was read by two.
    """
    pairs: dict[str, list[float]] = {}
    cohort = index_cohort(folder, progress=part(progress, 0.0, 0.5))
    for number, patient in enumerate(cohort):
        progress(0.5 + 0.5 * number / len(cohort), patient.id)
        for (first, second), dice in _compared(patient, target).items():
            pairs.setdefault(f"{first} and {second}", []).append(dice)
    if not pairs:
        raise StrokeError(f"{folder}: no patient was read by two readers ({target}); a second read is needed.")
    return {"files": [], "pairs": pairs}


def disputes(
    folder: Path | str,
    *,
    reader: str,
    limit: float,
    target: str = "final-infarct",
    output: Path | str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Return whom a third reader has to settle: patients whose two readers agree less than a limit.

    Parameters
    ----------
    folder : path-like
        The cohort's.
    reader : str
        Who settles; patients whom this reader outlined are another's to settle.
    limit : float
        Dice coefficient below which two readers differ.
    target : str
        Which outlines.
    output : path-like, optional
        Not used.

    Returns
    -------
    dict
        ``open``: by patient who is to be settled ``dice`` of the two who differ most, and ``files`` of both, in an
        order that tells nothing of who drew which; ``settled``, ``own``: how many are settled, and how many differ
        that this reader has outlined; ``files``, none.

    Raises
    ------
    StrokeError
        If the limit is no Dice coefficient, or no patient was read by two.
    """
    if not 0 < limit <= 1:
        raise StrokeError(f"limit {limit:g}: a Dice coefficient above 0 and at most 1 is needed.")
    cohort = index_cohort(folder, progress=part(progress, 0.0, 0.5))
    waiting: dict[str, Any] = {}
    counts, compared = {"settled": 0, "own": 0}, 0
    for number, patient in enumerate(cohort):
        progress(0.5 + 0.5 * number / len(cohort), patient.id)
        found = _compared(patient, target)
        compared += bool(found)
        if settling(patient, target) is not None:
            counts["settled"] += 1
        elif found and min(found.values()) < limit:
            pair = min(found, key=found.__getitem__)
            last = _last_reads(patient, target)
            if reader in last:
                counts["own"] += 1
                continue
            files = [str(last[name]) for name in _shuffled(pair, patient.id, reader)]
            waiting[patient.id] = {"dice": found[pair], "files": files}
    if not compared:
        raise StrokeError(f"{folder}: no patient was read by two readers ({target}); a second read is needed.")
    return {"files": [], "open": waiting, **counts}


def _shuffled(pair: tuple[str, str], patient: str, reader: str) -> tuple[str, str]:
    """Return two names in an order that looks like chance to who settles, and is always the same."""
    told = hashlib.sha256("\0".join((*pair, patient, reader)).encode()).digest()
    return pair if told[0] % 2 else pair[::-1]


def _compared(patient: Patient, target: str) -> dict[tuple[str, str], float]:
    """Return the Dice coefficient of each two readers who drew without seeing each other."""
    from StrokePredictLib.io.images import read_image

    found = {}
    last = _last_reads(patient, target)
    for first, second in combinations(sorted(last), 2):
        a, b = (read_image(last[name], series=False, may_be_empty=True) for name in (first, second))
        a.require_same_grid(b)
        found[first, second] = _dice(a.array > 0.5, b.array > 0.5)
    return found


def _last_reads(patient: Patient, target: str) -> dict[str, Path]:
    """Return each named reader's last read; one that settled a dispute was drawn with the others in sight."""
    found: dict[str, Path] = {}
    for label in sorted(patient.labels_of(target), key=lambda label: label.read or 0):
        if label.reader and not label.settles:
            found[label.reader] = label.path
    return found


def _dice(a: np.ndarray, b: np.ndarray) -> float:
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2.0 * float(np.count_nonzero(a & b)) / total if total else 1.0
