"""The jobs behind the panel's locked test set: drawn, opened for a reason, and tested on once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from StrokePredictLib.progress import Progress, part, silent

from .cohort.index import index_cohort
from .cohort.locked import lock, open_locked, read_locked
from .cohort.rows import Remembered
from .data.cache import cache_folder
from .training.run_folder import RunFolder

#: Folder of a run that a test on the locked set is written into.
FOLDER = "locked-test"


def run(
    folder: Path | str,
    *,
    share: float,
    seed: int = 0,
    target: str = "final-infarct",
    by: str = "",
    output: Path | str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Lock a test set (`StrokeTrainLib.cohort.locked.lock`); return ``patients``, ``words`` and ``files``, none."""
    cohort = index_cohort(folder, progress=part(progress, 0.0, 0.5))
    known, _faults = Remembered(cache_folder(), cohort.root).measure(cohort, part(progress, 0.5, 1.0))
    volumes = {name: found[target] for name, found in known.items() if found.get(target) is not None}
    made = lock(cohort, share, seed, target=target, by=by, volumes=volumes)
    return {"files": [], "patients": list(made.patients), "words": made.words()}


def assess(
    *,
    run: Path | str,
    reason: str,
    by: str = "",
    output: Path | str | None = None,
    progress: Progress = silent,
    **chosen: Any,
) -> dict[str, Any]:
    """Open a cohort's locked test set for a reason and evaluate a run's finished model on it.

    What stands in the way of the test is found before the set is opened.

    Parameters
    ----------
    run : path-like
        A finished run on that cohort.
    reason, by : str
        Why and by whom; recorded in the cohort's folder.
    output : path-like, optional
        Not used: results belong to the run.
    chosen
        Fields of `StrokeTrainLib.evaluation.evaluate.Options`.

    Returns
    -------
    dict
        As `StrokeTrainLib.evaluate_job.run`, with ``words`` of the set.

    Raises
    ------
    StrokeError
        If there is no locked set, no reason, no finished model, or the model has seen all of its patients.
    """
    from StrokePredictLib.errors import StrokeError
    from StrokePredictLib.models.bundle import open_bundle

    from .evaluation.evaluate import Options, evaluate

    place = RunFolder(Path(run))
    facts = place.read()
    found = read_locked(facts["data"])
    if found is None:
        raise StrokeError(f"{facts['data']}: has no locked test set.")
    if not place.bundle.is_dir():
        raise StrokeError(f"{place.path}: has no model yet; it is written when the last fold is done.")
    open_bundle(place.bundle)
    opened = open_locked(facts["data"], reason, by=by)
    options = Options(workers=1, only=found.patients, **chosen)
    done = evaluate(
        facts["data"], place.path / FOLDER, model=str(place.bundle), options=options, progress=progress
    )  # fmt: skip
    kept = {key: done[key] for key in ("files", "patients", "scored", "notes")}
    return kept | {"folder": str(place.path / FOLDER), "words": opened.words()}
