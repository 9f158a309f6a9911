"""MR images of a simulated patient: DWI, FLAIR and the perfusion series."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..progress import Progress, silent
from .anatomy import Anatomy
from .artefacts import NONE, Artefacts
from .blood import Late, blood_curves
from .bolus import Bolus, Curves
from .distortion import FADING, bent_field
from .fate import Fate
from .fields import smooth_field, stream
from .haemodynamics import Perfusion
from .parts import parts_of
from .protocols import Scanner
from .receive import Receiver
from .relaxation import TISSUES, Relaxation, adc_drop, diffusion_signal, flair_signal, scanner_adc, t2_gain
from .vessels import Vessels

__all__ = ["Imager", "Late", "Scanner", "adc_drop", "blood_curves", "scanner_adc"]

#: Signal left of a clot over blood's (deoxygenated, and no inflow).
CLOT_SIGNAL = 0.25


def head_surroundings(anatomy: Anatomy, rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """Return ``(z, y, x)`` signal outside the cavity, grey matter = 1: dark skull, faint fat-suppressed scalp, air."""
    d = anatomy.skull_mm.ravel()
    texture = 1.0 + 0.35 * smooth_field(rng, points, 14.0)
    scalp = 0.24 * np.exp(-(((d - 10.0) / 2.6) ** 2)) + 0.03 * ((d > 2) & (d < 11))
    return np.where(d > 1.0, np.clip(scalp * texture, 0, None), 0.0).reshape(anatomy.grid.shape).astype(np.float32)


class Imager:
    """Turns one patient's tissue into MR images.

    Parameters
    ----------
    seed : int
        The patient.
    anatomy : Anatomy
        Tissue fractions on the grid that is imaged.
    vessels : Vessels
        Arteries, clot and veins.
    scanner : Scanner
        Protocol and noise.
    artefacts : Artefacts
        What goes wrong; usual shading alone if left out.
    """

    def __init__(
        self, seed: int, anatomy: Anatomy, vessels: Vessels, scanner: Scanner, artefacts: Artefacts = NONE
    ) -> None:
        self.seed, self.anatomy, self.vessels, self.scanner = seed, anatomy, vessels, scanner
        self.artefacts = artefacts
        rng = stream(seed, "bias")
        every = np.stack(np.unravel_index(np.arange(anatomy.skull_mm.size), anatomy.grid.shape)[::-1], axis=1)
        points = every * np.array(anatomy.grid.spacing) - np.array(anatomy.grid.spacing) * anatomy.grid.shape[::-1] / 2
        self.receiver = Receiver(anatomy, scanner, artefacts, rng, points)
        self.outside = head_surroundings(anatomy, rng, points) * np.float32(scanner.grey_level)
        self.lumen = vessels.artery + vessels.late_artery + vessels.clot + vessels.vein
        self.tissues = TISSUES[scanner.tesla]
        p = parts_of(anatomy)
        # What can still die: scars and fluid cannot.
        self.living = [(getattr(p, name), self.tissues[name]) for name in ("grey", "white", "leuko")]
        self.rest = [(getattr(p, name), self.tissues[name]) for name in ("fluid", "scar")]

    def diffusion(self, fate: Fate, hours: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return b0, DWI and the ADC map (10⁻⁶ mm²/s) that a scanner computes from the two, ``(z, y, x)``."""
        s, a = self.scanner, self.anatomy
        rng = stream(self.seed, "diffusion")
        drop = adc_drop(fate.depth)
        longer = t2_gain(drop, hours)
        slower = (1.0 + 0.035 * smooth_field(rng, a.mni, 9.0)) * (1.0 - drop)
        level = s.grey_level / diffusion_signal(self.tissues["grey"], s.dwi_echo, 0.0)
        sigma = s.grey_level / s.dwi_snr
        images = []
        # Fat hardly diffuses, but its suppression is better at high b.
        for b_value, fat in ((0.0, 1.0), (s.b_value, 0.35)):
            signal = sum(f * diffusion_signal(t, s.dwi_echo, b_value, longer, slower) for f, t in self.living)
            signal = signal + sum(f * diffusion_signal(t, s.dwi_echo, b_value) for f, t in self.rest)
            flow_void = 1.0 - 0.85 * self.lumen
            image = a.on_grid((signal * flow_void * level).astype(np.float32)) + np.float32(fat) * self.outside
            images.append(self.receiver(rng, image, sigma))
        b0, dwi = images
        # The map is made of what was measured, before large numbers are cut.
        adc = scanner_adc(b0, dwi, s.b_value, s.adc_mask * s.grey_level, s.adc_largest)
        return self.receiver.clipped(b0), self.receiver.clipped(dwi), adc

    def flair(self, infarct: np.ndarray) -> np.ndarray:
        """Return FLAIR at day 5, ``(z, y, x)``: the final infarct bright."""
        a = self.anatomy
        rng = stream(self.seed, "follow-up")
        mixed = a.on_grid(infarct.astype(np.float32))
        wet = ndimage.gaussian_filter(mixed, (0, 0.5, 0.5)).ravel()[a.inside]
        wet = wet * np.clip(0.85 + 0.18 * smooth_field(rng, a.mni, 10.0), 0.4, 1.3)
        return self._flair(rng, 1.0 + 0.15 * wet, 1.0 + 0.75 * wet)

    def early_flair(self, fate: Fate, hours: float) -> np.ndarray:
        """Return FLAIR of the first session, ``(z, y, x)``: dead tissue brightens with the hours since onset."""
        return self._flair(stream(self.seed, "early FLAIR"), 1.0, t2_gain(adc_drop(fate.depth), hours))

    def _flair(
        self, rng: np.random.Generator, longer_t1: np.ndarray | float, longer_t2: np.ndarray | float
    ) -> np.ndarray:
        s = self.scanner
        signal = sum(f * flair_signal(t, longer_t1, longer_t2) for f, t in self.living)
        signal = (signal + sum(f * flair_signal(t) for f, t in self.rest)) * (1.0 - 0.8 * self.lumen)
        level = s.grey_level / flair_signal(self.tissues["grey"])
        image = self.anatomy.on_grid((signal * level).astype(np.float32)) + np.float32(1.6) * self.outside
        return self.receiver.clipped(self.receiver(rng, image, s.grey_level / s.flair_snr, echo_planar=False))

    def perfusion(
        self, perfusion: Perfusion, bolus: Bolus, late: Late, progress: Progress = silent, scan: str = "series"
    ) -> np.ndarray:
        """Return the T2*-weighted series ``(t, z, y, x)`` float32, whole numbers as scanners store them.

        Parameters
        ----------
        perfusion : Perfusion
            Flow, transit time and delay.
        bolus, late : Bolus, Late
            Arterial input (mmol/L), and how blood comes to the other vessels.
        progress : Progress
            Told how far it is.
        scan : str
            Stream of its noise (`fields.STREAMS`): another for another scan of the same patient.
        """
        s, a, v = self.scanner, self.anatomy, self.vessels
        rng = stream(self.seed, scan)
        times = self.artefacts.times(s)
        tissue, blood, still = self._before_bolus()
        curves = Curves(bolus, float(times[-1]) + 1.0)
        inputs = blood_curves(bolus, late, times)
        series = np.empty((len(times), *a.grid.shape), dtype=np.float32)
        in_tissue, in_blood = (np.float32(-s.pwi_echo * k) for k in (s.relaxivity, s.blood_relaxivity))
        for n, time in enumerate(times):
            signal = tissue * np.exp(in_tissue * curves(perfusion.cbf, perfusion.mtt, perfusion.delay, float(time)))
            for fraction, curve in ((v.artery, inputs[0]), (v.late_artery, inputs[1]), (v.vein, inputs[2])):
                signal += (blood * np.exp(in_blood * np.float32(curve[n]))) * fraction
            image = a.on_grid(signal + still) + self.outside
            image = self.receiver(rng, image, s.grey_level / s.pwi_snr, motion=self.artefacts.motion_of(n))
            series[n] = self.receiver.clipped(image)
            progress((n + 1) / len(times), f"perfusion frame {n + 1} of {len(times)}")
        return series

    def before_bolus(self) -> np.ndarray:
        """Return the T2*-weighted signal of the head ``(z, y, x)`` without contrast agent and noise."""
        v = self.vessels
        tissue, blood, still = self._before_bolus()
        signal = tissue + blood * (v.artery + v.late_artery + v.vein) + still
        return self.anatomy.on_grid(signal.astype(np.float32)) + self.outside

    def _before_bolus(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return T2*-weighted signal ``(n,)``: a voxel's without its vessels, of pure blood in its place, of clot."""
        s, a, v = self.scanner, self.anatomy, self.vessels
        static = sum(fraction * self._t2star_signal(tissue) for fraction, tissue in (*self.living, *self.rest))
        faded = np.abs(bent_field(a)).ravel()[a.inside] * (FADING * s.tesla / 3.0)
        level = s.grey_level / self._t2star_signal(self.tissues["grey"]) * np.exp(-s.pwi_echo * faded)
        tissue = static * level * (1.0 - np.clip(self.lumen, 0, 1))
        blood = level * self._t2star_signal(self.tissues["blood"])
        return tissue.astype(np.float32), blood.astype(np.float32), (blood * CLOT_SIGNAL * v.clot).astype(np.float32)

    def _t2star_signal(self, tissue: Relaxation) -> float:
        return tissue.density * float(np.exp(-self.scanner.pwi_echo / tissue.t2star))
