"""What a view has to say of what it shows: a simulated patient, the work of a demonstration model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from slicer.i18n import tr as _

from .live_volumes import ids_of
from .marks import DEMONSTRATION, SIMULATED, is_marked


def lines_in_slice(scene: Any, view: Any, composite: Any) -> list[str]:
    """Return what a slice view has to say: whether it shows a simulated patient, and a demonstration model's work.

    Parameters
    ----------
    scene : vtkMRMLScene
        The scene.
    view : vtkMRMLSliceNode
        The view.
    composite : vtkMRMLSliceCompositeNode or None
        The images in it.
    """
    nodes = _images_in(scene, composite)
    marks = {mark for node in nodes for mark in (SIMULATED, DEMONSTRATION) if node.GetAttribute(mark)}
    for segmentation, display in _segmentations(scene, view):
        if not display.GetVisibility2D():
            continue
        shown = [
            key
            for key in ids_of(segmentation)
            if display.GetSegmentVisibility(key)
            and (display.GetSegmentVisibility2DFill(key) or display.GetSegmentVisibility2DOutline(key))
        ]
        marks |= _marks_of(segmentation, shown)
    return _lines(marks)


def lines_in_3d(scene: Any, view: Any) -> list[str]:
    """Return what a 3D view has to say; only surfaces that were made are shown there.

    Parameters
    ----------
    scene : vtkMRMLScene
        The scene.
    view : vtkMRMLViewNode
        The view.
    """
    marks: set[str] = set()
    for segmentation, display in _segmentations(scene, view):
        if not display.GetVisibility3D():
            continue
        surface = display.GetPreferredDisplayRepresentationName3D() or "Closed surface"
        inner = segmentation.GetSegmentation()
        shown = [
            key
            for key in ids_of(segmentation)
            if display.GetSegmentVisibility(key)
            and display.GetSegmentVisibility3D(key)
            and inner.GetSegment(key).GetRepresentation(surface) is not None
        ]
        marks |= _marks_of(segmentation, shown)
    return _lines(marks)


def _images_in(scene: Any, composite: Any) -> list[Any]:
    """Return the images that a slice view shows."""
    if composite is None:
        return []
    ids = [composite.GetBackgroundVolumeID()]
    ids += [composite.GetForegroundVolumeID()] if composite.GetForegroundOpacity() > 0 else []
    ids += [composite.GetLabelVolumeID()] if composite.GetLabelOpacity() > 0 else []
    nodes = [scene.GetNodeByID(each) for each in ids if each]
    return [node for node in nodes if node is not None]


def _segmentations(scene: Any, view: Any) -> Iterable[tuple[Any, Any]]:
    """Return the segmentations that a view may show, with their display nodes."""
    for number in range(scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")):
        node = scene.GetNthNodeByClass(number, "vtkMRMLSegmentationNode")
        display = node.GetDisplayNode()
        if display is not None and display.GetVisibility() and display.IsDisplayableInView(view.GetID()):
            yield node, display


def _marks_of(segmentation: Any, shown: list[str]) -> set[str]:
    marks = {DEMONSTRATION} if any(is_marked(segmentation, key) for key in shown) else set()
    return marks | ({SIMULATED} if shown and segmentation.GetAttribute(SIMULATED) else set())


def _lines(marks: set[str]) -> list[str]:
    lines = [_("Simulated patient")] if SIMULATED in marks else []
    return [*lines, *([_("Simulated-trained model:"), _("not for clinical use")] if DEMONSTRATION in marks else [])]
