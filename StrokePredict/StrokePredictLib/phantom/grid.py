"""The grid that a simulated patient is imaged on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..volume import Volume


@dataclass(frozen=True)
class Grid:
    """Size, spacing and place of the sections.

    Attributes
    ----------
    shape : tuple of int
        ``(z, y, x)``.
    spacing : tuple of float
        Voxel size in mm along ``(x, y, z)``.
    pitch_deg : float
        Sections tilted about the left-right axis, as technicians angle them along the skull base. 0: straight axial.
    centre_lps : tuple of float
        Centre of the field of view in LPS mm; the default holds the head of a patient lying straight.
    """

    shape: tuple[int, int, int] = (24, 128, 128)
    spacing: tuple[float, float, float] = (1.8, 1.8, 6.0)
    pitch_deg: float = 0.0
    centre_lps: tuple[float, float, float] = (0.0, 17.0, 13.0)

    @property
    def affine(self) -> np.ndarray:
        """4×4 from voxel indices ``(x, y, z)`` to LPS mm, of numbers that a NIfTI header holds without rounding."""
        angle = np.deg2rad(self.pitch_deg)
        cos, sin = np.cos(angle), np.sin(angle)
        axes = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]) * np.array(self.spacing)
        size = np.array(self.shape[::-1])
        affine = np.eye(4)
        affine[:3, :3] = axes
        affine[:3, 3] = np.array(self.centre_lps) - axes @ ((size - 1) / 2)
        return affine.astype(np.float32).astype(np.float64)

    def volume(self, array: np.ndarray, name: str, time_step: float | None = None) -> Volume:
        """Return ``array`` (``(z, y, x)`` or ``(t, z, y, x)``) on this grid, with scanner geometry codes.

        Parameters
        ----------
        array : numpy.ndarray
            On this grid.
        name : str
            What messages call it.
        time_step : float, optional
            Seconds between the frames of a series; kept in the header.
        """
        return Volume(array, self.affine, name=name, header=self._header(array, time_step))

    def points_lps(self, index: np.ndarray) -> np.ndarray:
        """Return LPS mm of voxel indices ``(n, 3)`` in ``(x, y, z)`` order, fractions allowed."""
        affine = self.affine
        return np.einsum("ij,nj->ni", affine[:3, :3], index) + affine[:3, 3]

    def _header(self, array: np.ndarray, time_step: float | None) -> object:
        import nibabel  # heavy, and not in Slicer's own Python

        ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ self.affine
        header = nibabel.Nifti1Header()
        header.set_data_dtype(np.float32)
        header.set_data_shape(array.shape[::-1])
        header.set_xyzt_units("mm", "sec")
        header.set_qform(ras, code="scanner")
        header.set_sform(ras, code="scanner")
        if time_step is not None:
            header.set_zooms((*header.get_zooms()[:3], time_step))
        return header
