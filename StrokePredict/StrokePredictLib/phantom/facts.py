"""Clinical facts of a simulated patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from .fields import stream
from .occlusion import BRANCHES, POSTERIOR, Occlusion, collateral_luck, draw_site
from .populations import MTICI, YU2020, Population

#: Day of the follow-up image after onset.
FOLLOW_UP_DAY = 5
#: Correlation of the grade of reperfusion with collaterals (associated in Bang et al., Stroke 2011; size assumed).
GRADE_FOLLOWS_COLLATERALS = 0.4


@dataclass(frozen=True)
class Course:
    """Who the patient is and what happened when; what nobody noted is here too (`patient_facts` leaves it out).

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
    onset_known : bool
        Whether somebody saw the onset.
    thrombectomy : bool
        Whether the artery was treated and the grade seen on angiography.
    scan_24h : bool
        Whether perfusion was imaged again at 24 h.
    """

    age: int
    sex: str
    onset_to_imaging_min: int
    counterfactual_reperfusion_min: int
    mtici: str
    onset_known: bool = True
    thrombectomy: bool = True
    scan_24h: bool = True

    @property
    def imaging_to_reperfusion_min(self) -> int | None:
        """Minutes, or None without recanalisation."""
        return None if self.mtici == "0" else self.counterfactual_reperfusion_min


def draw_course(seed: int, population: Population = YU2020) -> Course:
    """Return a random course of a patient of this population."""
    rng = stream(seed, "facts")
    _, site = draw_site(seed, population)
    mean, spread, youngest, oldest = population.age
    age = int(np.clip(rng.normal(mean, spread), youngest, oldest))
    sex = "F" if rng.random() < population.female else "M"
    onset = _minutes(rng, population.onset_min)
    reperfusion = _minutes(rng, population.reperfusion_min)
    grade, treated, known, scanned = rng.random(4)
    thrombectomy = treated < population.thrombectomy and site not in ("embolic", "none", *POSTERIOR)
    share = population.mtici_other
    if thrombectomy:
        share = population.mtici_branch if site in BRANCHES else population.mtici
    edges = np.cumsum(np.array(share) / sum(share))
    # Better collaterals, better reperfusion: correlated normal numbers, each share as it was.
    luck = GRADE_FOLLOWS_COLLATERALS * collateral_luck(seed, population)
    grade = special.ndtr(luck + np.sqrt(1.0 - GRADE_FOLLOWS_COLLATERALS**2) * special.ndtri(grade))
    mtici = MTICI[min(int(np.searchsorted(edges, grade, side="right")), len(MTICI) - 1)]
    unknown, scan_24h = known < population.onset_unknown, scanned < population.scan_24h
    return Course(age, sex, onset, reperfusion, mtici, not unknown, bool(thrombectomy), bool(scan_24h))


def _minutes(rng: np.random.Generator, wanted: tuple[float, float, float, float]) -> int:
    median, spread, low, high = wanted
    return int(np.clip(median * np.exp(rng.normal(0, spread)), low, high))


@dataclass(frozen=True)
class Volumes:
    """What the facts follow from, mL of reference Tmax and of the acute lesion.

    Attributes
    ----------
    core, hypoperfused : float
        Restricted diffusion; Tmax > 6 s.
    hypoperfused_24h : float
        Tmax > 6 s at 24 h.
    fed_again : float
        Share, 0 to 1, of what had Tmax ≥ 6 s that reperfusion brought below.
    """

    core: float
    hypoperfused: float
    hypoperfused_24h: float
    fed_again: float


def patient_facts(
    seed: int, course: Course, occlusion: Occlusion, volumes: Volumes, population: Population = YU2020
) -> dict[str, Any]:
    """Return the row of participants.tsv; what is unknown is None.

    Parameters
    ----------
    seed : int
        The patient.
    course, occlusion : Course, Occlusion
        What happened.
    volumes : Volumes
        NIHSS follows them: deficit comes from dead and from starved tissue, more from the left side.
    population : Population
        Where the patient comes from.
    """
    rate = reperfusion_rate(volumes) if course.scan_24h else None
    return {
        "age": course.age,
        "sex": course.sex,
        "nihss": _nihss(seed, occlusion, volumes, population),
        "onset_to_imaging_min": course.onset_to_imaging_min if course.onset_known else None,
        "onset_known": "yes" if course.onset_known else "no",
        "imaging_to_reperfusion_min": course.imaging_to_reperfusion_min if course.thrombectomy else None,
        "mtici": course.mtici if course.thrombectomy else None,
        "reperfusion_rate": None if rate is None else round(rate, 1),
        "reperfusion_yu": _yu(rate),
        "reperfusion_debs": _debs(course, volumes),
        "followup_days": FOLLOW_UP_DAY,
        "side": None if occlusion.site == "none" else occlusion.side,
        "occlusion": occlusion.site,
        "circulation": "posterior" if occlusion.site in POSTERIOR else "anterior",
        "collaterals": occlusion.collaterals,
        "population": population.name,
    }


def reperfusion_rate(volumes: Volumes) -> float | None:
    """Return Yu's rate, 100·(1 − V24h/V0) in %, V = volume of Tmax > 6 s; None where nothing was hypoperfused."""
    if volumes.hypoperfused <= 0:
        return None
    return 100.0 * (1.0 - volumes.hypoperfused_24h / volumes.hypoperfused)


def _nihss(seed: int, occlusion: Occlusion, volumes: Volumes, population: Population) -> int:
    rng = np.random.default_rng([int(stream(seed, "facts").integers(2**32)), 1])
    base, per_slow, per_core, scatter = population.nihss
    weight = 1.15 if occlusion.side == "left" else 1.0
    # Deficit saturates: who has lost all of a hemisphere's functions has no more to lose.
    volume = per_slow * volumes.hypoperfused + per_core * volumes.core
    expected = base + weight * 24.0 * (1.0 - np.exp(-volume / 24.0))
    lowest = 0 if occlusion.site == "none" else 1
    return int(np.clip(round(float(expected + rng.normal(0, scatter))), lowest, 38))


def _yu(rate: float | None) -> str:
    """Return Yu's class of a reperfusion rate: ≤ 20 % minimal, ≥ 80 % major, between partial."""
    if rate is None:
        return "unknown"
    return "minimal" if rate <= 20 else "major" if rate >= 80 else "partial"


def _debs(course: Course, volumes: Volumes) -> str:
    """Return Debs' class: by angiography where there was one, else by the share of tissue that is fed again."""
    if course.thrombectomy:
        return "yes" if course.mtici in ("2b", "2c", "3") else "no"
    if volumes.hypoperfused <= 0:
        return "unknown"
    return "yes" if volumes.fed_again >= 0.5 else "no"
