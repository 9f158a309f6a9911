"""The panels that are still small, on stand-ins for what only Slicer's desktop has; the rest is in Testing/Slicer."""

import importlib.util
import re
import sys
import types
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from StrokePredictLib import __version__

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("StrokeTrain",)


class Base:
    """Stands for Slicer's four base classes."""

    def __init__(self, parent=None):
        self.parent = parent

    def setup(self):
        self.layout = types.SimpleNamespace(addWidget=lambda widget: None)


class Label:
    """Stands for a widget whose text can be set."""

    def setText(self, text):
        self.text = text


def stand_in(name, **members):
    module = types.ModuleType(name)
    vars(module).update(members)
    return module


@pytest.fixture
def load(monkeypatch):
    """Return a function that loads a module file as Slicer would, by its path."""
    bases = {
        f"ScriptedLoadableModule{part}": type(f"Base{part}", (Base,), {}) for part in ("", "Widget", "Logic", "Test")
    }
    parts = {
        "slicer": stand_in("slicer", util=types.SimpleNamespace()),
        "slicer.i18n": stand_in("slicer.i18n", tr=lambda text: text, translate=lambda context, text: text),
        "slicer.ScriptedLoadableModule": stand_in("slicer.ScriptedLoadableModule", **bases),
    }
    for name, module in parts.items():
        monkeypatch.setitem(sys.modules, name, module)

    def load(name):
        spec = importlib.util.spec_from_file_location(f"loaded_{name}", ROOT / name / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.mark.parametrize("name", MODULES)
def test_panel_shows_the_version(load, monkeypatch, name):
    """Every widget that the code names stands in the .ui file, and the version label is set."""
    panel = ElementTree.parse(ROOT / name / "Resources" / "UI" / f"{name}.ui")
    widgets = {element.get("name") for element in panel.iter("widget")}
    used = set(re.findall(r"self\.ui\.(\w+)", (ROOT / name / f"{name}.py").read_text()))
    assert used
    assert used <= widgets
    module = load(name)
    ui = types.SimpleNamespace(**{widget: Label() for widget in widgets})
    monkeypatch.setattr(module.slicer.util, "loadUI", lambda path: path, raising=False)
    monkeypatch.setattr(module.slicer.util, "childWidgetVariables", lambda panel: ui, raising=False)
    widget = getattr(module, f"{name}Widget")()
    widget.resourcePath = lambda path: str(ROOT / name / "Resources" / path)
    widget.setup()
    assert __version__ in ui.versionLabel.text


@pytest.mark.parametrize("name", ["StrokePredict", "StrokeTrain"])
def test_panel_warns(name):
    panel = ElementTree.parse(ROOT / name / "Resources" / "UI" / f"{name}.ui")
    assert any("NOT FOR CLINICAL USE" in (element.text or "") for element in panel.iter("string"))
