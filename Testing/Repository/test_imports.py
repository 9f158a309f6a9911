"""Imports point one way, and Slicer's own process imports nothing that it does not have."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.import_rules import WORKERS_ALONE, faults, lib_modules_imported_inside_slicer, project_files

ROOT = Path(__file__).resolve().parents[2]

BLOCKED_IMPORT = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ImportError(name + " is for the worker alone")
sys.meta_path.insert(0, Block())
import {module}
"""


def import_in_slicers_place(module: str, folders: list[Path]) -> subprocess.CompletedProcess:
    """Import a module in a process of its own that has none of what the worker alone may import."""
    code = BLOCKED_IMPORT.format(blocked=WORKERS_ALONE, module=module)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def test_every_import_follows_the_rules():
    files = project_files(ROOT)
    assert len(files) > 20
    assert [fault for path in files for fault in faults(path, ROOT)] == []


def test_what_slicers_process_imports_of_the_library_needs_no_heavy_package():
    modules = lib_modules_imported_inside_slicer(ROOT)
    assert "StrokePredictLib.errors" in modules
    done = import_in_slicers_place(", ".join(sorted(modules)), [ROOT / "StrokePredict", ROOT / "StrokeTrain"])
    assert done.returncode == 0, done.stderr


# The checks above must be able to fail -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        ("StrokePredict/StrokePredictLib/a.py", "import StrokeTrainLib.losses", "may not import StrokeTrainLib"),
        (
            "StrokePredict/StrokePredictLib/a.py",
            "from StrokePredictSlicer import core",
            "may not import StrokePredictSlicer",
        ),
        ("StrokePredict/StrokePredictLib/io/a.py", "def f():\n    import vtk", "knows no vtk"),
        ("StrokePredict/StrokePredictLib/a.py", "from slicer.util import getNode", "knows no slicer"),
        ("StrokePredict/StrokePredictSlicer/a.py", "import StrokeCommand", "may not import StrokeCommand"),
        (
            "StrokePredict/StrokePredictSlicer/a.py",
            "try:\n    import torch\nexcept ImportError:\n    torch = None",
            "torch at",
        ),
        ("StrokePredict/StrokePredict.py", "import pandas as pd", "pandas at file scope"),
        ("StrokePredict/StrokePredict.py", "class A:\n    import monai", "monai at file scope"),
        ("StrokePredict/StrokePredict.py", "import StrokeTrain", "may not import StrokeTrain"),
        ("StrokeTrain/StrokeTrainLib/a.py", "from StrokeTrainSlicer.x import y", "may not import StrokeTrainSlicer"),
        ("StrokeTrain/StrokeTrainLib/a.py", "from StrokeCommand import main", "may not import StrokeCommand"),
    ],
)
def test_a_wrong_import_is_found(tmp_path, path, code, said):
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(code)
    (fault,) = faults(tmp_path / path, tmp_path)
    assert said in fault


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (
            "StrokePredict/StrokePredictLib/io/a.py",
            "import torch, SimpleITK\nfrom ..errors import StrokeError\nfrom . import b",
        ),
        ("StrokePredict/StrokePredictSlicer/a.py", "import slicer, numpy\ndef f():\n    import torch"),
        (
            "StrokePredict/StrokePredictSlicer/a.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch",
        ),
        ("StrokeTrain/StrokeTrain.py", "import qt, slicer\nfrom StrokePredictLib.errors import StrokeError"),
        ("StrokeTrain/StrokeCommand/a.py", "import StrokeTrainSlicer, StrokePredictLib, typer"),
    ],
)
def test_a_right_import_is_let_pass(tmp_path, path, code):
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(code)
    assert faults(tmp_path / path, tmp_path) == []


def test_a_heavy_import_of_the_library_is_found(tmp_path):
    package = tmp_path / "StrokePredict" / "StrokePredictLib"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "bad.py").write_text("from . import worse")
    (package / "worse.py").write_text("import pandas")
    (tmp_path / "StrokePredict" / "StrokePredict.py").write_text("from StrokePredictLib import bad")
    assert lib_modules_imported_inside_slicer(tmp_path) == {"StrokePredictLib", "StrokePredictLib.bad"}
    done = import_in_slicers_place("StrokePredictLib.bad", [tmp_path / "StrokePredict"])
    assert "pandas is for the worker alone" in done.stderr
