"""The job behind the slider: one course of events, asked of images that were looked at before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .errors import StrokeError
from .inference.what_if import WhatIf
from .io.load import load_case
from .models.bundle import find_bundle, open_bundle
from .networks.course import Course
from .predict_job import write_predictions
from .progress import Progress, part, silent
from .study import DEMONSTRATION
from .threshold_job import input_paths

#: The last patient looked at, kept by a warm worker; by model, device and input files.
_looked_at: dict[tuple, WhatIf] = {}


def run(
    output: Path | str,
    *,
    model: str,
    reperfusion: str | float,
    onset_min: float | None = None,
    folder: Path | str | None = None,
    patient: str | None = None,
    files: dict[str, str] | None = None,
    device: str = "auto",
    form: str = ".nii.gz",
    progress: Progress = silent,
) -> dict[str, Any]:
    """Predict a patient for one course of events.

    Parameters
    ----------
    output : path-like
        Folder to write into.
    model : str
        Name or folder of a conditioned model.
    reperfusion, onset_min
        See `StrokePredictLib.networks.course.Course`; the case's own onset-to-imaging time if left out.
    folder, patient, files
        See `StrokePredictLib.io.load.load_case`.
    device, form
        See `StrokePredictLib.predict_job.run`.

    Returns
    -------
    dict
        ``files``; ``prediction`` as in ``prediction.json``, with ``extremes_ml``, the volumes for complete and for no
        reperfusion; and ``looked_again``: whether the encoder ran.
    """
    bundle = open_bundle(find_bundle(model))
    if not bundle.card.conditioned:
        raise StrokeError(f"model '{bundle.card.name}' answers for one course of events alone; it has no slider.")
    key = (bundle.folder, bundle.sha256, device, *_stamps(folder, patient, files))
    again = key not in _looked_at
    if again:
        progress(0.0, "reading images")
        case = load_case(folder, patient=patient, files=files)
        _looked_at.clear()
        _looked_at[key] = WhatIf(case, bundle, device=device, progress=part(progress, 0.1, 0.7))
    what_if = _looked_at[key]
    onset = what_if.onset_min if onset_min is None else onset_min
    answer = what_if.answer(Course(reperfusion, onset))
    doubts = [*what_if.case.doubts, *([DEMONSTRATION] if bundle.card.demonstration else [])]
    record = {
        "patient": what_if.case.patient,
        "simulated": what_if.case.simulated,
        "models": [answer.record],
        "extremes_ml": what_if.extreme_volumes(onset),
        "doubts": doubts,
    }
    progress(0.95, "writing")
    return {"files": write_predictions(output, [answer], record, form), "prediction": record, "looked_again": again}


def _stamps(folder: Path | str | None, patient: str | None, files: dict[str, str] | None) -> list[tuple]:
    """Return path, size and time of every input file: another file under the same name is looked at again."""
    from .case import ROLES

    found = input_paths(folder, patient, files, tuple(ROLES))
    try:
        stats = [(role, str(path), path.stat()) for role, path in sorted(found.items())]
    except OSError as error:
        raise StrokeError(f"{error.filename}: no such file; check the name.") from error
    return [(role, path, stat.st_size, stat.st_mtime_ns) for role, path, stat in stats]
