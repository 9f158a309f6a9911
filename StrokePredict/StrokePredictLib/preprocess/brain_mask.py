"""The brain in a diffusion or perfusion MRI baseline, found by intensity and shape."""

from __future__ import annotations

import numpy as np
import SimpleITK
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from ..errors import StrokeError
from ..io.images import to_itk
from ..volume import Volume
from .midline import Midline, mirrored
from .symmetry import mirror_plane

#: A head has at least this much brain in the slab; less means that the mask failed.
SMALLEST_BRAIN_ML = 50.0
#: The mirror image of the other hemisphere is believed this far (mm, twice) inside its rim.
MIRROR_MARGIN_MM = 5.0
#: Seams thinner than this (mm) between brain and hull are no lesion.
SEAM_MM = 7.0
#: Bright fluid shines this far (mm) out of the brain.
BLUR_MM = 3.0
#: Fluid at the rim is bright where it exceeds the brain's median by this factor.
BRIGHT_RIM = 1.3


def brain_mask(image: Volume, *, opening_mm: float = 20.0, sure: float = 0.5, possible: float = 0.2) -> Volume:
    """Segment the brain in an EPI image whose scalp fat is suppressed (b0, DWI, perfusion baseline).

    What is surely bright is opened, which cuts the bridges to eyes, scalp and skull base, and its largest piece kept.
    Then, section by section, everything brighter than the background within the convex outline of that piece and its
    mirror image is added, and what goes on from there to the skull: a dark lesion at the rim, which the first step
    bites out, is brain to a reader and stays in.

    Parameters
    ----------
    image : Volume
        3D; arbitrary units.
    opening_mm : float
        Diameter of the in-plane opening.
    sure, possible : float
        Thresholds of either step, as shares of the way from background to brain on the square root of the signal.

    Returns
    -------
    Volume
        bool, on the same grid.

    Raises
    ------
    StrokeError
        If less than `SMALLEST_BRAIN_ML` is found.
    """
    root = _smoothed_root(image)
    dark, bright = _levels(root)
    perhaps = SimpleITK.GetArrayViewFromImage(root) > dark + possible * (bright - dark)
    head = SimpleITK.BinaryThreshold(root, dark + sure * (bright - dark), 1e9)
    opened = SimpleITK.BinaryMorphologicalOpening(head, _element(image, opening_mm), SimpleITK.sitkBall)
    largest = SimpleITK.RelabelComponent(SimpleITK.ConnectedComponent(opened)) == 1
    piece = SimpleITK.GetArrayFromImage(largest) > 0
    # No head is quite symmetric: the mirror image is only trusted a little inside its rim.
    core = SimpleITK.BinaryErode(largest, _element(image, MIRROR_MARGIN_MM), SimpleITK.sitkBall)
    other_side = _other_side(SimpleITK.GetArrayFromImage(core) > 0, piece, image)
    outline = np.stack([_hull(section) for section in piece | other_side])
    bite = _regrown(outline & perhaps & ~piece, perhaps, image)
    array = _without_blur(fill_sections(piece | (outline & perhaps) | bite), other_side | bite, image)
    volume = float(array.sum()) * image.voxel_ml
    if volume < SMALLEST_BRAIN_ML:
        raise StrokeError(
            f"{image.name}: no brain found in it ({volume:.0f} mL); put a brain mask beside it (brain_mask.nii.gz)."
        )
    return image.with_array(array, name=f"brain mask of {image.name}")


def fill_sections(mask: np.ndarray) -> np.ndarray:
    """Fill the holes of every section of a bool ``(z, y, x)`` mask."""
    return np.stack([ndimage.binary_fill_holes(section) for section in mask])


def _smoothed_root(image: Volume) -> SimpleITK.Image:
    """Return the square root of the smoothed image: CSF is several times brighter than tissue on a b0."""
    clipped = np.clip(image.array, 0, np.percentile(image.array, 99.5)).astype(np.float32)
    x, y, z = (float(s) for s in image.spacing)
    # Across thick sections hardly anything is blurred: the vertex would leak out of the head.
    smooth = ndimage.gaussian_filter(clipped, [min(1.5 / z, 0.5), 1.5 / y, 1.5 / x], mode="nearest")
    return SimpleITK.Sqrt(to_itk(image.with_array(smooth)))


def _levels(root: SimpleITK.Image) -> tuple[float, float]:
    """Return the typical background and brain levels on either side of Otsu's threshold."""
    otsu = SimpleITK.OtsuThresholdImageFilter()
    otsu.Execute(root)
    array = SimpleITK.GetArrayViewFromImage(root)
    above = array >= otsu.GetThreshold()
    if above.all() or not above.any():
        return 0.0, float(array.max())
    return float(np.median(array[~above])), float(np.median(array[above]))


def _regrown(missing: np.ndarray, perhaps: np.ndarray, image: Volume) -> np.ndarray:
    """Return what a dark lesion has bitten out of the brain, up to the skull.

    The hull cuts straight across a bite and the mirror image stops short of the rim. What lies within them and is not
    just a seam is the lesion; it goes on to the dark gap between brain and scalp.
    """
    across = ndimage.binary_opening(missing, _disc(image, SEAM_MM))
    reach = _disc(image, 2.0 * MIRROR_MARGIN_MM)
    return ndimage.binary_propagation(across, mask=missing | (ndimage.binary_dilation(across, reach) & perhaps))


def _disc(image: Volume, diameter_mm: float) -> np.ndarray:
    """Return an in-plane disc of this diameter as a structuring element ``(1, y, x)``."""
    rx, ry = (max(1, round(diameter_mm / 2 / float(s))) for s in image.spacing[:2])
    y, x = np.ogrid[-ry : ry + 1, -rx : rx + 1]
    return ((x / rx) ** 2 + (y / ry) ** 2 <= 1.0)[None]


def _hull(section: np.ndarray) -> np.ndarray:
    """Return the convex hull of a bool ``(y, x)`` mask, filled; the mask itself where it has no area."""
    points = np.argwhere(section)
    if len(points) < 3:
        return section
    try:
        equations = ConvexHull(points).equations
    except QhullError:  # all on one line
        return section
    y, x = np.ogrid[: section.shape[0], : section.shape[1]]
    inside = np.ones(section.shape, dtype=bool)
    for a, b, c in equations:
        inside &= a * y + b * x + c <= 1e-9
    return inside


def _without_blur(mask: np.ndarray, sure: np.ndarray, image: Volume) -> np.ndarray:
    """Take away rim voxels that only shine with their neighbours' light.

    Fluid around the brain is so bright on a b0 that a threshold between background and brain lies far outside it. The
    edge is where the signal falls to half of what it is just inside; a dark lesion has its own, dark, inside, and what
    the other hemisphere has is ``sure``. Where the rim is not bright (DWI) nothing is taken.
    """
    cross = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], dtype=bool)
    rim = mask & ~ndimage.binary_erosion(mask, cross)
    size = [1, *(2 * max(1, round(BLUR_MM / float(s))) + 1 for s in image.spacing[1::-1])]
    inside = ndimage.grey_dilation(np.where(mask, image.array, 0), size=size)
    if not rim.any() or np.median(inside[rim]) < BRIGHT_RIM * np.median(image.array[mask]):
        return mask
    faint = (image.array < 0.5 * inside) & ~sure
    for _ in range(max(1, round(BLUR_MM / float(image.spacing[:2].mean())))):
        rim = mask & ~ndimage.binary_erosion(mask, cross)
        mask = mask & ~(rim & faint)
    return mask


def _other_side(core: np.ndarray, piece: np.ndarray, image: Volume) -> np.ndarray:
    """Return a mask flipped about the plane that mirrors the head's piece best."""
    if min(piece.shape) < 3 or not piece.any():
        return piece
    midline = Midline(*mirror_plane(image.with_array(piece)))
    return mirrored(image.with_array(core), midline, is_mask=True).array


def _element(image: Volume, diameter_mm: float) -> list[int]:
    """Return the radius in voxels of an in-plane disc of this diameter."""
    return [max(1, round(diameter_mm / 2 / float(s))) for s in image.spacing[:2]] + [0]
