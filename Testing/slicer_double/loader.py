"""Load a scripted module's file as Slicer's module factory does."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class LoadedModule:
    """One scripted module: its class, and its panel once it is asked for."""

    def __init__(self, slicer: Any, path: Path) -> None:
        self._slicer, self._path, self._widget = slicer, path, None
        self.name = path.stem
        self.parent = SimpleNamespace(
            path=str(path), title="", categories=[], dependencies=[], contributors=[], helpText="",
            acknowledgementText="", icon=None, hidden=False,
        )  # fmt: skip
        self.path = str(path)
        specification = importlib.util.spec_from_file_location(self.name, path)
        self.source = importlib.util.module_from_spec(specification)
        sys.modules[self.name] = self.source
        specification.loader.exec_module(self.source)
        self.module = getattr(self.source, self.name)(self.parent)

    def widgetRepresentation(self) -> Any:
        """Return the panel, made on first use."""
        if self._widget is None:
            import qt

            holder = self._slicer.qMRMLWidget()
            holder.setLayout(qt.QVBoxLayout())
            holder.setMRMLScene(self._slicer.mrmlScene)
            self._widget = getattr(self.source, f"{self.name}Widget")(holder)
            self._widget.setup()
        return self._widget

    def enter(self) -> None:
        """Show the panel, as a click in the module list does."""
        manager = self._slicer.app.moduleManager()
        if manager.entered and manager.entered != self.name:
            manager.loaded[manager.entered].leave()
        widget = self.widgetRepresentation()
        manager.entered = self.name
        widget.parent.show()
        if hasattr(widget, "enter"):
            widget.enter()

    def leave(self) -> None:
        """Hide the panel."""
        if self._widget is not None:
            if hasattr(self._widget, "exit"):
                self._widget.exit()
            self._widget.parent.hide()

    def unload(self) -> None:
        """Let the panel go."""
        if self._widget is not None:
            self._widget.cleanup()
            self._widget.parent.deleteLater()
            self._widget = None


def load_module(slicer: Any, path: Path | str) -> LoadedModule:
    """Load a module's file and register it."""
    path = Path(path)
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    loaded = LoadedModule(slicer, path)
    slicer.app.moduleManager().loaded[path.stem] = loaded
    setattr(slicer.modules, path.stem.lower(), loaded)
    return loaded


def reload_module(slicer: Any, name: str) -> Any:
    """Load a module's file again and give it a new panel."""
    loaded = slicer.app.moduleManager().loaded[name]
    loaded.unload()
    again = load_module(slicer, loaded.path)
    return again.widgetRepresentation()
