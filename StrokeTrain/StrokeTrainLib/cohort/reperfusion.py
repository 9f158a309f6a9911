"""Reperfusion by Yu's rule (24 h) and by Debs' (angiography, or 3 h), from the table or from Tmax maps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from StrokePredictLib.case import StrokeCase
from StrokePredictLib.cleaning import clean
from StrokePredictLib.io.images import read_image
from StrokePredictLib.io.load import load_case
from StrokePredictLib.io.units import recognise_time_map, told_unit
from StrokePredictLib.preprocess.midline import Midline, midline_of
from StrokePredictLib.preprocess.resample import to_grid
from StrokePredictLib.quantify import TMAX_CLEANING
from StrokePredictLib.thresholds import TMAX_HYPOPERFUSED, volume_ml
from StrokePredictLib.volume import Volume

from .table import Patient

#: Yu 2020: reperfusion rate in %, at most this minimal, at least that major.
MINIMAL, MAJOR = 20.0, 80.0
#: Debs 2021: grades of angiographic reperfusion, and the share of the lesion reperfused at 3 h.
REPERFUSED_GRADES, OTHER_GRADES, SHARE = ("2b", "2c", "3"), ("0", "1", "2a"), 0.5


@dataclass(frozen=True)
class Reperfusion:
    """What is known of one patient's reperfusion.

    Attributes
    ----------
    yu : str
        ``"minimal"``, ``"partial"``, ``"major"`` or ``"unknown"``.
    debs : str
        ``"yes"``, ``"no"`` or ``"unknown"``.
    rate : float or None
        Yu's rate in %, negative where the lesion grew.
    v0_ml, v24_ml : float or None
        Tmax > 6 s at baseline and at 24 h, mL, where measured or told.
    share : float or None
        Of the baseline's voxels with Tmax ≥ 6 s those below it at 3 h, 0 to 1, where measured.
    notes : tuple of str
        Contradictions, and where it was measured.
    """

    yu: str = "unknown"
    debs: str = "unknown"
    rate: float | None = None
    v0_ml: float | None = None
    v24_ml: float | None = None
    share: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def without_lesion(self) -> bool:
        """V0 = 0: complete reperfusion, or none needed, on the baseline already; Yu excludes it."""
        return self.v0_ml is not None and self.v0_ml <= 0


def yu_rate(v0_ml: float, v24_ml: float) -> float | None:
    """Return Yu's reperfusion rate, 100·(1 − V24h/V0) in %; None where V0 is 0.

    Raises
    ------
    ValueError
        If a volume is negative or no number.
    """
    if not (np.isfinite([v0_ml, v24_ml]).all() and v0_ml >= 0 and v24_ml >= 0):
        raise ValueError(f"volumes {v0_ml} and {v24_ml} mL: numbers from 0 on are needed")
    return None if v0_ml == 0 else 100.0 * (1.0 - v24_ml / v0_ml)


def yu_class(rate: float | None) -> str:
    """Return Yu's class of a rate in %: ≤ 20 minimal (negative too), ≥ 80 major, between partial, None unknown."""
    if rate is None:
        return "unknown"
    return "minimal" if rate <= MINIMAL else "major" if rate >= MAJOR else "partial"


def debs_class(mtici: str | None, share: float | None = None) -> str:
    """Return Debs' class: by mTICI where it is known (2b, 2c, 3: yes), else by the share reperfused at 3 h (≥ 0.5)."""
    if mtici in REPERFUSED_GRADES:
        return "yes"
    if mtici in OTHER_GRADES:
        return "no"
    return "unknown" if share is None else "yes" if share >= SHARE else "no"


def from_table(patient: Patient) -> Reperfusion:
    """Return what the patient's facts say, checked against each other; numbers and grades stand before classes."""
    facts, notes = patient.facts, []
    rate, grade = facts.get("reperfusion_rate"), facts.get("mtici")
    told = {"yu": facts.get("reperfusion_yu") or "unknown", "debs": facts.get("reperfusion_debs") or "unknown"}
    by_rule = {"yu": yu_class(rate), "debs": debs_class(grade)}
    basis = {"yu": f"rate {rate} %", "debs": f"mTICI {grade}"}
    found = {}
    for name in told:
        known = by_rule[name] != "unknown"
        found[name] = by_rule[name] if known else told[name]
        if known and told[name] not in ("unknown", by_rule[name]):
            words = f"reperfusion_{name} is '{told[name]}', but {basis[name]} means '{by_rule[name]}', which is taken"
            notes.append(f"{patient.id}: {words}.")
    return Reperfusion(**found, rate=rate, v0_ml=facts.get("hypoperfusion_ml"), notes=tuple(notes))


def with_course(patient: Patient, found: Reperfusion) -> Patient:
    """Return the patient with what was measured among its facts, where the table does not tell it."""
    told = from_table(patient)
    new = {f"reperfusion_{name}": getattr(found, name) for name in ("yu", "debs")
           if getattr(told, name) == "unknown" != getattr(found, name)}  # fmt: skip
    if told.rate is None and found.rate is not None:
        new["reperfusion_rate"] = found.rate
    return replace(patient, facts=patient.facts | new) if new else patient


def assess(patient: Patient, *, baseline: bool = True) -> Reperfusion:
    """Return the patient's reperfusion, measured on Tmax maps where the table does not tell and maps are there.

    The volumes are those of the cleaned mask of Tmax > 6 s that the reports show. A 3 h map on another grid is brought
    onto the baseline's by the headers. Without `baseline` V0 alone is no reason to open a map.

    Raises
    ------
    StrokeError
        If a map cannot be read.
    """
    found = from_table(patient)
    later = {session: roles["tmax"] for session, roles in patient.later.items() if "tmax" in roles}
    day = next((path for name, path in later.items() if name.lower() == "24h"), None)
    hours = next((path for name, path in later.items() if name.lower().lstrip("0") == "3h"), None)
    if "tmax" not in patient.images:
        return found
    wants_yu = found.yu == "unknown" and day is not None
    wants_debs = found.debs == "unknown" and hours is not None
    if not (wants_yu or wants_debs or (baseline and found.v0_ml is None)):
        return found
    case = _baseline(patient)
    midline = midline_of(case.volumes["brain"])
    if found.v0_ml is None:
        found = replace(found, v0_ml=volume_ml(_lesion(case, case.volumes["tmax"], midline)))
    if wants_yu:
        v24 = _later_ml(case, day, midline)
        rate = yu_rate(found.v0_ml, v24)
        found = replace(found, v24_ml=v24, rate=rate, yu=yu_class(rate))
        found = _noted(found, f"{patient.id}: Yu's rate was measured on {day.name}.")
    if wants_debs:
        share = reperfused_share(case, to_grid(_time_map(hours), case.volumes["tmax"]), midline)
        found = replace(found, share=share, debs=debs_class(None, share))
        found = _noted(found, f"{patient.id}: Debs' share was measured on {hours.name}.")
    return found


def reperfused_share(case: StrokeCase, after: Volume, midline: Midline) -> float | None:
    """Return the share of the baseline's voxels with Tmax ≥ 6 s that are below 6 s later; None without any.

    Parameters
    ----------
    case : StrokeCase
        Baseline with Tmax and brain mask.
    after : Volume
        Tmax at 3 h in s, on the same grid.
    midline : Midline
        Of the case's brain.
    """
    before = case.volumes["tmax"]
    before.require_same_grid(after)
    lesion = _lesion(case, before, midline, at_limit=True).array
    return float((after.array[lesion] < TMAX_HYPOPERFUSED).mean()) if lesion.any() else None


def _lesion(case: StrokeCase, tmax: Volume, midline: Midline, *, at_limit: bool = False) -> Volume:
    """Return the cleaned mask of Tmax > 6 s, or of Tmax ≥ 6 s."""
    brain = case.volumes["brain"]
    above = tmax.array >= TMAX_HYPOPERFUSED if at_limit else tmax.array > TMAX_HYPOPERFUSED
    mask, _ = clean(tmax.with_array(above & brain.array), "rule", TMAX_CLEANING, midline, case.volumes)
    return mask


def _baseline(patient: Patient) -> StrokeCase:
    files = {role: patient.images[role] for role in ("dwi", "b0", "adc", "tmax", "brain") if role in patient.images}
    case = load_case(files=files)
    case.require("brain", "tmax")
    return case


def _later_ml(baseline: StrokeCase, path: Path, midline: Midline) -> float:
    """Return V(Tmax > 6 s) of a later map, in the baseline's brain where it lies on that grid, else in its own."""
    tmax = _time_map(path)
    if not tmax.array.any():
        return 0.0
    if tmax.same_grid(baseline.volumes["brain"]):
        case = StrokeCase(baseline.patient, {"tmax": tmax, "brain": baseline.volumes["brain"]})
    else:
        case = load_case(files={"tmax": path})
        (brain, _) = case.require("brain", "tmax")
        midline = midline_of(brain)
    return volume_ml(_lesion(case, case.volumes["tmax"], midline))


def _time_map(path: Path) -> Volume:
    # A map of zeros is an answer: nothing is late any more.
    volume = read_image(path, series=False, may_be_empty=True)
    return recognise_time_map(volume, "Tmax", told_unit(path))[0] if volume.array.any() else volume


def _noted(found: Reperfusion, words: str) -> Reperfusion:
    return replace(found, notes=(*found.notes, words))
