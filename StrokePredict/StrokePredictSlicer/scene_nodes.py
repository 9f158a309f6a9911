"""Maps, masks, tables and texts as MRML nodes. Only here LPS becomes MRML's RAS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import vtk
from vtk.util import numpy_support

from StrokePredictLib.case import ROLES
from StrokePredictLib.report.colours import COLOUR_MAPS, MapStyle, style_for
from StrokePredictLib.report.tables import criteria, mismatch_rows, volume_rows
from StrokePredictLib.segments import BRAIN, TERMINOLOGY_NAME, Segment, ordered, segment_for
from StrokePredictLib.study import Study
from StrokePredictLib.volume import Volume

from .core import logic_of, slicer_package

#: Overlays are clear below these values, so that the image under them can be read where tissue is normal.
SHOWN_FROM = {"tmax": 4.0, "probability": 0.1}
#: Attribute of colour tables made here.
_COLOURS = "StrokePredict.Colours"
_LEGEND_POINTS = 10
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def ras_matrix(volume: Volume) -> vtk.vtkMatrix4x4:
    """Return the matrix from voxel indices to RAS millimetres."""
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy((LPS_TO_RAS @ volume.affine).ravel().tolist())
    return matrix


def image_data(array: np.ndarray, image: vtk.vtkImageData | None = None) -> vtk.vtkImageData:
    """Return a VTK image with a copy of a ``(z, y, x)`` array; ``image``, if given, is filled and returned."""
    image = vtk.vtkImageData() if image is None else image
    image.SetDimensions(*reversed(array.shape))
    scalars = numpy_support.numpy_to_vtk(np.ascontiguousarray(array).ravel(), deep=True)
    image.GetPointData().SetScalars(scalars)
    return image


def add_map(scene: Any, role: str, volume: Volume, inside: np.ndarray | None, name: str | None = None) -> Any:
    """Add an image as a scalar volume with its colours and window.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where to.
    role : str
        As in `case.ROLES`, or ``"probability"``.
    volume : Volume
        3D.
    inside : numpy.ndarray, optional
        bool ``(z, y, x)``, the brain; used for the grey window where it has the image's size.
    name : str, optional
        Node name; what `case.ROLES` calls the role if left out.

    Returns
    -------
    vtkMRMLScalarVolumeNode
    """
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name or ROLES.get(role, (role,))[0])
    node.SetIJKToRASMatrix(ras_matrix(volume))
    node.SetAndObserveImageData(image_data(volume.array.astype(np.float32, copy=False)))
    node.SetAttribute("StrokePredict.Role", role)
    # Slicer's usual reader turns left-handed grids round on opening; this one keeps every voxel's index.
    storage = scene.AddNewNodeByClass("vtkMRMLNRRDStorageNode", f"{node.GetName()} storage")
    node.SetAndObserveStorageNodeID(storage.GetID())
    node.CreateDefaultDisplayNodes()
    same_size = inside is not None and inside.shape == volume.shape
    style = style_for(role, volume, inside if same_size else None)
    display = node.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(style.low, style.high)
    if role in COLOUR_MAPS:
        display.SetAndObserveColorNodeID(_colour_node(scene, style).GetID())
        legend = logic_of(scene, "colors").AddDefaultColorLegendDisplayNode(node)
        if legend is not None:
            _set_legend(legend, style)
    else:
        display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    if role in SHOWN_FROM:
        display.SetLowerThreshold(SHOWN_FROM[role])
        display.SetUpperThreshold(max(float(volume.array.max()), style.high) + 1.0)
        display.SetApplyThreshold(True)
    return node


def _set_legend(legend: Any, style: MapStyle) -> None:
    """Make a legend small, in the upper right corner that no brain reaches, with labels that need no rounding."""
    legend.SetTitleText(f"{style.title} [{style.unit}]" if style.unit else style.title)
    digits = 0 if style.high > 2 else 1
    steps = ((count, (style.high - style.low) / (count - 1)) for count in (5, 4, 6, 7, 3))
    legend.SetNumberOfLabels(next((count for count, step in steps if abs(step - round(step, digits)) < 1e-9), 5))
    legend.SetLabelFormat(f"%.{digits}f")
    legend.SetPosition(0.98, 0.9)  # higher, and Slicer's view cuts the title that stands above the bar
    legend.SetSize(0.15, 0.2)  # narrower, and 0.2 is written smaller than 12
    legend.GetTitleTextProperty().SetFontSize(_LEGEND_POINTS)
    legend.GetLabelTextProperty().SetFontSize(_LEGEND_POINTS)


def _colour_node(scene: Any, style: MapStyle) -> Any:
    """Return the colour table of a map, made once a scene."""
    name = f"{style.title} ({style.low:g} to {style.high:g}{' ' + style.unit if style.unit else ''})"
    existing = scene.GetNodesByClassByName("vtkMRMLColorTableNode", name)
    if existing.GetNumberOfItems():
        return existing.GetItemAsObject(0)
    node = slicer_package().vtkMRMLColorTableNode()
    node.SetName(name)
    node.SetTypeToUser()
    node.SetNumberOfColors(len(style.table))
    for index, (red, green, blue) in enumerate(style.table):
        value = style.low + (style.high - style.low) * index / (len(style.table) - 1)
        node.SetColor(index, f"{value:.2f}", red, green, blue, 1.0)
    node.GetLookupTable().SetRange(0, len(style.table) - 1)
    node.SetHideFromEditors(False)
    node.SetAttribute(_COLOURS, "1")
    return scene.AddNode(node)


def remove_shown(scene: Any, nodes: Iterable[Any]) -> None:
    """Take nodes out of a scene with what shows them, and the colour tables of ours that nobody uses any more.

    Notes
    -----
    Slicer leaves the display node of a volume that has a colour legend in the scene: the legend refers to it.
    """
    displays = []
    for node in nodes:
        if node.IsA("vtkMRMLDisplayableNode"):
            displays += [node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes())]
        if scene.IsNodePresent(node):
            scene.RemoveNode(node)
    for display in displays:
        if display is not None and scene.IsNodePresent(display):
            scene.RemoveNode(display)
    used = {display.GetColorNodeID() for display in _nodes_of(scene, "vtkMRMLDisplayNode")}
    for table in _nodes_of(scene, "vtkMRMLColorTableNode"):
        if table.GetAttribute(_COLOURS) and table.GetID() not in used:
            scene.RemoveNode(table)


def _nodes_of(scene: Any, kind: str) -> list[Any]:
    found = scene.GetNodesByClass(kind)
    return [found.GetItemAsObject(index) for index in range(found.GetNumberOfItems())]


def add_segmentation(scene: Any, masks: dict[str, Volume], reference: Any) -> Any:
    """Add masks as one segmentation of named, coloured, coded segments.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where to.
    masks : dict of str to Volume
        By segment key; the key becomes the segment's id.
    reference : vtkMRMLScalarVolumeNode or None
        The image whose grid they lie on.

    Returns
    -------
    vtkMRMLSegmentationNode
    """
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    segmentation = node.GetSegmentation()
    representation = binary_labelmap_name()
    set_source = getattr(segmentation, "SetSourceRepresentationName", None) or segmentation.SetMasterRepresentationName
    set_source(representation)
    if reference is not None:
        node.SetReferenceImageGeometryParameterFromVolumeNode(reference)
    for key in ordered(masks):
        segmentation.AddSegment(make_segment(segment_for(key), masks[key], representation), key)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetVisibility3D(False)
    for key in masks:
        display.SetSegmentVisibility(key, key not in ("brain", "penumbra", "ground_truth"))
        filled = key.startswith("core")
        display.SetSegmentOpacity2DFill(key, 0.35 if filled else 0.0)
        display.SetSegmentOpacity2DOutline(key, 1.0)
    return node


def make_segment(segment: Segment, mask: Volume, representation: str) -> Any:
    """Return a vtkSegment with a mask, its name, colour and codes."""
    slicer = slicer_package()
    result = slicer.vtkSegment()
    result.SetName(segment.name)
    result.SetColor(*segment.colour)
    result.SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), terminology_entry(segment))
    if segment.description:
        result.SetTag("Description", segment.description)
    labelmap = slicer.vtkOrientedImageData()
    image_data((mask.array > 0).astype(np.uint8), labelmap)
    labelmap.SetImageToWorldMatrix(ras_matrix(mask))
    result.AddRepresentation(representation, labelmap)
    return result


def binary_labelmap_name() -> str:
    """Return what Slicer calls a segment's labelmap."""
    return slicer_package().vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()


def terminology_entry(segment: Segment) -> str:
    """Return Slicer's text of a segment's codes, with the brain as anatomic region."""

    def coded(code: Any) -> str:
        return f"{code.scheme}^{code.value}^{code.meaning}" if code else "^^"

    region = None if segment.type == BRAIN else BRAIN
    anatomy = "Anatomic codes - DICOM master list" if region else ""
    parts = [TERMINOLOGY_NAME, coded(segment.category), coded(segment.type), "^^", anatomy, coded(region), "^^"]
    return "~".join(parts)


def add_tables(scene: Any, study: Study) -> list[Any]:
    """Add the tables of volumes and of mismatch and criteria; a table without rows is left out."""
    volumes = [[row.label, row.value, row.unit, row.truth] for row in volume_rows(study)]
    rules = [["Mismatch", row.label, row.text, ""] for row in mismatch_rows(study)]
    for trial in criteria(study):
        rules += [[trial["title"], item["name"], item["value"], item["met"]] for item in trial["items"]]
        rules.append([trial["title"], "All criteria", "", trial["verdict"]])
    tables = []
    if volumes:
        tables.append(_add_table(scene, "Volumes", ["Quantity", "Value", "Unit", "Truth"], volumes))
    if rules:
        columns = ["Group", "Quantity", "Value", "Met"]
        tables.append(_add_table(scene, "Mismatch and criteria", columns, rules))
    return tables


def _add_table(scene: Any, name: str, columns: list[str], rows: list[list[str]]) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    for index, title in enumerate(columns):
        column = vtk.vtkStringArray()
        column.SetName(title)
        for row in rows:
            column.InsertNextValue(row[index])
        node.AddColumn(column)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    return node


def add_text(scene: Any, name: str, text: str) -> Any:
    """Add a text node."""
    node = scene.AddNewNodeByClass("vtkMRMLTextNode", name)
    node.SetText(text)
    return node
