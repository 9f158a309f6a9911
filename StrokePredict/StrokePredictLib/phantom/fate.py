"""Which tissue is dead now, and which will be: with reperfusion, without, and as it happened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, special

from .anatomy import Anatomy
from .facts import Course
from .fields import rising, smooth_field, stream
from .haemodynamics import Perfusion, flow_share, late_drift

#: Flow below which grey matter dies however long the wait is (mL/100 g/min): 17 to 18, Jones et al. 1981, monkey.
LASTING_THRESHOLD = 17.5
#: Time constant of its rise: near 10 at 2 h and 12 at 3 h (Jones et al. 1981); earlier times are assumed.
THRESHOLD_RISE_MIN = 148.0
#: White matter's threshold over grey matter's: 12.3/20.0 (Bristow et al. 2005).
WHITE_SHARE = 0.615
#: Components below this volume are not drawn by readers (mL).
SMALLEST_ML = 0.4
#: SD of the smoothing of an outline in the section (mm).
OUTLINE_MM = 1.44
#: Share of the blocked territory that is fed again, by mTICI grade: lowest and highest.
REPERFUSED_SHARE = {
    "0": (0.0, 0.0), "1": (0.02, 0.12), "2a": (0.15, 0.48), "2b": (0.52, 0.88), "2c": (0.90, 0.98), "3": (1.0, 1.0)
}  # fmt: skip
#: SD of the logarithm of what flow tissue needs: between patients, and between places in a patient (assumed).
NEED_PATIENT, NEED_PLACE = 0.14, 0.09
#: Share of patients with no-reflow, and of their deeply starved tissue that stays unfed (assumed; a quarter of
#: recanalised patients: Ng et al., Neurology 2022).
NO_REFLOW_PATIENTS, NO_REFLOW_TISSUE = 0.25, (0.10, 0.45)
#: Share of patients in whom restricted diffusion can recover, and by what factor it then outlasts death (assumed).
REVERSAL_PATIENTS, REVERSAL_MARGIN = 0.22, (0.2, 0.6)
#: Flow over its healthy value above which tissue is not at risk, whatever it needs.
AT_RISK_SHARE = 0.8


@dataclass(frozen=True)
class Fate:
    """Masks ``(n,)`` over `Anatomy.inside`; reperfused ⊆ happened ⊆ not reperfused, and core ⊆ not reperfused.

    Attributes
    ----------
    core : numpy.ndarray
        Restricted diffusion at imaging. What of it is not in `happened` has recovered.
    if_reperfused, if_not_reperfused : numpy.ndarray
        Final infarct with full reperfusion at its time, and with none.
    happened : numpy.ndarray
        Final infarct with the reperfusion this patient had.
    fed_again : numpy.ndarray
        Where flow came back.
    no_reflow : numpy.ndarray
        Where it does not come back though the artery opens.
    depth : numpy.ndarray
        float, flow over the threshold at imaging; below 1 is core before cleaning.
    """

    core: np.ndarray
    if_reperfused: np.ndarray
    if_not_reperfused: np.ndarray
    happened: np.ndarray
    fed_again: np.ndarray
    no_reflow: np.ndarray
    depth: np.ndarray

    @property
    def recovered(self) -> np.ndarray:
        """``(n,)`` restricted diffusion at imaging that did not become infarct."""
        return self.core & ~self.happened


def flow_threshold(minutes: float) -> float:
    """Return the flow (mL/100 g/min, grey matter) below which tissue is dead after so many minutes."""
    return LASTING_THRESHOLD * (1.0 - float(np.exp(-minutes / THRESHOLD_RISE_MIN)))


def decide_fate(seed: int, anatomy: Anatomy, perfusion: Perfusion, course: Course) -> Fate:
    """Return which voxels die when.

    Parameters
    ----------
    seed : int
        The patient; draws its own need of flow, no-reflow, and recovery.
    anatomy : Anatomy
        Tissue fractions.
    perfusion : Perfusion
        Flow at imaging, taken to last until reperfusion; without it collaterals may fail (`late_drift`).
    course : Course
        Times and reperfusion grade.
    """
    rng = stream(seed, "fate")
    need = np.exp(rng.normal(0, NEED_PATIENT) + NEED_PLACE * smooth_field(rng, anatomy.mni, 16.0))
    starved = anatomy.solid & (perfusion.flow_share < AT_RISK_SHARE)
    tissue = anatomy.grey + WHITE_SHARE * anatomy.white
    ratio = np.where(starved, perfusion.cbf / np.maximum(tissue * need, 1e-3), np.inf).astype(np.float32)
    resilience = _resilience(rng, anatomy)
    no_reflow = _no_reflow(rng, anatomy, perfusion)
    reopened = _reopened_branches(rng, anatomy, starved, course.mtici)

    def dead(flow: np.ndarray, minutes: float) -> np.ndarray:
        return _cleaned(anatomy, flow < flow_threshold(minutes))

    reperfusion_min = course.onset_to_imaging_min + course.counterfactual_reperfusion_min
    core = dead(ratio, course.onset_to_imaging_min)
    failing = np.clip(perfusion.severity * max(late_drift(seed), 1.0), 0, 1)
    lasting = core | dead(ratio * flow_share(failing) / np.maximum(perfusion.flow_share, 1e-3), np.inf)
    reperfused = dead(ratio * resilience, reperfusion_min) | _cleaned(anatomy, lasting & no_reflow) & lasting
    happened = reperfused | _cleaned(anatomy, lasting & ~reopened) & lasting if reopened.any() else lasting
    depth = ratio / flow_threshold(course.onset_to_imaging_min)
    return Fate(core, reperfused, lasting, happened, starved & reopened & ~no_reflow, no_reflow, depth)


def _resilience(rng: np.random.Generator, anatomy: Anatomy) -> np.ndarray:
    """Return ``(n,)`` factor ≥ 1 by which flow counts for more when it comes back: in a few patients, in patches.

    Diffusion is restricted when cells run out of energy; where blood returns soon they may live on.
    """
    chosen, low_high = rng.random(), rng.uniform(*REVERSAL_MARGIN)
    field = smooth_field(rng, anatomy.mni, 18.0)
    margin = low_high if chosen < REVERSAL_PATIENTS else 0.0
    return (1.0 + margin * rising(field - 0.2, 0.4)).astype(np.float32)


def _no_reflow(rng: np.random.Generator, anatomy: Anatomy, perfusion: Perfusion) -> np.ndarray:
    """Return ``(n,)`` True where small vessels stay shut: patches of deeply starved tissue, in some patients."""
    chosen, share = rng.random(), rng.uniform(*NO_REFLOW_TISSUE)
    field = smooth_field(rng, anatomy.mni, 14.0)
    if chosen >= NO_REFLOW_PATIENTS:
        return np.zeros(len(field), dtype=bool)
    return (field < special.ndtri(share)) & (perfusion.flow_share < 0.4) & anatomy.solid


def _reopened_branches(rng: np.random.Generator, anatomy: Anatomy, starved: np.ndarray, mtici: str) -> np.ndarray:
    """Return ``(n,)`` True in the regions of the branches that opened again; their share follows the grade.

    Branches own the places nearest to them, with ragged borders; a random order opens them one after the other, the
    last in part.
    """
    share = rng.uniform(*REPERFUSED_SHARE[mtici])
    middles = rng.uniform((8, -85, -45), (70, 60, 75), (28, 3))
    rank = rng.permutation(len(middles))
    ragged = anatomy.mni + 4.0 * np.stack([smooth_field(rng, anatomy.mni, 18.0) for _ in range(3)], axis=1)
    within = 0.6 * smooth_field(rng, anatomy.mni, 30.0)
    if share <= 0 or share >= 1 or not starved.any():
        return np.full(len(starved), share > 0)
    ragged[:, 0] = np.abs(ragged[:, 0])
    distance = ((ragged[:, None, :] - middles) ** 2).sum(axis=2)
    order = rank[distance.argmin(axis=1)] + within
    return order <= np.quantile(order[starved], share)


def _cleaned(anatomy: Anatomy, mask: np.ndarray) -> np.ndarray:
    """Smooth a mask in plane as an outline would, and drop specks."""
    solid = anatomy.solid
    full = anatomy.on_grid((mask & solid).astype(np.float32))
    weight = anatomy.on_grid(solid.astype(np.float32))
    width = [0.0, *(OUTLINE_MM / step for step in anatomy.grid.spacing[1::-1])]
    blur = [ndimage.gaussian_filter(a, width) for a in (full, weight)]
    smooth = (blur[0] > 0.5 * blur[1]) & (weight > 0)
    labels, count = ndimage.label(smooth)
    voxel_ml = float(np.prod(anatomy.grid.spacing)) / 1000.0
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * voxel_ml
    sizes[0] = 0.0
    return (sizes >= SMALLEST_ML)[labels].ravel()[anatomy.inside]
