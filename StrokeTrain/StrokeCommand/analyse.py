"""The main job on one patient: maps, thresholds, prediction, scene, report."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from StrokePredictLib import jobs
from StrokePredictLib.case import SERIES_ROLES
from StrokePredictLib.io.folder import find_files
from StrokePredictLib.io.load import load_case
from StrokePredictLib.io.output import staged_folder
from StrokePredictLib.progress import Progress, silent
from StrokePredictLib.report.collect import collect_study
from StrokePredictLib.study import Study

from .models import list_models
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
#: The maps that a perfusion series gives and that a case takes up.
MAPS = ("tmax", "cbf", "cbv", "mtt", "ttp")


def run(
    output: Path | str,
    *,
    folder: Path | str | None = None,
    patient: str | None = None,
    files: dict[str, str] | None = None,
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
        ``files``, ``stages`` (seconds each), and ``volumes`` as in ``volumes.json``.
    """
    given = list((files or {}).values())
    if folder is not None:
        given += [str(path) for path in find_files(folder, patient).roles.values()]
    with staged_folder(output, OWN_FILES, given) as stage:
        study, steps = study_of(
            stage, folder=folder, patient=patient, files=files, demonstration=demonstration, device=device,
            override=override, steps=steps or Steps(progress, 4),
        )  # fmt: skip
        steps("Scene, summary and report", present, study=study, output=stage)
    return {"files": moved(steps.files, stage, output), "stages": steps.seconds, "volumes": study.volumes}


def moved(files: list[str], stage: Path, output: Path | str) -> list[str]:
    """Return where files that were written into a staging folder lie now."""
    return [str(Path(output) / Path(path).relative_to(stage)) for path in files]


def study_of(
    output: Path | str,
    *,
    folder: Path | str | None,
    patient: str | None,
    files: dict[str, str] | None,
    steps: Steps,
    demonstration: bool = False,
    device: str = "auto",
    override: str | None = None,
) -> tuple[Study, Steps]:
    """Do all of `run` but the pages; return the study, and the steps done."""
    output = Path(output)
    files = dict(files or {})
    found = find_files(folder, patient) if folder is not None else None
    if found is not None and found.export is not None:
        steps("DICOM to images", partial(jobs.run, "convert"), folder=folder, output=output / "patient")
        folder, patient = output / "patient", None
        found = find_files(folder)
    roles = {**(found.roles if found else {}), **files}
    series = next((role for role in SERIES_ROLES if role in roles), None)
    perfusion = None
    if series and "tmax" not in roles:
        perfusion = output / "perfusion"
        steps("Perfusion maps", partial(jobs.run, "perfusion"), series=roles[series], output=perfusion,
              modality={"pwi": "MR", "ctp": "CT"}[series])  # fmt: skip
        files |= {role: str(perfusion / f"{role}.nii.gz") for role in MAPS}
    images = {"folder": folder, "patient": patient, "files": files or None}
    thresholds = output / "thresholds"
    steps("Tissue thresholds", partial(jobs.run, "threshold"), output=thresholds, override=override, **images)
    case = load_case(**images)
    allowed = case.simulated or demonstration
    models = [line["name"] for line in list_models() if _may_run(line, set(case.volumes), allowed)]
    prediction = output / "prediction" if models else None
    if prediction:
        steps("Prediction", partial(jobs.run, "predict"), output=prediction, models=models, device=device, **images)
    return collect_study(case, thresholds=thresholds, prediction=prediction, perfusion=perfusion), steps


def _may_run(line: dict[str, Any], roles: set[str], demonstration: bool) -> bool:
    """Whether a model of `list_models` is whole, has its inputs, and is not a demonstration on a real patient."""
    if "problem" in line or not set(line["inputs"]) <= roles:
        return False
    return demonstration or not line["demonstration"]
