"""Two images at falling coarseness, ready to be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK

from ..io.images import to_itk
from ..volume import Volume

#: Voxel size of each level in mm, first step of its optimisation in mm, and how many voxels are compared.
_LEVELS = ((6.0, 4.0, 5_000), (3.5, 1.5, 15_000), (2.0, 0.5, 25_000))
#: HU between which tissue, skull and air are told apart; beyond lie metal and the table.
_CT_WINDOW = (-150.0, 350.0)


@dataclass(frozen=True)
class Level:
    """One level of the pyramid.

    Attributes
    ----------
    fixed, moving : SimpleITK.Image
        float32, smoothed and thinned to about the level's voxel size.
    mask : SimpleITK.Image
        Where the fixed image is compared.
    step_mm : float
        First step of the optimisation.
    share : float
        Share of the voxels to compare.
    """

    fixed: SimpleITK.Image
    moving: SimpleITK.Image
    mask: SimpleITK.Image
    step_mm: float
    share: float


def levels(fixed: Volume, moving: Volume, mask: Volume) -> list[Level]:
    """Return the pyramid of two 3D images, coarsest first; ``mask`` is bool on the fixed grid."""
    images = [to_itk(image.with_array(compressed(image.array))) for image in (fixed, moving)]
    where = to_itk(mask)
    pyramid = []
    for size, step, count in _LEVELS:
        coarse = [_thinned(image, size) for image in images]
        thin_mask = SimpleITK.Resample(
            where, coarse[0], SimpleITK.Transform(), SimpleITK.sitkNearestNeighbor, 0, SimpleITK.sitkUInt8
        )
        inside = int(SimpleITK.GetArrayViewFromImage(thin_mask).sum())
        total = int(np.prod(coarse[0].GetSize()))
        # The share counts over the whole image, the mask included afterwards.
        share = float(np.clip(count / max(inside, 1), 0.02, 1.0)) if total else 1.0
        pyramid.append(Level(coarse[0], coarse[1], thin_mask, step, share))
    return pyramid


def is_ct(array: np.ndarray) -> bool:
    """Whether an image holds Hounsfield units: nothing but air on CT is as far below 0."""
    return float(array.min()) < -300.0


def compressed(array: np.ndarray) -> np.ndarray:
    """Return float32 values spread so that the histogram's bins fall on tissue.

    CT is cut by Hounsfield units. MR goes through its own cumulative histogram above the background: on a b0 or an ADC
    map fluid is so bright that grey and white matter would otherwise share one bin.
    """
    if is_ct(array):
        return np.clip(array, *_CT_WINDOW).astype(np.float32)
    high = float(np.percentile(array, 99))
    seen = array[array > 0.1 * high]
    if seen.size == 0:
        return array.astype(np.float32)
    knots = np.percentile(seen[:: max(1, seen.size // 50_000)], np.linspace(1, 99, 33))
    values = np.concatenate([[min(0.0, float(array.min()))], np.maximum.accumulate(knots)])
    levels = np.concatenate([[0.0], np.linspace(0.3, 1.0, 33)])
    return np.interp(array, values, levels).astype(np.float32)


def _thinned(image: SimpleITK.Image, size_mm: float) -> SimpleITK.Image:
    """Smooth and thin an image to about ``size_mm``; axes that are coarser already stay as they are."""
    spacing = image.GetSpacing()
    factors = [max(1, int(size_mm // s)) for s in spacing]
    factors = [min(f, max(1, n // 4)) for f, n in zip(factors, image.GetSize(), strict=True)]
    variance = [(0.4 * size_mm) ** 2 if s < size_mm else 0.0 for s in spacing]
    if any(variance):
        image = SimpleITK.DiscreteGaussian(image, variance, 32, 0.01, True)
    # Not Shrink: with even factors it takes voxels that lie half a voxel beside the places it gives them.
    return SimpleITK.BinShrink(image, factors) if any(f > 1 for f in factors) else image
