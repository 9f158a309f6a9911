"""``slicer.app``, ``slicer.modules`` and the scene, without Slicer's desktop."""

from __future__ import annotations

import tempfile
from types import SimpleNamespace
from typing import Any

from PySide6 import QtCore, QtWidgets


class ModuleManager:
    """Knows the scripted modules that `loader` loaded, and tells when one goes."""

    def __init__(self) -> None:
        self.loaded: dict[str, Any] = {}
        self._listeners: list[Any] = []

    def connect(self, signal: str, call: Any) -> None:
        self._listeners.append(call)

    def disconnect(self, signal: str, call: Any) -> None:
        self._listeners = [each for each in self._listeners if each != call]

    def about_to_unload(self, name: str) -> None:
        for call in list(self._listeners):
            call(name)

    def module(self, name: str) -> Any:
        return self.loaded.get(name)

    def modulesNames(self) -> list[str]:
        return list(self.loaded)

    def isLoaded(self, name: str) -> bool:
        return name in self.loaded


class LayoutManager:
    """Remembers the layout; has the slice logics that scenes need, but draws nothing."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene

    @property
    def layout(self) -> int:
        node = self._node()
        return node.GetViewArrangement() if node is not None else 0

    def _node(self) -> Any:
        """Return the layout node with Slicer's usual layouts, as its own manager keeps one."""
        import slicer

        if self._scene.GetFirstNodeByClass("vtkMRMLLayoutNode") is None:
            logic = slicer.vtkMRMLLayoutLogic()
            logic.SetMRMLScene(self._scene)
            logic.SetMRMLScene(None)
        return self._scene.GetFirstNodeByClass("vtkMRMLLayoutNode")

    def setLayout(self, number: int) -> None:
        self._node().SetViewArrangement(number)

    def sliceViewNames(self) -> list[str]:
        nodes = self._scene.GetNodesByClass("vtkMRMLSliceNode")
        return [nodes.GetItemAsObject(i).GetLayoutName() for i in range(nodes.GetNumberOfItems())]

    def sliceWidget(self, name: str) -> Any:
        return None

    def threeDWidget(self, number: int) -> Any:
        return None

    def tableWidget(self, number: int) -> Any:
        return None

    threeDViewCount = 0
    plotViewCount = 0
    tableViewCount = 0


class Application:
    """What the panels ask of ``slicer.app``."""

    applicationName = "Slicer"
    applicationVersion = "5.13.0 (double)"
    revision = "double"
    majorVersion, minorVersion = 5, 13
    documentationBaseUrl = "https://slicer.readthedocs.io/"
    slicerHome = ""

    def __init__(self, scene: Any, application: QtWidgets.QApplication) -> None:
        self._scene, self._application = scene, application
        self._manager, self._layouts = ModuleManager(), LayoutManager(scene)
        self.temporaryPath = tempfile.mkdtemp(prefix="slicer-double-")

    def processEvents(self) -> None:
        self._application.processEvents()

    def mrmlScene(self) -> Any:
        return self._scene

    def applicationLogic(self) -> Any:
        from StrokePredictSlicer.core import logic_of

        return logic_of(self._scene, "application")

    def layoutManager(self) -> LayoutManager:
        return self._layouts

    def moduleManager(self) -> ModuleManager:
        return self._manager

    def settings(self) -> Any:
        return QtCore.QSettings()

    def userSettings(self) -> Any:
        return QtCore.QSettings()

    def translate(self, context: str, text: str) -> str:
        return text

    def moduleDocumentationUrl(self, name: str) -> str:
        return self.documentationBaseUrl + name

    def startupEnvironment(self) -> Any:
        return QtCore.QProcessEnvironment.systemEnvironment()

    def clipboard(self) -> Any:
        return self._application.clipboard()

    def setOverrideCursor(self, cursor: Any) -> None:
        """Do nothing: nobody looks at the pointer."""

    def restoreOverrideCursor(self) -> None:
        """Do nothing: nobody looks at the pointer."""

    def pauseRender(self) -> None:
        """Do nothing: the double draws no views."""

    def resumeRender(self) -> None:
        """Do nothing: the double draws no views."""

    def testingEnabled(self) -> bool:
        return True

    def connect(self, signal: str, call: Any) -> None:
        """Call at once what waits for the end of the start: it is over."""
        if signal.startswith("startupCompleted"):
            call()


class Modules(SimpleNamespace):
    """``slicer.modules``: logics of the core's modules, and the scripted modules by name."""


def make_modules(scene: Any) -> Modules:
    """Return ``slicer.modules`` with what the real core can give."""
    from StrokePredictSlicer.core import logic_of

    made = Modules()
    for name in ("colors", "volumes", "segmentations", "terminologies", "subjecthierarchy", "tables", "texts"):
        setattr(made, name, SimpleNamespace(logic=lambda name=name: logic_of(scene, name)))
    return made
