"""Flow relative to normal tissue, which the CT core rule reads."""

from __future__ import annotations

import numpy as np

from ..errors import StrokeError
from ..volume import Volume

#: Normal tissue fills within this Tmax (s).
NORMAL_TMAX = 4.0
#: Blood volume (share of the brain's median) outside which a voxel is fluid or vessel.
TISSUE_VOLUME = (0.4, 2.5)
#: Fewest voxels that make a reference.
FEWEST = 50


def relative_cbf(maps: dict[str, Volume], mask: Volume, limit: float = 6.0) -> tuple[Volume, dict]:
    """Return CBF over the mean of normal tissue.

    Normal tissue is free of vessels and fluid by its CBV, has Tmax < 4 s, and mirrors across the sagittal midline the
    tissue with Tmax above ``limit``. Where that leaves too little, the whole brain's normal tissue is used, and said.

    Parameters
    ----------
    maps : dict of str to Volume
        ``cbf``, ``cbv``, ``tmax``.
    mask : Volume
        Brain.
    limit : float
        Tmax in s above which tissue is ill.

    Returns
    -------
    ratio : Volume
        rCBF, float32; 0 outside the mask. Biased upwards: see `scaling.ratio_bias`.
    told : dict
        ``reference`` in mL/100 g/min, ``voxels``, and ``fallback``: None or why the mirror was not used.

    Raises
    ------
    StrokeError
        If there is no normal tissue at all.
    """
    brain = mask.array.astype(bool)
    cbf, cbv, tmax = (maps[name].array for name in ("cbf", "cbv", "tmax"))
    usual = float(np.median(cbv[brain])) if brain.any() else 0.0
    normal = brain & (tmax < NORMAL_TMAX) & (cbv > TISSUE_VOLUME[0] * usual) & (cbv < TISSUE_VOLUME[1] * usual)
    reference, fallback = normal & mirrored(brain & (tmax > limit), mask), None
    if np.count_nonzero(reference) < FEWEST:
        fallback = "too little normal tissue opposite the ill tissue: all normal tissue of the brain was used"
        reference = normal
    if not reference.any() or not cbf[reference].mean() > 0:
        raise StrokeError(f"{mask.name}: no normally perfused tissue (Tmax < {NORMAL_TMAX:g} s) to relate CBF to.")
    mean = float(cbf[reference].mean(dtype=np.float64))
    ratio = np.where(brain, cbf / mean, 0.0).astype(np.float32)
    told = {"reference": mean, "voxels": int(np.count_nonzero(reference)), "fallback": fallback}
    return maps["cbf"].with_array(ratio, "rcbf"), told


def ct_core(ratio: Volume, tmax: Volume, flow: float = 0.30, limit: float = 6.0) -> Volume:
    """Return the CT core: rCBF below ``flow`` inside Tmax above ``limit`` s."""
    return ratio.with_array((ratio.array < flow) & (tmax.array > limit), "core_cbf")


def mirrored(region: np.ndarray, mask: Volume) -> np.ndarray:
    """Return a ``(z, y, x)`` bool region flipped across the brain's sagittal midline (LPS x), to the nearest voxel."""
    out = np.zeros_like(region)
    k, j, i = np.nonzero(region)
    if k.size == 0:
        return out
    inside = np.nonzero(mask.array)
    x = mask.affine[0, :3] @ np.stack(inside[::-1]) + mask.affine[0, 3]
    place = mask.affine[:3, :3] @ np.stack([i, j, k]) + mask.affine[:3, 3:]
    place[0] = 2.0 * np.median(x) - place[0]
    to = np.rint(np.linalg.inv(mask.affine[:3, :3]) @ (place - mask.affine[:3, 3:])).astype(int)[::-1]
    size = np.array(region.shape)[:, None]
    to = to[:, ((to >= 0) & (to < size)).all(axis=0)]
    out[tuple(to)] = True
    return out
