"""How many threads this process may use."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def available_threads() -> int:
    """Return the number of threads to compute with.

    ``OMP_NUM_THREADS`` where somebody set it; else the cores that this process may run on, not more than a container
    grants it.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, _granted() or cores))


def limit_threads() -> int:
    """Let NumPy's, SimpleITK's and torch's computations use no more than `available_threads`; return it."""
    count = available_threads()
    os.environ.setdefault("OMP_NUM_THREADS", str(count))
    import SimpleITK

    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
    return count


def _granted(file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int | None:
    """Return the cores that the control group grants, rounded up; None where there is no limit."""
    try:
        quota, period = file.read_text().split()
        return -(-int(quota) // int(period))
    except (OSError, ValueError):
        return None
