"""What made a result: software, inputs by hash, parameters."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from . import __version__


def sha256_of(path: Path | str) -> str:
    """Return a file's SHA-256 as hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def provenance(inputs: Mapping[str, Path | str], parameters: Mapping[str, Any], *packages: str) -> dict[str, Any]:
    """Return what a result carries.

    Parameters
    ----------
    inputs : mapping of role to path
        Only name and hash are kept: a folder's name may be a patient's.
    parameters : mapping
        What was chosen.
    *packages : str
        Distributions whose versions matter besides NumPy, SciPy and SimpleITK.
    """
    versions = {}
    for package in ("numpy", "scipy", "SimpleITK", *packages):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "unknown"
    return {
        "software": f"SlicerStrokeInfarct {__version__}",
        "python": platform.python_version(),
        "packages": versions,
        "inputs": {role: {"file": Path(p).name, "sha256": sha256_of(p)} for role, p in inputs.items()},
        "parameters": dict(parameters),
    }
