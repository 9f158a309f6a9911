"""Which tissue is dead now, and which will be: with reperfusion, without, and as it happened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .anatomy import Anatomy
from .facts import Course
from .fields import smooth_field, stream
from .haemodynamics import Perfusion

#: Flow below which grey matter dies however short the wait is long (mL/100 g/min): Jones et al. 1981, monkey.
LASTING_THRESHOLD = 17.5
#: Time constant of its rise: near 10 at 2 h and 12 at 3 h (Jones et al. 1981); earlier times are assumed.
THRESHOLD_RISE_MIN = 148.0
#: White matter's threshold over grey matter's: 12.3/20.0 (Bristow et al. 2005).
WHITE_SHARE = 0.615
#: Components below this volume are not drawn by readers (mL).
SMALLEST_ML = 0.4
#: Share of the blocked territory that is fed again, by mTICI grade.
REPERFUSED_SHARE = {"0": 0.0, "1": 0.08, "2a": 0.32, "2b": 0.72, "2c": 0.94, "3": 1.0}


@dataclass(frozen=True)
class Fate:
    """Masks ``(n,)`` over `Anatomy.inside`; core ⊆ reperfused ⊆ happened ⊆ not reperfused.

    Attributes
    ----------
    core : numpy.ndarray
        Dead at imaging.
    if_reperfused, if_not_reperfused : numpy.ndarray
        Final infarct with full reperfusion at its time, and with none.
    happened : numpy.ndarray
        Final infarct with the reperfusion this patient had.
    fed_again : numpy.ndarray
        Where flow came back.
    depth : numpy.ndarray
        float, flow over the threshold at imaging; below 1 is core before cleaning.
    """

    core: np.ndarray
    if_reperfused: np.ndarray
    if_not_reperfused: np.ndarray
    happened: np.ndarray
    fed_again: np.ndarray
    depth: np.ndarray


def flow_threshold(minutes: float) -> float:
    """Return the flow (mL/100 g/min, grey matter) below which tissue is dead after so many minutes."""
    return LASTING_THRESHOLD * (1.0 - float(np.exp(-minutes / THRESHOLD_RISE_MIN)))


def decide_fate(seed: int, anatomy: Anatomy, perfusion: Perfusion, course: Course) -> Fate:
    """Return who of the voxels dies when.

    Parameters
    ----------
    seed : int
        The patient; draws its own tolerance of ischaemia.
    anatomy : Anatomy
        Tissue fractions.
    perfusion : Perfusion
        Flow at imaging, taken to last until reperfusion.
    course : Course
        Times and reperfusion grade.
    """
    rng = stream(seed, "fate")
    tolerance = np.exp(rng.normal(0, 0.07) + 0.05 * smooth_field(rng, anatomy.mni, 16.0))
    tissue = anatomy.grey + WHITE_SHARE * anatomy.white
    solid = anatomy.solid
    ratio = np.where(solid, perfusion.cbf / np.maximum(tissue * tolerance, 1e-3), np.inf).astype(np.float32)

    def dead_after(minutes: float) -> np.ndarray:
        return _cleaned(anatomy, solid, ratio < flow_threshold(minutes))

    core = dead_after(course.onset_to_imaging_min)
    reperfused = core | dead_after(course.onset_to_imaging_min + course.counterfactual_reperfusion_min)
    lasting = reperfused | dead_after(np.inf)
    branches = smooth_field(rng, anatomy.mni, 38.0)
    starved = perfusion.flow_share < 0.8
    limit = np.quantile(branches[starved], REPERFUSED_SHARE[course.mtici]) if starved.any() else 0.0
    fed_again = starved & (branches <= limit) & (REPERFUSED_SHARE[course.mtici] > 0)
    happened = reperfused | _cleaned(anatomy, solid, lasting & ~fed_again) & lasting
    return Fate(core, reperfused, lasting, happened, fed_again, ratio / flow_threshold(course.onset_to_imaging_min))


def _cleaned(anatomy: Anatomy, solid: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Smooth a mask in plane as an outline would, and drop specks."""
    full = anatomy.on_grid(mask.astype(np.float32))
    weight = anatomy.on_grid(solid.astype(np.float32))
    blur = [ndimage.gaussian_filter(a, (0.0, 0.8, 0.8)) for a in (full, weight)]
    smooth = (blur[0] > 0.5 * blur[1]) & (weight > 0)
    labels, count = ndimage.label(smooth)
    voxel_ml = float(np.prod(anatomy.grid.spacing)) / 1000.0
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * voxel_ml
    sizes[0] = 0.0
    return (sizes >= SMALLEST_ML)[labels].ravel()[anatomy.inside]
