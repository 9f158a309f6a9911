"""One simulated patient, from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..progress import Progress, part, silent
from ..volume import Volume
from . import artefacts, protocols
from .anatomy import draw_pose
from .artefacts import Artefacts
from .blood import Late
from .bolus import Bolus, draw_bolus
from .ct import CTImager
from .distortion import shift_field
from .fields import stream
from .grid import Grid
from .haemodynamics import Perfusion
from .mr import Imager
from .oedema import swollen
from .protocols import CTScanner, Scanner
from .tissue import Tissue, draw_person, facts_of, head_of, simulate_tissue, truth_of, volumes_of


@dataclass(frozen=True)
class SimulatedPatient:
    """A patient that never was.

    Attributes
    ----------
    seed : int
        Everything follows from it.
    volumes : dict of str to Volume
        Images. MR: b0, dwi, adc (10⁻⁶ mm²/s), of vendor B flair0 (baseline); CT: ncct (HU); both: flair (day 5). Unless
        left out the series pwi or ctp ``(t, z, y, x)`` and, of patients who were scanned again, pwi_24h or ctp_24h.
    truth : dict of str to Volume
        cbf (mL/100 g/min), cbv (mL/100 g), mtt, delay, tmax_ref, tmax_ref_24h (s; 0 where there is hardly any tissue);
        masks core, infarct, infarct_reperfused, infarct_not_reperfused, recovered, no_reflow, brain, artery,
        late_artery, vein, territory, all where the tissue lies at baseline, and infarct_day5 where it lies on day 5;
        tissue (0 none, 1 CSF, 2 grey, 3 white); fractions gm, wm, csf, wm_lesion, old_infarct, artery_fraction,
        vein_fraction; oedema_mm ``(3, z, y, x)``, the shift of the brain by day 5 along z, y and x, and on MR
        distortion_mm, that of echo-planar images along y.
    facts : dict
        The row of participants.tsv, volumes in mL under ``"ml"`` and what went wrong in the scan under ``"scan"``.
    times : numpy.ndarray
        ``(t,)`` s of the perfusion series.
    echo_time : float
        s, of the perfusion series; 0 on CT.
    true_aif : numpy.ndarray
        ``(t,)`` in arterial blood: mmol/L of contrast agent, on CT mg/mL of iodine.
    bolus : Bolus
        The same as a function of time.
    scanner : Scanner or CTScanner
        Protocol.
    tissue : Tissue
        What the images show.
    """

    seed: int
    volumes: dict[str, Volume]
    truth: dict[str, Volume]
    facts: dict[str, Any]
    times: np.ndarray
    echo_time: float
    true_aif: np.ndarray
    bolus: Bolus
    scanner: Scanner | CTScanner
    tissue: Tissue


def simulate_patient(
    seed: int,
    *,
    grid: Grid | None = None,
    perfusion: bool = True,
    scanner: Scanner | CTScanner | None = None,
    population: str = "lvo",
    modality: str = "MR",
    vendor: str = "A",
    center: str = "simulated",
    progress: Progress = silent,
) -> SimulatedPatient:
    """Simulate a patient with an acute stroke.

    Parameters
    ----------
    seed : int
        The patient; the same seed gives the same bits.
    grid : Grid, optional
        Where to image. Left out: the protocol's sections, angled with the head; MR of vendor A has 128×128×24 at
        1.8×1.8×6 mm.
    perfusion : bool
        Whether to simulate the perfusion series too, which takes most of the time. Changes nothing else.
    scanner : Scanner or CTScanner, optional
        A protocol of one's own instead of the vendor's, without artefacts.
    population : str
        One of `populations.NAMES`.
    modality : {"MR", "CT"}
        What is imaged first; the follow-up is MR.
    vendor : {"A", "B"}
        By whom.
    center : str
        What participants.tsv calls the hospital.
    progress : Progress
        Told how far it is.

    Returns
    -------
    SimulatedPatient
        Images, truth and facts.

    Raises
    ------
    StrokeError
        For a population, modality or vendor that is not simulated.
    """
    flaws = artefacts.NONE if scanner else artefacts.draw(seed, protocols.scanner(modality, vendor))
    scanner = scanner or protocols.scanner(modality, vendor)
    person = draw_person(seed, population)
    bolus = draw_bolus(seed, scanner, late_s=flaws.late_s)
    pose = draw_pose(seed, female=person.course.sex == "F")
    grid = grid or protocols.grid(modality, vendor, seed, pose.pitch_deg)
    progress(0.0, "anatomy")
    anatomy = head_of(person, grid, pose)
    progress(0.1, "perfusion and fate of the tissue")
    tissue = simulate_tissue(person, anatomy, bolus, float(scanner.times[-1] + scanner.interval))
    progress(0.2, "first and follow-up images")
    images = _images(tissue, scanner, flaws, vendor)
    if perfusion:
        images |= _series(tissue, scanner, flaws, bolus, part(progress, 0.3, 1.0))
    volumes = {
        name: grid.volume(image, f"simulated {name}", scanner.interval if image.ndim == 4 else None)
        for name, image in images.items()
    }
    ml = volumes_of(tissue)
    facts = facts_of(tissue, ml) | {
        "role": _role(tissue, population), "vendor": vendor.upper(), "center": center,
        "perfusion_quality": "poor" if set(flaws.marked) & _SPOILS_PERFUSION else "good",
        "artefacts": "; ".join(flaws.marked) or "none", "ml": ml, "scan": flaws.record(),
    }  # fmt: skip
    progress(1.0, "patient simulated")
    times = flaws.times(scanner)
    truth = truth_of(tissue) | _shifts(tissue, flaws)
    echo = getattr(scanner, "pwi_echo", 0.0)
    return SimulatedPatient(seed, volumes, truth, facts, times, echo, bolus(times), bolus, scanner, tissue)


def _shifts(tissue: Tissue, flaws: Artefacts) -> dict[str, Volume]:
    """Return the shift of the brain by day 5 (4D: along z, y, x), and that of echo-planar images (along y)."""
    grid = tissue.anatomy.grid
    shifts = {"oedema_mm": grid.volume(tissue.swelling.shift_mm, "true shift by oedema")}
    if flaws.distortion_mm > 0:
        bent = shift_field(tissue.anatomy, flaws.distortion_mm).astype(np.float32)
        shifts["distortion_mm"] = grid.volume(bent, "true distortion of echo-planar images")
    return shifts


#: Artefacts for which a reader calls perfusion imaging poor.
_SPOILS_PERFUSION = {"motion", "cut bolus"}


def _role(tissue: Tissue, population: str) -> str:
    """Return "train-only" for those whom Debs' study took from I-KNOW, without thrombectomy, to train on only."""
    return "train-only" if population == "debs2021" and not tissue.person.course.thrombectomy else "any"


def _images(tissue: Tissue, scanner: Scanner | CTScanner, flaws: Artefacts, vendor: str) -> dict[str, np.ndarray]:
    """Return all images but the perfusion series."""
    seed, hours = tissue.person.seed, tissue.person.course.onset_to_imaging_min / 60.0
    later = swollen(tissue.anatomy, tissue.vessels, tissue.swelling)
    if scanner.modality == "CT":
        first = CTImager(seed, tissue.anatomy, tissue.vessels, scanner, flaws)
        followed = protocols.scanner("MR", vendor)
        images = {"ncct": first.plain(tissue.fate, hours)}
        return images | {"flair": Imager(seed, *later, followed).flair(tissue.infarct_day5)}
    first = Imager(seed, tissue.anatomy, tissue.vessels, scanner, flaws)
    images = dict(zip(("b0", "dwi", "adc"), first.diffusion(tissue.fate, hours), strict=True))
    if scanner.baseline_flair:
        images["flair0"] = first.early_flair(tissue.fate, hours)
    return images | {"flair": Imager(seed, *later, scanner).flair(tissue.infarct_day5)}


def _series(
    tissue: Tissue, scanner: Scanner | CTScanner, flaws: Artefacts, bolus: Bolus, progress: Progress
) -> dict[str, np.ndarray]:
    """Return the perfusion series at baseline and, of who was scanned again, at 24 h."""
    seed, course = tissue.person.seed, tissue.person.course
    kind, name = (CTImager, "ctp") if scanner.modality == "CT" else (Imager, "pwi")
    first = kind(seed, tissue.anatomy, tissue.vessels, scanner, flaws)
    shown = {"fate": tissue.fate, "hours": course.onset_to_imaging_min / 60.0} if kind is CTImager else {}
    half = 0.5 if course.scan_24h else 1.0
    late = _late(seed, tissue.flow)
    images = {name: first.perfusion(tissue.flow, bolus, late, part(progress, 0.0, half), **shown)}
    if course.scan_24h:
        again = kind(seed, tissue.anatomy, tissue.vessels_24h, scanner)
        injected = draw_bolus(seed, scanner, scan="late series")
        flow, late = tissue.flow_24h, _late(seed, tissue.flow_24h)
        step = part(progress, half, 1.0)
        images[f"{name}_24h"] = again.perfusion(flow, injected, late, step, scan="late series", **shown)
    return images


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
