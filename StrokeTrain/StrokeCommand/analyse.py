"""The main job on one patient: maps, thresholds, prediction, scene, report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from StrokePredictLib.case import SERIES_ROLES
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.folder import find_files
from StrokePredictLib.io.output import staged_folder
from StrokePredictLib.pipeline import study_of
from StrokePredictLib.progress import Progress, silent
from StrokePredictLib.report.tables import doubts

from .present import present
from .steps import Steps

#: What an earlier analysis may have left, of this patient or another.
OWN_FILES = (
    "perfusion/*.nii.gz", "perfusion/perfusion.json", "perfusion/inputs.png", "perfusion/maps.png",
    "thresholds/*.nii.gz", "thresholds/volumes.json",
    "prediction/prob_*.nii.gz", "prediction/mask_*.nii.gz", "prediction/uncertainty_*.nii.gz",
    "prediction/prediction.json",
    "scene.mrb", "summary.png", "report.html", "report.json",
)  # fmt: skip


def run(
    output: Path | str,
    *,
    folder: Path | str | None = None,
    patient: str | None = None,
    files: dict[str, str] | None = None,
    method: str | None = None,
    demonstration: bool = False,
    device: str = "auto",
    override: str | None = None,
    progress: Progress = silent,
    steps: Steps | None = None,
) -> dict[str, Any]:
    """Analyse one patient.

    Parameters
    ----------
    output : path-like
        Folder; gets ``patient/`` (images of DICOM), ``perfusion/`` (where there is a series and no Tmax map),
        ``thresholds/``, ``prediction/`` (where a model may run), ``scene.mrb``, ``summary.png``, ``report.html`` and
        ``report.json``: all together at the end, so that the folder never shows two patients.
    folder, patient, files
        See `StrokePredictLib.io.load.load_case`.
    method : str, optional
        Deconvolution of the perfusion series (`StrokePredictLib.perfusion.job.run`).
    demonstration : bool
        Run models trained on simulated patients on a real one too.
    device : str
        Where networks run.
    override : str, optional
        Reader who accepts a failed perfusion quality check.
    steps : Steps, optional
        Stages that this job goes on.

    Returns
    -------
    dict
        ``files``, ``stages`` (seconds each), ``volumes`` as in ``volumes.json``, ``prediction`` as in
        ``prediction.json`` (None where no model ran) and ``doubts``, of all of them.

    Raises
    ------
    StrokeError
        If a stage finds a user's mistake, or ``method`` is given where no series will be deconvolved.
    """
    found = find_files(folder, patient).roles if folder is not None else {}
    given = [*(files or {}).values(), *map(str, found.values())]
    if method:
        _need_series(method, {*found, *(files or {})})
    with staged_folder(output, OWN_FILES, given) as stage:
        steps = steps or Steps(progress, 4)
        study = study_of(
            stage, steps, folder=folder, patient=patient, files=files, demonstration=demonstration, device=device,
            override=override, perfusion={"method": method} if method else None,
        )  # fmt: skip
        steps("Scene, summary and report", present, study=study, output=stage)
    return {
        "files": moved(steps.files, stage, output), "stages": steps.seconds, "volumes": study.volumes,
        "prediction": study.prediction, "doubts": doubts(study),
    }  # fmt: skip


def _need_series(method: str, roles: set[str]) -> None:
    """Refuse a method that would do nothing: maps that are there are taken as they are."""
    if "tmax" in roles or not roles & set(SERIES_ROLES):
        there = "a Tmax map is there already" if "tmax" in roles else "there is none"
        raise StrokeError(f"method {method}: nothing to deconvolve; it needs a raw perfusion series, and {there}.")


def moved(files: list[str], stage: Path, output: Path | str) -> list[str]:
    """Return where files that were written into a staging folder lie now."""
    return [str(Path(output) / Path(path).relative_to(stage)) for path in files]
