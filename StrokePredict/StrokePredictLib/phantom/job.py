"""The job behind ``stroke phantom``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import StrokeError
from ..progress import Progress, silent
from .cohort import write_cohort


def run(
    output: Path | str,
    *,
    cases: int = 1,
    seed: int = 0,
    modality: str = "MR",
    vendor: str = "A",
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write a simulated cohort to a folder.

    Parameters
    ----------
    output : path-like
        The cohort folder.
    cases, seed : int
        How many patients, and where their randomness starts.
    modality, vendor : str
        "MR" and "A" only, so far.
    progress : Progress
        Told how far it is.

    Returns
    -------
    dict
        As `cohort.write_cohort`.

    Raises
    ------
    StrokeError
        For what is not simulated, bad numbers, and a disk that refuses.
    """
    if modality.upper() != "MR":
        raise StrokeError(f"--modality {modality}: not yet simulated; choose MR.")
    if vendor.upper() != "A":
        raise StrokeError(f"--vendor {vendor}: not yet simulated; choose A.")
    return write_cohort(output, cases, seed, progress=progress)
