"""Put the double in place of Slicer's desktop, once a process."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

_installed: list[Double] = []


@dataclass
class Double:
    """What was put in place.

    Attributes
    ----------
    scene : vtkMRMLScene
        The real one.
    application : Application
        ``slicer.app``.
    base : str
        Whether Slicer's own Python base classes are used, or stand-ins.
    """

    scene: Any
    application: Any
    base: str


def install() -> Double:
    """Make ``qt``, ``ctk``, ``slicer.app``, ``slicer.mrmlScene`` and the base classes importable."""
    if _installed:
        return _installed[0]
    import slicer

    from StrokePredictSlicer.core import new_scene

    from . import ctk_module, qmrml_module, qt_module
    from .application import Application, make_modules
    from .base_python import provide
    from .utilities import amend

    qt_application = qt_module.make_application()
    scene = new_scene()  # before slicer.mrmlScene is set: with it, this process passes for Slicer itself
    sys.modules["qt"] = qt_module.make_module()
    sys.modules["ctk"] = ctk_module.make_module()
    qmrml_module.add_to(slicer)
    _tidy_hierarchy(slicer, scene)
    slicer.mrmlScene = scene
    slicer.app = Application(scene, qt_application)
    slicer.modules = make_modules(scene)
    base = provide(slicer)
    amend(slicer)
    _installed.append(Double(scene, slicer.app, base))
    return _installed[0]


def _tidy_hierarchy(slicer: Any, scene: Any) -> None:
    """Take a node that leaves the scene out of the subject hierarchy, as the desktop's plugins do."""
    import vtk

    def leaving(caller: Any, event: str, node: Any) -> None:
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
        item = hierarchy.GetItemByDataNode(node) if hierarchy is not None and node is not hierarchy else 0
        if item:
            hierarchy.RemoveItem(item, False, False)

    leaving.CallDataType = vtk.VTK_OBJECT
    scene.AddObserver(slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent, leaving)
