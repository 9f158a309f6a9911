"""A patient of a cohort to arrays, by the very code that prepares a patient for a prediction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from StrokePredictLib.case import StrokeCase
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.inference.classify import sample_series
from StrokePredictLib.inference.prepare import prepare, present_roles, require_roles
from StrokePredictLib.io.load import load_case
from StrokePredictLib.io.output import write_text
from StrokePredictLib.models.card import Card
from StrokePredictLib.perfusion.sources import find_timing
from StrokePredictLib.preprocess.levels import propose_sections
from StrokePredictLib.preprocess.sections import Sections
from StrokePredictLib.thresholds import volume_ml

from ..cards import input_card
from ..cohort.table import Patient
from ..recipes.schema import Recipe
from .batch import BACKGROUND, LESION, TISSUE
from .cache import key_of, made_once
from .courses import course_of
from .entry import CLASSES, INPUTS, META, Entry, read_entry
from .labels import core_by_cbv, lesion_of, what_happened
from .maps import missing_maps, sidecar_of

#: Share of a lesion that may lie outside the brain mask, where no network sees it, before it is noted.
_LOST = 0.05


@dataclass
class _Prepared:
    """Arrays and facts on their way to the cache."""

    inputs: np.ndarray
    classes: np.ndarray | None
    record: dict[str, Any]


def prepare_patient(patient: Patient, recipe: Recipe, cache: Path) -> Entry:
    """Return a patient prepared for a recipe, from the cache where it lies there.

    Parameters
    ----------
    patient : Patient
        Of the cohort.
    recipe : Recipe
        Its inputs and label; nothing else of it matters here.
    cache : Path
        Folder (`cache_folder`), outside the run.

    Raises
    ------
    StrokeError
        If an image is missing or unusable, or there is no label on the baseline's grid.
    """
    _require_label(patient, recipe)
    maps = missing_maps(patient, recipe.uses, cache)
    folder = cache / "patients" / key_of(_parameters(recipe, patient), _files(patient, recipe, maps))

    def make(stage: Path) -> None:
        prepared = _prepare(patient, recipe, maps)
        np.save(stage / INPUTS, prepared.inputs)
        if prepared.classes is not None:
            np.save(stage / CLASSES, prepared.classes)
        write_text(stage / META, json.dumps(prepared.record, ensure_ascii=False) + "\n")

    course = what_happened(patient) if recipe.condition is None else course_of(patient, cache)
    return read_entry(made_once(folder, META, make), course)


def _require_label(patient: Patient, recipe: Recipe) -> None:
    if not recipe.needs_label or patient.labels_of(recipe.target):
        return
    elsewhere = next((label.path for label in patient.labels if label.target == recipe.target), None)
    if elsewhere is None:
        raise StrokeError(f"{patient.id}: no outline of the {recipe.target}; draw one, or leave the patient out.")
    raise StrokeError(
        f"{elsewhere}: lies on another grid than every image of {patient.id}; draw it on the baseline, or resample it "
        "to there by nearest neighbour."
    )


def _parameters(recipe: Recipe, patient: Patient) -> dict[str, Any]:
    """Return what decides how the arrays look."""
    values = recipe.model_dump(mode="json")
    kept = {name: values[name] for name in ("channels", "spacing_mm", "matrix", "target", "task", "label")}
    view = values["view"] if recipe.task == "classification" else {"arrangement": _cropped(recipe)}
    return kept | {"view": view, "patient": patient.id}


def _cropped(recipe: Recipe) -> str:
    return "whole" if recipe.view.arrangement == "sequence" else "brain"


def _files(patient: Patient, recipe: Recipe, maps: dict[str, Path]) -> dict[str, Path]:
    """Return every file that has a say in the arrays."""
    files = dict(patient.images) | maps | files_beside(patient.images)
    if recipe.needs_label:
        files |= {f"label {n}": label.path for n, label in enumerate(patient.labels_of(recipe.target))}
        files |= later_files(patient)
    return files


def files_beside(images: Mapping[str, Path]) -> dict[str, Path]:
    """Return the sidecars and b-value tables of images, by a name made of the image's own."""
    files: dict[str, Path] = {}
    for role, path in images.items():
        table = path.with_name(path.name.split(".nii")[0] + ".bval")
        files |= {f"{role} sidecar": sidecar} if (sidecar := sidecar_of(path)) else {}
        files |= {f"{role} b-values": table} if table.is_file() else {}
    return files


def later_files(patient: Patient) -> dict[str, Path]:
    """Return a patient's images of later sessions, onto which follow-up outlines may have been drawn."""
    return {f"later {s} {role}": path for s, images in patient.later.items() for role, path in images.items()}


def patient_case(patient: Patient, recipe: Recipe, cache: Path) -> StrokeCase:
    """Return a patient loaded as for a prediction, with perfusion maps from the series where there are none.

    Parameters
    ----------
    patient, recipe, cache
        See `prepare_patient`.

    Raises
    ------
    StrokeError
        If a file cannot be used.
    """
    return _load(patient, recipe, missing_maps(patient, recipe.uses, cache))


def _load(patient: Patient, recipe: Recipe, maps: dict[str, Path]) -> StrokeCase:
    case = load_case(**patient.load_arguments, files=maps, with_series=recipe.task == "classification")
    case.patient = patient.id
    return case


def _prepare(patient: Patient, recipe: Recipe, maps: dict[str, Path]) -> _Prepared:
    card = input_card(recipe)
    case = _load(patient, recipe, maps)
    require_roles(card, case)
    (brain,) = case.require("brain")
    lesion = core_by_cbv(case) if not recipe.needs_label else lesion_of(patient, recipe.target, case)
    record: dict[str, Any] = {
        "id": patient.id,
        "lesion_ml": volume_ml(lesion),
        "present": present_roles(card, case),
        "modality": case.modality,
        "notes": list(case.doubts),
    }
    sections = Sections.around(brain, card.spacing_mm, card.matrix)
    if recipe.task == "classification":
        return _series(case, card, sections, record)
    inside = sections.bring(brain, is_mask=True) > 0.5
    marked = sections.bring(lesion, is_mask=True) > 0.5
    outside = np.count_nonzero(lesion.array & ~brain.array)
    if outside > _LOST * max(1, np.count_nonzero(lesion.array)):
        record["notes"].append(f"{outside * lesion.voxel_ml:.1f} mL of the lesion lie outside the brain mask.")
    classes = np.full(inside.shape, BACKGROUND, dtype=np.uint8)
    classes[inside] = TISSUE
    classes[inside & marked] = LESION
    return _maps(patient, recipe, prepare(case, card, sections), classes, record)


def _maps(
    patient: Patient, recipe: Recipe, inputs: np.ndarray, classes: np.ndarray, record: dict[str, Any]
) -> _Prepared:
    filled = np.flatnonzero(inputs.any(axis=(1, 2, 3)))
    if filled.size == 0:
        raise StrokeError(f"{patient.id}: no section shows the brain; check the images and the brain mask.")
    if _cropped(recipe) == "brain":
        # Beyond these sections inputs are 0, as beyond the ends of the image: no network can tell the difference.
        wanted = slice(int(filled[0]), int(filled[-1]) + 1)
        inputs, classes = inputs[wanted], classes[wanted]
    record |= {
        "shape": inputs.shape,
        "lesion": np.count_nonzero(classes == LESION, axis=(1, 2)).tolist(),
        "brain": np.count_nonzero(classes != BACKGROUND, axis=(1, 2)).tolist(),
    }
    return _Prepared(np.ascontiguousarray(inputs), np.ascontiguousarray(classes), record)


def _series(case: StrokeCase, card: Card, sections: Sections, record: dict[str, Any]) -> _Prepared:
    series = case.volumes[card.channels[0].role]
    times = find_timing(series, Path(series.name)).times
    chosen = propose_sections(case.volumes["brain"], sections, card.sections)
    inputs = sample_series(series, card, sections, chosen, times, case.volumes["brain"])
    deviation = float(inputs.std(dtype=np.float64))
    if deviation == 0:
        raise StrokeError(f"{series.name}: is the same everywhere and always; check the series.")
    record |= {
        "shape": inputs.shape,
        "lesion": [],
        "brain": [],
        "mean": float(inputs.mean(dtype=np.float64)),
        "deviation": deviation,
    }
    record["notes"].append(f"Sections {', '.join(map(str, chosen))} were proposed through MNI space.")
    return _Prepared(inputs, None, record)
