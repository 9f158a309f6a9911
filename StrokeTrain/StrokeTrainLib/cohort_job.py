"""The jobs behind the panel's section Cohort."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.progress import Progress, part, silent

from .cohort.index import index_cohort
from .cohort.rows import Remembered, rows_of
from .cohort.select import select
from .cohort.table import Patient
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
        ``root``, ``rows`` (`StrokeTrainLib.cohort.rows.rows_of`), ``notes``, ``measured``, and ``files``, none.
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
    rows = rows_of(cohort, why, volumes)
    return {"files": [], "root": str(cohort.root), "rows": rows, "notes": list(chosen.notes), "measured": measure}


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
    from StrokePredictLib.io.images import read_image

    pairs: dict[str, list[float]] = {}
    cohort = index_cohort(folder, progress=part(progress, 0.0, 0.5))
    for number, patient in enumerate(cohort):
        progress(0.5 + 0.5 * number / len(cohort), patient.id)
        last = _last_reads(patient, target)
        for first, second in combinations(sorted(last), 2):
            a, b = (read_image(last[name], series=False, may_be_empty=True) for name in (first, second))
            a.require_same_grid(b)
            pairs.setdefault(f"{first} and {second}", []).append(_dice(a.array > 0.5, b.array > 0.5))
    if not pairs:
        raise StrokeError(f"{folder}: no patient was read by two readers ({target}); a second read is needed.")
    return {"files": [], "pairs": pairs}


def _last_reads(patient: Patient, target: str) -> dict[str, Path]:
    """Return each named reader's last read."""
    found: dict[str, Path] = {}
    for label in sorted(patient.labels_of(target), key=lambda label: label.read or 0):
        if label.reader:
            found[label.reader] = label.path
    return found


def _dice(a: np.ndarray, b: np.ndarray) -> float:
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2.0 * float(np.count_nonzero(a & b)) / total if total else 1.0
