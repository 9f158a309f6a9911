"""One patient: every method's every measure. What `StrokeTrainLib.spread` calls, in any process on any machine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from StrokePredictLib.case import StrokeCase
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image
from StrokePredictLib.io.load import load_case
from StrokePredictLib.quantify import quantify
from StrokePredictLib.thresholds import volume_ml
from StrokePredictLib.volume import Volume

from ..cohort.table import Patient
from ..cohort.votes import second_reader
from ..data.labels import lesion_of
from ..data.maps import missing_maps
from ..metrics.auc import roc_at
from ..metrics.patient import Scores, score_patient
from ..metrics.rules import RULES, apply_rule
from ..statistics.calibration import bin_counts
from .records import from_record
from .sources import RECORD, Place, maker

#: Name of a second reader's outline among the methods.
READER = "reader"
_CLEANED = ("core_adc", "hypoperfused_tmax", "core_cbf")


@dataclass
class Loaded:
    """A patient as the methods are compared on.

    Attributes
    ----------
    case : StrokeCase
        Baseline images on one grid, with maps computed where they were missing.
    truth : Volume
        bool, on that grid.
    maps_fault : str
        Why maps could not be computed; empty mostly.
    """

    case: StrokeCase
    truth: Volume
    maps_fault: str = ""


def load_patient(patient: Patient, target: str, roles: tuple[str, ...], cache: Path) -> Loaded:
    """Return a patient's images and truth on the native grid.

    Parameters
    ----------
    patient : Patient
        Of a cohort.
    target : str
        Which outline is the truth.
    roles : tuple of str
        Maps that the rules need: computed from the series where they are not there.
    cache : Path
        Where computed maps lie.

    Raises
    ------
    StrokeError
        If an image cannot be used, or the outline is missing or on another grid.
    """
    fault, maps = "", {}
    try:
        maps = missing_maps(patient, roles, cache)
    except StrokeError as error:
        fault = one_line(error)
    wanted = {role: path for role, path in maps.items() if role in roles}
    case = load_case(**patient.load_arguments, files=wanted)
    case.patient = patient.id
    return Loaded(case, lesion_of(patient, target, case), fault)


def score_one(
    patient: dict[str, Any], target: str, places: dict[str, dict[str, Any]], rules: list[str], cleaned: bool,
    reader: bool, cache: str, stamp: Any,
) -> dict[str, Any]:
    """Score one patient.

    Parameters
    ----------
    patient : dict
        `records.to_record`.
    target : str
        Which outline is the truth.
    places : dict of str to dict
        By source, its `sources.Place` of this patient.
    rules : list of str
        Threshold rules to apply (`StrokeTrainLib.metrics.rules.RULES`).
    cleaned : bool
        Whether the rules' masks are cleaned as ``stroke threshold`` cleans them; their continuous maps are not.
    reader : bool
        Whether a second reader is scored as a method.
    cache : str
        Where computed perfusion maps lie.
    stamp : object
        Not read: a changed file or version makes a new item of it.

    Returns
    -------
    dict
        ``rows``: a dict a method, of `StrokeTrainLib.metrics.patient.Scores` with ``fold``, None where undefined;
        ``bins``: by source the sums of a calibration curve; ``roc``: by source the true positive rates at
        `StrokeTrainLib.metrics.auc.RATES` over the brain's voxels.
    """
    whom = from_record(patient)
    known = {name: Place(**place) for name, place in places.items()}
    methods = [*known, *([READER] if reader else []), *rules]
    roles = tuple(dict.fromkeys(role for rule in rules for role in RULES[rule].needs))
    try:
        loaded = load_patient(whom, target, roles, Path(cache))
    except StrokeError as error:
        folds = {name: place.fold for name, place in known.items()}
        rows = [_row(Scores.missing(whom.id, name, one_line(error)), folds.get(name)) for name in methods]
        return {"rows": rows, "bins": {}, "roc": {}}
    rows, bins, roc = [], {}, {}
    for name, place in known.items():
        scores, counts, curve = _network(whom.id, name, place, loaded)
        rows.append(_row(scores, place.fold))
        bins |= {name: counts} if counts else {}
        roc |= {name: curve} if curve else {}
    if reader:
        rows.append(_row(_second(whom, target, loaded)))
    rows += [_row(scores) for scores in _rules(whom, target, rules, cleaned, loaded)]
    return {"rows": rows, "bins": bins, "roc": roc}


def read_prediction(place: Place) -> tuple[Volume, Volume | None]:
    """Return a prediction's mask and probability; None for a probability that is not there.

    Raises
    ------
    StrokeError
        If there is no mask, it cannot be read, or another model made it.
    """
    if place.why:
        raise StrokeError(place.why)
    folder = Path(place.folder)
    found = {kind: _image(folder, f"{kind}_{place.model}") for kind in ("mask", "prob")}
    if found["mask"] is None:
        raise StrokeError(f"No prediction: {folder.name}/mask_{place.model}.nii.gz is not there.")
    if place.sha256:
        made_by = maker(folder / RECORD, place.model)
        if made_by != place.sha256:
            raise StrokeError(f"The prediction in {folder.name} was made by another model ({(made_by or '?')[:16]}…).")
    return tuple(None if path is None else read_image(path, series=False, may_be_empty=True) for path in found.values())


def _image(folder: Path, stem: str) -> Path | None:
    return next((path for end in (".nii.gz", ".nrrd") if (path := folder / f"{stem}{end}").is_file()), None)


def _network(patient: str, name: str, place: Place, loaded: Loaded) -> tuple[Scores, list | None, list | None]:
    try:
        mask, probability = read_prediction(place)
        scores = score_patient(patient, name, loaded.truth, mask, probability, loaded.case.volumes.get("brain"))
    except StrokeError as error:
        return Scores.missing(patient, name, one_line(error)), None, None
    if probability is None:
        return scores, None, None
    return scores, _bins(loaded, probability), _roc(loaded, probability)


def _bins(loaded: Loaded, probability: Volume) -> list | None:
    """Return the sums of a calibration curve inside the brain; None where a value is no probability."""
    brain = loaded.case.volumes.get("brain")
    if brain is None:
        return None
    inside = brain.array > 0.5
    try:
        counts = bin_counts(loaded.truth.array[inside], probability.array[inside])
    except ValueError:
        return None
    return [counts.n.tolist(), counts.probability.tolist(), counts.positive.tolist(), counts.squared]


def _roc(loaded: Loaded, probability: Volume) -> list | None:
    """Return a curve inside the brain; None where there is none, as of a patient without lesion."""
    brain = loaded.case.volumes.get("brain")
    if brain is None:
        return None
    inside = brain.array > 0.5
    found = roc_at(loaded.truth.array[inside] > 0.5, probability.array[inside])
    return None if np.isnan(found).any() else [round(value, 6) for value in found.tolist()]


def _second(patient: Patient, target: str, loaded: Loaded) -> Scores:
    try:
        outline = second_reader(patient, target, case=loaded.case)
        if outline is None:
            return Scores.missing(patient.id, READER, "No second reader's outline.")
        return score_patient(patient.id, READER, loaded.truth, outline.mask, None, loaded.case.volumes.get("brain"))
    except StrokeError as error:
        return Scores.missing(patient.id, READER, one_line(error))


def _rules(patient: Patient, target: str, rules: list[str], cleaned: bool, loaded: Loaded) -> list[Scores]:
    if not rules:
        return []
    volumes, notes = rule_volumes(patient, target, loaded.case, cleaned)
    return [_rule(patient.id, rule, volumes, notes, loaded) for rule in rules]


def rule_volumes(
    patient: Patient, target: str, case: StrokeCase, cleaned: bool = False
) -> tuple[dict[str, Volume], str]:
    """Return what the rules read, and a sentence about what they cannot use.

    The reader's outline of the DWI lesion is the patient's ``acute-core`` label, unless that is the truth itself.
    """
    volumes, note = dict(case.volumes), ""
    if cleaned and {"adc", "tmax"} & volumes.keys():
        masks = quantify(case).masks
        volumes |= {key: masks[key] for key in _CLEANED if key in masks}
    if target != "acute-core" and patient.labels_of("acute-core"):
        try:
            volumes["dwi_lesion"] = lesion_of(patient, "acute-core", case)
        except StrokeError as error:
            note = one_line(error)
    return volumes, note


def _rule(patient: str, rule: str, volumes: dict[str, Volume], note: str, loaded: Loaded) -> Scores:
    try:
        found = apply_rule(rule, volumes)
        scores = score_patient(patient, rule, loaded.truth, found.mask, found.score, volumes.get("brain"))
    except StrokeError as error:
        said = [one_line(error), loaded.maps_fault]
        return Scores.missing(patient, rule, " ".join(words for words in said if words))
    told = [scores.note, found.note, note if rule.startswith("dwi") else ""]
    return Scores(**scores.row() | {"note": " ".join(words for words in told if words)})


def _row(scores: Scores, fold: int | None = None) -> dict[str, Any]:
    """Return a row as JSON can carry it."""
    values = {"fold": fold} | scores.row()
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in values.items()}


def one_line(error: Exception) -> str:
    """Return an error's words in one line."""
    return " ".join(str(error).split())


def outline_ml(loaded: Loaded) -> float:
    """Return the truth's volume in mL."""
    return volume_ml(loaded.truth.with_array(np.asarray(loaded.truth.array, bool)))
