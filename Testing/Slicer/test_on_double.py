"""The panels' tests on the double, each file in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from Slicer.run_in_slicer import LONG

HERE = Path(__file__).resolve().parent
FILES = sorted(path.stem for path in (HERE / "panel").glob("panel_*.py"))

pytest.importorskip("PySide6", reason="the double stands on PySide6: pip install '.[dev]'")
pytest.importorskip("slicer", reason="the double stands on Slicer's core: pip install '.[slicer]'")


@pytest.fixture(scope="session")
def cohort(tmp_path_factory):
    """Two small simulated patients."""
    from StrokePredictLib.phantom.cohort import write_cohort
    from StrokePredictLib.phantom.grid import Grid

    folder = tmp_path_factory.mktemp("cohort") / "simulated"
    write_cohort(folder, 2, 0, grid=Grid(shape=(12, 80, 80), spacing=(2.8, 2.8, 11.0)))
    return folder


_LONG_MARKS = (pytest.mark.slow, pytest.mark.timeout(3600))


@pytest.mark.parametrize("name", [pytest.param(name, marks=_LONG_MARKS * (name in LONG)) for name in FILES])
def test_panel(name, cohort, tmp_path):
    environment = {**os.environ, "STROKE_TEST_COHORT": str(cohort), "OMP_NUM_THREADS": "1", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, HERE / "run_on_double.py", name], env=environment, capture_output=True, text=True, check=False,
        timeout=420 if name not in LONG else 3600,
    )  # fmt: skip
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    counted = re.fullmatch(r"(\d+) passed, (\d+) failed", last)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    assert counted, done.stdout[-3000:]
    assert int(counted[1]) > 0
    assert int(counted[2]) == 0
