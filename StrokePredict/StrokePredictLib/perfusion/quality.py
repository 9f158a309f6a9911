"""Whether the maps of a series can be trusted: each check with its number, its limit and a sentence for the reader."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from .bolus import Bolus
from .features import describe
from .inputs import Choice, Tissue
from .motion import Motion
from .prepare import Prepared
from .values import GapsInBrain

#: Whole-brain bolus: share of signal lost (MR), HU gained (CT).
BOLUS = {"MR": 0.03, "CT": 2.0}
#: Median over the brain of the peak over the noise from frame to frame.
CONTRAST_TO_NOISE = 3.0
#: The venous curve must have fallen to this share of its height by the last frame.
TAIL = 0.5
#: Least number of baseline frames.
BASELINE = 3
#: Share of frames that may be rejected for motion, and the motion (mm) that may be left to correct.
REJECTED, MOVED = 0.10, 6.0
#: Height of the brain covered by slices, mm.
COVERAGE = 40.0
#: Full width at half maximum (s) of a believable artery.
WIDTH = (2.0, 25.0)
#: Share of the brain's voxels that may hold samples that are not numbers.
GAPS = 0.01
#: An artery is at least this many times as high as the brain's mean.
ARTERY_TO_BRAIN = 2.5


@dataclass(frozen=True)
class Check:
    """One quality check.

    Attributes
    ----------
    name : str
        Short name by which a reader overrides it.
    passed : bool
        Whether the value keeps the limit.
    value, limit : float
        In the unit that the sentence names.
    sentence : str
        For the reader.
    """

    name: str
    passed: bool
    value: float
    limit: float
    sentence: str

    def as_dict(self) -> dict:
        """Return plain data."""
        row = asdict(self)
        return row | {"value": round(float(self.value), 4), "limit": float(self.limit), "passed": bool(self.passed)}


def check_all(modality: str, prepared: Prepared, arterial: Choice, venous: Choice | None) -> list[Check]:
    """Return every check of one series."""
    bolus, tissue = prepared.bolus, prepared.tissue
    mean = tissue.curves.mean(axis=1, dtype=np.float64)
    checks = [
        _bolus_height(modality, bolus),
        _contrast_to_noise(tissue, bolus),
        _baseline(bolus),
        _truncation(mean, venous),
        _artery(arterial, mean, tissue.dt),
        _coverage(tissue),
        _values(prepared.gaps),
    ]
    if prepared.motion is not None:
        checks.append(_motion(prepared.motion))
    return checks


def _bolus_height(modality: str, bolus: Bolus) -> Check:
    height, limit = float(bolus.enhancement[bolus.peak]), BOLUS[modality]
    if modality == "MR":
        height = 1.0 - float(np.exp(-height))
        said = f"The bolus takes {100 * height:.1f} % of the brain's signal (at least {100 * limit:.0f} % needed)."
    else:
        said = f"The bolus raises the brain by {height:.1f} HU (at least {limit:.0f} HU needed)."
    return Check("bolus", height >= limit, height, limit, said)


def _contrast_to_noise(tissue: Tissue, bolus: Bolus) -> Check:
    step = max(1, tissue.curves.shape[1] // 20000)
    some = tissue.curves[:, ::step]
    noise = 1.4826 * np.median(np.abs(np.diff(some, 2, axis=0)), axis=0) / np.sqrt(6.0)
    ratio = float(np.median(some.max(axis=0) / np.maximum(noise, 1e-12)))
    ratio = min(ratio, 1e6)
    said = f"The tissue's peak is {ratio:.1f} times its noise (at least {CONTRAST_TO_NOISE:g} needed)."
    return Check("contrast-to-noise", ratio >= CONTRAST_TO_NOISE, ratio, CONTRAST_TO_NOISE, said)


def _baseline(bolus: Bolus) -> Check:
    count = bolus.arrival - bolus.first
    said = f"{count} frames were recorded before the contrast (at least {BASELINE} needed)."
    return Check("baseline", count >= BASELINE, count, BASELINE, said)


def _truncation(mean: np.ndarray, venous: Choice | None) -> Check:
    curve = np.asarray(venous.curve if venous is not None else mean)
    curve = np.convolve(np.pad(curve, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    left = float(curve[-1] / curve.max()) if curve.max() > 0 else 1.0
    which = "venous curve" if venous is not None else "brain's mean curve (no sinus found)"
    said = f"At the last frame the {which} still has {100 * left:.0f} % of its height (at most {100 * TAIL:.0f} %)"
    said += "." if left <= TAIL else ": the scan ended too early, so CBV, MTT and late Tmax are too low."
    return Check("truncation", left <= TAIL, left, TAIL, said)


def _artery(arterial: Choice, mean: np.ndarray, dt: float) -> Check:
    shape, brain = describe(arterial.curve[None], dt), describe(mean[None], dt)
    ratio = float(shape.height[0] / max(float(brain.height[0]), 1e-12)) if arterial.curve.max() > 0 else 0.0
    faults = []
    if ratio < ARTERY_TO_BRAIN:
        faults.append("it is hardly higher than the brain's mean")
    if not WIDTH[0] <= shape.width[0] <= WIDTH[1]:
        faults.append(f"its width of {shape.width[0]:.1f} s is not an artery's")
    if shape.peak[0] > brain.peak[0] + dt:
        faults.append("it peaks after the brain")
    said = f"The arterial input is {ratio:.1f} times as high as the brain's mean (at least {ARTERY_TO_BRAIN:g})"
    said += f" and {shape.width[0]:.1f} s wide." if not faults else f"; doubtful: {'; '.join(faults)}."
    return Check("arterial-input", not faults, ratio, ARTERY_TO_BRAIN, said)


def _coverage(tissue: Tissue) -> Check:
    slices = np.unique(tissue.index // (tissue.grid.shape[1] * tissue.grid.shape[2]))
    height = len(slices) * float(tissue.grid.spacing[2])
    said = "1 slice covers" if len(slices) == 1 else f"{len(slices)} slices cover"
    said += f" {height:.0f} mm of the brain (at least {COVERAGE:.0f} mm needed)."
    return Check("coverage", height >= COVERAGE, height, COVERAGE, said)


def _values(gaps: GapsInBrain) -> Check:
    passed = gaps.share <= GAPS
    said = f"{100 * gaps.share:.1f} % of the brain's voxels hold values that are not numbers (at most {100 * GAPS:g} %)"
    said += "." if passed else f": {gaps.lost} are missing from the maps, {gaps.bridged} are partly interpolated."
    return Check("values", passed, gaps.share, GAPS, said)


def _motion(motion: Motion) -> Check:
    frames = len(motion.displacement)
    share = len(motion.rejected) / frames
    kept = np.delete(motion.displacement, motion.rejected)
    worst = float(kept.max()) if kept.size else 0.0
    passed = share <= REJECTED and worst <= MOVED
    said = f"The head moved by up to {worst:.1f} mm in the frames kept (at most {MOVED:g} mm); "
    said += f"{len(motion.rejected)} of {frames} frames were rejected (at most {100 * REJECTED:.0f} %)."
    return Check("motion", passed, max(worst, float(motion.displacement.max())), MOVED, said)
