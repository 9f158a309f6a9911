"""Swelling of the infarct by day 5: a smooth shift of the brain within the skull, known at every point."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import fft, ndimage, special

from .anatomy import Anatomy
from .fields import rising, smooth_field, stream
from .outlines import distance_in_plane
from .vessels import Vessels

#: Gain of an infarct's volume by day 5 as drawn: lowest and highest (assumed; oedema is largest at 3 to 5 days). What
#: is realised is about half: see `swell`.
GAIN = (0.06, 0.26)
#: No tissue is shifted further (mm).
_LARGEST_MM = 12.0


@dataclass(frozen=True)
class Swelling:
    """How the brain has moved.

    Attributes
    ----------
    gain : float
        Growth of the infarct over its volume.
    shift_mm : numpy.ndarray
        ``(3, z, y, x)`` along the grid's z, y and x axes, mm: what lies at x on day 5 lay at x − shift at baseline.
    border : numpy.ndarray
        ``(n,)`` −0.5 to 0.5: where between voxel centres the borders of masks run. A mask does not say; without it
        shifts below half a voxel would move nothing.
    """

    gain: float
    shift_mm: np.ndarray
    border: np.ndarray


def swell(seed: int, anatomy: Anatomy, infarct: np.ndarray) -> Swelling:
    """Return the shift of a brain whose infarct has gained volume.

    Tissue moves away from the gain like an incompressible fluid without vorticity: the shift is the gradient of a
    potential whose Laplacian is the relative gain. It dies away at the skull, where fluid gives way.

    Parameters
    ----------
    seed : int
        The patient; draws the gain.
    anatomy : Anatomy
        The head.
    infarct : numpy.ndarray
        ``(n,)`` final infarct in the baseline's place.
    """
    rng = stream(seed, "oedema")
    gain = float(rng.uniform(*GAIN))
    border = (special.ndtr(smooth_field(rng, anatomy.mni, 7.0)) - 0.5).astype(np.float32)
    shape = anatomy.grid.shape
    if not infarct.any():
        return Swelling(gain, np.zeros((3, *shape), dtype=np.float32), border)
    spacing = anatomy.grid.spacing[::-1]
    source = gain * ndimage.gaussian_filter(anatomy.on_grid(infarct.astype(np.float32)), [3.0 / s for s in spacing])
    potential = _potential(source, spacing)
    held = rising(-anatomy.skull_mm - 5.0, 4.0)
    shift = np.stack([g * held for g in np.gradient(potential, *spacing)])
    size = np.sqrt((shift**2).sum(axis=0))
    shift *= np.minimum(1.0, _LARGEST_MM / np.maximum(size, 1e-6))
    return Swelling(gain, shift.astype(np.float32), border)


def _potential(source: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Solve ∇²φ = source (less its mean) in the box, no flow through its walls, by cosine transform."""
    waves = []
    for n, step in zip(source.shape, spacing, strict=True):
        waves.append((2.0 - 2.0 * np.cos(np.pi * np.arange(n) / n)) / step**2)
    laplace = waves[0][:, None, None] + waves[1][None, :, None] + waves[2]
    laplace[0, 0, 0] = np.inf
    return fft.idctn(fft.dctn(source, type=2) / -laplace, type=2)


def shifted(anatomy: Anatomy, swelling: Swelling, values: np.ndarray) -> np.ndarray:
    """Return ``(n,)`` values of the inside voxels as they lie on day 5.

    Parameters
    ----------
    anatomy : Anatomy
        The head at baseline.
    swelling : Swelling
        From `swell`.
    values : numpy.ndarray
        ``(n,)`` at baseline; a bool mask stays one.
    """
    if not swelling.shift_mm.any():
        return values
    spacing = np.array(anatomy.grid.spacing[::-1])
    index = np.stack(np.unravel_index(anatomy.inside, anatomy.grid.shape)).astype(np.float32)
    place = index - swelling.shift_mm.reshape(3, -1)[:, anatomy.inside] / spacing[:, None].astype(np.float32)
    if values.dtype != bool:
        full = anatomy.on_grid(values)
        return ndimage.map_coordinates(full, place, order=1, mode="nearest").astype(values.dtype)
    step = anatomy.grid.spacing[0]
    outside = np.clip(distance_in_plane(anatomy.on_grid(values), anatomy.grid.spacing), -6 * step, 6 * step)
    moved = ndimage.map_coordinates(outside, place, order=1, mode="nearest")
    return moved < step * swelling.border


def swollen(anatomy: Anatomy, vessels: Vessels, swelling: Swelling) -> tuple[Anatomy, Vessels]:
    """Return head and vessels as they lie on day 5, on the same voxels."""

    def move(whole: Anatomy | Vessels, *names: str) -> dict[str, np.ndarray]:
        return {name: shifted(anatomy, swelling, getattr(whole, name)) for name in names}

    tissue = move(anatomy, "grey", "white", "csf", "wm_lesion", "old_infarct")
    return replace(anatomy, **tissue), replace(vessels, **move(vessels, "artery", "late_artery", "clot", "vein"))
