"""What an analysis found, put into the scene under its patient; what a reader drew there stays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image
from StrokePredictLib.report.predicted import MARK, joined_predictions, segment_names
from StrokePredictLib.segments import TERMINOLOGY_FILE, ordered, segment_for
from StrokePredictLib.volume import Volume

from .core import logic_of, slicer_package
from .marks import mark_found
from .patient_node import OURS, PatientNode
from .scene_nodes import add_map, add_segmentation, binary_labelmap_name, image_data, make_segment, remove_shown
from .volumes_in import volume_of

#: What the image of days later is called among a patient's images; no role of `case.ROLES`: no rule looks at it.
FOLLOW_UP = "follow-up"


def show_study(patient: PatientNode, record: dict[str, Any], folder: Path | str, *, anew: bool = False) -> None:
    """Put a job's result into the scene.

    Parameters
    ----------
    patient : PatientNode
        Whose it is.
    record : dict
        ``study`` of `StrokePredictLib.study_job.run`.
    folder : path-like
        Where its .nrrd files lie; everything is read before the scene is touched.
    anew : bool
        Whether everything was done again: what models said before, of maps that are no more, goes.

    Raises
    ------
    StrokeError
        If a file cannot be read; the scene is then as before.
    """
    folder = Path(folder)
    read = {
        kind: {key: _read(folder / name) for key, name in record[kind].items()}
        for kind in ("images", "masks", "probabilities")
    }
    masks = {key: volume.with_array(volume.array > 0) for key, volume in read["masks"].items()}
    scene = patient.scene
    if scene is None:
        raise StrokeError("the patient was removed from the scene in the meantime; nothing was changed.")
    logic_of(scene, "terminologies").LoadTerminologyFromFile(str(TERMINOLOGY_FILE))
    inside = masks["brain"].array if "brain" in masks else None
    names = segment_names(record.get("prediction"))
    marked = {m["name"] for m in (record.get("prediction") or {}).get("models", []) if m.get("demonstration")}
    with batch(scene):
        if anew:
            _forget_predictions(patient, set(masks), set(read["probabilities"]))
        for role, volume in read["images"].items():
            patient.set_image(role, _image_node(patient, patient.image(role), role, volume, inside))
        for model, volume in read["probabilities"].items():
            before = patient.probabilities().get(model)
            title = f"Probability ({model}{f', {MARK}' if model in marked else ''})"
            patient.set_probability(model, _image_node(patient, before, "probability", volume, inside, title))
        put_masks(patient, masks, names)
        _remember(patient, record, anew=anew)
        _mark(patient)
        _file(patient)


def show_follow_up(patient: PatientNode, result: dict[str, Any], folder: Path) -> None:
    """Put the result of `StrokePredictLib.follow_up_job`, image and outline if any, into the scene."""
    image = _read(folder / result["image"])
    lesion = _read(folder / result["lesion"]) if result["lesion"] else None
    if patient.scene is None:
        raise StrokeError("the patient was removed from the scene in the meantime; nothing was changed.")
    with batch(patient.scene):
        before = patient.image(FOLLOW_UP)
        ours = before if before is not None and before.GetAttribute(OURS) else None
        patient.set_image(FOLLOW_UP, _image_node(patient, ours, FOLLOW_UP, image, None, "Follow-up"))
        if lesion is not None:
            name = "Follow-up lesion (from file)"
            put_mask(patient.segmentation, "follow_up_lesion", lesion.with_array(lesion.array > 0), name)
        _mark(patient)
        _file(patient)


def _mark(patient: PatientNode) -> None:
    """Let the views know what was simulated, and what a demonstration model says."""
    images = [*patient.images().values(), *patient.shown()]
    maps, prediction = patient.probabilities(), patient.study.get("prediction")
    mark_found(prediction, patient.simulated, images, maps, patient.segmentation)


def _read(path: Path) -> Volume:
    return read_image(path, series=False, may_be_empty=True)


def _forget_predictions(patient: PatientNode, masks: set[str], models: set[str]) -> None:
    """Take maps and segments of models out that this time gave none."""
    for model, node in patient.probabilities().items():
        if model not in models:
            patient.set_probability(model, None)
            remove_shown(patient.scene, [node])
    keys = {model.get("segment") for model in (patient.study.get("prediction") or {}).get("models", [])}
    segments = patient.segmentation.GetSegmentation() if patient.segmentation is not None else None
    for key in [*keys - masks, "infarct_what_if"]:
        if segments is not None and key and segments.GetSegment(key) is not None:
            segments.RemoveSegment(key)


def _remember(patient: PatientNode, record: dict[str, Any], *, anew: bool) -> None:
    kept = ("modality", "sources", "doubts", "volumes", "perfusion", "prediction", "truth", "provenance", "seconds")
    before = {} if anew else patient.study
    # Rules or models alone were done again: what was known of the series, and of the other models, still holds.
    found = {key: record.get(key) or before.get(key) for key in kept}
    found["volumes"] = record["volumes"] or before.get("volumes")
    found["prediction"] = joined_predictions(before.get("prediction"), record.get("prediction"))
    patient.set_value("study", found)
    patient.set_value("simulated", record["simulated"])
    if not patient.value("facts"):
        patient.set_value("facts", {key: value for key, value in record["facts"].items() if value is not None})


def _image_node(
    patient: PatientNode, before: Any, role: str, volume: Volume, inside: np.ndarray | None, title: str | None = None
) -> Any:
    """Fill the node that plays the role, or add one; an image of the user's own is left as it is."""
    if before is not None:
        same = _same_grid(before, volume)
        if before.GetAttribute(OURS) and same:
            image_data(volume.array.astype(np.float32, copy=False), before.GetImageData())
            before.GetImageData().Modified()
            before.Modified()
            return before
        if same:
            return before
        if before.GetAttribute(OURS):
            remove_shown(patient.scene, [before])
    node = add_map(patient.scene, role, volume, inside, title)
    node.SetName(f"{patient.name} {node.GetName()}")
    return node


def _same_grid(node: Any, volume: Volume) -> bool:
    try:
        there = volume_of(node)
    except StrokeError:
        return False
    return there.shape == volume.shape and float(np.abs(there.corners() - volume.corners()).max()) < 1e-3


def put_masks(patient: PatientNode, masks: dict[str, Volume], names: dict[str, str] | None = None) -> None:
    """Add masks as segments of the patient's segmentation, or fill those that have the same id.

    Parameters
    ----------
    patient : PatientNode
        Whose they are.
    masks : dict of str to Volume
        bool, by segment key. Segments of other ids are left alone.
    names : dict of str to str, optional
        By segment key, instead of the usual names.
    """
    names = names or {}
    node = patient.segmentation
    if node is None:
        if not masks:
            return
        node = add_segmentation(patient.scene, masks, reference_node(patient))
        node.SetName(f"{patient.name} segmentation")
        patient.segmentation = node
        for key in set(names) & set(masks):
            node.GetSegmentation().GetSegment(key).SetName(names[key])
        return
    for key in ordered(masks):
        put_mask(node, key, masks[key], names.get(key))


def put_mask(segmentation: Any, key: str, mask: Volume, name: str | None = None) -> None:
    """Fill one segment, made if it is not there.

    Parameters
    ----------
    segmentation : vtkMRMLSegmentationNode
        Where to.
    key : str
        Segment id; also tells colour, name and codes (`StrokePredictLib.segments`).
    mask : Volume
        bool.
    name : str, optional
        Instead of the usual name.
    """
    slicer = slicer_package()
    inner = segmentation.GetSegmentation()
    new = make_segment(segment_for(key), mask, binary_labelmap_name())
    if name:
        new.SetName(name)
    there = inner.GetSegment(key)
    if there is None:
        inner.AddSegment(new, key)
        return
    there.AddRepresentation(binary_labelmap_name(), new.GetRepresentation(binary_labelmap_name()))
    there.SetLabelValue(new.GetLabelValue())  # a segment from a file may have been one of several in one image
    there.RemoveRepresentation(slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName())
    if name:
        there.SetName(name)


def reference_node(patient: PatientNode) -> Any:
    """Return the image whose grid the patient's masks lie on; None before there is any."""
    images = patient.images()
    for role in ("dwi", "adc", "b0", "tmax", "cbf", "ncct"):
        if role in images:
            return images[role]
    return next(iter(images.values()), None)


def _file(patient: PatientNode) -> None:
    """Put the patient's nodes into one folder of the subject hierarchy, beside the user's own left where they are."""
    hierarchy = slicer_package().vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(patient.scene)
    root = hierarchy.GetSceneItemID()
    folder = hierarchy.GetItemChildWithName(root, patient.name) or hierarchy.CreateSubjectItem(root, patient.name)
    nodes = [n for n in (*patient.images().values(), *patient.probabilities().values()) if n.GetAttribute(OURS)]
    for node in [*nodes, *([patient.segmentation] if patient.segmentation else [])]:
        item = hierarchy.GetItemByDataNode(node)
        if item == hierarchy.GetInvalidItemID():
            hierarchy.CreateItem(folder, node)
        else:
            hierarchy.SetItemParent(item, folder)


@contextlib.contextmanager
def batch(scene: Any) -> Iterator[None]:
    """Let the views and lists wait until all changes are made."""
    scene.StartState(scene.BatchProcessState)
    try:
        yield
    finally:
        scene.EndState(scene.BatchProcessState)
