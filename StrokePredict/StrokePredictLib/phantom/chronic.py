"""What the years have left behind: white-matter lesions and old infarcts."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .fields import rising, smooth_field, stream

#: Share of stroke patients with an old infarct on MR: 10 % at 45 years, 30 % at 80 (assumed, after the Rotterdam Scan
#: Study, Vermeer et al., Lancet Neurol 2007: 8 to 28 % in the general population).
_OLD_AT, _OLD_SLOPE_YEARS, _OLD_MOST = 72.0, 14.0, 0.45
#: Volume of white-matter lesions: median mL at 60 years, growth per year, SD of the logarithm (assumed, of the order
#: of population studies: about 2 mL at 50, 4 at 60, 9 at 70, 18 at 80).
_LESION_AT_60_ML, _LESION_GROWTH, _LESION_SPREAD = 4.0, 0.078, 0.75
_LACUNES = ((24, 2, 8), (14, -18, 8), (26, -8, 26), (16, 10, 16), (24, 14, 22))
_CORTICAL = ((44, 24, 18), (50, -16, 40), (44, -62, 28), (14, -86, 4), (30, -66, -36), (30, 42, 24), (52, -34, 6))


def old_infarct_chance(age: float) -> float:
    """Return the probability that a stroke patient of this age has an old infarct."""
    return _OLD_MOST / (1.0 + float(np.exp(-(age - _OLD_AT) / _OLD_SLOPE_YEARS)))


def white_matter_lesions(
    seed: int, age: float, mni: np.ndarray, white: np.ndarray, ventricle_mm: np.ndarray, voxel_ml: float
) -> np.ndarray:
    """Return ``(n,)`` share of each voxel that is a chronic white-matter lesion.

    Bands along the ventricles first, then patches in the deep white matter that grow together.

    Parameters
    ----------
    seed : int
        The patient.
    age : float
        Years.
    mni : numpy.ndarray
        ``(n, 3)`` mm.
    white : numpy.ndarray
        ``(n,)`` fraction of white matter.
    ventricle_mm : numpy.ndarray
        ``(n,)`` distance from the lateral ventricles.
    voxel_ml : float
        Volume of a voxel.
    """
    rng = stream(seed, "lesions")
    target_ml = _LESION_AT_60_ML * np.exp(_LESION_GROWTH * (age - 60.0) + rng.normal(0, _LESION_SPREAD))
    target_ml = float(np.clip(target_ml, 0.2, 70.0))
    both = mni * np.array([0.0, 1.0, 1.0]) + np.abs(mni) * np.array([1.0, 0.0, 0.0])
    pattern = 0.75 * smooth_field(rng, both, 13.0) + 0.45 * smooth_field(rng, mni, 9.0)
    score = pattern - ventricle_mm / 9.0
    allowed = (white > 0.55) & (mni[:, 2] > -8.0)
    if not allowed.any():
        return np.zeros(len(mni), dtype=np.float32)
    share = min(target_ml / (voxel_ml * max(float(white[allowed].sum()), 1.0)), 0.5)
    limit = np.quantile(score[allowed], 1.0 - share)
    return (white * rising(score - limit, 0.25) * allowed).astype(np.float32)


def ventricle_distance(csf: np.ndarray, mni: np.ndarray, skull_mm: np.ndarray, spacing: tuple) -> np.ndarray:
    """Return ``(z, y, x)`` mm from the lateral ventricles.

    Parameters
    ----------
    csf : numpy.ndarray
        ``(z, y, x)`` fraction of fluid.
    mni : numpy.ndarray
        ``(z, y, x, 3)`` MNI mm.
    skull_mm : numpy.ndarray
        ``(z, y, x)`` distance to the inner skull, negative inside.
    spacing : tuple of float
        mm along ``(z, y, x)``.
    """
    middle = (np.abs(mni[..., 0]) < 34) & (mni[..., 1] > -52) & (mni[..., 1] < 42)
    ventricle = (csf > 0.5) & (skull_mm < -28.0) & middle & (mni[..., 2] > -2) & (mni[..., 2] < 34)
    if not ventricle.any():
        return np.full(csf.shape, 60.0, dtype=np.float32)
    return ndimage.distance_transform_edt(~ventricle, sampling=spacing).astype(np.float32)


def old_infarcts(seed: int, age: float, mni: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """Return ``(n,)`` share of each voxel that is an old infarct: none in most patients, lacunes, or a cortical scar.

    Parameters
    ----------
    seed : int
        The patient.
    age : float
        Years: prevalence grows with it (`old_infarct_chance`).
    mni : numpy.ndarray
        ``(n, 3)`` mm.
    solid : numpy.ndarray
        ``(n,)`` fraction of grey and white matter.
    """
    rng = np.random.default_rng([int(stream(seed, "lesions").integers(2**32)), 1])
    share = np.zeros(len(mni), dtype=np.float32)
    if rng.random() >= old_infarct_chance(age):
        return share
    place = mni + 2.5 * np.stack([smooth_field(rng, mni, 14.0) for _ in range(3)], axis=1)
    for _ in range(1 + int(rng.poisson(0.5))):
        lacune = rng.random() < 0.6
        places = _LACUNES if lacune else _CORTICAL
        centre = np.array(places[rng.integers(len(places))]) + rng.normal(0, 3.0 if lacune else 6.0, 3)
        centre[0] *= rng.choice([-1.0, 1.0])
        radius = rng.uniform(2.5, 6.0) if lacune else rng.uniform(8.0, 20.0)
        distance = np.linalg.norm(place - centre, axis=1)
        own_side = rising(mni[:, 0] * np.sign(centre[0]) - 1.0, 1.0)
        share = np.maximum(share, rising(radius - distance, 1.2) * own_side)
    return (share * solid).astype(np.float32)
