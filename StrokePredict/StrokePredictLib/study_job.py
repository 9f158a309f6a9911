"""The job behind the panel's Analyse: the whole main job, its result as files that Slicer's process can read itself."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from .io.load import load_case
from .pipeline import study_of
from .progress import Progress, part, silent
from .study import Study
from .study_folder import write_study

#: DICOM, maps, thresholds, prediction: what share of the work each stage may be, for the progress bar.
_SHARES = {"DICOM to images": 0.10, "Perfusion maps": 0.40, "Tissue thresholds": 0.10, "Prediction": 0.30}


def run(
    output: Path | str,
    *,
    folder: Path | str | None = None,
    patient: str | None = None,
    files: dict[str, str] | None = None,
    models: list[str] | None = None,
    demonstration: bool = False,
    device: str = "auto",
    override: str | None = None,
    perfusion: dict[str, Any] | None = None,
    thresholds: dict[str, Any] | None = None,
    segments: dict[str, str] | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Analyse one patient and write images, masks and probabilities as .nrrd, and ``study.json``.

    Parameters
    ----------
    output : path-like
        Folder to write into.
    folder, patient, files, models, demonstration, device, override, perfusion, thresholds, segments
        See `StrokePredictLib.pipeline.study_of`.

    Returns
    -------
    dict
        See `StrokePredictLib.study_folder.write_study`.
    """
    seconds: dict[str, float] = {}
    reached = [0.0]

    def stage(title: str, function: Any, **parameters: Any) -> dict[str, Any]:
        start, first = time.perf_counter(), reached[0]
        reached[0] = min(0.9, first + _SHARES[title])
        share = part(progress, first, reached[0])
        result = function(progress=lambda done, words: share(done, f"{title}: {words}"), **parameters)
        seconds[title] = round(time.perf_counter() - start, 2)
        return result

    with tempfile.TemporaryDirectory(prefix="stroke-study-") as work:
        study = study_of(
            work, stage, folder=folder, patient=patient, files=files, models=models, demonstration=demonstration,
            device=device, override=override, perfusion=perfusion, thresholds=thresholds, segments=segments,
        )  # fmt: skip
        progress(0.92, "writing")
        return write_study(output, study, seconds)


def open_patient(
    output: Path | str,
    *,
    folder: Path | str | None = None,
    patient: str | None = None,
    files: dict[str, str] | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Read one patient without analysing, for a look at the images: the job ``open``.

    Parameters
    ----------
    output : path-like
        Folder to write into.
    folder, patient, files
        See `StrokePredictLib.io.load.load_case`; a folder of DICOM is converted on the way.

    Returns
    -------
    dict
        As `run`, without masks but the brain's.
    """
    from .io.folder import find_files

    progress(0.0, "reading images")
    found = find_files(folder, patient) if folder is not None else None
    with tempfile.TemporaryDirectory(prefix="stroke-open-") as work:
        if found is not None and found.export is not None:
            from .io.dicom.convert_job import run as convert

            convert(folder=folder, output=Path(work) / "patient", progress=part(progress, 0.0, 0.6))
            folder, patient = Path(work) / "patient", None
        case = load_case(folder, patient=patient, files=files)
        progress(0.9, "writing")
        return write_study(output, Study(case))
