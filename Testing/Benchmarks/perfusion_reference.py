"""Digital references of perfusion: known residue functions, arterial curves and noise, from written-out formulae.

The arterial curve is a gamma-variate bolus with a broadened, delayed second pass and a slowly filling pool. A tissue
curve is ``C(t) = CBF · ρ/kH · ∫ AIF(s) R(t − s − delay) ds`` on a 0.1 s grid, sampled at the frame times. Nothing here
uses the code that is tested.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import fftconvolve
from scipy.special import gammainc

FINE = 0.1
#: Length of a scan, and when the bolus reaches the artery, s.
SCAN, ARRIVAL = 90.0, 12.0
HAEMATOCRIT_FACTOR, DENSITY = 0.73, 1.05
RESIDUES = ("exponential", "box", "linear", "gamma")
INTERVALS = (1.0, 1.5, 2.0)
#: Signal-to-noise of the MR baseline, and peak grey-matter enhancement over the noise for CT: none, middle, low.
NOISE = {"MR": (np.inf, 100.0, 20.0), "CT": (np.inf, 20.0, 10.0)}
#: −ln(S/S0) at the peak of grey matter (CBF 60, CBV 4): a 40 % signal drop.
GREY_DROP = -np.log(0.6)


def fine_times() -> np.ndarray:
    return np.arange(0.0, SCAN + 15.0, FINE)


def gamma_variate(t: np.ndarray, arrival: float, shape: float = 3.0, scale: float = 1.5) -> np.ndarray:
    """Return a bolus of height 1: ``u^a e^(−u/b)`` over its maximum at ``u = a·b``."""
    u = np.maximum(t - arrival, 0.0)
    return (u / (shape * scale)) ** shape * np.exp(shape - u / scale)


def arterial(t: np.ndarray, arrival: float = ARRIVAL, shape: float = 3.0, scale: float = 1.5) -> np.ndarray:
    """Return the arterial curve, height 1: first pass, second pass of a fifth, 3 % left in the pool."""
    second = 0.2 * gamma_variate(t, arrival + 12.0, shape, 2.0 * scale)
    pool = 0.03 * (1.0 - np.exp(-np.maximum(t - arrival - 5.0, 0.0) / 8.0))
    return gamma_variate(t, arrival, shape, scale) + second + pool


def residue(kind: str, t: np.ndarray, mtt: float) -> np.ndarray:
    """Return the share of tracer still in the tissue; its integral is ``mtt``."""
    if kind == "exponential":
        return np.exp(-t / mtt)
    if kind == "box":
        # The last sample holds the part of the step that lies inside its interval.
        return np.clip((mtt - t) / FINE + 0.5, 0.0, 1.0)
    if kind == "linear":
        return np.maximum(1.0 - t / (2.0 * mtt), 0.0)
    if kind == "gamma":
        return 1.0 - gammainc(3.0, t / (mtt / 3.0))
    raise ValueError(kind)


@dataclass(frozen=True)
class Tissues:
    """Truth of a set of voxels, ``(V,)`` each, and their noise-free curves ``(F, V)`` on the 0.1 s grid."""

    kind: np.ndarray
    cbv: np.ndarray
    mtt: np.ndarray
    delay: np.ndarray
    curves: np.ndarray

    @property
    def cbf(self) -> np.ndarray:
        return 60.0 * self.cbv / self.mtt


def make(kind, cbv, mtt, delay, aif: np.ndarray | None = None) -> Tissues:
    """Return voxels with the given truth (broadcast): CBV mL/100 g, MTT s, delay s."""
    kind, cbv, mtt, delay = (np.array(a) for a in np.broadcast_arrays(kind, cbv, mtt, delay))
    t = fine_times()
    aif = arterial(t) if aif is None else aif
    curves = np.empty((t.size, kind.size), dtype=np.float64)
    for v in range(kind.size):
        r = residue(str(kind.flat[v]), t, float(mtt.flat[v]))
        # Trapezoid for the jump of R at 0, where half a step belongs to the integral.
        full = fftconvolve(aif, r)[: t.size] * FINE - 0.5 * FINE * aif * r[0]
        flow = cbv.flat[v] / mtt.flat[v] / 100.0 * DENSITY / HAEMATOCRIT_FACTOR
        curves[:, v] = flow * np.interp(t - delay.flat[v], t, full, left=0.0, right=full[-1])
    return Tissues(kind.ravel(), cbv.ravel(), mtt.ravel(), delay.ravel(), curves)


def draw(count: int, seed: int) -> Tissues:
    """Return random voxels over the whole range: CBV 0.5 to 8, MTT 3 to 20, delay −2 to 10, every residue alike."""
    rng = np.random.default_rng(seed)
    kind = np.array(RESIDUES)[rng.integers(0, 4, count)]
    return make(kind, rng.uniform(0.5, 8.0, count), rng.uniform(3.0, 20.0, count), rng.uniform(-2.0, 10.0, count))


def grey_peak() -> float:
    """Return the peak of grey matter (CBF 60, CBV 4, exponential) for an artery of height 1."""
    return float(make("exponential", 4.0, 4.0, 0.0).curves.max())


def sample(fine: np.ndarray, dt: float) -> np.ndarray:
    """Return every ``dt`` s of curves on the 0.1 s grid."""
    step = round(dt / FINE)
    return fine[: round(SCAN / FINE) : step]


def measured(tissues: Tissues, dt: float, modality: str, level: float, seed: int = 0) -> np.ndarray:
    """Return noisy concentration curves ``(N, V)``, in units of the artery's height.

    MR: the magnitude of a complex signal, noise S0/``level`` on each part, back to −ln(S/S0) with S0 the mean of the
    baseline. CT: noise of the grey-matter peak over ``level``, less the mean of the baseline.
    """
    clean = sample(tissues.curves, dt)
    if not np.isfinite(level):
        return clean
    rng = np.random.default_rng(seed)
    baseline = slice(0, round((ARRIVAL - 3.0) / dt))
    if modality == "CT":
        noisy = clean + rng.normal(0.0, grey_peak() / level, clean.shape)
        return noisy - noisy[baseline].mean(axis=0)
    gain = GREY_DROP / grey_peak()
    signal = np.exp(-gain * clean)
    signal = np.hypot(signal + rng.normal(0, 1 / level, clean.shape), rng.normal(0, 1 / level, clean.shape))
    return -np.log(np.maximum(signal / signal[baseline].mean(axis=0), 0.02)) / gain


def tmax_reference(tissues: Tissues, aif: np.ndarray | None = None, cut: float = 0.10) -> np.ndarray:
    """Return the time of the maximum of the block-circulant SVD residue at a relative cut of 10 %, at 0.1 s.

    Written with the discrete Fourier transform, which is the singular value decomposition of a circulant matrix.
    """
    n = round(SCAN / FINE)
    aif = (arterial(fine_times()) if aif is None else aif)[:n]
    eigenvalues = np.fft.fft(aif, 2 * n) * FINE
    keep = np.abs(eigenvalues) >= cut * np.abs(eigenvalues).max()
    spectrum = np.fft.fft(tissues.curves[:n], 2 * n, axis=0)
    r = np.fft.ifft(np.where(keep, 1 / np.where(keep, eigenvalues, 1), 0)[:, None] * spectrum, axis=0).real
    place = r.argmax(axis=0)
    return np.where(place >= n, place - 2 * n, place) * FINE
