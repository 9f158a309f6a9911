"""What is shown over the images: presets, fill or outline, and the layout made for stroke."""

from __future__ import annotations

from typing import Any

from StrokePredictLib.segments import SEGMENTS

from .core import slicer_package
from .patient_node import PatientNode
from .scene_views import composite_node, place_slice
from .study_of_patient import masks_of
from .volumes_in import volume_of

#: Preset → the segments it shows; readers' own corrections are shown by all but "nothing".
PRESETS: dict[str, tuple[str, ...]] = {
    "overview": (
        "core_adc", "core_cbf", "hypoperfused_tmax", "infarct_predicted", "infarct_predicted_reperfused",
        "infarct_predicted_not_reperfused",
    ),
    "core": ("core_adc", "core_cbf", "core_network"),
    "mismatch": ("core_adc", "core_cbf", "penumbra"),
    "prediction": (
        "infarct_predicted", "infarct_predicted_reperfused", "infarct_predicted_not_reperfused", "infarct_what_if",
    ),
    "nothing": (),
}  # fmt: skip
_FILL = 0.35
_LESIONS = ("core_adc", "core_cbf", "core_network", "hypoperfused_tmax", "infarct_predicted")

#: Slicer's numbers for layouts of its own end far below.
LAYOUT = 54170
#: Views of the layout, and what each shows behind the segments: the first there is.
VIEWS = {
    "Red": ("dwi", "ncct", "b0", "flair"),
    "Yellow": ("adc", "cbv", "b0", "flair"),
    "Green": ("tmax", "mtt", "ttp"),
    "Slice4": ("probability", "cbf", "flair", "b0"),
}
_VIEW = (
    '<item><view class="vtkMRMLSliceNode" singletontag="{tag}"><property name="orientation" action="default">Axial'
    '</property><property name="viewlabel" action="default">{label}</property>'
    '<property name="viewcolor" action="default">{colour}</property></view></item>'
)
_LABELS = {
    "Red": ("D", "#F34A33"), "Yellow": ("A", "#EDD54C"), "Green": ("T", "#6EB04B"), "Slice4": ("P", "#1F9FE0"),
}  # fmt: skip


def layout_description() -> str:
    """Return Slicer's XML of the layout: four slices side by side, 3D and table below them."""
    slices = "".join(_VIEW.format(tag=tag, label=label, colour=colour) for tag, (label, colour) in _LABELS.items())
    return (
        '<layout type="vertical" split="true">'
        f'<item splitSize="650"><layout type="horizontal">{slices}</layout></item>'
        '<item splitSize="350"><layout type="horizontal" split="true">'
        '<item><view class="vtkMRMLViewNode" singletontag="1"><property name="viewlabel" action="default">1</property>'
        "</view></item>"
        '<item><view class="vtkMRMLTableViewNode" singletontag="TableView1"></view></item>'
        "</layout></item></layout>"
    )


def show_layout(patient: PatientNode | None) -> None:
    """Switch to the stroke layout and put a patient's images into its views."""
    slicer = slicer_package()
    manager = slicer.app.layoutManager()
    if slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode") is None:
        manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if not node.IsLayoutDescription(LAYOUT):
        node.AddLayoutDescription(LAYOUT, layout_description())
    manager.setLayout(LAYOUT)
    if patient is not None:
        show_images(patient)


def show_images(patient: PatientNode) -> None:
    """Put a patient's images into the views, each placed through the lesion."""
    nodes = patient.images() | {"probability": next(iter(patient.probabilities().values()), None)}
    nodes = {role: node for role, node in nodes.items() if node is not None and not node.IsA("vtkMRMLSequenceNode")}
    nodes = {role: node for role, node in nodes.items() if node.GetImageData() is not None}
    if not nodes:
        return  # nothing to see; the job says what is wrong with them
    first = next(iter(nodes.values()))
    reference = volume_of(nodes.get("dwi", first))
    masks = masks_of(patient, reference, only=_LESIONS)
    lesion = next((masks[key].array for key in _LESIONS if key in masks and masks[key].array.any()), None)
    for view, wishes in VIEWS.items():
        role = next((role for role in wishes if role in nodes), None)
        behind = nodes.get("dwi", first) if role in (None, "probability", "tmax") else nodes[role]
        composite = composite_node(patient.scene, view)
        composite.SetBackgroundVolumeID(behind.GetID())
        over = nodes[role] if role in ("probability", "tmax") and nodes[role] is not behind else None
        composite.SetForegroundVolumeID(over.GetID() if over is not None else None)
        composite.SetForegroundOpacity(0.6 if over is not None else 0.0)
        composite.SetLinkedControl(True)
        place_slice(patient.scene, view, reference, lesion)


def show_behind(patient: PatientNode, role: str) -> None:
    """Show one image behind the segments in all views, as for drawing on the follow-up."""
    node = patient.image(role)
    if node is None:
        return
    for view in VIEWS:
        composite = composite_node(patient.scene, view)
        composite.SetBackgroundVolumeID(node.GetID())
        composite.SetForegroundOpacity(0.0)


def show_preset(patient: PatientNode, preset: str) -> None:
    """Show the segments of a preset and hide the others.

    Parameters
    ----------
    patient : PatientNode
        Whose.
    preset : str
        Key of `PRESETS`.
    """
    node = patient.segmentation
    if node is None:
        return
    display = node.GetDisplayNode()
    wanted = PRESETS[preset]
    change = display.StartModify()
    inner = node.GetSegmentation()
    for index in range(inner.GetNumberOfSegments()):
        key = inner.GetNthSegmentID(index)
        own = key.startswith("read_") or key == "ground_truth" or (key not in SEGMENTS and not key.startswith("start_"))
        display.SetSegmentVisibility(key, key in wanted or (own and preset != "nothing" and key != "infarct_what_if"))
    display.EndModify(change)


def show_filled(patient: PatientNode, filled: bool) -> None:
    """Fill the segments, or draw their outlines alone."""
    node = patient.segmentation
    if node is None:
        return
    display, inner = node.GetDisplayNode(), node.GetSegmentation()
    change = display.StartModify()
    for index in range(inner.GetNumberOfSegments()):
        key = inner.GetNthSegmentID(index)
        display.SetSegmentOpacity2DFill(key, _FILL if filled else 0.0)
        display.SetSegmentOpacity2DOutline(key, 1.0)
    display.EndModify(change)


def only_shown(scene: Any, shown: PatientNode, everybody: Any) -> None:
    """Hide the segmentations of the other patients."""
    for patient in everybody:
        node = patient.segmentation
        if node is not None and node.GetDisplayNode() is not None:
            node.GetDisplayNode().SetVisibility(patient == shown)
