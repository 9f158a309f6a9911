"""The jobs that the command line, the batch and the Slicer worker share: a name, and where the function is.

A job is imported when it is first used. It takes keyword arguments that JSON can carry, and ``progress``; it returns a
dict that JSON can carry, whose ``files`` name what it wrote.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .errors import StrokeError
from .progress import Progress, silent

JOBS: dict[str, str] = {
    "phantom": "StrokePredictLib.phantom.job:run",
    "perfusion": "StrokePredictLib.perfusion.job:run",
    "threshold": "StrokePredictLib.threshold_job:run",
    "predict": "StrokePredictLib.predict_job:run",
    "what-if": "StrokePredictLib.what_if_job:run",
    "study": "StrokePredictLib.study_job:run",
    "open": "StrokePredictLib.study_job:open_patient",
    "accept": "StrokePredictLib.ground_truth_job:run",
    "follow-up": "StrokePredictLib.follow_up_job:run",
    "report": "StrokePredictLib.report_job:run",
    "environment": "StrokePredictLib.environment_job:run",
    "check": "StrokePredictLib.check_job:run",
    "convert": "StrokePredictLib.io.dicom.convert_job:run",
    "analyse": "StrokeCommand.analyse:run",
    "demo": "StrokeCommand.demo:run",
    "cohort": "StrokeTrainLib.cohort_job:run",
    "agreement": "StrokeTrainLib.cohort_job:agreement",
    "disputes": "StrokeTrainLib.cohort_job:disputes",
    "lock": "StrokeTrainLib.locked_job:run",
    "locked-test": "StrokeTrainLib.locked_job:assess",
    "add-case": "StrokeTrainLib.add_case_job:run",
    "recipes": "StrokeTrainLib.recipes_job:run",
    "estimate": "StrokeTrainLib.estimate_job:run",
    "resumable": "StrokeTrainLib.estimate_job:resumable",
    "evaluate": "StrokeTrainLib.evaluate_job:run",
    "glimpse": "StrokeTrainLib.glimpse_job:run",
    "model-card": "StrokeTrainLib.publish_job:card",
    "publish": "StrokeTrainLib.publish_job:publish",
    "export": "StrokeTrainLib.publish_job:export",
}


def run(name: str, *, progress: Progress = silent, **parameters: Any) -> dict[str, Any]:
    """Run a job by name.

    Raises
    ------
    StrokeError
        If there is no such job, or the job finds a user's mistake.
    """
    if name not in JOBS:
        raise StrokeError(f"no job '{name}'; there are {', '.join(sorted(JOBS))}.")
    module, function = JOBS[name].split(":")
    return getattr(import_module(module), function)(progress=progress, **parameters)
