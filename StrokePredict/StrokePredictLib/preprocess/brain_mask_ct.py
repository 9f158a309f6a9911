"""The inside of the skull on CT."""

from __future__ import annotations

import numpy as np
import SimpleITK

from ..errors import StrokeError
from ..io.images import to_itk
from ..volume import Volume
from .brain_mask import SMALLEST_BRAIN_ML, fill_sections

#: HU above which a voxel is bone, and the range of what the skull holds: fluid, tissue, fresh blood.
BONE, SOFT = 150.0, (-15.0, 180.0)
#: Bridges thinner than this (mm) through the skull's base or a gap in it are cut.
BRIDGE_MM = 14.0


def brain_mask_ct(image: Volume) -> Volume:
    """Segment what lies inside the skull.

    Tissue between bone is opened, which cuts the bridges through the skull's base and leaves the thin scalp nothing,
    and its largest piece is grown back to the bone. Blood, swelling and old infarcts all lie within the range of HU.

    Parameters
    ----------
    image : Volume
        HU; 3D, or a perfusion series, whose first frames are averaged.

    Returns
    -------
    Volume
        bool, on the same grid.

    Raises
    ------
    StrokeError
        If less than `SMALLEST_BRAIN_ML` is found.
    """
    array = image.array[:4].mean(axis=0, dtype=np.float32) if image.is_series else image.array
    still = image.with_array(np.clip(array, -1024, 2000).astype(np.float32))
    across = float(still.spacing[2])
    smooth = SimpleITK.SmoothingRecursiveGaussian(to_itk(still), [1.2, 1.2, min(1.2, 0.4 * across)])
    soft = SimpleITK.BinaryThreshold(smooth, *SOFT)
    soft = SimpleITK.And(soft, SimpleITK.Not(SimpleITK.BinaryThreshold(to_itk(still), BONE, 1e5)))
    radius = [max(1, round(BRIDGE_MM / 2 / float(s))) for s in still.spacing[:2]] + [0]
    opened = SimpleITK.BinaryMorphologicalOpening(soft, radius, SimpleITK.sitkBall)
    largest = SimpleITK.RelabelComponent(SimpleITK.ConnectedComponent(opened)) == 1
    # Back to the bone, but not through it: what the opening took from the corners, no further than it took it.
    grown = SimpleITK.And(SimpleITK.BinaryDilate(largest, _half(radius), SimpleITK.sitkBall), soft)
    mask = fill_sections(SimpleITK.GetArrayFromImage(grown) > 0)
    volume = float(mask.sum()) * still.voxel_ml
    if volume < SMALLEST_BRAIN_ML:
        raise StrokeError(
            f"{image.name}: no brain found in it ({volume:.0f} mL); put a brain mask beside it (brain_mask.nii.gz)."
        )
    return still.with_array(mask, name=f"brain mask of {image.name}")


def _half(radius: list[int]) -> list[int]:
    return [max(1, r // 2) if r else 0 for r in radius]
