"""What a scene shows when it is opened."""

from __future__ import annotations

from typing import Any

import numpy as np

from StrokePredictLib.report.orientation import nearest_axes
from StrokePredictLib.study import Study
from StrokePredictLib.volume import Volume

from .core import inside_slicer, logic_of, slicer_package
from .scene_nodes import LPS_TO_RAS

#: Opacity of the Tmax overlay.
OVERLAY_OPACITY = 0.5
#: Along the shorter side of a view.
_FIELD_OF_VIEW_MM = 240.0
#: The view round the brain, as a multiple of its size.
_ROOM = 1.12
#: Slice views of the two-over-two layout in reading order, and what each would best show behind the segments.
_VIEWS = {
    "Red": ("dwi", "b0", "adc", "flair", "ncct"),
    "Yellow": ("adc", "b0", "flair", "ncct"),
    "Green": ("mtt", "tmax", "flair", "b0"),
    "Slice4": ("cbf", "cbv", "flair", "b0"),
}


def arrange_views(scene: Any, study: Study, nodes: dict[str, Any], segmentation: Any) -> None:
    """Show DWI with Tmax over it and the maps beside, four linked slices through the lesion.

    Parameters
    ----------
    scene : vtkMRMLScene
        The scene with the nodes.
    study : Study
        Where the lesion is looked up.
    nodes : dict of str to vtkMRMLScalarVolumeNode
        By role.
    segmentation : vtkMRMLSegmentationNode or None
        Shown in every view.
    """
    slicer = slicer_package()
    if not nodes:
        return
    _set_layout(slicer, scene)
    shown: list[str] = []
    for view, wishes in _VIEWS.items():
        role = next((role for role in wishes if role in nodes and role not in shown), None)
        role = role or next(role for role in ("dwi", *nodes) if role in nodes)
        shown.append(role)
        composite = composite_node(scene, view)
        composite.SetBackgroundVolumeID(nodes[role].GetID())
        overlay = view == "Red" and "tmax" in nodes and role != "tmax"
        composite.SetForegroundVolumeID(nodes["tmax"].GetID() if overlay else None)
        composite.SetForegroundOpacity(OVERLAY_OPACITY if overlay else 0.0)
        composite.SetLinkedControl(True)
        place_slice(scene, view, study.case.reference, _lesion(study))
    selection = logic_of(scene, "application").GetSelectionNode()
    selection.SetActiveVolumeID(composite_node(scene, "Red").GetBackgroundVolumeID())
    if "tmax" in nodes:
        selection.SetSecondaryVolumeID(nodes["tmax"].GetID())
    if segmentation is not None:
        segmentation.GetDisplayNode().SetVisibility2D(True)


def _set_layout(slicer: Any, scene: Any) -> None:
    arrangement = slicer.vtkMRMLLayoutNode.SlicerLayoutTwoOverTwoView
    if inside_slicer():
        slicer.app.layoutManager().setLayout(arrangement)
        return
    logic = slicer.vtkMRMLLayoutLogic()
    logic.SetMRMLScene(scene)
    logic.GetLayoutNode().SetViewArrangement(arrangement)
    logic.SetMRMLScene(None)


def composite_of(scene: Any, view: str) -> Any:
    """Return a view's composite node: which images it shows; None where the scene has none."""
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLSliceCompositeNode")):
        node = scene.GetNthNodeByClass(index, "vtkMRMLSliceCompositeNode")
        if node.GetLayoutName() == view:
            return node
    return None


def composite_node(scene: Any, view: str) -> Any:
    """Return a view's composite node, made if the scene has none yet."""
    there = composite_of(scene, view)
    if there is not None:
        return there
    node = slicer_package().vtkMRMLSliceCompositeNode()
    node.SetSingletonTag(view)
    node.SetLayoutName(view)
    node.SetName(f"SliceComposite{view}")
    return scene.AddNode(node)


def place_slice(
    scene: Any, view: str, reference: Volume, lesion: np.ndarray | None, brain: np.ndarray | None = None
) -> None:
    """Turn a view into the plane of acquisition nearest to axial, through the slice with most of the lesion.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where the view is; nothing happens where it is not.
    view : str
        Name as ``Red``.
    reference : Volume
        The grid.
    lesion : numpy.ndarray or None
        bool ``(z, y, x)``.
    brain : numpy.ndarray, optional
        bool ``(z, y, x)``; it fills the view.
    """
    node = scene.GetNodeByID(f"vtkMRMLSliceNode{view}")
    if node is None:
        return
    rotation, centre = axial_plane(reference, lesion)
    wide = high = _FIELD_OF_VIEW_MM
    if brain is not None and brain.any():
        centre, wide, high = _around(reference, brain, rotation, centre)
    matrix = node.GetSliceToRAS()
    for row in range(3):
        for column in range(3):
            matrix.SetElement(row, column, rotation[row, column])
        matrix.SetElement(row, 3, centre[row])
    node.UpdateMatrices()
    width, height = (max(pixels, 1) for pixels in node.GetDimensions()[:2])
    # As many millimetres a pixel to the right as upwards, whatever the view's form.
    pixel = max(wide / width, high / height)
    node.SetFieldOfView(pixel * width, pixel * height, 1.0)


def _around(
    reference: Volume, brain: np.ndarray, rotation: np.ndarray, centre: np.ndarray
) -> tuple[np.ndarray, float, float]:
    """Return the middle of the brain in a slice plane, RAS mm, and its width and height in mm with some room."""
    where = [np.flatnonzero(brain.any(axis=tuple(a for a in range(3) if a != axis))) for axis in (2, 1, 0)]
    ends = [found[[0, -1]] for found in where]
    corners = np.array([[i, j, k, 1.0] for i in ends[0] for j in ends[1] for k in ends[2]])
    world = (LPS_TO_RAS @ reference.affine @ corners.T)[:3].T @ rotation
    low, high = world.min(axis=0), world.max(axis=0)
    middle = (low + high) / 2.0
    middle[2] = centre @ rotation[:, 2]
    return rotation @ middle, _ROOM * float(high[0] - low[0]), _ROOM * float(high[1] - low[1])


def axial_plane(reference: Volume, lesion: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the slice plane of the grid nearest to axial, seen from the feet.

    Parameters
    ----------
    reference : Volume
        The grid.
    lesion : numpy.ndarray or None
        bool ``(z, y, x)``; the plane passes through the slice with most of it, else through the middle.

    Returns
    -------
    rotation : numpy.ndarray
        3×3, RAS; columns: the view's right (patient left), up (anterior) and normal (superior).
    centre : numpy.ndarray
        RAS mm.
    """
    direction = LPS_TO_RAS[:3, :3] @ reference.direction
    axes = nearest_axes(direction)
    columns = [direction[:, axes[world]] * np.sign(direction[world, axes[world]]) for world in range(3)]
    rotation = np.stack([-columns[0], columns[1], columns[2]], axis=1)
    index = (np.array(reference.shape[::-1]) - 1) / 2.0
    if lesion is not None and lesion.any():
        axis = axes[2]
        area = np.count_nonzero(lesion, axis=tuple(a for a in range(3) if a != 2 - axis))
        index[axis] = float(np.argmax(area))
    centre = (LPS_TO_RAS @ reference.affine @ [*index, 1.0])[:3]
    return rotation, centre


def _lesion(study: Study) -> np.ndarray | None:
    for key in ("core_adc", "core_cbf", "core_network", "hypoperfused_tmax", "infarct_predicted"):
        mask = study.masks.get(key)
        if mask is not None and mask.array.any():
            return mask.array > 0
    return None
