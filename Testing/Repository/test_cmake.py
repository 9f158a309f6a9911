"""What CMake would install: every file of the modules, once, and under a name of its own."""

import collections
import re
import shutil
from pathlib import Path

import pytest
from support.cmake_lists import MODULES, RESOURCES, ROOT, SCRIPTS, bring_up_to_date, faults, listed_files, present_files


@pytest.mark.parametrize("module", MODULES)
def test_every_file_is_listed_and_every_listed_file_is_there(module):
    assert faults(ROOT / module) == []


def clashes(folders: list[Path]) -> list[str]:
    """Return the paths that two modules would install into the same place; letter case does not tell files apart."""
    paths = [
        path.lower() for folder in folders for kind in (SCRIPTS, RESOURCES) for path in present_files(folder, kind)
    ]
    return [path for path, count in collections.Counter(paths).items() if count > 1]


def test_the_modules_merge_into_one_folder_without_a_clash():
    assert clashes([ROOT / module for module in MODULES]) == []


@pytest.mark.parametrize("module", MODULES)
def test_each_module_has_its_icon_its_panel_and_its_self_test(module):
    assert {f"Resources/Icons/{module}.png", f"Resources/UI/{module}.ui"} <= set(
        present_files(ROOT / module, RESOURCES)
    )
    text = (ROOT / module / "CMakeLists.txt").read_text()
    assert re.search(
        r"if\(BUILD_TESTING\)\s.*slicer_add_python_unittest\(SCRIPT \$\{MODULE_NAME\}\.py\)", text, re.DOTALL
    )
    assert re.search(rf"^set\(MODULE_NAME {module}\)$", text, re.MULTILINE)
    assert f"add_subdirectory({module})" in (ROOT / "CMakeLists.txt").read_text()


# The checks above must be able to fail -------------------------------------------------------------------------------


@pytest.fixture
def module(tmp_path):
    folder = tmp_path / "StrokePredict"
    for name in ("StrokePredict.py", "SmallLib/__init__.py", "SmallLib/part/maps.py", "SmallLib/data/a.npz"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "Resources").mkdir()
    (folder / "Resources" / "requirements.txt").touch()
    shutil.copy(ROOT / "StrokePredict" / "CMakeLists.txt", folder)
    bring_up_to_date(folder)
    return folder


def test_lists_brought_up_to_date_have_no_fault(module):
    text = (module / "CMakeLists.txt").read_text()
    assert listed_files(text, "StrokePredict", SCRIPTS) == [
        "SmallLib/__init__.py",
        "SmallLib/part/maps.py",
        "StrokePredict.py",
    ]
    assert listed_files(text, "StrokePredict", RESOURCES) == ["Resources/requirements.txt", "SmallLib/data/a.npz"]
    assert faults(module) == []


def test_a_file_that_is_not_listed_is_found(module):
    (module / "SmallLib" / "part" / "new.py").touch()
    (module / "SmallLib" / "data" / "new.json").touch()
    assert faults(module) == [
        f"StrokePredict: {SCRIPTS} lacks SmallLib/part/new.py",
        f"StrokePredict: {RESOURCES} lacks SmallLib/data/new.json",
    ]


def test_a_listed_file_that_is_absent_is_found(module):
    (module / "SmallLib" / "part" / "maps.py").unlink()
    assert faults(module) == [f"StrokePredict: {SCRIPTS} lists SmallLib/part/maps.py, which is not there"]


def test_a_clash_is_found(module, tmp_path):
    other = tmp_path / "StrokeTrain"
    (other / "Resources").mkdir(parents=True)
    (other / "Resources" / "Requirements.txt").touch()
    assert clashes([module, other]) == ["resources/requirements.txt"]
