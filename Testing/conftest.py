"""What all tests share."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_patient() -> Path:
    """A real patient's folder, beside the checkout where there is one."""
    folder = REPOSITORY.parent / "shared" / "data" / "real" / "ads-subject01"
    if not folder.is_dir():
        pytest.skip("../shared/data/real is not beside this checkout; its images are not ours to ship")
    return folder


@pytest.fixture(scope="session")
def stroke_environment() -> dict[str, str]:
    """An environment in which ``python -m StrokeCommand`` finds the packages."""
    paths = os.pathsep.join(str(REPOSITORY / name) for name in ("StrokePredict", "StrokeTrain"))
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
