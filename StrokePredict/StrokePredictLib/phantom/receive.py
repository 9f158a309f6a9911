"""From the signal of a head to the numbers that an MR scanner stores."""

from __future__ import annotations

import numpy as np
from scipy import fft

from .anatomy import Anatomy
from .artefacts import Artefacts, moved
from .distortion import Distortion, shift_field
from .fields import smooth_field
from .protocols import Scanner


class Receiver:
    """Coils, gradients and reconstruction of one scan session.

    Parameters
    ----------
    anatomy : Anatomy
        Whose grid is imaged.
    scanner : Scanner
        Vendor.
    artefacts : Artefacts
        What goes wrong.
    rng, points : numpy.random.Generator, numpy.ndarray
        For the shading: ``(n, 3)`` mm of every voxel.
    """

    def __init__(
        self, anatomy: Anatomy, scanner: Scanner, artefacts: Artefacts, rng: np.random.Generator, points: np.ndarray
    ) -> None:
        self.grid, self.scanner, self.artefacts = anatomy.grid, scanner, artefacts
        shading = np.exp(artefacts.shading * smooth_field(rng, points, 90.0))
        self.shading = shading.reshape(anatomy.grid.shape).astype(np.float32)
        self.distort = None
        if artefacts.distortion_mm:
            self.distort = Distortion(shift_field(anatomy, artefacts.distortion_mm), float(anatomy.grid.spacing[1]))

    def __call__(
        self,
        rng: np.random.Generator,
        image: np.ndarray,
        sigma: float,
        *,
        echo_planar: bool = True,
        motion: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return the magnitude image ``(z, y, x)`` in whole numbers, before the vendor cuts off large ones.

        Parameters
        ----------
        rng : numpy.random.Generator
            Of the noise.
        image : numpy.ndarray
            Signal of the head in its first position.
        sigma : float
            SD of the noise in either channel.
        echo_planar : bool
            Whether ghosts and distortion occur.
        motion : numpy.ndarray, optional
            Of this frame (`artefacts.Artefacts.motion`).
        """
        image = moved(image, self.grid, motion) * self.shading
        if echo_planar and self.distort is not None:
            image = self.distort(image)
        share = self.scanner.zero_filled
        noise = np.float32(sigma / share)
        real, imaginary = (noise * rng.standard_normal(image.shape, dtype=np.float32) for _ in range(2))
        ghost = self.artefacts.ghost if echo_planar else 0.0
        if ghost:
            # A phase error between odd and even lines: the ghost comes in quadrature, half a field of view away.
            imaginary += np.float32(ghost) * np.roll(image, image.shape[1] // 2, axis=1)
            image = image * np.float32(np.sqrt(1.0 - ghost**2))
        real += image
        if share < 1.0:
            return np.rint(np.abs(band_limited(real + 1j * imaginary, share)))
        return np.rint(np.sqrt(real * real + imaginary * imaginary))

    def clipped(self, image: np.ndarray) -> np.ndarray:
        """Return the image as stored: what exceeds the vendor's range is cut."""
        return np.minimum(image, np.float32(self.scanner.largest))


def band_limited(image: np.ndarray, share: float) -> np.ndarray:
    """Return a complex image of which only the middle of k-space was acquired, zero-filled to the same matrix.

    Parameters
    ----------
    image : numpy.ndarray
        ``(z, y, x)`` complex64.
    share : float
        Of the lines along either in-plane axis.
    """
    space = fft.fft2(image, axes=(1, 2))
    for axis in (1, 2):
        missing = np.abs(np.fft.fftfreq(image.shape[axis])) > 0.5 * share
        space[(slice(None),) * axis + (missing,)] = 0.0
    return fft.ifft2(space, axes=(1, 2))
