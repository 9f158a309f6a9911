"""What a conditioned network is told of a patient: from the table, else measured once on later Tmax maps."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.output import write_text
from StrokePredictLib.networks.course import Course

from ..cohort.reperfusion import assess, from_table
from ..cohort.table import Patient
from .cache import key_of, made_once
from .labels import what_happened

_FILE = "course.json"


def course_of(patient: Patient, cache: Path) -> Course:
    """Return what happened to a patient.

    Where the table does not tell, reperfusion is measured on Tmax maps of 3 h and 24 h
    (`StrokeTrainLib.cohort.reperfusion.assess`) and remembered in the cache; where neither does, it is unknown.

    Parameters
    ----------
    patient : Patient
        Of a cohort.
    cache : Path
        Folder of prepared patients.
    """
    course = what_happened(patient)
    later = {f"later {session}": roles["tmax"] for session, roles in patient.later.items() if "tmax" in roles}
    if course.reperfusion != "unknown" or not later or "tmax" not in patient.images:
        return course

    def make(stage: Path) -> None:
        found = assess(patient, baseline=False)
        write_text(stage / _FILE, json.dumps({"yu": found.yu, "debs": found.debs}) + "\n")

    folder = cache / "courses" / key_of({"course of": patient.id}, patient.images | later)
    try:
        told = json.loads((made_once(folder, _FILE, make) / _FILE).read_text(encoding="utf-8"))
    except StrokeError:
        return course  # a later map that cannot be read leaves the course unknown, and the patient usable
    return what_happened(patient, replace(from_table(patient), **told))
