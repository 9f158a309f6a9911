"""What this computer has: the job behind the panel's section Environment, and what it lists of models."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from . import __version__
from .progress import Progress, silent

#: What the worker needs, and what each is for.
PACKAGES = {
    "numpy": "arrays", "scipy": "filters", "SimpleITK": "images", "nibabel": "NIfTI files", "pydicom": "DICOM files",
    "torch": "networks", "safetensors": "weights", "pydantic": "model cards", "matplotlib": "pictures",
    "jinja2": "reports", "monai": "training", "pytorch-ignite": "training", "tensorboard": "training",
    "distributed": "training", "filelock": "training", "pandas": "evaluation",
}  # fmt: skip


def run(*, output: Path | str | None = None, progress: Progress = silent) -> dict[str, Any]:
    """Return versions, devices, memory, disk and models.

    Parameters
    ----------
    output : path-like, optional
        Not used: nothing is written.

    Returns
    -------
    dict
        ``files`` (none), ``python``, ``software``, ``system``, ``packages`` (version, or None where missing),
        ``devices``, ``memory_gb`` (free and all, None where unknown), ``disk_gb`` (free), ``models`` (`list_models`).
    """
    return {
        "files": [],
        "software": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": platform.platform(terse=True),
        "packages": {name: _version(name) for name in PACKAGES},
        "devices": _devices(),
        "memory_gb": _memory(),
        "disk_gb": round(shutil.disk_usage(tempfile.gettempdir()).free / 1e9, 1),
        "models": _models(),
    }


def _models() -> list[dict[str, Any]]:
    """Return the models at hand; none where the packages that read their cards are missing."""
    try:
        from .models.listing import list_models
    except ImportError:
        return []
    return list_models()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _devices() -> list[str]:
    try:
        import torch
    except ImportError:
        return []
    found = [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, f"cpu ({torch.get_num_threads()} threads)"]


def _memory() -> dict[str, float] | None:
    """Return free and all memory in GB, where the system says so in a file."""
    path = Path("/proc/meminfo")
    if not path.is_file():
        return None
    lines = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
    return {
        name: round(int(lines[key].split()[0]) / 1e6, 1)
        for name, key in (("free", "MemAvailable"), ("all", "MemTotal"))
    }
