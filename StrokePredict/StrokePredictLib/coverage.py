"""How much of the brain was seen, and what the rules may therefore miss."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .case import StrokeCase
from .errors import StrokeError
from .thresholds import volume_ml
from .volume import Volume

#: Below this much brain (mL) the images are a slab.
SMALL_SLAB_ML = 800.0
#: No brain is larger (mL): voxels of a wrong size are.
LARGEST_BRAIN_ML = 3000.0
#: Tissue this many times as bright as the brain's median DWI is plainly bright to a reader.
DWI_BRIGHT = 2.0


def require_possible(case: StrokeCase) -> None:
    """Raise where the brain is larger than any: every volume would be wrong by the same factor.

    Raises
    ------
    StrokeError
        With the size of the voxels, which is what is wrong then.
    """
    brain = case.volumes["brain"]
    if volume_ml(brain) > LARGEST_BRAIN_ML:
        x, y, z = (f"{size:.3g}" for size in np.linalg.norm(brain.affine[:3, :3], axis=0))
        raise StrokeError(
            f"{case.patient}: {volume_ml(brain):.0f} mL of brain, more than any person has; the voxel size in the file "
            f"({x} × {y} × {z} mm) must be wrong. Export the images again."
        )


def describe_coverage(case: StrokeCase) -> str:
    """Say in a sentence how much of the brain the images, and perfusion, show."""
    brain = case.volumes["brain"]
    if not brain.array.any():
        return "No brain in the images."
    text = f"Brain seen over {_height_mm(brain):.0f} mm ({volume_ml(brain):.0f} mL)."
    if "perfusion" in case.measured:
        seen = brain.with_array(brain.array & case.measured["perfusion"].array)
        text += f" Perfusion: {_height_mm(seen):.0f} mm of it ({volume_ml(seen):.0f} mL)."
    return text + " What lies outside is not assessed."


def _height_mm(mask: Volume) -> float:
    """Return how far a mask reaches from foot to head, in mm."""
    k, j, i = np.nonzero(mask.array)
    if k.size == 0:
        return 0.0
    up = mask.affine[2, 0] * i + mask.affine[2, 1] * j + mask.affine[2, 2] * k
    return float(up.max() - up.min() + np.abs(mask.affine[2, :3]).max())


def coverage_doubts(case: StrokeCase) -> list[str]:
    """Return what a reader must know of brain that was not seen, as sentences."""
    brain = case.volumes["brain"]
    doubts = []
    if volume_ml(brain) < SMALL_SLAB_ML:
        doubts.append(f"Only {volume_ml(brain):.0f} mL of brain is covered: volumes are those of the slab.")
    if "perfusion" in case.measured:
        unseen = volume_ml(brain.with_array(brain.array & ~case.measured["perfusion"].array))
        if unseen > 0.02 * volume_ml(brain):
            doubts.append(f"Perfusion was not measured in {unseen:.0f} mL of the brain: nothing there is counted.")
    return doubts


def subacute_doubt(case: StrokeCase, masks: dict[str, Volume]) -> list[str]:
    """Say where much more tissue is bright on DWI than is dark on ADC: hours to days later ADC comes back first."""
    if not {"dwi", "core_adc"} <= case.volumes.keys() | masks.keys() or "dwi" not in case.volumes:
        return []
    dwi, brain = case.volumes["dwi"].array, case.volumes["brain"].array
    bright = dwi > DWI_BRIGHT * np.median(dwi[brain])
    opened = ndimage.binary_opening(bright & brain, np.ones((1, 3, 3), dtype=bool))
    bright_ml = float(np.count_nonzero(opened)) * case.reference.voxel_ml
    core_ml = volume_ml(masks["core_adc"])
    if bright_ml < 20.0 or bright_ml < 2.0 * core_ml:
        return []
    return [
        f"{bright_ml:.0f} mL is bright on DWI but only {core_ml:.0f} mL has a low ADC: the lesion may be older than a "
        "few hours, and the ADC rule then underestimates it."
    ]
