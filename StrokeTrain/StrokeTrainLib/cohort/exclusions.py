"""Why a patient is left out: one rule a function, each of one paper's sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .reperfusion import Reperfusion
from .table import Patient

#: Returns why a patient is left out, or None.
Rule = Callable[[Patient, Reperfusion], str | None]


@dataclass(frozen=True)
class Criterion:
    """One box of the flow diagram.

    Attributes
    ----------
    title : str
        What the box says.
    rule : callable
        Returns the reason for a patient, or None. What is not known excludes nobody.
    """

    title: str
    rule: Rule


def _no_anterior_stroke(patient: Patient, _: Reperfusion) -> str | None:
    if patient.facts.get("stroke_confirmed") == "no":
        return "no stroke on the follow-up DWI"
    return "posterior circulation" if patient.facts.get("circulation") == "posterior" else None


def _no_baseline_perfusion_or_diffusion(patient: Patient, _: Reperfusion) -> str | None:
    lacking = [name for name, role in (("DWI", "dwi"), ("PWI", "tmax")) if not patient.has(role)]
    if lacking:
        return f"no {' and no '.join(lacking)} at baseline"
    return "PWI of poor quality" if patient.facts.get("perfusion_quality") == "poor" else None


def _no_follow_up_flair(patient: Patient, _: Reperfusion) -> str | None:
    days = patient.facts.get("followup_days")
    sessions = [roles for name, roles in patient.later.items() if not name.lower().endswith("h")]
    if not any("flair" in roles for roles in sessions):
        return "no follow-up FLAIR"
    return f"follow-up at {days:g} days" if days is not None and not 3 <= days <= 7 else None


def _no_hypoperfusion(_: Patient, found: Reperfusion) -> str | None:
    return "no tissue with Tmax > 6 s at baseline" if found.without_lesion else None


def _reperfusion_unknown(_: Patient, found: Reperfusion) -> str | None:
    return "reperfusion unknown (no mTICI, no 3 h perfusion)" if found.debs == "unknown" else None


def _no_diffusion_perfusion(patient: Patient, _: Reperfusion) -> str | None:
    lacking = [name for name, role in (("diffusion", "dwi"), ("perfusion", "tmax")) if not patient.has(role)]
    return f"no {' and no '.join(lacking)} MRI at baseline" if lacking else None


#: A paper's rules in its order.
RULES: dict[str, tuple[Criterion, ...]] = {
    "yu": (
        Criterion("No confirmed anterior circulation stroke", _no_anterior_stroke),
        Criterion("No PWI or DWI at arrival, or PWI of poor quality", _no_baseline_perfusion_or_diffusion),
        Criterion("No follow-up FLAIR at 3 to 7 days", _no_follow_up_flair),
        Criterion("Complete reperfusion on baseline PWI (no Tmax > 6 s)", _no_hypoperfusion),
    ),
    "debs": (
        Criterion("No confirmed anterior circulation stroke", _no_anterior_stroke),
        Criterion("No diffusion and perfusion MRI at baseline", _no_diffusion_perfusion),
        Criterion("Early reperfusion not assessable", _reperfusion_unknown),
    ),
}
