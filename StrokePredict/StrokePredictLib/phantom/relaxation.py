"""MR properties of what a head consists of, and the signals that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Relaxation:
    """One kind of tissue.

    Attributes
    ----------
    density : float
        Protons, water = 1.
    t1, t2, t2star : float
        s.
    adc : float
        10⁻⁶ mm²/s.
    """

    density: float
    t1: float
    t2: float
    t2star: float
    adc: float


#: By field strength (T): typical published values (Stanisz 2005; Wansapura 1999; Peters 2007). Chronic white-matter
#: lesions and scars hold more free water: longer T2, which shines through on DWI, and higher ADC.
TISSUES = {
    3.0: {
        "grey": Relaxation(0.82, 1.35, 0.095, 0.055, 820.0),
        "white": Relaxation(0.70, 0.85, 0.072, 0.048, 740.0),
        "fluid": Relaxation(1.00, 4.30, 1.200, 0.500, 3000.0),
        "leuko": Relaxation(0.78, 1.30, 0.130, 0.075, 1050.0),
        "scar": Relaxation(0.94, 2.40, 0.300, 0.150, 2000.0),
        "blood": Relaxation(0.85, 1.65, 0.060, 0.050, 2500.0),
    },
    1.5: {
        "grey": Relaxation(0.82, 1.12, 0.100, 0.075, 820.0),
        "white": Relaxation(0.70, 0.66, 0.079, 0.066, 740.0),
        "fluid": Relaxation(1.00, 4.20, 1.500, 0.800, 3000.0),
        "leuko": Relaxation(0.78, 1.05, 0.140, 0.095, 1050.0),
        "scar": Relaxation(0.94, 2.10, 0.330, 0.200, 2000.0),
        "blood": Relaxation(0.85, 1.45, 0.150, 0.090, 2500.0),
    },
}
#: Inversion time, repetition time and echo time (s) of FLAIR.
FLAIR_TI, FLAIR_TR, FLAIR_TE = 2.5, 9.0, 0.12


def diffusion_signal(
    tissue: Relaxation, echo: float, b_value: float, longer: np.ndarray | float = 1.0, slower: np.ndarray | float = 1.0
) -> np.ndarray:
    """Return ρ·exp(−TE/T2)·exp(−b·ADC).

    Parameters
    ----------
    tissue : Relaxation
        What gives signal.
    echo : float
        TE in s.
    b_value : float
        s/mm².
    longer, slower : numpy.ndarray or float
        Factors on T2 and on ADC.
    """
    return tissue.density * np.exp(-echo / (tissue.t2 * longer)) * np.exp(-b_value * 1e-6 * tissue.adc * slower)


def flair_signal(
    tissue: Relaxation, longer_t1: np.ndarray | float = 1.0, longer_t2: np.ndarray | float = 1.0
) -> np.ndarray:
    """Return ρ·|1 − 2·exp(−TI/T1) + exp(−TR/T1)|·exp(−TE/T2); factors on T1 and T2 for wet tissue."""
    t1 = tissue.t1 * longer_t1
    recovery = 1.0 - 2.0 * np.exp(-FLAIR_TI / t1) + np.exp(-FLAIR_TR / t1)
    return np.abs(tissue.density * recovery) * np.exp(-FLAIR_TE / (tissue.t2 * longer_t2))


def adc_drop(depth: np.ndarray) -> np.ndarray:
    """Return the relative fall of ADC for flow over the threshold of death: none above, about half far below."""
    return (0.53 / (1.0 + np.exp(np.clip((depth - 0.99) / 0.06, -60, 60)))).astype(np.float32)


def t2_gain(drop: np.ndarray, hours: float) -> np.ndarray:
    """Return the factor on T2 of dying tissue: water lengthens it, so FLAIR and b0 turn bright from about 4.5 h on."""
    return 1.0 + np.clip(0.05 * hours, 0, 0.30) * drop / 0.5


def scanner_adc(
    b0: np.ndarray, dwi: np.ndarray, b_value: float, floor: float = 60.0, largest: float = 4000.0
) -> np.ndarray:
    """Return ln(b0/DWI)/b in 10⁻⁶ mm²/s, whole numbers.

    Parameters
    ----------
    b0, dwi : numpy.ndarray
        Images.
    b_value : float
        s/mm².
    floor : float
        Signal on b0 up to which the map is 0, as scanners mask it.
    largest : float
        Where the map's numbers end.
    """
    seen = (b0 > floor) & (dwi > 0)
    ratio = np.where(seen, b0, 1.0) / np.where(seen, dwi, 1.0)
    adc = np.rint(np.log(ratio) / b_value * 1e6)
    return np.clip(np.where(seen, adc, 0.0), 0, largest).astype(np.float32)
