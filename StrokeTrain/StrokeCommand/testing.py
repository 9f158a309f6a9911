"""The command `stroke test`: the checkout's test suite, one thread to a test process."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from StrokePredictLib.errors import StrokeError

ROOT = Path(__file__).resolve().parents[2]
MOST_PROCESSES = 8
ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)


def cores() -> int:
    """Return how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_tests(slow: bool, extra: list[str]) -> int:
    """Run the test suite in processes of its own, as many as there are cores.

    Parameters
    ----------
    slow
        Run the tests marked slow too.
    extra
        More arguments for pytest, which win over ours (`-n 0`, `-k name`, a path below the checkout).

    Returns
    -------
    int
        pytest's exit code: 0 when all passed.

    Raises
    ------
    StrokeError
        Outside a checkout, or where pytest or its helpers are not installed.
    """
    if not (ROOT / "Testing").is_dir() or not (ROOT / "pyproject.toml").is_file():
        raise StrokeError(f"There are no tests at {ROOT}: clone the repository and run ./stroke test in it.")
    if any(importlib.util.find_spec(name) is None for name in ("pytest", "xdist", "pytest_timeout", "hypothesis")):
        raise StrokeError(f"{sys.executable} lacks the test tools: run ./stroke test, or pip install '{ROOT}[dev]'.")
    # A file's tests stay together in one process, because they share what is dear to make.
    command = [sys.executable, "-m", "pytest", "-n", str(min(cores(), MOST_PROCESSES)), "--dist", "loadfile"]
    command += [] if slow else ["-m", "not slow"]
    one_thread = dict.fromkeys(ONE_THREAD, "1")
    environment = {"MPLBACKEND": "Agg", "QT_QPA_PLATFORM": "offscreen", **os.environ, **one_thread}
    return subprocess.run([*command, *extra], cwd=ROOT, env=environment, check=False).returncode
