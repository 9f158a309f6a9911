"""What in a patient's images a reader should doubt: orientation, spacing, coverage, values, noise, motion."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..case import ROLES, SERIES_ROLES, StrokeCase
from ..volume import Volume

#: Sections thicker, or pixels larger, than what stroke protocols use (mm).
THICKEST_MM, WIDEST_MM = 7.5, 3.7
#: Sections tilted further than this against the axial plane (degrees).
STEEPEST_DEG = 35.0
#: A whole adult brain has at least this much (mL), and reaches this far (mm).
WHOLE_BRAIN_ML, WHOLE_BRAIN_MM = 900.0, 95.0
#: Median signal in the brain over the noise's standard deviation; less hides lesions.
LOWEST_SNR = 8.0
#: Median ADC in a brain with its fluid (10⁻⁶ mm²/s).
USUAL_ADC = (600.0, 1500.0)
#: Head motion in a series that blurs its maps (mm).
LARGEST_MOTION_MM = 3.0
_UNITS_OF_SIGNAL = ("b0", "dwi", "flair")


def doubts_of(case: StrokeCase) -> list[str]:
    """Return one sentence for each doubt about a case's images; empty where all is usual."""
    told = [sentence for role, volume in case.volumes.items() if role != "brain" for sentence in _grid(role, volume)]
    brain = case.volumes.get("brain")
    told = list(dict.fromkeys(told))
    if brain is None:
        return told
    told += _coverage(brain)
    for role in _UNITS_OF_SIGNAL:
        if role in case.volumes:
            told += _noise(role, case.volumes[role], brain)
    if "adc" in case.volumes:
        told += _adc(case.volumes["adc"], brain)
    return told


def motion_of(series: Volume, role: str) -> list[str]:
    """Return a sentence where the head moved during a perfusion series."""
    from ..perfusion.motion import estimate

    frames = series.array.shape[0]
    if frames < 10 or min(series.shape) < 2:
        return [f"{ROLES[role][0]}: {frames} frames of {series.shape[0]} sections show no bolus."]
    means = series.array.reshape(frames, -1).mean(axis=1)
    change = np.abs(means - np.median(means[2:8]))
    peak = int(np.argmax(ndimage.uniform_filter1d(change, 3)))
    moved = estimate(series, slice(1, 6), min(peak, frames - 3), "CT" if role == "ctp" else "MR").displacement
    if moved.max() <= LARGEST_MOTION_MM:
        return []
    count = int(np.count_nonzero(moved > LARGEST_MOTION_MM))
    return [
        f"{ROLES[role][0]}: the head moved by up to {moved.max():.1f} mm ({count} frames over {LARGEST_MOTION_MM:g})."
    ]


def noise_sd(image: np.ndarray, inside: np.ndarray) -> float:
    """Return the noise's standard deviation inside a mask.

    In-plane second differences cancel smooth anatomy (Immerkær, Comput Vis Image Underst 64 (1996) 300); their median
    ignores edges.

    Parameters
    ----------
    image, inside : numpy.ndarray
        ``(z, y, x)``; values, and bool.
    """
    kernel = np.array([[1.0, -2, 1], [-2, 4, -2], [1, -2, 1]])[None]
    response = np.abs(ndimage.convolve(image.astype(np.float64), kernel))[inside]
    return float(np.median(response) / 0.6745 / 6.0) if response.size else 0.0


def _grid(role: str, volume: Volume) -> list[str]:
    title, told = ROLES[role][0], []
    section = int(np.argmax(volume.spacing))
    normal = volume.direction[:, section]
    if float(np.ptp(volume.spacing)) > 0.5:
        tilt = float(np.degrees(np.arccos(np.clip(abs(normal[2]), 0, 1))))
        if tilt > STEEPEST_DEG:
            told.append(f"{title}: its sections are tilted by {tilt:.0f}° against the axial plane.")
    if volume.spacing.max() > THICKEST_MM:
        told.append(f"{title}: sections are {volume.spacing.max():.1f} mm thick; small lesions are missed.")
    if np.sort(volume.spacing)[1] > WIDEST_MM:
        told.append(f"{title}: pixels are {np.sort(volume.spacing)[1]:.1f} mm wide.")
    if role not in SERIES_ROLES and float(np.ptp(volume.array)) == 0.0:
        told.append(f"{title}: every voxel has the same value.")
    return told


def _coverage(brain: Volume) -> list[str]:
    inside = brain.array > 0
    volume = float(inside.sum()) * brain.voxel_ml
    index = np.argwhere(inside)[:, ::-1]
    if len(index) == 0:
        return ["The brain mask is empty."]
    height = float(np.ptp(index @ brain.affine[2, :3])) + float(np.abs(brain.affine[2, :3]).sum())
    if height < WHOLE_BRAIN_MM or volume < WHOLE_BRAIN_ML:
        return [f"Covers {height:.0f} mm and {volume:.0f} mL of brain, not all of it: volumes hold for this slab only."]
    return []


def _noise(role: str, image: Volume, brain: Volume) -> list[str]:
    inside = ndimage.binary_erosion(brain.array > 0, np.ones((1, 3, 3)))
    if not inside.any():
        return []
    noise = noise_sd(image.array, inside)
    ratio = float(np.median(image.array[inside])) / noise if noise > 0 else np.inf
    return [] if ratio >= LOWEST_SNR else [f"{ROLES[role][0]}: noisy (signal over noise {ratio:.1f})."]


def _adc(adc: Volume, brain: Volume) -> list[str]:
    values = adc.array[(brain.array > 0) & (adc.array > 0)]
    share = 1.0 - values.size / max(int(np.count_nonzero(brain.array)), 1)
    told = []
    if values.size and not USUAL_ADC[0] <= float(np.median(values)) <= USUAL_ADC[1]:
        told.append(f"ADC: median in the brain {np.median(values):.0f}·10⁻⁶ mm²/s, outside the usual.")
    if share > 0.1:
        told.append(f"ADC: {share:.0%} of the brain has no valid value.")
    return told
