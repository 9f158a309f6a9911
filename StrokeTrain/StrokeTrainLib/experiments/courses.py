"""One patient's predicted infarct with and without reperfusion, by networks that have not seen them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.inference import predict
from StrokePredictLib.inference.predict import own_course
from StrokePredictLib.inference.what_if import WhatIf
from StrokePredictLib.io.load import load_case
from StrokePredictLib.models.bundle import open_bundle
from StrokePredictLib.networks.course import Course
from StrokePredictLib.thresholds import volume_ml

from ..data.maps import missing_maps
from ..evaluation.patient import one_line
from ..evaluation.records import from_record

#: States of reperfusion whose predictions are compared.
EXTREMES = ("none", "complete")


def predict_courses(
    patient: dict[str, Any], conditioned: list[str], separate: dict[str, list[str]], device: str, cache: str
) -> dict[str, Any]:
    """Return predicted volumes in mL.

    Parameters
    ----------
    patient : dict
        `StrokeTrainLib.evaluation.records.to_record`.
    conditioned : list of str
        Folder and hash of the conditioned network's bundle.
    separate : dict of str to list of str
        By state of reperfusion the same of the network trained on such patients.
    device, cache : str
        Where to compute, and where computed maps lie.

    Returns
    -------
    dict
        ``conditioned`` and ``separate``: by state of `EXTREMES` the volume; ``note`` says why there are none.
    """
    try:
        whom, bundle = from_record(patient), _opened(conditioned)
        roles = tuple(channel.role for channel in bundle.card.channels)
        maps = {role: path for role, path in missing_maps(whom, roles, Path(cache)).items() if role in roles}
        case = load_case(**whom.load_arguments, files=maps)
        case.patient = whom.id
        told = {state: Course(state, own_course(case).onset_min) for state in EXTREMES}
        what_if = WhatIf(case, bundle, device=device)
        found = {state: volume_ml(what_if.answer(course).mask) for state, course in told.items()}
        apart = {
            state: volume_ml(predict(case, _opened(separate[state]), device=device, course=course).mask)
            for state, course in told.items()
        }
    except StrokeError as error:
        return {"conditioned": {}, "separate": {}, "note": one_line(error)}
    return {"conditioned": found, "separate": apart, "note": ""}


def _opened(said: list[str]) -> Any:
    folder, sha256 = said
    bundle = open_bundle(folder)
    if bundle.sha256 != sha256:
        raise StrokeError(f"{folder}: the model was changed since its predictions were scored; restore it.")
    return bundle
