"""MR images of a simulated patient: DWI, FLAIR and the perfusion series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..progress import Progress
from .anatomy import Anatomy
from .bolus import Bolus, Curves, convolved
from .fate import Fate
from .fields import smooth_field, stream
from .haemodynamics import Perfusion
from .vessels import Vessels


@dataclass(frozen=True)
class Scanner:
    """One vendor's protocol.

    Attributes
    ----------
    b_value : float
        s/mm².
    dwi_echo, pwi_echo : float
        Echo times in s.
    interval : float
        Repetition time of the perfusion series in s.
    frames : int
        Its length.
    dwi_snr, pwi_snr, flair_snr : float
        Signal of grey matter over the noise's SD, at b = 0, before the bolus, and at follow-up.
    relaxivity : float
        s⁻¹ per mmol/L: rise of R2* in proportion to the concentration in the voxel, the same in tissue and blood, so
        that the linear analysis is right. With an arterial peak of 5 mmol/L arteries lose about 95 % of their signal
        and grey matter about 13 %. In patients tissue loses 20 to 35 %, as its relaxivity is higher than blood's; the
        default `pwi_snr` makes up for it, so that the bolus stands as far above the noise as in patients (about 25:1).
    """

    b_value: float = 1000.0
    dwi_echo: float = 0.080
    pwi_echo: float = 0.030
    interval: float = 1.5
    frames: int = 55
    dwi_snr: float = 50.0
    pwi_snr: float = 190.0
    flair_snr: float = 45.0
    relaxivity: float = 20.0

    @property
    def times(self) -> np.ndarray:
        """``(t,)`` s."""
        return np.arange(self.frames) * self.interval


#: Proton density, T1 (s), T2 (s), T2* (s), ADC (10⁻⁶ mm²/s) at 3 T.
GREY = (0.82, 1.35, 0.095, 0.055, 820.0)
WHITE = (0.70, 0.85, 0.072, 0.048, 740.0)
FLUID = (1.00, 4.30, 1.200, 0.500, 3000.0)
#: Proton density and T2* (s) of flowing blood; signal left of a clot, over blood's (deoxygenated, and no inflow).
BLOOD = (0.85, 0.050)
CLOT_SIGNAL = 0.25
#: Signal that a healthy grey-matter voxel gets in every image (arbitrary units, as scanners scale).
GREY_LEVEL = 600.0


def head_surroundings(anatomy: Anatomy, rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """Return ``(z, y, x)`` signal outside the cavity, grey matter = 1: dark skull, faint fat-suppressed scalp, air."""
    d = anatomy.skull_mm.ravel()
    texture = 1.0 + 0.35 * smooth_field(rng, points, 14.0)
    scalp = 0.24 * np.exp(-(((d - 10.0) / 2.6) ** 2)) + 0.03 * ((d > 2) & (d < 11))
    return np.where(d > 1.0, np.clip(scalp * texture, 0, None), 0.0).reshape(anatomy.grid.shape).astype(np.float32)


class Imager:
    """Turns one patient's tissue into images."""

    def __init__(self, seed: int, anatomy: Anatomy, vessels: Vessels, scanner: Scanner) -> None:
        self.seed, self.anatomy, self.vessels, self.scanner = seed, anatomy, vessels, scanner
        rng = stream(seed, "bias")
        every = np.stack(np.unravel_index(np.arange(anatomy.skull_mm.size), anatomy.grid.shape)[::-1], axis=1)
        points = every * np.array(anatomy.grid.spacing) - np.array(anatomy.grid.spacing) * anatomy.grid.shape[::-1] / 2
        self.bias = np.exp(0.10 * smooth_field(rng, points, 90.0)).reshape(anatomy.grid.shape)
        self.surround = head_surroundings(anatomy, rng, points)
        self.lumen = vessels.artery + vessels.late_artery + vessels.clot + vessels.vein

    def diffusion(self, fate: Fate, hours: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return b0, DWI and the ADC map (10⁻⁶ mm²/s) that a scanner computes from the two, ``(z, y, x)``."""
        s, a = self.scanner, self.anatomy
        rng = stream(self.seed, "diffusion")
        drop = adc_drop(fate.depth)
        # Water in dying tissue lengthens T2 over hours: FLAIR and b0 turn bright from about 4.5 h on.
        longer = 1.0 + np.clip(0.05 * hours, 0, 0.30) * drop / 0.5
        own = 1.0 + 0.035 * smooth_field(rng, a.mni, 9.0)
        b0 = np.zeros(len(a.inside), dtype=np.float32)
        dwi = np.zeros_like(b0)
        for fraction, (density, _, t2, _, adc), dies in ((a.grey, GREY, 1), (a.white, WHITE, 1), (a.csf, FLUID, 0)):
            part = fraction * density * np.exp(-s.dwi_echo / (t2 * (longer if dies else 1.0)))
            b0 += part
            dwi += part * np.exp(-s.b_value * 1e-6 * adc * (own * (1.0 - drop) if dies else 1.0))
        level = GREY_LEVEL / (GREY[0] * np.exp(-s.dwi_echo / GREY[2]))
        flow_void = 1.0 - 0.85 * self.lumen
        sigma = GREY_LEVEL / s.dwi_snr
        outside = self.surround * GREY_LEVEL
        b0 = self._rician(rng, a.on_grid(b0 * flow_void * level) + outside, sigma)
        # Fat hardly diffuses, but its suppression is better at high b.
        dwi = self._rician(rng, a.on_grid(dwi * flow_void * level) + 0.35 * outside, sigma)
        return b0, dwi, scanner_adc(b0, dwi, s.b_value)

    def flair(self, infarct: np.ndarray) -> np.ndarray:
        """Return FLAIR at day 5, ``(z, y, x)``: the final infarct bright."""
        a = self.anatomy
        rng = stream(self.seed, "follow-up")
        mixed = a.on_grid(infarct.astype(np.float32))
        wet = ndimage.gaussian_filter(mixed, (0, 0.5, 0.5)).ravel()[a.inside]
        wet = wet * np.clip(0.85 + 0.18 * smooth_field(rng, a.mni, 10.0), 0.4, 1.3)
        signal = sum(
            fraction * _flair_signal(density, t1 * (1 + 0.15 * wet * dies), t2 * (1 + 0.75 * wet * dies))
            for fraction, (density, t1, t2, _, _), dies in ((a.grey, GREY, 1), (a.white, WHITE, 1), (a.csf, FLUID, 0))
        )
        level = GREY_LEVEL / _flair_signal(*GREY[:3])
        image = a.on_grid((signal * (1.0 - 0.8 * self.lumen) * level).astype(np.float32))
        return self._rician(rng, image + 1.6 * self.surround * GREY_LEVEL, GREY_LEVEL / self.scanner.flair_snr)

    def perfusion(self, perfusion: Perfusion, bolus: Bolus, late: Late, progress: Progress) -> np.ndarray:
        """Return the T2*-weighted series ``(t, z, y, x)`` float32, whole numbers as scanners store them."""
        s, a, v = self.scanner, self.anatomy, self.vessels
        rng = stream(self.seed, "series")
        tissue, blood = self._before_bolus()
        still = blood * CLOT_SIGNAL * v.clot
        curves = Curves(bolus, float(s.times[-1]) + 1.0)
        inputs = blood_curves(bolus, late, s.times)
        outside = self.surround * GREY_LEVEL
        series = np.empty((s.frames, *a.grid.shape), dtype=np.float32)
        weight = np.float32(-s.pwi_echo * s.relaxivity)
        for n, time in enumerate(s.times):
            signal = tissue * np.exp(weight * curves(perfusion.cbf, perfusion.mtt, perfusion.delay, float(time)))
            for fraction, curve in ((v.artery, inputs[0]), (v.late_artery, inputs[1]), (v.vein, inputs[2])):
                signal = signal + blood * fraction * np.exp(weight * np.float32(curve[n]))
            image = a.on_grid((signal + still).astype(np.float32)) + outside
            series[n] = self._rician(rng, image, GREY_LEVEL / s.pwi_snr)
            progress((n + 1) / s.frames, f"perfusion frame {n + 1} of {s.frames}")
        return series

    def _before_bolus(self) -> tuple[np.ndarray, np.float32]:
        """Return the T2*-weighted signal of each voxel without its vessels, ``(n,)``, and that of blood."""
        s, a = self.scanner, self.anatomy
        static = sum(
            fraction * density * np.exp(-s.pwi_echo / t2star)
            for fraction, (density, _, _, t2star, _) in ((a.grey, GREY), (a.white, WHITE), (a.csf, FLUID))
        )
        level = GREY_LEVEL / (GREY[0] * np.exp(-s.pwi_echo / GREY[3]))
        tissue = static * level * (1.0 - np.clip(self.lumen, 0, 1))
        blood = level * BLOOD[0] * np.exp(-s.pwi_echo / BLOOD[1])
        return tissue.astype(np.float32), np.float32(blood)

    def _rician(self, rng: np.random.Generator, image: np.ndarray, sigma: float) -> np.ndarray:
        """Return the magnitude of the image, shaded by the coils, in complex noise; whole numbers."""
        real = image * self.bias.astype(np.float32)
        real += np.float32(sigma) * rng.standard_normal(image.shape, dtype=np.float32)
        imaginary = np.float32(sigma) * rng.standard_normal(image.shape, dtype=np.float32)
        return np.rint(np.sqrt(real * real + imaginary * imaginary))


@dataclass(frozen=True)
class Late:
    """How blood reaches the branches behind an occlusion, and how it leaves through the sinuses (s)."""

    artery_delay: float
    artery_dispersion: float
    vein_delay: float
    vein_transit: float


def blood_curves(bolus: Bolus, late: Late, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the concentration in arteries, late arteries and veins (mmol/L) at ``times``; all have the same area."""
    fine = np.arange(0.0, float(times[-1]) + 1.0, 0.1)
    aif = bolus(fine)
    collateral = convolved(aif, late.artery_dispersion) / late.artery_dispersion
    vein = convolved(aif, late.vein_transit) / late.vein_transit
    return (
        np.interp(times, fine, aif),
        np.interp(times - late.artery_delay, fine, collateral, left=0.0),
        np.interp(times - late.vein_delay, fine, vein, left=0.0),
    )


def adc_drop(depth: np.ndarray) -> np.ndarray:
    """Return the relative fall of ADC for flow over the threshold of death: none above, about half far below."""
    return (0.53 / (1.0 + np.exp(np.clip((depth - 0.99) / 0.06, -60, 60)))).astype(np.float32)


def scanner_adc(b0: np.ndarray, dwi: np.ndarray, b_value: float) -> np.ndarray:
    """Return ln(b0/DWI)/b in 10⁻⁶ mm²/s, 0 where there is no signal, as scanners mask it; whole numbers."""
    seen = (b0 > 60) & (dwi > 0)
    ratio = np.where(seen, b0, 1.0) / np.where(seen, dwi, 1.0)
    adc = np.rint(np.log(ratio) / b_value * 1e6)
    return np.clip(np.where(seen, adc, 0.0), 0, 4000).astype(np.float32)


def _flair_signal(density: float, t1: np.ndarray | float, t2: np.ndarray | float) -> np.ndarray:
    """Return the magnitude of an inversion recovery at TI 2.5 s, TR 9 s, TE 0.12 s."""
    recovery = 1.0 - 2.0 * np.exp(-2.5 / t1) + np.exp(-9.0 / t1)
    return np.abs(density * recovery * np.exp(-0.12 / t2))
