"""Slicer's Python base classes: its own from a checkout, or small stand-ins.

With ``SLICER_PYTHON_SOURCES`` set to a checkout's ``Base/Python``, modules are tested on Slicer's own
ScriptedLoadableModule, parameterNodeWrapper and i18n.
"""

from __future__ import annotations

import os
import sys
import typing
from pathlib import Path
from types import ModuleType
from typing import Any

VARIABLE = "SLICER_PYTHON_SOURCES"
_UNSET = ""


def provide(slicer: Any) -> str:
    """Make ``slicer.ScriptedLoadableModule``, ``slicer.parameterNodeWrapper`` and ``slicer.i18n`` importable.

    Returns
    -------
    str
        "Slicer's own" or "stand-ins".
    """
    sources = os.environ.get(VARIABLE)
    if sources:
        folder = Path(sources) / "slicer"
        if not (folder / "ScriptedLoadableModule.py").is_file():
            raise RuntimeError(f"{VARIABLE}={sources}: holds no slicer/ScriptedLoadableModule.py")
        # Appended: slicer-core's own util, which fits its library, stays in front.
        slicer.__path__.append(str(folder))
        return "Slicer's own"
    for name, contents in (
        ("ScriptedLoadableModule", _scripted_module(slicer)),
        ("parameterNodeWrapper", {"parameterNodeWrapper": parameter_node_wrapper}),
        ("i18n", {"tr": lambda text: text, "translate": lambda context, text: text}),
    ):
        module = ModuleType(f"slicer.{name}")
        vars(module).update(contents)
        sys.modules[module.__name__] = module
        setattr(slicer, name, module)
    return "stand-ins"


def _scripted_module(slicer: Any) -> dict[str, type]:
    """Return the four base classes."""
    import unittest

    import qt

    class ScriptedLoadableModule:
        def __init__(self, parent: Any) -> None:
            self.parent = parent
            self.moduleName = type(self).__name__

        def resourcePath(self, name: str) -> str:
            return str(Path(self.parent.path).parent / "Resources" / name)

        def getDefaultModuleDocumentationLink(self, page: str | None = None) -> str:
            return ""

        def runTest(self, **kwargs: Any) -> None:
            module = sys.modules[type(self).__module__]
            getattr(module, f"{self.moduleName}Test")().runTest(**kwargs)

    class ScriptedLoadableModuleWidget:
        def __init__(self, parent: Any = None) -> None:
            self.moduleName = type(self).__name__.removesuffix("Widget")
            self.developerMode = False
            self.parent = parent or slicer.qMRMLWidget()
            if parent is None:
                self.parent.setLayout(qt.QVBoxLayout())
                self.parent.setMRMLScene(slicer.mrmlScene)
            self.layout = self.parent.layout()
            if parent is None:
                self.setup()

        def resourcePath(self, name: str) -> str:
            return str(Path(slicer.util.modulePath(self.moduleName)).parent / "Resources" / name)

        def setup(self) -> None:
            """Nothing is common to all panels here."""

        def cleanup(self) -> None:
            """Nothing is common to all panels here."""

        def onReload(self) -> None:
            slicer.util.reloadScriptedModule(self.moduleName)

    class ScriptedLoadableModuleLogic:
        def __init__(self, parent: Any = None) -> None:
            self.moduleName = type(self).__name__.removesuffix("Logic")
            self.isSingletonParameterNode = True

        def getParameterNode(self) -> Any:
            scene = slicer.mrmlScene
            return scene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode") or self._new_node(scene)

        def _new_node(self, scene: Any) -> Any:
            node = scene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
            node.UnRegister(None)
            node.SetSingletonTag(self.moduleName)
            node.SetModuleName(self.moduleName)
            node.SetName(self.moduleName)
            return scene.AddNode(node)

    class ScriptedLoadableModuleTest(unittest.TestCase):
        messageDelay = 0

        def runTest(self) -> None:
            """Overridden by each module."""

        def delayDisplay(self, message: str, *_: Any) -> None:
            print(message)

    return {name: value for name, value in locals().items() if name.startswith("Scripted")}


def parameter_node_wrapper(wrapped: type) -> type:
    """Turn a class with annotated members into typed access to a vtkMRMLScriptedModuleNode.

    Knows str, int, float, bool and MRML node classes; Slicer's own knows more.
    """
    for name, kind in typing.get_type_hints(wrapped).items():
        default = getattr(wrapped, name, None)
        setattr(wrapped, name, _member(name, kind, default))

    def start(self: Any, node: Any) -> None:
        self.parameterNode = node

    def forward(self: Any, name: str) -> Any:
        return getattr(self.__dict__["parameterNode"], name)

    wrapped.__init__, wrapped.__getattr__ = start, forward
    return wrapped


def _member(name: str, kind: Any, default: Any) -> property:
    kinds = [k for k in typing.get_args(kind) if k is not type(None)] or [kind]
    if isinstance(kinds[0], type) and kinds[0].__name__.startswith("vtkMRML"):
        return property(
            lambda self: self.parameterNode.GetNodeReference(name),
            lambda self, node: self.parameterNode.SetNodeReferenceID(name, node.GetID() if node else None),
        )
    base = kinds[0]
    empty = default if default is not None else base()

    def get(self: Any) -> Any:
        text = self.parameterNode.GetParameter(name)
        if text == _UNSET and name not in self.parameterNode.GetParameterNames():
            return empty
        return text == "true" if base is bool else base(text)

    def put(self: Any, value: Any) -> None:
        if not isinstance(value, (int, float) if base is float else base):
            raise TypeError(f"{name} takes {base.__name__}, not {value!r}")
        self.parameterNode.SetParameter(name, ("true" if value else "false") if base is bool else str(value))

    return property(get, put)
