"""The job behind ``stroke phantom``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import StrokeError
from ..progress import Progress, silent
from .cohort import write_cohort
from .protocols import scanner


def run(
    output: Path | str,
    *,
    cases: int = 1,
    seed: int = 0,
    modality: str = "MR",
    vendor: str = "A",
    population: str = "lvo",
    centers: int = 1,
    perfusion: bool = True,
    workers: int = 1,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write a simulated cohort to a folder.

    Parameters
    ----------
    output : path-like
        The cohort folder.
    cases, seed : int
        How many patients, and where their randomness starts.
    modality : {"MR", "CT"}
        What is imaged first.
    vendor : {"A", "B", "both"}
        Whose scanners.
    population : str
        One of `populations.NAMES`.
    centers : int
        Among how many hospitals the patients are spread.
    perfusion : bool
        With the perfusion series, which is most of time and disk.
    workers : int
        Processes side by side; 0: as many as there are cores.
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
    vendor = vendor.lower() if vendor.lower() == "both" else vendor.upper()
    if vendor not in ("A", "B", "both"):
        raise StrokeError(f"--vendor {vendor}: not simulated; choose A, B or both.")
    scanner(modality, "A" if vendor == "both" else vendor)
    return write_cohort(
        output, cases, seed, modality=modality.upper(), vendor=vendor, population=population, centers=centers,
        perfusion=perfusion, workers=workers, progress=progress,
    )  # fmt: skip
