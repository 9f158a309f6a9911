"""A patient of the panel: one parameter node each, so that a saved scene brings the panel back as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from StrokePredictLib.case import ClinicalFacts

from .core import slicer_package
from .scene_nodes import remove_shown

#: Node attribute by which a scripted node is known as a patient.
MARK = "StrokePredict.Patient"
#: Attribute of images that this extension made, and may fill again or remove: the role they play.
OURS = "StrokePredict.Role"
_IMAGE, _PROBABILITY = "image.", "probability."
#: References to the copies of maps that the views show.
SHOWN = "shown."


class PatientNode:
    """Typed access to one patient's vtkMRMLScriptedModuleNode.

    Parameters
    ----------
    node : vtkMRMLScriptedModuleNode
        Made by `add_patient`.

    Notes
    -----
    What an analysis found (volumes, quality, models run) is kept as JSON in the node, the images by node references:
    ``image.ROLE``, ``probability.MODEL``, ``segmentation``, ``table``.
    """

    def __init__(self, node: Any) -> None:
        self.node = node

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PatientNode) and other.node is self.node

    __hash__ = None

    @property
    def name(self) -> str:
        """What the reader sees."""
        return self.node.GetName()

    @property
    def scene(self) -> Any:
        """The scene that it is in; None once it was removed."""
        return self.node.GetScene()

    def text(self, key: str, default: str = "") -> str:
        """Return a parameter as text."""
        return self.node.GetParameter(key) or default

    def set_text(self, key: str, value: str) -> None:
        """Set a parameter."""
        self.node.SetParameter(key, value)

    def value(self, key: str, default: Any = None) -> Any:
        """Return a parameter that was stored as JSON."""
        text = self.node.GetParameter(key)
        return json.loads(text) if text else default

    def set_value(self, key: str, value: Any) -> None:
        """Store a parameter as JSON."""
        self.node.SetParameter(key, json.dumps(value, ensure_ascii=False))

    @property
    def facts(self) -> ClinicalFacts:
        """Age, NIHSS, onset and the rest, as far as they are known."""
        return ClinicalFacts(**self.value("facts", {}))

    @property
    def simulated(self) -> bool:
        """Whether no person was imaged."""
        return bool(self.value("simulated", False))

    @property
    def source(self) -> dict[str, Any]:
        """Folder and patient that it was read from; empty where it was put together from nodes."""
        return self.value("source", {})

    @property
    def reachable_source(self) -> dict[str, Any]:
        """The same where its folder is still there: a saved scene may be opened on another computer."""
        source = self.source
        return source if Path(source.get("folder") or "no folder").is_dir() else {}

    @property
    def study(self) -> dict[str, Any]:
        """What the last analysis said: volumes, perfusion, prediction, doubts, provenance; empty before any."""
        return self.value("study", {})

    def image(self, role: str) -> Any:
        """Return the node that plays a role, or None."""
        return self.node.GetNodeReference(_IMAGE + role)

    def set_image(self, role: str, node: Any) -> None:
        """Let a node play a role; None: nobody."""
        self.node.SetNodeReferenceID(_IMAGE + role, node.GetID() if node is not None else None)

    def images(self) -> dict[str, Any]:
        """Return the nodes by role; one that was deleted plays none."""
        return self._references(_IMAGE)

    def probabilities(self) -> dict[str, Any]:
        """Return the probability maps by model."""
        return self._references(_PROBABILITY)

    def shown(self) -> list[Any]:
        """Return the copies of maps that the views show (`StrokePredictSlicer.shown_maps`)."""
        return list(self._references(SHOWN).values())

    def set_probability(self, model: str, node: Any) -> None:
        """Keep a model's probability map."""
        self.node.SetNodeReferenceID(_PROBABILITY + model, node.GetID() if node is not None else None)

    @property
    def segmentation(self) -> Any:
        """The patient's segmentation node, or None."""
        return self.node.GetNodeReference("segmentation")

    @segmentation.setter
    def segmentation(self, node: Any) -> None:
        self.node.SetNodeReferenceID("segmentation", node.GetID() if node is not None else None)

    @property
    def table(self) -> Any:
        """The table of the segments' volumes, or None."""
        return self.node.GetNodeReference("table")

    @table.setter
    def table(self, node: Any) -> None:
        self.node.SetNodeReferenceID("table", node.GetID() if node is not None else None)

    def _references(self, prefix: str) -> dict[str, Any]:
        roles: list[str] = []
        self.node.GetNodeReferenceRoles(roles)
        found = {role[len(prefix) :]: self.node.GetNodeReference(role) for role in roles if role.startswith(prefix)}
        return {role: node for role, node in found.items() if node is not None}


def add_patient(scene: Any, name: str, source: dict[str, Any] | None = None) -> PatientNode:
    """Add a patient to a scene; a name already taken gets a number.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where to.
    name : str
        As in the cohort, or what the reader calls the patient.
    source : dict, optional
        ``folder`` and ``patient`` that it comes from.
    """
    taken = {patient.name for patient in patients(scene)}
    number, unique = 2, name
    while unique in taken:
        unique, number = f"{name} ({number})", number + 1
    node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", unique)
    node.SetAttribute(MARK, "1")
    node.SetHideFromEditors(True)
    patient = PatientNode(node)
    patient.set_value("source", source or {})
    return patient


def patients(scene: Any) -> Iterator[PatientNode]:
    """Return the patients of a scene in the order in which they came."""
    nodes = scene.GetNodesByClass("vtkMRMLScriptedModuleNode")
    for index in range(nodes.GetNumberOfItems()):
        node = nodes.GetItemAsObject(index)
        if node.GetAttribute(MARK):
            yield PatientNode(node)


def remove_patient(patient: PatientNode) -> None:
    """Take a patient out of the scene with all that was made for it; images of the user's own stay."""
    scene = patient.scene
    made = [n for n in (*patient.images().values(), *patient.probabilities().values()) if n.GetAttribute(OURS)]
    made += [patient.segmentation] if patient.segmentation is not None else []
    made += [patient.table] if patient.table is not None else []
    made += patient.shown()
    name = patient.name
    remove_shown(scene, [*made, patient.node])
    hierarchy = slicer_package().vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.GetItemChildWithName(hierarchy.GetSceneItemID(), name)
    if item:
        hierarchy.RemoveItem(item)
