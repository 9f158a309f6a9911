"""One simulated patient, from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..progress import Progress, part, silent
from ..volume import Volume
from .anatomy import Anatomy, build_anatomy, draw_pose
from .bolus import Bolus, draw_bolus, reference_tmax
from .facts import Course, draw_course, patient_facts
from .fate import Fate, decide_fate
from .fields import stream
from .grid import Grid
from .haemodynamics import Perfusion, perfuse
from .mr import Imager, Late, Scanner
from .occlusion import Occlusion, draw_occlusion, severity, territory_depth
from .vessels import Vessels, build_vessels


@dataclass(frozen=True)
class SimulatedPatient:
    """A patient that never was.

    Attributes
    ----------
    seed : int
        Everything follows from it.
    volumes : dict of str to Volume
        Images: b0, dwi, adc (10⁻⁶ mm²/s), flair (day 5) and, unless left out, pwi ``(t, z, y, x)``.
    truth : dict of str to Volume
        cbf (mL/100 g/min), cbv (mL/100 g), mtt, delay, tmax_ref (s; 0 where there is hardly any tissue); masks core,
        infarct, infarct_reperfused, infarct_not_reperfused, brain, artery, late_artery, vein, territory; tissue
        (0 none, 1 CSF, 2 grey, 3 white); fractions gm, wm, csf, artery_fraction, vein_fraction.
    facts : dict
        The row of participants.tsv, and volumes in mL under ``"ml"``.
    times : numpy.ndarray
        ``(t,)`` s of the perfusion series.
    echo_time : float
        s, of the perfusion series.
    true_aif : numpy.ndarray
        ``(t,)`` mmol/L in arterial blood.
    bolus : Bolus
        The same as a function of time.
    scanner : Scanner
        Protocol.
    """

    seed: int
    volumes: dict[str, Volume]
    truth: dict[str, Volume]
    facts: dict[str, Any]
    times: np.ndarray
    echo_time: float
    true_aif: np.ndarray
    bolus: Bolus
    scanner: Scanner


def simulate_patient(
    seed: int,
    *,
    grid: Grid | None = None,
    perfusion: bool = True,
    scanner: Scanner | None = None,
    progress: Progress = silent,
) -> SimulatedPatient:
    """Simulate a patient with an occluded middle cerebral artery.

    Parameters
    ----------
    seed : int
        The patient; the same seed gives the same bits.
    grid : Grid, optional
        Where to image. Left out: 128×128×24 at 1.8×1.8×6 mm, angled with the head.
    perfusion : bool
        Whether to simulate the perfusion series too, which takes most of the time. Changes nothing else.
    scanner : Scanner, optional
        Protocol and noise.
    progress : Progress
        Told how far it is.

    Returns
    -------
    SimulatedPatient
        Images, truth and facts.
    """
    scanner = scanner or Scanner()
    course, bolus = draw_course(seed), draw_bolus(seed)
    occlusion = draw_occlusion(seed, course.onset_to_imaging_min)
    pose = draw_pose(seed, female=course.sex == "F")
    # Technicians angle the sections with the head, not exactly.
    grid = grid or Grid(pitch_deg=round(-pose.pitch_deg + float(stream(seed, "pose").normal(0, 1.5)), 1))
    progress(0.0, "anatomy")
    anatomy = build_anatomy(seed, grid, pose, course.age)
    vessels = build_vessels(anatomy, occlusion)
    progress(0.1, "perfusion and fate of the tissue")
    fall = severity(seed, occlusion, anatomy.mni, anatomy.depth_mm())
    flow = perfuse(seed, anatomy, occlusion, fall)
    fate = decide_fate(seed, anatomy, flow, course)
    tmax = reference_tmax(bolus, flow.mtt, flow.delay, float(scanner.times[-1] + scanner.interval))
    tmax = np.where(anatomy.solid, tmax, np.float32(0))
    progress(0.2, "diffusion and follow-up images")
    imager = Imager(seed, anatomy, vessels, scanner)
    images = dict(zip(("b0", "dwi", "adc"), imager.diffusion(fate, course.onset_to_imaging_min / 60.0), strict=True))
    images["flair"] = imager.flair(fate.happened)
    if perfusion:
        images["pwi"] = imager.perfusion(flow, bolus, _late(seed, flow), part(progress, 0.3, 1.0))
    volumes = {
        name: grid.volume(image, f"simulated {name}", scanner.interval if name == "pwi" else None)
        for name, image in images.items()
    }
    truth = _truth(anatomy, flow, fate, tmax, vessels, occlusion)
    facts = _facts(seed, truth, course, occlusion, fate, anatomy)
    progress(1.0, "patient simulated")
    aif = bolus(scanner.times)
    return SimulatedPatient(seed, volumes, truth, facts, scanner.times, scanner.pwi_echo, aif, bolus, scanner)


def _late(seed: int, flow: Perfusion) -> Late:
    """Return the timing of blood behind the occlusion and in the sinuses, from the tissue's own delay."""
    rng = stream(seed, "bolus")
    rng = np.random.default_rng([int(rng.integers(2**32)), 1])
    starved = flow.severity > 0.4
    typical = float(np.median(flow.delay[starved])) if starved.any() else 4.0
    return Late(
        artery_delay=float(np.clip(typical - 1.0, 2.0, 7.0)),
        artery_dispersion=float(rng.uniform(1.5, 3.0)),
        vein_delay=float(rng.uniform(2.5, 4.0)),
        vein_transit=float(rng.uniform(3.5, 5.0)),
    )


def _truth(
    anatomy: Anatomy, flow: Perfusion, fate: Fate, tmax: np.ndarray, vessels: Vessels, occlusion: Occlusion
) -> dict[str, Volume]:
    fractions = np.stack([anatomy.csf, anatomy.grey, anatomy.white])
    tissue = np.where(anatomy.brain, fractions.argmax(axis=0) + 1, 0).astype(np.uint8)
    territory = (territory_depth(occlusion, anatomy.mni) > 0) & anatomy.brain
    maps = {
        "cbf": flow.cbf, "cbv": flow.cbv, "mtt": flow.mtt, "delay": flow.delay, "tmax_ref": tmax,
        "core": fate.core, "infarct": fate.happened, "infarct_reperfused": fate.if_reperfused,
        "infarct_not_reperfused": fate.if_not_reperfused, "brain": anatomy.brain, "territory": territory,
        "artery": vessels.artery >= 0.5, "late_artery": vessels.late_artery >= 0.3, "vein": vessels.vein >= 0.5,
        "tissue": tissue, "gm": anatomy.grey, "wm": anatomy.white, "csf": anatomy.csf,
        "artery_fraction": vessels.artery, "vein_fraction": vessels.vein,
    }  # fmt: skip
    return {name: anatomy.grid.volume(anatomy.on_grid(values), f"true {name}") for name, values in maps.items()}


def _facts(
    seed: int, truth: dict[str, Volume], course: Course, occlusion: Occlusion, fate: Fate, anatomy: Anatomy
) -> dict[str, Any]:
    voxel_ml = truth["core"].voxel_ml
    masks = ("core", "infarct", "infarct_reperfused", "infarct_not_reperfused", "brain")
    ml = {name: float(np.count_nonzero(truth[name].array)) * voxel_ml for name in masks}
    slow = truth["tmax_ref"].array > 6.0
    ml["tmax_over_6"] = float(np.count_nonzero(slow)) * voxel_ml
    ml["tmax_over_10"] = float(np.count_nonzero(truth["tmax_ref"].array > 10.0)) * voxel_ml
    still_slow = float(np.count_nonzero(slow & ~anatomy.on_grid(fate.fed_again))) * voxel_ml
    rate = 100.0 * (1.0 - still_slow / ml["tmax_over_6"]) if ml["tmax_over_6"] > 0 else None
    facts = patient_facts(seed, course, occlusion, ml["core"], ml["tmax_over_6"], rate)
    return facts | {"ml": ml}
