"""The job behind ``stroke predict``: every model whose inputs exist, on one patient or a cohort."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

from .case import ROLES, SERIES_ROLES, StrokeCase
from .coverage import require_possible
from .errors import StrokeError
from .inference import Classification, Prediction, missing_roles, predict, treatment_effect
from .inference.classify import classify
from .inference.prepare import makeable
from .inference.what_if import WhatIf
from .io.folder import list_patients
from .io.images import write_image
from .io.load import load_case
from .io.output import staged_folder, write_text
from .job_folder import write_uncompressed
from .models.bundle import Bundle, bundle_folders, find_bundle, open_bundle
from .progress import Progress, part, silent
from .provenance import provenance
from .quality import failed, reasons, rests_on_perfusion, withheld
from .study import DEMONSTRATION
from .threshold_job import find_quality, input_paths

FORMS = (".nii.gz", ".nrrd")


def run(
    output: Path | str,
    *,
    folder: Path | str | None = None,
    patient: str | None = None,
    files: dict[str, str] | None = None,
    models: list[str] | None = None,
    device: str = "auto",
    form: str = ".nii.gz",
    levels: Sequence[int] | None = None,
    forgiving: bool = False,
    override: str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Predict one patient and write probabilities, masks and ``prediction.json``; or all patients of a cohort.

    Parameters
    ----------
    output : path-like
        Folder to write into; for a cohort it gets a folder a patient and ``cohort.json``.
    folder, patient, files
        See `StrokePredictLib.io.load.load_case`. A folder of several patients with none named is a cohort.
    models : list of str, optional
        Names or bundle folders; every model at hand whose inputs exist if left out.
    device : str
        See `StrokePredictLib.inference.predict.predict`.
    form : {".nii.gz", ".nrrd"}
        How images are written; .nrrd is not compressed.
    levels : sequence of int, optional
        Sections for a classifier (`StrokePredictLib.inference.classify.classify`).
    forgiving : bool
        Leave a model out that cannot answer, with the reason under ``skipped``, as long as another can.
    override : str, optional
        Reader who accepts a perfusion series whose quality check failed: without one, models that look at its maps are
        not run.

    Returns
    -------
    dict
        ``files``, and ``prediction`` as in ``prediction.json``, or ``cohort`` as in ``cohort.json``.

    Raises
    ------
    StrokeError
        If no model fits, one that was named does not, or one rests on perfusion that failed its check.
    """
    if form not in FORMS:
        raise StrokeError(f"unknown image format '{form}'; there are {', '.join(FORMS)}.")
    if folder is not None and patient is None and not files and len(list_patients(folder)) > 1:
        from .predict_cohort import run_cohort

        return run_cohort(output, folder, models=models, device=device, form=form, override=override, progress=progress)
    progress(0.0, "reading images")
    bundles, broken = open_models(models)
    series = any(bundle.card.output == "probability" for bundle in bundles)
    case = load_case(folder, patient=patient, files=files, with_series=series)
    if "brain" in case.volumes:
        require_possible(case)
    quality = find_quality(input_paths(folder, patient, files, tuple(case.volumes)))
    bundles, unsure = _without_failed(bundles, quality, override, asked=models is not None)
    chosen, skipped = _choose(bundles, case, unsure, asked=models is not None)
    skipped += broken
    cannot = skipped if forgiving else None
    predictions, classifications, treatment = _predict_all(case, chosen, device, levels, progress, cannot)
    inputs = input_paths(folder, patient, files, _used(case, chosen))
    parameters = {
        "models": [bundle.card.name for bundle in chosen],
        "considered": considered(bundles),
        "device": device,
    }
    record = {
        "patient": case.patient,
        "simulated": case.simulated,
        "models": [p.record for p in predictions],
        "classifications": [c.record for c in classifications],
        "treatment": treatment,
        "skipped": skipped,
        "doubts": _doubts(case, chosen) + accepted(quality, override),
        "sources": case.sources,
        "provenance": provenance(inputs, parameters, "torch", "safetensors"),
    }
    progress(0.95, "writing")
    written = write_predictions(output, predictions, record, form)
    progress(1.0, "done")
    return {"files": written, "prediction": record}


def open_models(names: list[str] | None) -> tuple[list[Bundle], list[dict[str, str]]]:
    """Return the models to consider: those named, or all at hand; of the latter, damaged ones apart with the reason."""
    if names is not None:
        return [open_bundle(find_bundle(name)) for name in names], []
    bundles, broken = [], []
    for folder in bundle_folders():
        try:
            bundles.append(open_bundle(folder))
        except StrokeError as error:
            broken.append({"name": folder.name, "reason": str(error)})
    return bundles, broken


def considered(bundles: list[Bundle]) -> dict[str, str]:
    """Return the hash of every model that was there to choose from: what a later run compares."""
    return {bundle.card.name: bundle.sha256 for bundle in bundles}


def write_predictions(
    output: Path | str, predictions: list[Prediction], record: dict[str, Any], form: str = ".nii.gz"
) -> list[str]:
    """Write the images and ``prediction.json`` into a folder, all or none; return the paths."""
    names = []
    write = write_uncompressed if form == ".nrrd" else write_image
    with staged_folder(output) as stage:
        for prediction in predictions:
            images = {"prob": prediction.probability, "mask": prediction.mask, "uncertainty": prediction.spread}
            for kind, volume in images.items():
                if volume is not None:
                    names.append(f"{kind}_{prediction.name}{form}")
                    write(stage / names[-1], volume)
        names.append("prediction.json")
        write_text(stage / names[-1], json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return [str(Path(output) / name) for name in names]


def _predict_all(
    case: StrokeCase,
    chosen: list[Bundle],
    device: str,
    levels: Sequence[int] | None,
    progress: Progress,
    cannot: list[dict[str, str]] | None,
) -> tuple[list[Prediction], list[Classification], list[dict[str, Any]]]:
    """Run the models; one that cannot answer goes to ``cannot``, where that is a list and another can."""
    predictions: list[Prediction] = []
    classifications, treatment = [], []
    for number, bundle in enumerate(chosen):
        share = part(progress, 0.1 + 0.8 * number / len(chosen), 0.1 + 0.8 * (number + 1) / len(chosen))
        try:
            if bundle.card.output == "probability":
                classifications.append(classify(case, bundle, levels=levels, device=device, progress=share))
            elif bundle.card.conditioned:
                what_if = WhatIf(case, bundle, device=device, progress=share)
                both = [what_if.answer(course) for course in what_if.extremes()]
                predictions += both
                treatment.append(_effect(*both))
            else:
                predictions.append(predict(case, bundle, device=device, progress=share))
        except StrokeError as error:
            last = number == len(chosen) - 1 and not predictions and not classifications
            if cannot is None or last:
                raise
            cannot.append({"name": bundle.card.name, "reason": str(error)})
    with_it = [p for p in predictions if p.card.reperfusion == "reperfused"]
    without = [p for p in predictions if p.card.reperfusion == "not-reperfused"]
    treatment += [_effect(a, b) for a, b in product(with_it, without) if a.card.network.name == b.card.network.name]
    return predictions, classifications, treatment


def _effect(reperfused: Prediction, not_reperfused: Prediction) -> dict[str, Any]:
    return {"models": [reperfused.name, not_reperfused.name]} | treatment_effect(reperfused, not_reperfused).record()


def _without_failed(
    bundles: list[Bundle], quality: dict[str, Any] | None, override: str | None, *, asked: bool
) -> tuple[list[Bundle], list[dict[str, str]]]:
    """Return the models that may run, and those that rest on a series that failed its check, with the reason."""
    if not failed(quality, override):
        return bundles, []
    unsure = [bundle for bundle in bundles if rests_on_perfusion(c.role for c in bundle.card.channels)]
    if asked and unsure:
        raise StrokeError(withheld([bundle.card.name for bundle in unsure], quality))
    sure = [bundle for bundle in bundles if bundle not in unsure]
    return sure, [{"name": b.card.name, "reason": "the perfusion series failed its quality check"} for b in unsure]


def accepted(quality: dict[str, Any] | None, override: str | None) -> list[str]:
    """Return the doubt that a reader took over by name, or none."""
    if not override or not failed(quality):
        return []
    return [f"The perfusion series failed its quality check; accepted by {override}. {reasons(quality)}"]


def _choose(
    bundles: list[Bundle], case: StrokeCase, skipped: list[dict[str, str]], *, asked: bool
) -> tuple[list[Bundle], list[dict[str, str]]]:
    """Return the models to run, and those left out with the reason; one asked for by name must fit."""
    if asked:
        return bundles, skipped
    chosen = []
    for bundle in bundles:
        missing = missing_roles(bundle.card, case)
        if missing:
            lacking = ", ".join(ROLES[role][0] for role in missing)
            skipped.append({"name": bundle.card.name, "reason": f"{lacking} missing{makeable(missing, case)}"})
        else:
            chosen.append(bundle)
    if not chosen:
        reasons = "; ".join(f"{item['name']}: {item['reason']}" for item in skipped) or "no model is installed"
        raise StrokeError(f"{case.patient}: no model fits this case ({reasons}).")
    return chosen, skipped


def _used(case: StrokeCase, chosen: list[Bundle]) -> tuple[str, ...]:
    """Return the roles whose files made the result: all images, a series only where a model looked at it."""
    series = {c.role for bundle in chosen for c in bundle.card.channels} & set(SERIES_ROLES)
    return tuple(role for role in case.volumes if role not in SERIES_ROLES or role in series)


def _doubts(case: StrokeCase, chosen: list[Bundle]) -> list[str]:
    doubts = list(case.doubts)
    if any(bundle.card.demonstration for bundle in chosen):
        doubts.append(DEMONSTRATION)
    return doubts
