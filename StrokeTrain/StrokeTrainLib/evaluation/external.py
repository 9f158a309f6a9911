"""A finished model on patients of another cohort: their predictions, by the code of ``stroke predict``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from StrokePredictLib.case import SERIES_ROLES
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.inference import predict
from StrokePredictLib.inference.classify import classify
from StrokePredictLib.io.load import load_case
from StrokePredictLib.io.output import staged_folder, write_text
from StrokePredictLib.models.bundle import Bundle, open_bundle
from StrokePredictLib.predict_job import write_predictions
from StrokePredictLib.progress import Progress, silent
from StrokePredictLib.provenance import provenance

from ..cohort.table import Patient
from ..data.cache import cache_folder
from ..data.courses import course_of
from ..data.maps import missing_maps
from ..spread.work import spread
from .records import from_record, stamps, to_record
from .sources import RECORD, Source, checked, maker

#: Receipts lie in a hidden folder beside the patients', which no index looks into.
RECEIPTS = ".receipts"


def predict_model(
    source: Source,
    bundle: Bundle,
    patients: Iterable[Patient],
    *,
    cache: Path | str | None = None,
    device: str = "auto",
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> Source:
    """Predict every patient of a source who may be tested and has no prediction by this model yet.

    Perfusion maps are computed where only the series is there. A conditioned model is told what happened to the
    patient, as in training.

    Parameters
    ----------
    source : Source
        From `sources.from_model`: says where predictions lie, and who is refused.
    bundle : Bundle
        The model.
    patients : iterable of Patient
        The cohort.
    cache : path-like, optional
        Where computed maps lie.
    device : str
        See `StrokePredictLib.inference.predict.predict`.
    scheduler, workers
        See `StrokeTrainLib.spread.work.spread`.
    progress : Progress
        Told how many are done.

    Returns
    -------
    Source
        The same, with the reason for whoever could not be predicted.
    """
    known = {patient.id: patient for patient in patients}
    absent = [
        name for name, place in source.places.items()
        if not place.why and maker(Path(place.folder) / RECORD, place.model) != bundle.sha256
    ]  # fmt: skip
    options = {"bundle": str(bundle.folder.absolute()), "sha256": bundle.sha256, "device": device}
    options["cache"] = str(cache_folder(cache))
    items = {
        name: options
        | {"patient": to_record(known[name]), "output": source.places[name].folder, "stamp": stamps(known[name])}
        for name in absent
    }
    if not items:
        return source
    ledger = Path(source.places[absent[0]].folder).parent / RECEIPTS
    outcome = spread(
        "StrokeTrainLib.evaluation.external:predict_one", items, ledger=ledger, scheduler=scheduler, workers=workers,
        progress=progress,
    )  # fmt: skip
    failed = {name: f"No prediction: {why}" for name, why in outcome.failed.items()}
    places = {name: checked(place, place.why or failed.get(name, "")) for name, place in source.places.items()}
    return replace(source, places=places)


def predict_one(
    bundle: str, sha256: str, device: str, cache: str, patient: dict[str, Any], output: str, stamp: Any
) -> dict[str, Any]:
    """Predict one patient into ``output``; a changed file makes a new ``stamp`` and so a new item."""
    model, whom = _model(bundle, sha256), from_record(patient)
    card = model.card
    roles = tuple(channel.role for channel in card.channels)
    maps = {role: path for role, path in missing_maps(whom, roles, Path(cache)).items() if role in roles}
    case = load_case(**whom.load_arguments, files=maps, with_series=card.output == "probability")
    case.patient = whom.id
    inputs = {role: path for role, path in (whom.images | maps).items() if role not in SERIES_ROLES or role in roles}
    record = {
        "patient": whom.id, "simulated": case.simulated, "models": [], "classifications": [], "treatment": [],
        "skipped": [], "doubts": list(case.doubts), "sources": case.sources,
        "provenance": provenance(inputs, {"models": [card.name], "device": device}, "torch", "safetensors"),
    }  # fmt: skip
    place = Path(output) / RECORD
    if card.output == "probability":
        found = classify(case, model, device=device)
        whole = joined(_before(place), record, "classifications", found.record)
        with staged_folder(output) as stage:
            write_text(stage / RECORD, json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
        return {"files": [str(place)]}
    course = course_of(whom, Path(cache)) if card.conditioned else None
    answer = predict(case, model, device=device, course=course)
    whole = joined(_before(place), record, "models", answer.record)
    return {"files": write_predictions(output, [answer], whole)}


def joined(
    before: dict[str, Any] | None, record: dict[str, Any], kind: str, answer: dict[str, Any]
) -> dict[str, Any]:
    """Return a patient's record with a model's answer in it; what other models said there before is kept."""
    if before is None:
        return record | {kind: [answer]}
    others = [item for item in before.get(kind, []) if item.get("name") != answer["name"]]
    return record | before | {kind: [*others, answer | {"provenance": record["provenance"]}]}


def _before(path: Path) -> dict[str, Any] | None:
    """Return the record that lies there; None where there is none that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


@lru_cache(maxsize=1)
def _model(folder: str, sha256: str) -> Bundle:
    bundle = open_bundle(folder)
    if bundle.sha256 != sha256:
        raise StrokeError(f"{folder}: the model on this machine is not the one asked for; install the same one there.")
    return bundle
