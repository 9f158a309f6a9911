"""Images and masks onto another grid through their physical places."""

from __future__ import annotations

import numpy as np
import SimpleITK

from ..errors import StrokeError
from ..io.images import from_itk, to_itk
from ..volume import Volume

#: Where less than this share of the smaller of two images lies within the other, they are not of the same place.
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
    ones = image.with_array(np.ones(image.shape, dtype=bool))
    inside = SimpleITK.Resample(to_itk(ones), grid, identity, SimpleITK.sitkNearestNeighbor, 0, SimpleITK.sitkUInt8)
    common = float(SimpleITK.GetArrayViewFromImage(inside).sum()) * reference.voxel_ml
    # A slab that shows a part of the brain is a usual image: it only has to lie within the larger one.
    share = common / min(_extent_ml(image), _extent_ml(reference))
    if share < SMALLEST_OVERLAP:
        raise StrokeError(
            f"{image.name}: shares only {share:.0%} of its place with {reference.name} ({image.describe_grid()}; "
            f"{reference.describe_grid()}); check that both are of this patient and this examination."
        )
    interpolator = SimpleITK.sitkNearestNeighbor if is_mask else SimpleITK.sitkLinear
    moved = SimpleITK.Resample(source, grid, identity, interpolator, 0.0, source.GetPixelID())
    array = from_itk(moved).array
    return reference.with_array(array.astype(bool) if image.array.dtype == bool else array, name=image.name)


def _extent_ml(image: Volume) -> float:
    return float(np.prod(image.shape)) * image.voxel_ml


def through(image: Volume, reference: Volume, transform: SimpleITK.Transform, *, is_mask: bool = False) -> Volume:
    """Resample a 3D image onto a reference grid through a transform.

    Parameters
    ----------
    image : Volume
        The moving image.
    reference : Volume
        Gives the grid.
    transform : SimpleITK.Transform
        Places of the reference to places of the image, LPS mm.
    is_mask : bool
        Nearest neighbour for labels; linear otherwise.
    """
    grid = to_itk(reference.with_array(reference.array[0]) if reference.is_series else reference)
    interpolator = SimpleITK.sitkNearestNeighbor if is_mask else SimpleITK.sitkLinear
    source = to_itk(image)
    moved = from_itk(SimpleITK.Resample(source, grid, transform, interpolator, 0.0, source.GetPixelID())).array
    return reference.with_array(moved.astype(bool) if image.array.dtype == bool else moved, name=image.name)
