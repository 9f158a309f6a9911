"""Images and masks onto another grid through their physical places."""

from __future__ import annotations

import SimpleITK

from ..errors import StrokeError
from ..io.images import from_itk, to_itk
from ..volume import Volume

#: Below this share of the reference grid's corners-to-corners overlap, two images are not of the same place.
SMALLEST_OVERLAP = 0.5


def to_grid(image: Volume, reference: Volume, *, is_mask: bool = False) -> Volume:
    """Resample a 3D image onto a reference grid by physical position, without registration.

    Parameters
    ----------
    image : Volume
        3D.
    reference : Volume
        Gives the grid.
    is_mask : bool
        Nearest neighbour for labels and masks; linear otherwise.

    Returns
    -------
    Volume
        On the reference's grid; 0 outside the image. The image itself where the grids are the same.

    Raises
    ------
    StrokeError
        If the two cover different places.
    """
    if image.same_grid(reference):
        return reference.with_array(image.array, name=image.name)
    grid = to_itk(reference.with_array(reference.array if not reference.is_series else reference.array[0]))
    identity = SimpleITK.Transform(3, SimpleITK.sitkIdentity)
    source = to_itk(image)
    covered = SimpleITK.Image(source.GetSize(), SimpleITK.sitkUInt8) + 1
    covered.CopyInformation(source)
    inside = SimpleITK.Resample(covered, grid, identity, SimpleITK.sitkNearestNeighbor, 0, SimpleITK.sitkUInt8)
    share = float(SimpleITK.GetArrayViewFromImage(inside).mean())
    if share < SMALLEST_OVERLAP:
        raise StrokeError(
            f"{image.name}: covers only {share:.0%} of {reference.name}; its grid ({image.describe_grid()}) does not "
            f"match ({reference.describe_grid()}). Register the images first."
        )
    interpolator = SimpleITK.sitkNearestNeighbor if is_mask else SimpleITK.sitkLinear
    moved = SimpleITK.Resample(source, grid, identity, interpolator, 0.0, source.GetPixelID())
    array = from_itk(moved).array
    return reference.with_array(array.astype(bool) if image.array.dtype == bool else array, name=image.name)
