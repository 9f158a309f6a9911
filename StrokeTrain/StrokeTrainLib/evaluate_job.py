"""The job behind the panel's Evaluate: a run by its out-of-fold predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from StrokePredictLib.progress import Progress, silent

from .training.run_folder import RunFolder

FOLDER = "evaluation"


def run(
    *, run: Path | str, output: Path | str | None = None, progress: Progress = silent, **chosen: Any
) -> dict[str, Any]:
    """Evaluate a run into its own folder ``evaluation``.

    Parameters
    ----------
    run : path-like
        A finished run.
    output : path-like, optional
        Not used: results belong to the run.
    chosen
        Fields of `StrokeTrainLib.evaluation.evaluate.Options`.

    Returns
    -------
    dict
        As `StrokeTrainLib.evaluation.evaluate.evaluate`, without the summary, which lies in a file; ``folder``.
    """
    from .evaluation.evaluate import Options, evaluate

    folder = RunFolder(Path(run))
    facts = folder.read()
    done = evaluate(
        facts["data"], folder.path / FOLDER, run=folder.path, options=Options(workers=1, **chosen), progress=progress
    )
    return {key: done[key] for key in ("files", "patients", "scored", "notes")} | {"folder": str(folder.path / FOLDER)}
