"""A smooth deformation between two heads: what it does to places and images, its inverse, and its quality."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK
from scipy import ndimage

from ..volume import Volume
from .resample import through

#: Rounds of the fixed-point inversion; displacements change by less than half their length per length, so that each
#: round halves the error at least.
_ROUNDS = 25


@dataclass(frozen=True)
class Deformation:
    """Where the tissue of a fixed image lies in a moving one: at ``matrix · (x + u(x))``.

    Attributes
    ----------
    matrix : numpy.ndarray
        4×4, LPS mm of the fixed image to LPS mm of the moving one, as it was given.
    field : Volume
        Displacements u in mm (LPS), ``(3, z, y, x)`` on a coarse grid over the fixed brain; 0 beyond.
    before, correlation : float
        Mean local correlation inside the brain without and with u, lesions left out.
    information : tuple of float
        Mutual information (nats), which nothing was fitted to, without and with u.
    jacobian : tuple of float
        Smallest and largest change of volume inside the brain.
    moved_mm : tuple of float
        Median and 95th percentile of the displacement's length inside the brain.
    rejected : str
        Why the linear answer must be kept; empty where the deformation may be used. `transform` then is linear.
    """

    matrix: np.ndarray
    field: Volume
    before: float
    correlation: float
    information: tuple[float, float]
    jacobian: tuple[float, float]
    moved_mm: tuple[float, float]
    rejected: str = ""

    def describe(self) -> str:
        """Return one sentence for the reader."""
        told = f"local correlation {self.before:.2f}, then {self.correlation:.2f}"
        if self.rejected:
            return f"deformable registration not used: {self.rejected} ({told})"
        low, high = self.jacobian
        return (
            f"deformed by {self.moved_mm[0]:.1f} mm (95 %: {self.moved_mm[1]:.1f} mm; {told}; "
            f"volumes × {low:.2f} to {high:.2f})"
        )

    def transform(self) -> SimpleITK.Transform:
        """Return the map from the fixed image's LPS mm to the moving one's."""
        linear = affine_transform(self.matrix)
        if self.rejected:
            return linear
        # The last one added is applied first.
        return SimpleITK.CompositeTransform([linear, SimpleITK.DisplacementFieldTransform(_vectors(self.field))])

    def inverse(self) -> SimpleITK.Transform:
        """Return the map from the moving image's LPS mm to the fixed one's: brings results home."""
        back = affine_transform(np.linalg.inv(self.matrix))
        if self.rejected:
            return back
        bent_back = SimpleITK.DisplacementFieldTransform(_vectors(inverted(self.field)))
        return SimpleITK.CompositeTransform([bent_back, back])


def apply_deformation(image: Volume, reference: Volume, found: Deformation, *, is_mask: bool = False) -> Volume:
    """Return a moving image on a grid in the fixed one's space; masks by nearest neighbour."""
    return through(image, reference, found.transform(), is_mask=is_mask)


def apply_inverse(image: Volume, reference: Volume, found: Deformation, *, is_mask: bool = False) -> Volume:
    """Return an image of the fixed space on a grid in the moving image's space: brings results home."""
    return through(image, reference, found.inverse(), is_mask=is_mask)


def inverted(field: Volume) -> Volume:
    """Return displacements v with v(y) = −u(y + v(y)), by fixed-point iteration (Chen et al, Med Phys 35 (2008) 81)."""
    start = np.indices(field.shape)[::-1].astype(np.float64)  # x, y, z
    to_index = np.linalg.inv(field.affine[:3, :3])
    back = -field.array.astype(np.float64)
    for _ in range(_ROUNDS):
        place = (start + np.tensordot(to_index, back, axes=(1, 0)))[::-1]
        back = -np.stack([ndimage.map_coordinates(part, place, order=1, mode="nearest") for part in field.array])
    return field.with_array(back.astype(np.float32))


def volume_change(field: Volume) -> np.ndarray:
    """Return the determinant of the derivative of x + u(x), ``(z, y, x)``."""
    x, y, z = field.spacing
    slopes = np.stack([np.stack(np.gradient(part, z, y, x)[::-1]) for part in field.array])
    # Derivatives along the grid's axes, turned into derivatives along LPS.
    along = np.einsum("cazyx,ba->zyxcb", slopes, field.direction)
    return np.linalg.det(along + np.eye(3))


def affine_transform(matrix: np.ndarray) -> SimpleITK.AffineTransform:
    """Return a 4×4 matrix (LPS mm to LPS mm) for SimpleITK."""
    linear = SimpleITK.AffineTransform(3)
    linear.SetMatrix(matrix[:3, :3].ravel().tolist())
    linear.SetTranslation(matrix[:3, 3].tolist())
    return linear


def _vectors(field: Volume) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(np.moveaxis(field.array, 0, -1).astype(np.float64), isVector=True)
    image.SetSpacing(field.spacing.tolist())
    image.SetOrigin(field.origin.tolist())
    image.SetDirection(field.direction.ravel().tolist())
    return image
