"""Between a case's own grid and the axial sections that a network sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK

from ..io.images import from_itk, to_itk
from ..volume import Volume


@dataclass(frozen=True)
class Sections:
    """A grid of axial sections in LPS order, centred on the brain.

    Attributes
    ----------
    grid : SimpleITK.Image
        Empty image with the sections' size, spacing, origin and direction.
    home : Volume
        The case's own grid.
    """

    grid: SimpleITK.Image
    home: Volume

    @classmethod
    def around(cls, brain: Volume, spacing: tuple[float, float], matrix: tuple[int, int]) -> Sections:
        """Lay sections over a brain mask.

        The nearest axial orientation of the case's own grid is taken, so that sections stay the acquired ones;
        in-plane they get the network's voxel size and are centred on the brain.

        Parameters
        ----------
        brain : Volume
            bool.
        spacing : tuple of float
            In-plane voxel size ``(x, y)`` in mm.
        matrix : tuple of int
            In-plane size ``(width, height)``.
        """
        oriented = SimpleITK.DICOMOrient(to_itk(brain), "LPS")
        direction = np.array(oriented.GetDirection()).reshape(3, 3)
        section = float(oriented.GetSpacing()[2])
        array = SimpleITK.GetArrayViewFromImage(oriented)
        _, j, i = np.nonzero(array)
        centre = np.array([(i.min() + i.max()) / 2, (j.min() + j.max()) / 2, 0.0]) if i.size else np.zeros(3)
        middle = np.array(oriented.TransformContinuousIndexToPhysicalPoint(centre.tolist()))
        half = np.array([spacing[0] * (matrix[0] - 1), spacing[1] * (matrix[1] - 1), 0.0]) / 2
        grid = SimpleITK.Image([matrix[0], matrix[1], oriented.GetSize()[2]], SimpleITK.sitkFloat32)
        grid.SetSpacing([spacing[0], spacing[1], section])
        grid.SetDirection(direction.ravel().tolist())
        grid.SetOrigin((middle - direction @ half).tolist())
        return cls(grid, brain.with_array(np.zeros(brain.shape, np.float32)))

    def bring(self, image: Volume, *, is_mask: bool = False) -> np.ndarray:
        """Return an image of the case on the sections, float32 ``(section, y, x)``; masks by nearest neighbour."""
        source = SimpleITK.Cast(to_itk(image), SimpleITK.sitkFloat32)
        if not is_mask:
            source = _without_aliasing(source, self.grid.GetSpacing())
        interpolator = SimpleITK.sitkNearestNeighbor if is_mask else SimpleITK.sitkLinear
        return SimpleITK.GetArrayFromImage(_resample(source, self.grid, interpolator))

    def bring_home(self, array: np.ndarray, name: str) -> Volume:
        """Return an array on the sections as a `Volume` on the case's own grid (linear, 0 outside)."""
        image = SimpleITK.GetImageFromArray(array.astype(np.float32))
        image.CopyInformation(self.grid)
        home = _resample(image, to_itk(self.home), SimpleITK.sitkLinear)
        return self.home.with_array(from_itk(home).array, name=name)


def _resample(image: SimpleITK.Image, grid: SimpleITK.Image, interpolator: int) -> SimpleITK.Image:
    identity = SimpleITK.Transform(3, SimpleITK.sitkIdentity)
    return SimpleITK.Resample(image, grid, identity, interpolator, 0.0, SimpleITK.sitkFloat32)


def _without_aliasing(image: SimpleITK.Image, target: tuple[float, ...]) -> SimpleITK.Image:
    """Smooth in-plane by half the target voxel where that is coarser by more than a tenth."""
    direction = np.abs(np.array(image.GetDirection()).reshape(3, 3))
    axial = int(np.argmax(direction[2]))  # the voxel axis that runs head to foot
    sigma = [0.0, 0.0, 0.0]
    for axis in range(3):
        ratio = min(target[:2]) / image.GetSpacing()[axis]
        if axis != axial and ratio > 1.1:
            sigma[axis] = 0.5 * np.sqrt(ratio**2 - 1) * image.GetSpacing()[axis]
    if not any(sigma):
        return image
    return SimpleITK.DiscreteGaussian(image, [s**2 for s in sigma], 32, 0.01, True)
