"""The job behind ``stroke predict``: every model whose inputs exist, on one patient."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .case import ROLES, StrokeCase
from .errors import StrokeError
from .inference import Prediction, missing_roles, predict
from .io.images import write_image
from .io.load import load_case
from .io.output import staged_folder, write_text
from .models.bundle import Bundle, find_bundle, open_bundle, shipped_bundles
from .progress import Progress, part, silent
from .provenance import provenance
from .study import DEMONSTRATION
from .threshold_job import input_paths


def run(
    output: Path | str,
    *,
    folder: Path | str | None = None,
    patient: str | None = None,
    files: dict[str, str] | None = None,
    models: list[str] | None = None,
    device: str = "auto",
    progress: Progress = silent,
) -> dict[str, Any]:
    """Predict one patient and write probabilities, masks and ``prediction.json``.

    Parameters
    ----------
    output : path-like
        Folder to write into.
    folder, patient, files
        See `StrokePredictLib.io.load.load_case`.
    models : list of str, optional
        Names or bundle folders; every shipped model whose inputs exist if left out.
    device : str
        See `StrokePredictLib.inference.predict`.

    Returns
    -------
    dict
        ``files``, and ``prediction`` as in ``prediction.json``.
    """
    progress(0.0, "reading images")
    bundles = [open_bundle(find_bundle(name)) for name in models] if models else None
    case = load_case(folder, patient=patient, files=files)
    chosen, skipped = _choose(bundles, case)
    predictions = []
    for number, bundle in enumerate(chosen):
        share = part(progress, 0.1 + 0.8 * number / len(chosen), 0.1 + 0.8 * (number + 1) / len(chosen))
        predictions.append(predict(case, bundle, device=device, progress=share))
    inputs = input_paths(folder, patient, files, tuple(case.volumes))
    parameters = {"models": [p.card.name for p in predictions], "device": device}
    record = {
        "patient": case.patient,
        "simulated": case.simulated,
        "models": [p.record for p in predictions],
        "skipped": skipped,
        "doubts": _doubts(case, predictions),
        "sources": case.sources,
        "provenance": provenance(inputs, parameters, "torch", "safetensors"),
    }
    progress(0.95, "writing")
    written = write_predictions(output, predictions, record)
    progress(1.0, "done")
    return {"files": written, "prediction": record}


def write_predictions(output: Path | str, predictions: list[Prediction], record: dict[str, Any]) -> list[str]:
    """Write probabilities, masks and ``prediction.json`` into a folder, all or none; return the paths."""
    names = []
    with staged_folder(output) as stage:
        for prediction in predictions:
            for kind, volume in (("prob", prediction.probability), ("mask", prediction.mask)):
                names.append(f"{kind}_{prediction.card.name}.nii.gz")
                write_image(stage / names[-1], volume)
        names.append("prediction.json")
        write_text(stage / names[-1], json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return [str(Path(output) / name) for name in names]


def _choose(bundles: list[Bundle] | None, case: StrokeCase) -> tuple[list[Bundle], list[dict[str, str]]]:
    """Return the models to run, and those left out with the reason; one asked for by name must fit."""
    if bundles is not None:
        return bundles, []
    chosen, skipped = [], []
    for folder in shipped_bundles():
        bundle = open_bundle(folder)
        missing = missing_roles(bundle.card, case)
        if missing:
            lacking = ", ".join(ROLES[role][0] for role in missing)
            skipped.append({"name": bundle.card.name, "reason": f"{lacking} missing"})
        else:
            chosen.append(bundle)
    if not chosen:
        reasons = "; ".join(f"{item['name']}: {item['reason']}" for item in skipped) or "no model is installed"
        raise StrokeError(f"{case.patient}: no model fits this case ({reasons}).")
    return chosen, skipped


def _doubts(case: StrokeCase, predictions: list[Prediction]) -> list[str]:
    doubts = list(case.doubts)
    if any(prediction.card.demonstration for prediction in predictions):
        doubts.append(DEMONSTRATION)
    return doubts
