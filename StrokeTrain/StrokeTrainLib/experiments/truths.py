"""What would have happened: known of simulated patients alone, and never learnt from."""

from __future__ import annotations

import json
from pathlib import Path

from ..cohort.table import Patient


def true_volumes(patient: Patient, data: Path) -> tuple[float, float] | None:
    """Return a simulated patient's final infarct in mL without and with reperfusion; None where it is not known.

    The simulated truth of both courses is before swelling, the outline that networks learn is of day 5: both volumes
    are multiplied by the patient's own swelling, outline over infarct in the course that was taken.
    """
    path = data / "derivatives" / patient.id / "truth" / f"{patient.id}_volumes.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        gain = found["infarct_day5"] / found["infarct"] if found.get("infarct") and "infarct_day5" in found else 1.0
        return gain * float(found["infarct_not_reperfused"]), gain * float(found["infarct_reperfused"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
