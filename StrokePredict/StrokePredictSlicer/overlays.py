"""What is shown over the images: presets, fill or outline, and the layout made for stroke."""

from __future__ import annotations

from typing import Any

import qt

from StrokePredictLib.segments import SEGMENTS, kind_of

from .core import slicer_package
from .live_volumes import ids_of
from .patient_node import PatientNode
from .scene_views import composite_node, place_slice
from .shown_maps import shown_map
from .study_of_patient import masks_of
from .volumes_in import volume_of

#: Preset → the kinds of segments it shows; what readers drew is shown by all but "nothing" and "reperfusion".
PRESETS: dict[str, tuple[str, ...]] = {
    "overview": ("core_adc", "core_cbf", "hypoperfused_tmax", "infarct_predicted"),
    "core": ("core_adc", "core_cbf", "core_network"),
    "mismatch": ("core_adc", "core_cbf", "penumbra"),
    "nothing": (),
    "prediction": ("infarct_predicted", "infarct_predicted_attention"),
    "reperfusion": ("infarct_predicted_reperfused", "infarct_predicted_not_reperfused", "infarct_what_if"),
    "readers": ("ground_truth",),
}
_WITHOUT_READERS = ("nothing", "reperfusion")
_FILL = 0.35
_LESIONS = ("core_adc", "core_cbf", "core_network", "hypoperfused_tmax", "infarct_predicted")

#: Slicer's numbers for layouts of its own end far below.
LAYOUT = 54170
#: Views of the layout, and what each shows behind the segments: the first there is. CT has no DWI and no ADC: its own
#: image stands for the one, CBF, by which its core is cut, for the other.
VIEWS = {
    "Red": ("dwi", "ncct", "b0", "flair", "cbv"),
    "Yellow": ("adc", "cbf", "cbv", "b0", "flair"),
    "Green": ("tmax", "mtt", "ttp"),
    "Slice4": ("probability", "mtt", "cbv", "flair", "b0"),
}
#: Shown over an anatomical image, since they are clear where tissue is normal.
_OVER = ("probability", "tmax")
_ANATOMY = ("dwi", "ncct", "b0", "flair", "adc", "cbv", "cbf")
#: Pixels.
_NARROWEST_VIEW = 150
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
        '<item splitSize="500"><view class="vtkMRMLViewNode" singletontag="1">'
        '<property name="viewlabel" action="default">1</property></view></item>'
        '<item splitSize="500"><view class="vtkMRMLTableViewNode" singletontag="TableView1"></view></item>'
        "</layout></item></layout>"
    )


def show_layout(patient: PatientNode | None) -> None:
    """Switch to the stroke layout and put a patient's images into its views."""
    slicer = slicer_package()
    manager = slicer.app.layoutManager()
    if slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode") is None:
        manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if node.IsLayoutDescription(LAYOUT):
        node.SetLayoutDescription(LAYOUT, layout_description())
    else:
        node.AddLayoutDescription(LAYOUT, layout_description())
    manager.setLayout(LAYOUT)
    for view in VIEWS:
        widget = manager.sliceWidget(view)
        if widget is not None:
            # Four controller bars side by side would push Slicer's window beyond a laptop's screen.
            widget.setMinimumWidth(_NARROWEST_VIEW)
    if patient is not None:
        show_images(patient)
        show_table_of(patient)


def show_table_of(patient: PatientNode) -> None:
    """Put the patient's table into the layout's table view."""
    view = patient.scene.GetNodeByID("vtkMRMLTableViewNodeTableView1")
    if view is not None and patient.table is not None:
        view.SetTableNodeID(patient.table.GetID())
        widget = slicer_package().app.layoutManager().tableWidget(0)
        if widget is not None:
            table = widget.tableView()
            table.verticalHeader().hide()
            table.resizeColumnToContents(0)
            table.horizontalHeader().setSectionResizeMode(1, qt.QHeaderView.Stretch)
            table.resizeRowsToContents()  # a long name goes on in a second line, not out of sight


def show_images(patient: PatientNode, model: str | None = None) -> None:
    """Put a patient's images into the views, each placed through the lesion.

    Parameters
    ----------
    patient : PatientNode
        Whose.
    model : str, optional
        Whose probabilities; the general model's, else the first's, if left out.
    """
    nodes = patient.images() | {"probability": probability_node(patient, model)}
    nodes = {role: node for role, node in nodes.items() if node is not None and not node.IsA("vtkMRMLSequenceNode")}
    nodes = {role: node for role, node in nodes.items() if node.GetImageData() is not None}
    if not nodes:
        return  # nothing to see; the job says what is wrong with them
    below = next((nodes[role] for role in _ANATOMY if role in nodes), next(iter(nodes.values())))
    reference = volume_of(below)
    masks = masks_of(patient, reference, only=(*_LESIONS, "brain"))
    brain = masks["brain"].array if "brain" in masks else None
    lesion = next((masks[key].array for key in _LESIONS if key in masks and masks[key].array.any()), None)
    for view, wishes in VIEWS.items():
        role = next((role for role in wishes if role in nodes), None)
        node = shown_map(patient, role, nodes[role]) if role else below
        over = node if role in _OVER else None
        _fill_view(patient.scene, view, below if over is not None else node, over)
        place_slice(patient.scene, view, reference, lesion, brain)
    _show_legends(patient.scene)


def _show_legends(scene: Any) -> None:
    """Let every legend look which views its map is in: it is told of brushes and mice, not of programs."""
    legends = scene.GetNodesByClass("vtkMRMLColorLegendDisplayNode")
    for index in range(legends.GetNumberOfItems()):
        legends.GetItemAsObject(index).Modified()


def probability_node(patient: PatientNode, model: str | None = None) -> Any:
    """Return the probability map to be shown; None where there is none."""
    maps = patient.probabilities()
    if model in maps:
        return maps[model]
    models = (patient.study.get("prediction") or {}).get("models", [])
    general = [m["name"] for m in models if m.get("segment") == "infarct_predicted" and m["name"] in maps]
    return maps[general[0]] if general else next(iter(maps.values()), None)


def show_probability(patient: PatientNode, model: str) -> None:
    """Show a model's probabilities where the layout shows probabilities."""
    node = probability_node(patient, model)
    if node is not None:
        composite_node(patient.scene, "Slice4").SetForegroundVolumeID(node.GetID())
        _show_legends(patient.scene)


def _fill_view(scene: Any, view: str, behind: Any, over: Any) -> None:
    """Put images into a view, linked with the others while it is zoomed and moved, not while it is filled."""
    composite = composite_node(scene, view)
    composite.SetLinkedControl(False)
    composite.SetBackgroundVolumeID(behind.GetID())
    composite.SetForegroundVolumeID(over.GetID() if over is not None else None)
    composite.SetForegroundOpacity(0.6 if over is not None else 0.0)
    composite.SetLinkedControl(True)


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
    change = display.StartModify()
    for key in ids_of(node):
        display.SetSegmentVisibility(key, is_shown(key, preset))
    display.EndModify(change)


def is_shown(key: str, preset: str) -> bool:
    """Return whether a preset shows a segment, by its id."""
    kind = kind_of(key)
    if kind in SEGMENTS or key == "infarct_what_if":
        return kind in PRESETS[preset]
    return preset not in _WITHOUT_READERS and not key.startswith("start_")


def show_filled(patient: PatientNode, filled: bool) -> None:
    """Fill the segments, or draw their outlines alone."""
    node = patient.segmentation
    if node is None:
        return
    display = node.GetDisplayNode()
    change = display.StartModify()
    for key in ids_of(node):
        display.SetSegmentOpacity2DFill(key, _FILL if filled else 0.0)
        display.SetSegmentOpacity2DOutline(key, 1.0)
    display.EndModify(change)


def only_shown(scene: Any, shown: PatientNode, everybody: Any) -> None:
    """Hide the segmentations of the other patients."""
    for patient in everybody:
        node = patient.segmentation
        if node is not None and node.GetDisplayNode() is not None:
            node.GetDisplayNode().SetVisibility(patient == shown)
