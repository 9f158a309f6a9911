"""Two masks beside each other, and several as one by majority."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import to_itk
from StrokePredictLib.thresholds import volume_ml
from StrokePredictLib.volume import Volume


def compare(first: Volume, second: Volume) -> dict[str, float | None]:
    """Return volumes in mL, Dice coefficient, and the 95th percentile of the surface distance in mm.

    Parameters
    ----------
    first, second : Volume
        bool, on one grid.

    Returns
    -------
    dict
        ``first_ml``, ``second_ml``, ``dice`` (1 where both are empty), ``distance_95_mm`` (None where one is empty).
    """
    first.require_same_grid(second)
    a, b = first.array > 0, second.array > 0
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return {
        "first_ml": volume_ml(first.with_array(a)),
        "second_ml": volume_ml(second.with_array(b)),
        "dice": 2.0 * float(np.count_nonzero(a & b)) / total if total else 1.0,
        "distance_95_mm": _distance(first.with_array(a), second.with_array(b)) if a.any() and b.any() else None,
    }


def _distance(first: Volume, second: Volume) -> float:
    """Return the larger of the two directed 95th percentiles over the surfaces' voxels."""
    images = [to_itk(each) for each in (first, second)]
    surfaces = [SimpleITK.GetArrayFromImage(SimpleITK.LabelContour(image)) > 0 for image in images]
    far = []
    for image, surface in ((images[0], surfaces[1]), (images[1], surfaces[0])):
        contour = SimpleITK.LabelContour(image)
        field = SimpleITK.SignedMaurerDistanceMap(
            contour, insideIsPositive=False, squaredDistance=False, useImageSpacing=True
        )
        far.append(float(np.percentile(np.abs(SimpleITK.GetArrayFromImage(field))[surface], 95)))
    return max(far)


def majority(masks: Sequence[Volume]) -> Volume:
    """Return the voxels that more than half of the masks hold, or half of an even number of them.

    Raises
    ------
    StrokeError
        If there are fewer than two, or they lie on different grids.
    """
    if len(masks) < 2:
        raise StrokeError("a majority needs at least two corrections.")
    for mask in masks[1:]:
        masks[0].require_same_grid(mask)
    votes = np.sum([mask.array > 0 for mask in masks], axis=0)
    return masks[0].with_array(votes * 2 >= len(masks), name="majority of reads")
