"""A three- or four-dimensional image with its place in the patient."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .errors import StrokeError

#: Two grids are the same when no corner of one lies further than this from the other's (mm).
GRID_TOLERANCE_MM = 1e-3


@dataclass(frozen=True)
class Volume:
    """An image on a grid in physical space.

    Attributes
    ----------
    array : numpy.ndarray
        ``(z, y, x)``, or ``(t, z, y, x)`` for a series.
    affine : numpy.ndarray
        4×4, from voxel indices ``(i, j, k) = (x, y, z)`` to ITK's LPS millimetres.
    name : str
        What a message calls this image: the file it came from.
    header : object
        The header of the file it came from, kept so that what is written on this grid carries the same geometry codes.
    meta : dict
        What else the door recorded, such as units and their conversion.
    """

    array: np.ndarray
    affine: np.ndarray
    name: str = "image"
    header: Any = field(default=None, repr=False, compare=False)
    meta: dict[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if self.array.ndim not in (3, 4):
            raise StrokeError(f"{self.name}: has {self.array.ndim} dimensions; 3 (volume) or 4 (series) are needed.")
        affine = np.asarray(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.all(np.isfinite(affine)) or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            raise StrokeError(f"{self.name}: its orientation matrix is not usable; export the image again.")
        object.__setattr__(self, "affine", affine)

    @property
    def is_series(self) -> bool:
        """True for ``(t, z, y, x)``."""
        return self.array.ndim == 4

    @property
    def shape(self) -> tuple[int, int, int]:
        """Grid size ``(z, y, x)``, without time."""
        return tuple(int(n) for n in self.array.shape[-3:])

    @property
    def spacing(self) -> np.ndarray:
        """Voxel size in mm along ``(x, y, z)``."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def direction(self) -> np.ndarray:
        """3×3, columns are the unit vectors of the voxel axes ``(x, y, z)`` in LPS; may be left-handed."""
        return self.affine[:3, :3] / self.spacing

    @property
    def origin(self) -> np.ndarray:
        """LPS position of the first voxel's centre in mm."""
        return self.affine[:3, 3]

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in mL."""
        return float(abs(np.linalg.det(self.affine[:3, :3])) / 1000.0)

    def corners(self) -> np.ndarray:
        """Return the eight corner voxels' centres, ``(8, 3)``, in LPS mm."""
        nz, ny, nx = self.shape
        ends = [(i, j, k, 1.0) for i in (0, nx - 1) for j in (0, ny - 1) for k in (0, nz - 1)]
        index = np.array(ends)
        return (self.affine @ index.T).T[:, :3]

    def same_grid(self, other: Volume) -> bool:
        """Whether both have the same size and every corner within `GRID_TOLERANCE_MM`."""
        if self.shape != other.shape:
            return False
        distance = np.linalg.norm(self.corners() - other.corners(), axis=1)
        return bool(distance.max() <= GRID_TOLERANCE_MM)

    def require_same_grid(self, other: Volume) -> None:
        """Raise `StrokeError` with both names and grids unless the grids are the same."""
        if not self.same_grid(other):
            raise StrokeError(
                f"{other.name}: its grid ({other.describe_grid()}) does not match {self.name} "
                f"({self.describe_grid()}); bring both onto one grid first."
            )

    def describe_grid(self) -> str:
        """Return size and spacing in words, as ``128×128×24 at 1.80×1.80×6.00 mm``."""
        size = "×".join(str(n) for n in reversed(self.shape))
        return f"{size} at {'×'.join(f'{s:.2f}' for s in self.spacing)} mm"

    def with_array(self, array: np.ndarray, name: str | None = None) -> Volume:
        """Return ``array`` on this grid.

        Parameters
        ----------
        array : numpy.ndarray
            ``(z, y, x)`` or ``(t, z, y, x)`` with this grid's size.
        name : str, optional
            The new image's name; this one's if left out.
        """
        if tuple(array.shape[-3:]) != self.shape:
            raise ValueError(f"array of shape {array.shape} is not on the grid {self.shape}")
        return replace(self, array=array, name=name or self.name, meta={})
