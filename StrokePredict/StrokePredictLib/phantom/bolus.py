"""The contrast bolus: arterial input, tissue curves, venous output, and the reference Tmax."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, signal

from .fields import stream
from .haemodynamics import KH, RHO
from .protocols import CTScanner, Scanner

#: Fine time step of the curves (s).
FINE_S = 0.1
#: Relative cut of the reference Tmax's singular values (DESIGN: 10 %).
REFERENCE_CUT = 0.10


@dataclass(frozen=True)
class Bolus:
    """The arterial input of one patient.

    Attributes
    ----------
    arrival : float
        s after the first frame.
    alpha, beta : float
        Shape and scale (s) of the gamma-variate.
    peak : float
        mmol/L of contrast agent (MR) or mg/mL of iodine (CT) in arterial blood.
    recirculation : float
        Height of the second pass over the first.
    """

    arrival: float
    alpha: float
    beta: float
    peak: float
    recirculation: float

    def __call__(self, times: np.ndarray) -> np.ndarray:
        """Return the concentration in arterial blood (in the peak's unit) at ``times`` (s)."""
        first = self._gamma(times, self.arrival, self.beta)
        second = self._gamma(times, self.arrival + 2.2 * self.alpha * self.beta + 3.0, 2.2 * self.beta)
        mixed = np.clip(times - self.arrival - self.alpha * self.beta, 0, None)
        rest = 0.35 * self.recirculation * (1.0 - np.exp(-mixed / 12.0))
        return self.peak * (first + self.recirculation * second + rest)

    def _gamma(self, times: np.ndarray, start: float, beta: float) -> np.ndarray:
        """Return the gamma-variate with peak 1."""
        t = np.clip((times - start) / (self.alpha * beta), 0, None)
        return t**self.alpha * np.exp(self.alpha * (1.0 - t))


def draw_bolus(
    seed: int, scanner: Scanner | CTScanner | None = None, *, scan: str = "series", late_s: float = 0.0
) -> Bolus:
    """Return a random bolus: good injections and slow circulations.

    Parameters
    ----------
    seed : int
        The patient.
    scanner : Scanner or CTScanner, optional
        How long after the injection it starts, and how much agent is given; MR of vendor A if left out.
    scan : str
        The first one, "series", or another of `fields.STREAMS` with an injection of its own.
    late_s : float
        By how much the bolus comes later than that (`artefacts.Artefacts.late_s`).
    """
    scanner = scanner or Scanner()
    rng = stream(seed, "bolus" if scan == "series" else scan)
    return Bolus(
        arrival=float(rng.uniform(*scanner.arrival)) + late_s,
        alpha=float(rng.uniform(2.6, 3.4)),
        beta=float(np.clip(1.45 * np.exp(rng.normal(0, 0.14)), 1.1, 2.0)) * scanner.injection,
        peak=float(rng.uniform(*scanner.arterial_peak)),
        recirculation=float(rng.uniform(0.10, 0.20)),
    )


def convolved(aif: np.ndarray, mtt: float) -> np.ndarray:
    """Return AIF ⊗ exp(−t/MTT) on the fine times: exact for an input that is linear between its samples.

    Parameters
    ----------
    aif : numpy.ndarray
        ``(t,)`` at steps of `FINE_S`, 0 at the first.
    mtt : float
        s.
    """
    decay = np.exp(-FINE_S / mtt)
    slope = mtt / FINE_S * (1.0 - decay)
    return signal.lfilter([mtt * (1.0 - slope), mtt * (slope - decay)], [1.0, -decay], aif)


class Curves:
    """Tissue curves by table: one convolution for each of 96 transit times, interpolated between."""

    def __init__(self, bolus: Bolus, duration: float) -> None:
        self.fine = np.arange(0.0, duration + 60.0, FINE_S)
        self.log_mtt = np.linspace(np.log(1.0), np.log(45.0), 96)
        aif = bolus(self.fine)
        self._table = np.stack([convolved(aif, m) for m in np.exp(self.log_mtt)]).astype(np.float32)

    def __call__(self, cbf: np.ndarray, mtt: np.ndarray, delay: np.ndarray, time: float) -> np.ndarray:
        """Return the concentration in tissue at one time.

        C(t) = CBF/6000 · ρ/kH · (AIF ⊗ R)(t − delay), with R = exp(−t/MTT).

        Parameters
        ----------
        cbf, mtt, delay : numpy.ndarray
            ``(n,)`` mL/100 g/min, s, s.
        time : float
            s after the first frame.

        Returns
        -------
        numpy.ndarray
            ``(n,)`` per volume of tissue, in the bolus' unit.
        """
        step = self.log_mtt[1] - self.log_mtt[0]
        row = np.log(np.maximum(mtt, 1.0)) / step
        column = (time - delay) / FINE_S
        place = np.stack([row, column]).astype(np.float32)
        inflow = ndimage.map_coordinates(self._table, place, order=1, mode="nearest")
        return cbf * np.float32(RHO / (KH * 6000.0)) * inflow


def reference_tmax(bolus: Bolus, mtt: np.ndarray, delay: np.ndarray, duration: float) -> np.ndarray:
    """Return `tmax_ref`: the time of the maximum of the block-circulant SVD residue of noise-free curves.

    A block-circulant matrix is diagonal in Fourier space: its singular values are the moduli of the input's spectrum.
    The residue depends on transit time and delay alone, so it is tabled over both and interpolated.

    Parameters
    ----------
    bolus : Bolus
        The true arterial input.
    mtt, delay : numpy.ndarray
        ``(n,)`` s.
    duration : float
        s of the series.

    Returns
    -------
    numpy.ndarray
        ``(n,)`` s; 0 where `mtt` is 0.
    """
    return _reference(bolus, mtt, delay, duration)[0]


def reference_flow_share(bolus: Bolus, mtt: np.ndarray, delay: np.ndarray, duration: float) -> np.ndarray:
    """Return the height of that residue ``(n,)``: the CBF that SVD finds on noise-free curves, over the true one.

    It is below 1, and further where transit is fast, so that a ratio of flows comes out too high; parameters as
    `reference_tmax`.
    """
    return _reference(bolus, mtt, delay, duration)[1]


def _reference(bolus: Bolus, mtt: np.ndarray, delay: np.ndarray, duration: float) -> tuple[np.ndarray, np.ndarray]:
    fine = np.arange(0.0, duration, FINE_S)
    aif = bolus(fine)
    transit = np.exp(np.linspace(np.log(1.2), np.log(42.0), 40))
    delays = np.arange(0.0, 18.01, 0.5)
    tables = np.stack([_reference_row(aif, fine, m, delays) for m in transit], axis=1)
    step = np.log(transit[1] / transit[0])
    place = np.stack([np.log(np.maximum(mtt, 1.2) / transit[0]) / step, delay / 0.5])
    found = (ndimage.map_coordinates(table, place, order=1, mode="nearest") for table in tables)
    time, height = (np.where(mtt > 0, values, 0.0).astype(np.float32) for values in found)
    return time, height


def _reference_row(aif: np.ndarray, fine: np.ndarray, mtt: float, delays: np.ndarray) -> np.ndarray:
    """Return ``(2, delays)``: time (s) and height of the residue's maximum."""
    inflow = convolved(aif, mtt)
    curves = np.stack([np.interp(fine - d, fine, inflow, left=0.0) for d in delays])
    spectrum = np.fft.rfft(aif, 2 * len(fine))
    size = np.abs(spectrum)
    keep = size >= REFERENCE_CUT * size.max()
    ratio = np.fft.rfft(curves, 2 * len(fine), axis=1) * np.where(keep, 1.0 / np.where(keep, spectrum, 1.0), 0.0)
    residue = np.fft.irfft(ratio, 2 * len(fine), axis=1)[:, : len(fine)]
    return np.stack([fine[residue.argmax(axis=1)], residue.max(axis=1) / FINE_S])
