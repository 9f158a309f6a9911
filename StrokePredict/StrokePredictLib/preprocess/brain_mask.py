"""The brain in a diffusion or perfusion MRI baseline, found by intensity and shape."""

from __future__ import annotations

import numpy as np
import SimpleITK

from ..errors import StrokeError
from ..io.images import to_itk
from ..volume import Volume

#: A head has at least this much brain in the slab; less means that the mask failed.
SMALLEST_BRAIN_ML = 50.0


def brain_mask(image: Volume, *, opening_mm: float = 8.0, closing_mm: float = 12.0) -> Volume:
    """Segment the brain in an EPI image whose scalp fat is suppressed (b0, DWI, perfusion baseline).

    Otsu's threshold on the smoothed image, an opening that cuts the bridges to eyes, scalp and skull base, the largest
    piece, then a closing and hole filling within each section so that a dark or bright lesion at the rim stays inside.

    Parameters
    ----------
    image : Volume
        3D; arbitrary units.
    opening_mm, closing_mm : float
        Diameters of the in-plane structuring elements.

    Returns
    -------
    Volume
        bool, on the same grid.

    Raises
    ------
    StrokeError
        If less than `SMALLEST_BRAIN_ML` is found.
    """
    clipped = np.clip(image.array, 0, np.percentile(image.array, 99.5)).astype(np.float32)
    smooth = SimpleITK.SmoothingRecursiveGaussian(to_itk(image.with_array(clipped)), _in_plane(image, 1.5))
    # CSF is several times brighter than tissue on a b0: on the square root both lie well above the background.
    root = SimpleITK.Sqrt(SimpleITK.Maximum(smooth, 0.0))
    head = SimpleITK.OtsuThreshold(root, 0, 1)
    opened = SimpleITK.BinaryMorphologicalOpening(head, _element(image, opening_mm), SimpleITK.sitkBall)
    piece = SimpleITK.RelabelComponent(SimpleITK.ConnectedComponent(opened)) == 1
    padded = SimpleITK.BinaryMorphologicalClosing(piece, _element(image, closing_mm), SimpleITK.sitkBall)
    array = SimpleITK.GetArrayFromImage(padded) > 0
    array = fill_sections(array)
    mask = image.with_array(array, name=f"brain mask of {image.name}")
    volume = float(array.sum()) * image.voxel_ml
    if volume < SMALLEST_BRAIN_ML:
        raise StrokeError(
            f"{image.name}: no brain found in it ({volume:.0f} mL); put a brain mask beside it (brain_mask.nii.gz)."
        )
    return mask


def fill_sections(mask: np.ndarray) -> np.ndarray:
    """Fill the holes of every section of a bool ``(z, y, x)`` mask."""
    from scipy import ndimage

    return np.stack([ndimage.binary_fill_holes(section) for section in mask])


def _in_plane(image: Volume, sigma_mm: float) -> list[float]:
    # Across thick sections nothing is blurred: the vertex would leak out of the head.
    spacing = image.spacing
    return [sigma_mm, sigma_mm, min(sigma_mm, 0.5 * float(spacing[2]))]


def _element(image: Volume, diameter_mm: float) -> list[int]:
    """Return the radius in voxels of an in-plane disc of this diameter."""
    return [max(1, round(diameter_mm / 2 / float(s))) for s in image.spacing[:2]] + [0]
