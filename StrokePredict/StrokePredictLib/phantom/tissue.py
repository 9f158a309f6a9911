"""The patient behind the images: tissue, flow, fate and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..volume import Volume
from .anatomy import Anatomy, build_anatomy
from .bolus import Bolus, draw_bolus, reference_tmax
from .facts import Course, Volumes, draw_course, patient_facts
from .fate import Fate, decide_fate
from .grid import Grid
from .haemodynamics import Perfusion, perfuse, severity_after
from .occlusion import Occlusion, draw_occlusion, severity, territory_depth
from .oedema import Swelling, shifted, swell
from .populations import Population, population_of
from .vessels import Vessels, build_vessels


@dataclass(frozen=True)
class Person:
    """What is known of a patient before any grid: who, when, what.

    Attributes
    ----------
    seed : int
        Everything follows from it.
    population : Population
        Where the patient comes from.
    course : Course
        Times and treatment.
    occlusion : Occlusion
        What is blocked.
    """

    seed: int
    population: Population
    course: Course
    occlusion: Occlusion


@dataclass(frozen=True)
class Tissue:
    """A patient's head on one grid, at baseline, at 24 h and on day 5.

    Attributes
    ----------
    person : Person
        Whose.
    anatomy : Anatomy
        Tissue fractions at baseline.
    vessels, vessels_24h : Vessels
        Arteries and veins at baseline, and at 24 h: open again where most of the territory is fed.
    flow, flow_24h : Perfusion
        Perfusion at baseline and at 24 h.
    fate : Fate
        What dies.
    swelling : Swelling
        How the brain lies on day 5.
    infarct_day5 : numpy.ndarray
        ``(n,)`` the final infarct where it lies on day 5.
    tmax, tmax_24h : numpy.ndarray
        ``(n,)`` s, reference Tmax; 0 where there is hardly any tissue.
    """

    person: Person
    anatomy: Anatomy
    vessels: Vessels
    vessels_24h: Vessels
    flow: Perfusion
    flow_24h: Perfusion
    fate: Fate
    swelling: Swelling
    infarct_day5: np.ndarray
    tmax: np.ndarray
    tmax_24h: np.ndarray

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in mL."""
        return float(np.prod(self.anatomy.grid.spacing)) / 1000.0


def draw_person(seed: int, population: str = "lvo") -> Person:
    """Return a random patient of a population (`populations.NAMES`)."""
    chosen = population_of(seed, population)
    course = draw_course(seed, chosen)
    return Person(seed, chosen, course, draw_occlusion(seed, course.onset_to_imaging_min, chosen))


def simulate_tissue(person: Person, anatomy: Anatomy, bolus: Bolus | None = None, duration: float = 82.5) -> Tissue:
    """Return what happens to one patient's tissue.

    Parameters
    ----------
    person : Person
        From `draw_person`.
    anatomy : Anatomy
        The head, of this seed and age.
    bolus : Bolus, optional
        Baseline's true arterial input, that reference Tmax is defined with.
    duration : float
        s of the perfusion series.
    """
    seed, occlusion = person.seed, person.occlusion
    fall = severity(seed, occlusion, anatomy.mni, anatomy.depth_mm())
    flow = perfuse(seed, anatomy, occlusion, fall)
    fate = decide_fate(seed, anatomy, flow, person.course)
    later = perfuse(seed, anatomy, occlusion, severity_after(seed, fall, fate.fed_again))
    swelling = swell(seed, anatomy, fate.happened)
    bolus = bolus or draw_bolus(seed)
    # The same arterial input for both days: reference Tmax is a property of tissue, as far as it can be.
    tmax, tmax_24h = (
        np.where(anatomy.solid, reference_tmax(bolus, f.mtt, f.delay, duration), np.float32(0)) for f in (flow, later)
    )
    vessels = build_vessels(anatomy, occlusion)
    opened = person.course.mtici in ("2b", "2c", "3")
    vessels_24h = build_vessels(anatomy, replace(occlusion, site="none")) if opened else vessels
    label = shifted(anatomy, swelling, fate.happened)
    return Tissue(person, anatomy, vessels, vessels_24h, flow, later, fate, swelling, label, tmax, tmax_24h)


def head_of(person: Person, grid: Grid, pose: Any) -> Anatomy:
    """Return the patient's head on a grid."""
    return build_anatomy(person.seed, grid, pose, person.course.age)


def truth_of(tissue: Tissue) -> dict[str, Volume]:
    """Return the true maps and masks by name (`patient.SimulatedPatient.truth`)."""
    a, flow, fate, v = tissue.anatomy, tissue.flow, tissue.fate, tissue.vessels
    kinds = np.where(a.brain, np.stack([a.csf, a.grey, a.white]).argmax(axis=0) + 1, 0).astype(np.uint8)
    territory = (territory_depth(tissue.person.occlusion, a.mni) > 0) & a.brain
    maps = {
        "cbf": flow.cbf, "cbv": flow.cbv, "mtt": flow.mtt, "delay": flow.delay, "tmax_ref": tissue.tmax,
        "tmax_ref_24h": tissue.tmax_24h, "core": fate.core, "infarct": fate.happened,
        "infarct_reperfused": fate.if_reperfused, "infarct_not_reperfused": fate.if_not_reperfused,
        "infarct_day5": tissue.infarct_day5, "recovered": fate.recovered, "no_reflow": fate.no_reflow,
        "brain": a.brain, "territory": territory, "artery": v.artery >= 0.5, "late_artery": v.late_artery >= 0.3,
        "vein": v.vein >= 0.5, "tissue": kinds, "gm": a.grey, "wm": a.white, "csf": a.csf, "wm_lesion": a.wm_lesion,
        "old_infarct": a.old_infarct, "artery_fraction": v.artery, "vein_fraction": v.vein,
    }  # fmt: skip
    return {name: a.grid.volume(a.on_grid(values), f"true {name}") for name, values in maps.items()}


def volumes_of(tissue: Tissue) -> dict[str, float]:
    """Return volumes in mL by name."""
    a, fate = tissue.anatomy, tissue.fate
    masks = {
        "core": fate.core, "infarct": fate.happened, "infarct_reperfused": fate.if_reperfused,
        "infarct_not_reperfused": fate.if_not_reperfused, "infarct_day5": tissue.infarct_day5,
        "recovered": fate.recovered, "brain": a.brain, "tmax_over_6": tissue.tmax > 6.0,
        "tmax_over_10": tissue.tmax > 10.0, "tmax_over_6_24h": tissue.tmax_24h > 6.0,
    }  # fmt: skip
    ml = {name: float(np.count_nonzero(mask)) * tissue.voxel_ml for name, mask in masks.items()}
    return ml | {name: float(getattr(a, name).sum()) * tissue.voxel_ml for name in ("wm_lesion", "old_infarct")}


def facts_of(tissue: Tissue, ml: dict[str, float]) -> dict[str, Any]:
    """Return the row of participants.tsv without what depends on the scanner."""
    person = tissue.person
    slow = tissue.tmax >= 6.0
    fed = float(np.mean(tissue.tmax_24h[slow] < 6.0)) if slow.any() else 0.0
    volumes = Volumes(ml["core"], ml["tmax_over_6"], ml["tmax_over_6_24h"], fed)
    facts = patient_facts(person.seed, person.course, person.occlusion, volumes, person.population)
    return facts | {"stroke_confirmed": "yes" if ml["infarct"] > 0 else "no"}
