"""Clinical facts of a simulated patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .fields import stream
from .occlusion import Occlusion

MTICI = ("0", "1", "2a", "2b", "2c", "3")
_MTICI_SHARE = (0.13, 0.04, 0.10, 0.30, 0.16, 0.27)


@dataclass(frozen=True)
class Course:
    """Who the patient is and what happened when.

    Attributes
    ----------
    age : int
        Years.
    sex : str
        "F" or "M".
    onset_to_imaging_min : int
        Minutes.
    counterfactual_reperfusion_min : int
        Minutes from imaging to reperfusion: the real one, or, in a patient who was never recanalised, the one that the
        outcome "if reperfused" is computed for.
    mtici : str
        Grade of reperfusion; "0": none.
    """

    age: int
    sex: str
    onset_to_imaging_min: int
    counterfactual_reperfusion_min: int
    mtici: str

    @property
    def imaging_to_reperfusion_min(self) -> int | None:
        """Minutes, or None without recanalisation."""
        return None if self.mtici == "0" else self.counterfactual_reperfusion_min


def draw_course(seed: int) -> Course:
    """Return a random course: age about 70, imaging 90 to 900 min after onset, mostly treated."""
    rng = stream(seed, "facts")
    return Course(
        age=int(np.clip(rng.normal(70, 12), 32, 95)),
        sex="F" if rng.random() < 0.49 else "M",
        onset_to_imaging_min=int(np.clip(260 * np.exp(rng.normal(0, 0.62)), 90, 900)),
        counterfactual_reperfusion_min=int(np.clip(95 * np.exp(rng.normal(0, 0.35)), 35, 260)),
        mtici=MTICI[rng.choice(len(MTICI), p=_MTICI_SHARE)],
    )


def patient_facts(
    seed: int,
    course: Course,
    occlusion: Occlusion,
    core_ml: float,
    hypoperfused_ml: float,
    reperfusion_rate: float | None,
) -> dict[str, Any]:
    """Return the row of participants.tsv; what is unknown is None.

    Parameters
    ----------
    seed : int
        The patient.
    course, occlusion : Course, Occlusion
        What happened.
    core_ml, hypoperfused_ml : float
        Volumes that NIHSS follows: deficit comes from dead and from starved tissue, more from the left side.
    reperfusion_rate : float or None
        100·(1 − V24h/V0) in %, V = volume of Tmax > 6 s; None: no scan at 24 h.
    """
    rng = stream(seed, "facts")
    rng = np.random.default_rng([int(rng.integers(2**32)), 1])
    weight = 1.15 if occlusion.side == "left" else 1.0
    expected = weight * (3.0 + 0.085 * hypoperfused_ml + 0.07 * core_ml)
    return {
        "age": course.age,
        "sex": course.sex,
        "nihss": int(np.clip(round(expected + rng.normal(0, 2.5)), 1, 32)),
        "onset_to_imaging_min": course.onset_to_imaging_min,
        "onset_known": "yes",
        "imaging_to_reperfusion_min": course.imaging_to_reperfusion_min,
        "mtici": course.mtici,
        "reperfusion_rate": None if reperfusion_rate is None else round(reperfusion_rate, 1),
        "reperfusion_yu": _yu(reperfusion_rate),
        "reperfusion_debs": "yes" if course.mtici in ("2b", "2c", "3") else "no",
        "role": "any",
        "vendor": "A",
        "center": "simulated",
        "side": occlusion.side,
        "occlusion": occlusion.site,
        "collaterals": occlusion.collaterals,
    }


def _yu(rate: float | None) -> str:
    """Return Yu's class of a reperfusion rate: ≤ 20 % minimal, ≥ 80 % major, between partial."""
    if rate is None:
        return "unknown"
    return "minimal" if rate <= 20 else "major" if rate >= 80 else "partial"
