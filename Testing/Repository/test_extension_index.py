"""The Extensions Index entry and the top CMakeLists.txt, by the Index's published rules (schema 1.0.2 of 2026)."""

import copy
import json
import re
import struct
import urllib.parse
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[2]
ENTRY = ROOT / "Resources" / "ExtensionsIndex" / "StrokeInfarct.json"
TOP = ROOT / "CMakeLists.txt"
SCHEMA_ADDRESS = (
    "https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/slicer-extension-catalog-entry-schema-v1.0.2.json#"
)
# The published schema's rules, written anew: which keys there are, their types, and which must be there.
SCHEMA = {
    "type": "object",
    "required": ["$schema", "category", "scm_url"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string"},
        "category": {"type": "string"},
        "scm_url": {"type": "string"},
        "scm_revision": {"type": "string"},
        "dicom_support_rule": {"type": "string"},
        "build_subdirectory": {"type": "string"},
        "scm_type": {"enum": ["git", "local"]},
        "build_dependencies": {"type": "array", "items": {"type": "string"}},
        "enabled": {"type": "boolean"},
        "tier": {"type": "integer", "minimum": 1, "maximum": 5},
    },
}
# Of the Index's accepted categories, those that fit.
CATEGORIES = ("Neuroimaging", "Segmentation", "Quantification")


def faults(name: str, raw: bytes) -> list[str]:
    """Return what the Index's checks would say of an entry's file, whose extension is called `name`."""
    entry = json.loads(raw)
    said = [error.message for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(entry)]
    if b"\r" in raw:
        said.append("line endings")
    if entry.get("$schema") != SCHEMA_ADDRESS:
        said.append("schema address")
    if entry.get("category") not in CATEGORIES:
        said.append("category")
    address = urllib.parse.urlsplit(entry.get("scm_url", ""))
    if address.scheme not in ("https", "git") or not address.path.split("/")[-1].startswith("Slicer"):
        said.append("repository address")
    if name.lower().startswith("slicer"):
        said.append("extension name")
    return said


def test_the_entry_follows_the_indexs_rules():
    assert faults(ENTRY.stem, ENTRY.read_bytes()) == []


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("StrokeInfarct", {"category": None}, "None is not of type 'string'"),
        ("StrokeInfarct", {"category": "Stroke"}, "category"),
        ("StrokeInfarct", {"homepage": "x"}, "Additional properties"),
        ("StrokeInfarct", {"tier": 6}, "greater than the maximum"),
        ("StrokeInfarct", {"build_dependencies": "PyTorch"}, "is not of type 'array'"),
        ("StrokeInfarct", {"scm_url": "https://github.com/a/StrokeInfarct"}, "repository address"),
        ("SlicerStrokeInfarct", {}, "extension name"),
    ],
)
def test_a_wrong_entry_is_found(name, change, said):
    entry = {**copy.deepcopy(json.loads(ENTRY.read_text())), **change}
    assert any(said in fault for fault in faults(name, json.dumps(entry).encode()))


def test_wrong_line_endings_are_found():
    assert "line endings" in faults("StrokeInfarct", ENTRY.read_bytes().replace(b"\n", b"\r\n"))


def cmake_value(name: str) -> str:
    """Return a variable of the top CMakeLists.txt, read as the Index reads it."""
    (value,) = re.findall(rf'set\s*\({name}\s*"([^"]+)"[ ]*\)', TOP.read_text())
    return value


def test_project_and_entry_agree():
    text, entry = TOP.read_text(), json.loads(ENTRY.read_text())
    assert re.findall(r"project\s*\(\s*([^\s)]+)", text) == [ENTRY.stem]
    assert cmake_value("EXTENSION_CATEGORY") == entry["category"]
    assert cmake_value("EXTENSION_DEPENDS").split() == entry["build_dependencies"]
    assert entry["scm_url"].removesuffix(".git") == cmake_value("EXTENSION_HOMEPAGE")
    assert text.startswith("cmake_minimum_required(VERSION 3.28.0...3.28.0 FATAL_ERROR)\n")
    assert cmake_value("EXTENSION_CONTRIBUTORS")
    assert "not for clinical use" in cmake_value("EXTENSION_DESCRIPTION")


def repository_file(address: str) -> Path:
    """Return the file of this repository that a raw address of its main branch names."""
    home = urllib.parse.urlsplit(cmake_value("EXTENSION_HOMEPAGE")).path
    start = f"https://raw.githubusercontent.com{home}/main/"
    assert address.startswith(start)
    return ROOT / address.removeprefix(start)


def png_size(path: Path) -> tuple[int, int]:
    """Return a PNG's width and height, from its IHDR chunk."""
    raw = path.read_bytes()
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", raw[16:24])


def test_icons_are_there_in_slicers_size():
    icons = [repository_file(cmake_value("EXTENSION_ICONURL"))]
    icons += [ROOT / module / "Resources" / "Icons" / f"{module}.png" for module in ("StrokePredict", "StrokeTrain")]
    assert [png_size(icon) for icon in icons] == [(128, 128)] * 3


def test_screenshots_are_there():
    for address in cmake_value("EXTENSION_SCREENSHOTURLS").split():
        width, _ = png_size(repository_file(address))
        assert width >= 600
