"""Mismatch, and the imaging criteria of the late-window thrombectomy trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .case import ClinicalFacts

NOT_ASSESSABLE = "not assessable"
NOT_COMPUTED = "not computed"
INFINITE = "∞"


@dataclass(frozen=True)
class Mismatch:
    """Hypoperfused minus core.

    Attributes
    ----------
    volume_ml : float
        V(Tmax > 6 s) − V(core).
    ratio : float
        V(Tmax > 6 s) / V(core); infinity for an empty core with hypoperfusion, NaN with nothing at all.
    """

    volume_ml: float
    ratio: float

    @property
    def ratio_text(self) -> float | str:
        """The ratio as a file holds it: a number, ``"∞"``, or ``"not assessable"``."""
        if self.ratio != self.ratio:
            return NOT_ASSESSABLE
        return INFINITE if self.ratio == float("inf") else round(self.ratio, 2)


def mismatch(core_ml: float, hypoperfused_ml: float) -> Mismatch:
    """Return mismatch volume and ratio of two volumes in mL."""
    if core_ml > 0:
        return Mismatch(hypoperfused_ml - core_ml, hypoperfused_ml / core_ml)
    return Mismatch(hypoperfused_ml, float("inf") if hypoperfused_ml > 0 else float("nan"))


def hypoperfusion_intensity_ratio(above_6_ml: float, above_10_ml: float) -> float | str:
    """Return HIR = V(Tmax > 10 s) / V(Tmax > 6 s), or ``"not assessable"`` where nothing is hypoperfused."""
    return round(above_10_ml / above_6_ml, 3) if above_6_ml > 0 else NOT_ASSESSABLE


def defuse3(core_ml: float | None, hypoperfused_ml: float | None, facts: ClinicalFacts) -> dict[str, Any]:
    """Say whether DEFUSE 3's imaging criteria are met (Albers et al., N Engl J Med 2018).

    Core < 70 mL, mismatch volume ≥ 15 mL, mismatch ratio ≥ 1.8, 6 to 16 h from onset.

    Parameters
    ----------
    core_ml, hypoperfused_ml : float or None
        mL; None where not computed.
    facts : ClinicalFacts
        Onset to imaging.
    """
    items = [_item("Core < 70 mL", _ml(core_ml), None if core_ml is None else core_ml < 70)]
    if core_ml is None or hypoperfused_ml is None:
        items += [_item(name, NOT_COMPUTED, None) for name in ("Mismatch volume ≥ 15 mL", "Mismatch ratio ≥ 1.8")]
    else:
        found = mismatch(core_ml, hypoperfused_ml)
        items += [
            _item("Mismatch volume ≥ 15 mL", _ml(found.volume_ml), found.volume_ml >= 15),
            # An empty core with hypoperfusion meets any ratio; nothing at all meets none.
            _item("Mismatch ratio ≥ 1.8", str(found.ratio_text), found.ratio >= 1.8),
        ]
    items.append(_window(facts, 6, 16))
    return {"title": "DEFUSE 3", "verdict": _verdict(items), "items": items}


def dawn(core_ml: float | None, facts: ClinicalFacts) -> dict[str, Any]:
    """Say whether DAWN's clinical-core mismatch is met (Nogueira et al., N Engl J Med 2018).

    6 to 24 h from onset, and one of: age ≥ 80, NIHSS ≥ 10, core < 21 mL; age < 80, NIHSS ≥ 10, core < 31 mL;
    age < 80, NIHSS ≥ 20, core 31 to < 51 mL.

    Parameters
    ----------
    core_ml : float or None
        mL; None where not computed.
    facts : ClinicalFacts
        Age, NIHSS, onset to imaging.
    """
    age, nihss = facts.age, facts.nihss
    limit = "Core < 21 mL (age ≥ 80)" if age is not None and age >= 80 else "Core < 31 mL, or < 51 mL with NIHSS ≥ 20"
    if age is None:
        limit = "Core below the age group's limit"
    items = [
        _item("Age known", NOT_ASSESSABLE if age is None else f"{age:g} years", None if age is None else True),
        _item("NIHSS ≥ 10", NOT_ASSESSABLE if nihss is None else f"{nihss:g}", None if nihss is None else nihss >= 10),
        _item(limit, _ml(core_ml), _dawn_core(core_ml, age, nihss)),
        _window(facts, 6, 24),
    ]
    return {"title": "DAWN", "verdict": _verdict(items), "items": items}


def _dawn_core(core_ml: float | None, age: float | None, nihss: float | None) -> bool | None:
    if core_ml is None:
        return None
    if core_ml >= 51:
        return False  # above every group's limit, whatever the patient
    if age is None:
        return True if core_ml < 21 else None
    if age >= 80:
        return core_ml < 21
    if core_ml < 31:
        return True
    return None if nihss is None else nihss >= 20


def _window(facts: ClinicalFacts, low_h: float, high_h: float) -> dict[str, Any]:
    minutes = facts.onset_to_imaging_min
    name = f"Onset to imaging {low_h:g} to {high_h:g} h"
    if minutes is None:
        return _item(name, NOT_ASSESSABLE, None)
    since = "" if facts.onset_known is not False else " since last known well"
    return _item(name, f"{minutes / 60:.1f} h{since}", low_h <= minutes / 60 <= high_h)


def _item(name: str, value: str, met: bool | None) -> dict[str, Any]:
    return {"name": name, "value": value, "met": met}


def _ml(volume: float | None) -> str:
    return NOT_COMPUTED if volume is None else f"{volume:.1f} mL"


def _verdict(items: list[dict[str, Any]]) -> str:
    """One item that fails decides, whatever else is unknown."""
    answers = [item["met"] for item in items]
    if False in answers:
        return "not met"
    return NOT_ASSESSABLE if None in answers else "met"
