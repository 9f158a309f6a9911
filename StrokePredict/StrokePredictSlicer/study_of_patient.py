"""The scene's present state of a patient as a `Study`: what reports and result tables are made from."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from StrokePredictLib import criteria
from StrokePredictLib.case import StrokeCase
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.study import Study
from StrokePredictLib.volume import Volume

from .patient_node import PatientNode
from .patient_scene import reference_node
from .volumes_in import segment_array, volume_of


def study_of_patient(patient: PatientNode, *, with_images: bool = True) -> Study:
    """Return images, segments as they are now, and what the last analysis said, criteria by the facts of now.

    Parameters
    ----------
    patient : PatientNode
        Whose.
    with_images : bool
        False leaves images and masks out: enough for tables.

    Raises
    ------
    StrokeError
        If images are wanted and there are none.
    """
    said = patient.study
    case = StrokeCase(
        patient.name, {}, patient.facts, said.get("sources") or {}, list(said.get("doubts") or []),
        simulated=patient.simulated,
    )  # fmt: skip
    study = Study(
        case, volumes=with_facts(said.get("volumes") or {}, case), perfusion=said.get("perfusion"),
        prediction=said.get("prediction"), truth=said.get("truth") or {}, provenance=said.get("provenance") or {},
    )  # fmt: skip
    if with_images:
        _add_images(patient, study)
    return study


def _add_images(patient: PatientNode, study: Study) -> None:
    node = reference_node(patient)
    if node is None:
        raise StrokeError(f"{patient.name}: has no images yet; open a folder or analyse first.")
    reference = volume_of(node)
    for role, image in patient.images().items():
        if not image.IsA("vtkMRMLSequenceNode"):
            volume = volume_of(image)
            if volume.same_grid(reference):
                study.case.volumes[role] = volume.with_array(volume.array.astype(np.float32))
    for model, image in patient.probabilities().items():
        study.probabilities[model] = volume_of(image)
    study.masks = masks_of(patient, reference)
    if "brain" in study.masks:
        study.case.volumes["brain"] = study.masks["brain"]


def masks_of(patient: PatientNode, reference: Volume, only: Collection[str] | None = None) -> dict[str, Volume]:
    """Return the patient's segments, or only some of them, as bool masks on a grid, by segment id."""
    node = patient.segmentation
    if node is None:
        return {}
    inner = node.GetSegmentation()
    names = [inner.GetNthSegmentID(index) for index in range(inner.GetNumberOfSegments())]
    names = [name for name in names if only is None or name in only]
    return {name: reference.with_array(segment_array(node, name, reference), name=name) for name in names}


def with_facts(volumes: dict[str, Any], case: StrokeCase) -> dict[str, Any]:
    """Return ``volumes.json`` with the trials' criteria for the facts known now: a reader may have filled some in."""
    if not volumes:
        return volumes
    shown = volumes.get("volumes_ml") or {}
    core, above_6 = shown.get(volumes.get("core_source") or ""), shown.get("tmax_gt_6")
    core, above_6 = (value if isinstance(value, (int, float)) else None for value in (core, above_6))
    rules = {"defuse3": criteria.defuse3(core, above_6, case.facts), "dawn": criteria.dawn(core, case.facts)}
    return volumes | {"criteria": rules}
