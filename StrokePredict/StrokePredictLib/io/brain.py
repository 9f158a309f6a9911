"""A case's brain mask, from the best image there is."""

from __future__ import annotations

import numpy as np

from ..case import ROLES, StrokeCase
from ..errors import StrokeError
from ..preprocess.brain_mask import brain_mask, fill_sections
from ..preprocess.brain_mask_ct import brain_mask_ct
from ..volume import Volume

#: Images that show the brain, the best first, and maps that are zero outside it as most software writes them.
_ANATOMY, _MAPS = ("b0", "dwi", "ncct", "ctp", "pwi"), ("cbv", "cbf", "tmax", "adc")


def find_brain(case: StrokeCase) -> None:
    """Add the brain mask to a case, in place; none where no image gives one.

    Raises
    ------
    StrokeError
        If the only image shows no brain.
    """
    reference = case.reference
    failure: StrokeError | None = None
    for role in _ANATOMY:
        volume = case.volumes.get(role)
        if volume is None or not _first(volume).same_grid(reference):
            continue
        try:
            case.volumes["brain"] = brain_mask_ct(volume) if role in ("ncct", "ctp") else brain_mask(_baseline(volume))
        except StrokeError as error:
            failure = failure or error
            continue
        case.sources["brain"] = f"computed from {ROLES[role][0]}"
        return
    role = next((role for role in _MAPS if role in case.volumes), None)
    if role is not None and "b0" not in case.volumes and "dwi" not in case.volumes:
        support = fill_sections(np.abs(case.volumes[role].array) > 0)
        case.volumes["brain"] = case.volumes[role].with_array(support, name="brain mask")
        case.sources["brain"] = f"where {ROLES[role][0]} is not zero"
        why = "No anatomical image" if failure is None else "No brain found in the anatomical image"
        case.doubts.append(f"{why}: the brain mask is where {ROLES[role][0]} is not zero.")
    elif failure is not None:
        raise failure


def _first(volume: Volume) -> Volume:
    return volume.with_array(volume.array[0]) if volume.is_series else volume


def _baseline(volume: Volume) -> Volume:
    """Return a series before its bolus, in steady state."""
    return volume.with_array(volume.array[2:6].mean(axis=0)) if volume.is_series else volume
