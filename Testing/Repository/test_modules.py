"""The panels' .ui files hold what the code names; what the panels do is in Testing/Slicer."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = sorted(path for module in ("StrokePredict", "StrokeTrain")
                  for path in (ROOT / module / f"{module}Slicer" / "sections").glob("*_section.py"))  # fmt: skip


def widgets_of(module: str, name: str) -> set[str]:
    """Return the names of a .ui file's widgets."""
    tree = ElementTree.parse(ROOT / module / "Resources" / "UI" / f"{name}.ui")
    return {element.get("name") for element in tree.iter("widget")}


@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_every_widget_that_a_section_names_stands_in_its_ui_file(path):
    text = path.read_text(encoding="utf-8")
    name = re.search(r'^    UI = "(\w+)"', text, re.MULTILINE)[1]
    used = set(re.findall(r"(?<!panel\.)(?:self\.|\b)ui\.(\w+)", text))
    assert used
    assert used - widgets_of(path.parts[-4], name) == set()


@pytest.mark.parametrize("name", ["StrokePredict", "StrokeTrain"])
def test_every_widget_that_a_panel_names_stands_in_its_ui_file(name):
    text = (ROOT / name / f"{name}Slicer" / "panel.py").read_text(encoding="utf-8")
    used = set(re.findall(r"self\.ui\.(\w+)", text))
    assert used - widgets_of(name, name) == set()


@pytest.mark.parametrize("name", ["StrokePredict", "StrokeTrain"])
def test_panel_warns(name):
    panel = ElementTree.parse(ROOT / name / "Resources" / "UI" / f"{name}.ui")
    assert any("NOT FOR CLINICAL USE" in (element.text or "") for element in panel.iter("string"))
