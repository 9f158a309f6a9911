"""Small perfusion scans of a head with a lesion, for the tests: noisy signal, and the truth it was made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from Benchmarks import perfusion_reference as reference

from StrokePredictLib.volume import Volume


@dataclass
class Scan:
    """A series with its truth.

    Attributes
    ----------
    series, times : Volume, numpy.ndarray
        What the scanner gives.
    brain, lesion : numpy.ndarray
        ``(z, y, x)`` bool; the lesion lies on the patient's left.
    artery, sinus : tuple of slice
        Where the pure vessels are.
    cbf, cbv, delay : dict
        Truth under "normal" and "lesion".
    """

    series: Volume
    times: np.ndarray
    brain: np.ndarray
    lesion: np.ndarray
    artery: tuple
    sinus: tuple
    cbf: dict
    cbv: dict
    delay: dict


def make_scan(
    modality: str = "MR", dt: float = 1.5, frames: int = 45, slices: int = 8, noise: float = 1.0, seed: int = 0
):
    """Return a `Scan`: 44×44 voxels of 4 mm, slices of 6 mm; ``noise`` 1 is S0/σ 500 for MR, σ 1 HU for CT."""
    rng = np.random.default_rng(seed)
    _, y, x = np.mgrid[:slices, :44, :44]
    radius = np.hypot((x - 21.5) / 16.0, (y - 21.5) / 19.0)
    brain = radius < 1.0
    lesion = brain & (x > 30) & (y > 10) & (y < 34)
    cbf, cbv = {"normal": 50.0, "lesion": 14.0}, {"normal": 4.0, "lesion": 3.0}
    delay = {"normal": 1.0, "lesion": 6.0}
    made = reference.make(
        "exponential", [cbv["normal"], cbv["lesion"]], [4.8, 60 * 3.0 / 14.0], [delay["normal"], delay["lesion"]]
    )
    pick = np.round(np.arange(frames) * dt / reference.FINE).astype(int)
    t = reference.fine_times()
    aif = reference.arterial(t)
    vein = np.interp(t - 6.0, t, np.convolve(aif, np.exp(-t / 3.0))[: t.size] / np.exp(-t / 3.0).sum(), left=0.0)
    tissue = made.curves[pick]
    curves = np.zeros((frames, *brain.shape))
    curves[:, brain], curves[:, lesion] = tissue[:, :1], tissue[:, 1:]
    artery, sinus = (slice(None), slice(18, 20), slice(13, 15)), (slice(None), slice(37, 40), slice(20, 23))
    late = (slice(None), slice(18, 20), slice(29, 31))
    for where, curve in ((artery, aif), (sinus, vein), (late, np.interp(t - 2.0, t, aif, left=0.0))):
        curves[(slice(None), *where)] = curve[pick][:, None, None, None]
    if modality == "MR":
        gain = 1.4  # −ln(S/S0) of the artery at its peak; grey matter loses 5 %
        array = 1000.0 * brain * np.exp(-gain * curves)
        array = np.hypot(array + rng.normal(0, 2.0 * noise, array.shape), rng.normal(0, 2.0 * noise, array.shape))
    else:
        array = np.where(brain, 35.0, np.where(radius < 1.2, 900.0, -1000.0)) + 300.0 * curves
        array = array + rng.normal(0, 1.0 * noise, array.shape)
    affine = np.diag([4.0, 4.0, 6.0, 1.0])
    affine[:3, 3] = -86.0, -86.0, 10.0
    series = Volume(array.astype(np.float32), affine, name="scan")
    return Scan(series, np.arange(frames) * dt, brain, lesion, artery, sinus, cbf, cbv, delay)
