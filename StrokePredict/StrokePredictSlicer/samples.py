"""Simulated patients: made on this computer by the worker, kept in its cache, never downloaded."""

from __future__ import annotations

from pathlib import Path

import qt

from StrokePredictLib import __version__


def simulated_cohort(modality: str = "MR") -> Path:
    """Return where the simulated patient of this version is kept; it may not have been made yet."""
    base = qt.QStandardPaths.writableLocation(qt.QStandardPaths.CacheLocation)
    return Path(str(base)) / "StrokeInfarct" / f"simulated-{modality}-{__version__}"
