"""Every patient prepared before anything is split: who cannot be used is excluded with the reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.progress import Progress, silent
from StrokePredictLib.threads import available_threads

from ..cohort.index import index_cohort
from ..cohort.table import Cohort, Patient
from ..data import Entry, prepare_patient
from ..recipes.schema import Recipe, validated
from ..spread.work import spread


def prepare_all(
    patients: Sequence[Patient],
    recipe: Recipe,
    cache: Path,
    progress: Progress = silent,
    *,
    data: Path | None = None,
    ledger: Path | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
) -> tuple[dict[str, Entry], dict[str, str]]:
    """Prepare patients; those whom the cache holds take no time.

    Parameters
    ----------
    patients : sequence of Patient
        Of the cohort.
    recipe : Recipe
        For which.
    cache : Path
        Where they lie afterwards.
    progress : Progress
        Told how far it is.
    data, ledger : Path, optional
        The cohort's folder and one for receipts: prepare several at once, on this machine's cores or
        on those of a dask ``scheduler``.
    scheduler, workers
        See `StrokeTrainLib.spread.work.spread`.

    Returns
    -------
    dict of str to Entry
        By patient.
    dict of str to str
        By patient who cannot be used, the reason.
    """
    if data is not None and ledger is not None and (scheduler or (workers or available_threads()) > 1):
        text = recipe.model_dump_json()
        items = {p.id: {"data": str(data), "patient": p.id, "recipe": text, "cache": str(cache)} for p in patients}
        spread(
            "StrokeTrainLib.training.preparation:prepare_one", items, ledger=ledger, scheduler=scheduler,
            workers=workers, progress=lambda fraction, words: progress(0.95 * fraction, f"preparing {words}"),
        )  # fmt: skip
    entries, failed = {}, {}
    for number, patient in enumerate(patients):
        progress(number / len(patients), f"preparing {patient.id} ({number + 1} of {len(patients)})")
        try:
            entries[patient.id] = prepare_patient(patient, recipe, cache)
        except StrokeError as error:
            failed[patient.id] = " ".join(str(error).split())
    return entries, failed


def prepare_one(data: str, patient: str, recipe: str, cache: str) -> dict[str, Any]:
    """Prepare one patient into a cache that all machines share: what `StrokeTrainLib.spread` calls on any of them.

    Parameters
    ----------
    data : str
        The cohort's folder.
    patient : str
        Identifier.
    recipe : str
        As JSON.
    cache : str
        Folder of prepared patients.
    """
    prepare_patient(_cohort(data)[patient], _recipe(recipe), Path(cache))
    return {"patient": patient}


@lru_cache(maxsize=2)
def _cohort(data: str) -> Cohort:
    return index_cohort(data)


@lru_cache(maxsize=2)
def _recipe(text: str) -> Recipe:
    return validated(json.loads(text), "the run's recipe")
