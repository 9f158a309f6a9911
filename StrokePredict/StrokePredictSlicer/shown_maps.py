"""Maps as they are shown: inside the brain alone. The maps themselves stay as they were computed or read."""

from __future__ import annotations

from typing import Any

import numpy as np

from StrokePredictLib.report.colours import COLOUR_MAPS
from StrokePredictLib.volume import Volume

from .marks import SIMULATED, mark_node
from .patient_node import OURS, SHOWN, PatientNode
from .scene_nodes import SHOWN_FROM, add_map, image_data
from .study_of_patient import masks_of
from .volumes_in import volume_of

#: Image attribute: of which state of the map it is a copy.
_STAMP = "StrokePredict.ShownState"
#: The mask's outermost mm, where it may hold dura and vessels, are never shown.
_RIM_MM = 4.0
#: The edge is so many voxels wide, and without flow below this share of the brain's median.
_EDGE_VOXELS, _NO_FLOW = 3, 0.25
#: Of an overlay, spots of at most this area in a section that reach into its outermost mm are noise.
_SPOT_MM2, _SPOT_RIM_MM = 20.0, 3.5


def shown_map(patient: PatientNode, role: str, node: Any) -> Any:
    """Return what is put into a view for a map: a copy that is 0 outside the brain, or the map where no brain is known.

    Parameters
    ----------
    patient : PatientNode
        Whose.
    role : str
        As in `case.ROLES`.
    node : vtkMRMLScalarVolumeNode
        The map.

    Notes
    -----
    Outside the brain a time to maximum is that of noise: a bright rim round the head that tells nothing.
    """
    if role not in COLOUR_MAPS or role == "probability":
        return node
    volume = volume_of(node)
    brain = masks_of(patient, volume, only=("brain",)).get("brain")
    if brain is None or not brain.array.any():
        return node
    there = patient.node.GetNodeReference(SHOWN + role)
    stamp = f"{node.GetID()} {node.GetImageData().GetMTime()} {np.count_nonzero(brain.array)}"
    if there is not None and there.GetAttribute(_STAMP) == stamp and volume_of(there).same_grid(volume):
        return there
    inside = _without_rim(brain.array, volume) & ~_noisy_edge(patient, volume, brain.array)
    if role in SHOWN_FROM:
        inside &= ~rim_spots(volume.array >= SHOWN_FROM[role], inside, volume)
    array = np.where(inside, volume.array, np.float32(0)).astype(np.float32, copy=False)
    if there is not None and volume_of(there).same_grid(volume):
        image_data(array, there.GetImageData())
        there.GetImageData().Modified()
    else:
        there = add_map(patient.scene, role, volume.with_array(array), brain.array, f"{node.GetName()} in the brain")
        there.SetAttribute(OURS, "shown")
        patient.node.SetNodeReferenceID(SHOWN + role, there.GetID())
        _file_beside(patient, node, there)
    mark_node(there, SIMULATED, patient.simulated)
    there.SetAttribute(_STAMP, stamp)
    return there


def _without_rim(brain: np.ndarray, volume: Volume) -> np.ndarray:
    """Return the brain without the outermost of each section; a section that would vanish stays."""
    inner = _eroded(brain, max(1, round(_RIM_MM / float(min(volume.spacing[:2])))))
    vanished = ~inner.any(axis=(1, 2))
    inner[vanished] = brain[vanished]
    return inner


def _eroded(brain: np.ndarray, voxels: int) -> np.ndarray:
    from scipy.ndimage import binary_erosion  # brings what a panel that only opens does not need

    plane = np.zeros((3, 3, 3), dtype=bool)
    plane[1, 1, :] = plane[1, :, 1] = True
    return binary_erosion(brain, plane, iterations=voxels)


def _noisy_edge(patient: PatientNode, volume: Volume, brain: np.ndarray) -> np.ndarray:
    """Return the brain's edge where next to no blood flows: the fluid around it, whose delays are those of noise."""
    node = patient.image("cbf")
    if node is None:
        return np.zeros_like(brain)
    flow = volume_of(node)
    if not flow.same_grid(volume):
        return np.zeros_like(brain)
    edge = brain & ~_eroded(brain, _EDGE_VOXELS)
    return edge & (flow.array < _NO_FLOW * float(np.median(flow.array[brain])))


def rim_spots(bright: np.ndarray, inside: np.ndarray, volume: Volume) -> np.ndarray:
    """Return the small spots of an overlay at the rim of what is shown; larger ones, and those further in, stay.

    Parameters
    ----------
    bright, inside : numpy.ndarray
        bool ``(z, y, x)``: what the overlay colours, and where the map is shown at all.
    volume : Volume
        The map's grid.
    """
    from scipy.ndimage import label

    width, height = (float(step) for step in volume.spacing[:2])
    in_section = np.zeros((3, 3, 3), dtype=int)
    in_section[1] = 1
    labels, count = label(bright & inside, in_section)
    if not count:
        return np.zeros_like(inside)
    rim = inside & ~_eroded(inside, max(1, round(_SPOT_RIM_MM / min(width, height))))
    goes = np.bincount(labels.ravel()) * width * height <= _SPOT_MM2
    at_rim = np.zeros(count + 1, dtype=bool)
    at_rim[np.unique(labels[rim])] = True
    at_rim[0] = False
    return (goes & at_rim)[labels]


def _file_beside(patient: PatientNode, node: Any, copy: Any) -> None:
    """Put the copy where the map is in the subject hierarchy."""
    from .core import slicer_package

    hierarchy = slicer_package().vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(patient.scene)
    parent = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node))
    item = hierarchy.GetItemByDataNode(copy)
    if item == hierarchy.GetInvalidItemID():
        hierarchy.CreateItem(parent, copy)
    else:
        hierarchy.SetItemParent(item, parent)
