"""A study as a Slicer scene: built, saved whole or not at all, and opened again."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.output import explain
from StrokePredictLib.report.tables import coverage_text, side_text, warnings
from StrokePredictLib.segments import TERMINOLOGY_FILE
from StrokePredictLib.study import Study

from .core import bundle_folder, collected_messages, logic_of, new_scene, slicer_package
from .marks import mark_found
from .scene_files import is_whole, require_room
from .scene_nodes import add_map, add_segmentation, add_tables, add_text
from .scene_views import arrange_views


def build_scene(study: Study, scene: Any = None) -> Any:
    """Put a study into a scene.

    Parameters
    ----------
    study : Study
        3D images, masks and probabilities are shown; series (raw perfusion) are left out.
    scene : vtkMRMLScene, optional
        Where to add it; a new scene, or inside Slicer the application's, if left out.

    Returns
    -------
    vtkMRMLScene
        Node names are fixed by the study's contents: volumes by what `case.ROLES` calls them, one segmentation
        ``Segmentation``, tables ``Volumes`` and ``Mismatch and criteria``, texts ``Not for clinical use`` and
        ``Provenance``.
    """
    scene = new_scene() if scene is None else scene
    logic_of(scene, "terminologies").LoadTerminologyFromFile(str(TERMINOLOGY_FILE))
    brain = study.masks.get("brain", study.case.volumes.get("brain"))
    inside = None if brain is None else brain.array > 0
    nodes: dict[str, Any] = {}
    for role, volume in study.case.volumes.items():
        if role != "brain" and not volume.is_series:
            nodes[role] = add_map(scene, role, volume, inside)
    for name, volume in study.probabilities.items():
        nodes[f"probability {name}"] = add_map(scene, "probability", volume, inside, name=f"Probability ({name})")
    masks = dict(study.masks)
    if "brain" in study.case.volumes:
        masks.setdefault("brain", study.case.volumes["brain"])
    segmentation = add_segmentation(scene, masks, _reference_node(study, nodes)) if masks else None
    maps = {name: nodes[f"probability {name}"] for name in study.probabilities}
    mark_found(study.prediction, study.case.simulated, nodes.values(), maps, segmentation)
    others = [*add_tables(scene, study), *_add_texts(scene, study)]
    _file_under_patient(scene, study, [*nodes.values(), *([segmentation] if segmentation else []), *others])
    arrange_views(scene, study, nodes, segmentation)
    return scene


def save_scene(scene: Any, path: Path | str) -> None:
    """Save a scene as a .mrb file, whole or not at all.

    Raises
    ------
    StrokeError
        If the name does not end in .mrb, or the disk refuses.
    """
    path = Path(path)
    if path.suffix.lower() != ".mrb":
        raise StrokeError(f"{path}: a scene is saved as .mrb; give it that ending.")
    if not path.parent.is_dir():
        raise StrokeError(f"{path}: the folder {path.parent} does not exist; make it first.")
    stage: Path | None = None
    try:
        # A folder, not a temporary name: the bundle's inner folder is called after the file.
        stage = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=path.parent))
        temporary = stage / path.name
        require_room(scene, stage, bundle_folder(scene))
        with collected_messages() as messages:
            done = scene.WriteToMRB(str(temporary))
        if not done or _has_errors(messages) or not is_whole(temporary):
            raise StrokeError(
                f"{path}: the scene cannot be saved; is the disk full? Nothing was left half-written. Choose another "
                f"place (-o). ({_first_line(messages)})"
            )
        temporary.replace(path)
    except OSError as error:
        raise explain(error, path) from error
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)


def open_scene(path: Path | str, scene: Any = None) -> Any:
    """Open a .mrb file.

    Parameters
    ----------
    path : path-like
        The file.
    scene : vtkMRMLScene, optional
        Read into this scene, which is emptied first; a new one if left out.

    Raises
    ------
    StrokeError
        If the file is missing or no scene.
    """
    path = Path(path)
    if not path.is_file():
        raise StrokeError(f"{path}: no such file; check the name.")
    if not zipfile.is_zipfile(path):
        raise StrokeError(f"{path}: is no Slicer scene (.mrb); it may be cut short. Save it again.")
    scene = new_scene() if scene is None else scene
    with collected_messages() as messages:
        done = scene.ReadFromMRB(str(path), True)
    if not done:
        raise StrokeError(f"{path}: this scene cannot be opened ({_first_line(messages)}); save it again.")
    return scene


def _reference_node(study: Study, nodes: dict[str, Any]) -> Any:
    """Return the node whose grid the masks lie on."""
    reference = study.case.reference
    for role, node in nodes.items():
        volume = study.case.volumes.get(role)
        if volume is not None and volume.same_grid(reference):
            return node
    return None


def _add_texts(scene: Any, study: Study) -> list[Any]:
    lines = [*warnings(study), f"Coverage: {coverage_text(study)}", f"Side: {side_text(study)}"]
    provenance = {"study": study.provenance, "volumes": study.volumes.get("provenance", {})}
    for name, part in (("perfusion", study.perfusion), ("prediction", study.prediction)):
        if part:
            provenance[name] = part.get("provenance", {})
    text = json.dumps(provenance, indent=2, ensure_ascii=False, sort_keys=True, default=str)
    return [add_text(scene, "Not for clinical use", "\n".join(lines)), add_text(scene, "Provenance", text)]


def _file_under_patient(scene: Any, study: Study, nodes: list[Any]) -> None:
    """Put every node into the patient's folder of the subject hierarchy."""
    hierarchy = slicer_package().vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), study.case.patient)
    for node in nodes:
        item = hierarchy.GetItemByDataNode(node)
        if item == hierarchy.GetInvalidItemID():
            hierarchy.CreateItem(patient, node)
        else:
            hierarchy.SetItemParent(item, patient)


def _has_errors(messages: list[str]) -> bool:
    return any("ERROR" in text for text in messages)


def _first_line(messages: list[str]) -> str:
    """Return the start of what VTK printed, on one line."""
    return " ".join(" ".join(messages).split())[:160] or "no reason given"
