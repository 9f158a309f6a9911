"""What comes of simulated patients, said on nodes and segments themselves, so that a saved scene says it too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: Node attribute: of whom it is an image was simulated.
SIMULATED = "StrokePredict.Simulated"
#: Node attribute and segment tag: made by a model that learnt from simulated patients alone.
DEMONSTRATION = "StrokePredict.Demonstration"


def mark_node(node: Any, mark: str, on: bool) -> None:
    """Mark a node, or take the mark from it."""
    if bool(node.GetAttribute(mark)) != bool(on):
        node.SetAttribute(mark, "1" if on else None)


def mark_segment(segmentation: Any, key: str, on: bool) -> None:
    """Mark a segment as a demonstration model's, or take the mark from it; nothing where there is no such segment."""
    segment = segmentation.GetSegmentation().GetSegment(key)
    if segment is not None and segment.HasTag(DEMONSTRATION) != bool(on):
        segment.SetTag(DEMONSTRATION, "1") if on else segment.RemoveTag(DEMONSTRATION)


def is_marked(segmentation: Any, key: str) -> bool:
    """Return whether a segment is there and marked."""
    segment = segmentation.GetSegmentation().GetSegment(key)
    return segment is not None and segment.HasTag(DEMONSTRATION)


def mark_found(
    prediction: dict[str, Any] | None, simulated: bool, images: Iterable[Any], maps: dict[str, Any], segmentation: Any
) -> None:
    """Mark all nodes of a patient.

    Parameters
    ----------
    prediction : dict or None
        What ``prediction.json`` holds: which models are demonstrations, and which segments they filled.
    simulated : bool
        Whether no person was imaged.
    images : iterable of vtkMRMLVolumeNode
        The patient's images.
    maps : dict of str to vtkMRMLVolumeNode
        Probabilities by model.
    segmentation : vtkMRMLSegmentationNode or None
        The patient's segments.
    """
    models = (prediction or {}).get("models", [])
    for node in (*images, *maps.values(), *([segmentation] if segmentation is not None else [])):
        mark_node(node, SIMULATED, simulated)
    for model in models:
        demonstration = bool(model.get("demonstration"))
        if model["name"] in maps:
            mark_node(maps[model["name"]], DEMONSTRATION, demonstration)
        if model.get("segment") and segmentation is not None:
            mark_segment(segmentation, model["segment"], demonstration)
