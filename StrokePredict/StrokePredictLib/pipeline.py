"""The main job's stages in their order: DICOM, perfusion maps, tissue thresholds, prediction."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from . import jobs
from .case import SERIES_ROLES
from .errors import StrokeError
from .io.folder import find_files
from .io.load import load_case
from .models.fit import lacking
from .models.listing import list_models
from .quality import failed, rests_on_perfusion, withheld
from .report.collect import collect_study
from .study import Study
from .threshold_job import find_quality, input_paths

#: The maps that a perfusion series gives and that a case takes up.
MAPS = ("tmax", "cbf", "cbv", "mtt", "ttp")
_NO_TORCH = "No network ran: torch is not installed; maps and thresholds need none."
_MODALITY = {"pwi": "MR", "ctp": "CT"}


class Stage(Protocol):
    """Runs one stage and shows its title: calls ``function(progress=…, **parameters)``, returns its result."""

    def __call__(self, title: str, function: Any, **parameters: Any) -> dict[str, Any]:
        """Run it."""


def study_of(
    output: Path | str,
    stage: Stage,
    *,
    folder: Path | str | None = None,
    patient: str | None = None,
    files: dict[str, str] | None = None,
    models: Sequence[str] | None = None,
    demonstration: bool = False,
    device: str = "auto",
    override: str | None = None,
    perfusion: dict[str, Any] | None = None,
    thresholds: dict[str, Any] | None = None,
    segments: dict[str, str] | None = None,
) -> Study:
    """Take a patient from images to maps, masks and predictions.

    Parameters
    ----------
    output : path-like
        Folder; gets ``patient/`` (images of DICOM), ``perfusion/`` (where there is a series and no Tmax map),
        ``thresholds/``, ``prediction/`` (where a model may run).
    stage : Stage
        Runs each stage.
    folder, patient, files
        See `StrokePredictLib.io.load.load_case`.
    models : sequence of str, optional
        Which models run; every one whose inputs exist if left out.
    demonstration : bool
        Run models trained on simulated patients on a real one too.
    device : str
        Where networks run.
    override : str, optional
        Reader who accepts a failed perfusion quality check.
    perfusion, thresholds : dict, optional
        Further parameters of those two jobs, as ``aif`` or ``tmax``.
    segments : dict, optional
        See `StrokePredictLib.report.collect.collect_study`.

    Returns
    -------
    Study
        What was found.
    """
    output = Path(output)
    files = dict(files or {})
    found = find_files(folder, patient) if folder is not None else None
    if found is not None and found.export is not None:
        stage("DICOM to images", partial(jobs.run, "convert"), folder=folder, output=output / "patient")
        folder, patient = output / "patient", None
        found = find_files(folder)
    roles = {**(found.roles if found else {}), **files}
    series = next((role for role in SERIES_ROLES if role in roles), None)
    maps = None
    if series and "tmax" not in roles:
        maps = output / "perfusion"
        stage("Perfusion maps", partial(jobs.run, "perfusion"), series=roles[series], output=maps,
              modality=_MODALITY[series], **(perfusion or {}))  # fmt: skip
        files |= {role: str(maps / f"{role}.nii.gz") for role in MAPS}
    images = {"folder": folder, "patient": patient, "files": files or None}
    rules = output / "thresholds"
    stage("Tissue thresholds", partial(jobs.run, "threshold"), output=rules, override=override,
          **(thresholds or {}), **images)  # fmt: skip
    case = load_case(**images)
    there = {*case.volumes, *([series] if series else [])}
    chosen = usable_models(there, case.simulated or demonstration, models)
    if chosen and models is None and importlib.util.find_spec("torch") is None:
        chosen = []
        case.doubts.append(_NO_TORCH)
    quality = find_quality(input_paths(folder, patient, files, ("tmax",)))
    chosen, unsure = _split(chosen, failed(quality, override))
    if unsure and not chosen and models is not None:
        raise StrokeError(withheld(unsure, quality))
    if unsure:
        case.doubts.append(f"{', '.join(unsure)}: not computed, since the perfusion series failed its quality check.")
    prediction = output / "prediction" if chosen else None
    if prediction:
        stage("Prediction", partial(jobs.run, "predict"), output=prediction, models=chosen, device=device,
              forgiving=True, override=override, **images)  # fmt: skip
    return collect_study(case, thresholds=rules, prediction=prediction, perfusion=maps, segments=segments)


def _split(names: list[str], without_perfusion: bool) -> tuple[list[str], list[str]]:
    """Return the models that may run, and those that rest on a perfusion series that is not to be trusted."""
    if not without_perfusion:
        return names, []
    inputs = {line["name"]: line["inputs"] for line in list_models() if "problem" not in line}
    unsure = [name for name in names if rests_on_perfusion(inputs[name])]
    return [name for name in names if name not in unsure], unsure


def usable_models(roles: set[str], demonstration: bool, wished: Sequence[str] | None = None) -> list[str]:
    """Return the models that may run: whole, their inputs there, no demonstration on a real patient.

    Parameters
    ----------
    roles : set of str
        What the case has, its perfusion series included.
    demonstration : bool
        Whether models trained on simulated patients may run.
    wished : sequence of str, optional
        Only these.
    """
    return [
        line["name"]
        for line in list_models()
        if "problem" not in line
        and not lacking(line, roles)
        and (demonstration or not line["demonstration"])
        and (wished is None or line["name"] in wished)
    ]
