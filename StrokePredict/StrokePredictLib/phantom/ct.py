"""CT of a simulated patient: plain, and the perfusion series."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..progress import Progress, silent
from .anatomy import Anatomy
from .artefacts import NONE, Artefacts, moved
from .blood import Late, blood_curves
from .bolus import Bolus, Curves
from .fate import Fate
from .fields import smooth_field, stream
from .haemodynamics import Perfusion
from .parts import parts_of
from .protocols import CTScanner
from .relaxation import adc_drop
from .skull import every_mni, surroundings_hu
from .vessels import Vessels

#: HU of grey and white matter, fluid, chronic white-matter lesions, old infarcts, flowing blood.
GREY_HU, WHITE_HU, FLUID_HU, LEUKO_HU, SCAR_HU, BLOOD_HU = 37.0, 29.0, 8.0, 23.0, 13.0, 42.0
#: A clot of packed red cells is denser than flowing blood; one of fibrin is not.
DENSE_CLOT_HU, PLAIN_CLOT_HU, DENSE_CLOT_SHARE = (58.0, 80.0), 44.0, 0.45
#: Share of its HU that dead tissue loses as it takes up water, in the end, and the time constant in hours:
#: about 6 % at 3 h, 11 % at 6 h, as net water uptake is reported (Minnerup 2016; Broocks 2018).
WATER_UPTAKE, WATER_HOURS = 0.25, 10.0
#: Calcifications (MNI centre on the right, radius in mm, HU, share of patients): pineal, choroid plexus, pallidum.
_CALCIFIED = (
    ((0, -27, 1), 2.6, 160.0, 0.60),
    ((23, -40, 8), 2.8, 170.0, 0.55),
    ((17, -3, -1), 3.0, 90.0, 0.12),
)
#: The lowest number that CT stores.
LOWEST_HU = -1024.0


class CTImager:
    """Turns one patient's tissue into CT.

    Parameters
    ----------
    seed : int
        The patient.
    anatomy : Anatomy
        Tissue fractions on the grid that is imaged.
    vessels : Vessels
        Arteries, clot and veins.
    scanner : CTScanner
        Protocol and noise.
    artefacts : Artefacts
        What goes wrong; nothing if left out.
    """

    def __init__(
        self, seed: int, anatomy: Anatomy, vessels: Vessels, scanner: CTScanner, artefacts: Artefacts = NONE
    ) -> None:
        self.seed, self.anatomy, self.vessels, self.scanner = seed, anatomy, vessels, scanner
        self.artefacts = artefacts
        self.lumen = np.clip(vessels.artery + vessels.late_artery + vessels.clot + vessels.vein, 0, 1)
        self.around = surroundings_hu(seed, anatomy)
        self.hardening = beam_hardening(anatomy, artefacts.beam_hardening_hu)
        self.blur = (0.0, *(scanner.grain_mm / s for s in anatomy.grid.spacing[1::-1]))
        self._gain = _noise_gain(self.blur)
        self._noisier = self._noise_map()

    def plain(self, fate: Fate, hours: float) -> np.ndarray:
        """Return the plain CT ``(z, y, x)``, whole HU: dead tissue darkens with the hours since onset."""
        rng = stream(self.seed, "plain CT")
        return self._stored(rng, self.still_hu(fate, hours), self.scanner.plain_noise_hu)

    def perfusion(
        self,
        perfusion: Perfusion,
        bolus: Bolus,
        late: Late,
        progress: Progress = silent,
        *,
        scan: str = "series",
        fate: Fate | None = None,
        hours: float = 0.0,
    ) -> np.ndarray:
        """Return the perfusion series ``(t, z, y, x)`` float32, whole HU.

        Parameters
        ----------
        perfusion : Perfusion
            Flow, transit time and delay.
        bolus, late : Bolus, Late
            Arterial input (mg/mL of iodine), and how blood comes to the other vessels.
        progress : Progress
            Told how far it is.
        scan : str
            Stream of its noise (`fields.STREAMS`): another for another scan of the same patient.
        fate : Fate, optional
            Whose oedema to show below the contrast.
        hours : float
            Since onset.
        """
        s, v = self.scanner, self.vessels
        rng = stream(self.seed, scan)
        times = self.artefacts.times(s)
        still = self.still_hu(fate, hours)
        curves = Curves(bolus, float(times[-1]) + 1.0)
        inputs = blood_curves(bolus, late, times)
        series = np.empty((len(times), *self.anatomy.grid.shape), dtype=np.float32)
        beside = (s.hu_per_mg * (1.0 - self.lumen)).astype(np.float32)
        vessels = np.stack([v.artery, v.late_artery, v.vein]) * np.float32(s.hu_per_mg)
        for n, time in enumerate(times):
            gain = beside * curves(perfusion.cbf, perfusion.mtt, perfusion.delay, float(time))
            for fraction, curve in zip(vessels, inputs, strict=True):
                gain += fraction * np.float32(curve[n])
            image = moved(still + self.anatomy.on_grid(gain), self.anatomy.grid, self.artefacts.motion_of(n))
            series[n] = self._stored(rng, image, s.noise_hu)
            progress((n + 1) / len(times), f"CT perfusion frame {n + 1} of {len(times)}")
        return series

    def still_hu(self, fate: Fate | None = None, hours: float = 0.0) -> np.ndarray:
        """Return ``(z, y, x)`` HU of the head without contrast and noise."""
        a, v = self.anatomy, self.vessels
        rng = stream(self.seed, "plain CT")
        p = parts_of(a)
        tissue = GREY_HU * p.grey + WHITE_HU * p.white + LEUKO_HU * p.leuko
        if fate is not None:
            tissue = tissue * (1.0 - water_uptake(hours) * adc_drop(fate.depth) / adc_drop(np.zeros(1)))
        tissue = tissue * (1.0 + 0.015 * smooth_field(rng, a.mni, 12.0)) + SCAR_HU * p.scar + FLUID_HU * p.fluid
        dense = rng.uniform(*DENSE_CLOT_HU) if rng.random() < DENSE_CLOT_SHARE else PLAIN_CLOT_HU
        filled = np.clip(a.grey + a.white + a.csf, 0, 1)
        blood = BLOOD_HU * (v.artery + v.late_artery + v.vein) + dense * v.clot
        hu = tissue * (1.0 - self.lumen) + blood * filled + self._calcified(rng)
        whole = a.on_grid(hu.astype(np.float32)) + self.hardening
        return whole + (1.0 - a.on_grid(filled.astype(np.float32))) * self.around

    def _calcified(self, rng: np.random.Generator) -> np.ndarray:
        """Return ``(n,)`` HU added by this patient's calcifications."""
        hu = np.zeros(len(self.anatomy.inside), dtype=np.float32)
        side = np.abs(self.anatomy.mni[:, 0])
        for (x, y, z), radius, value, share in _CALCIFIED:
            size, there = radius * rng.uniform(0.7, 1.2), rng.random() < share
            away = (side - x) ** 2 + (self.anatomy.mni[:, 1] - y) ** 2 + (self.anatomy.mni[:, 2] - z) ** 2
            hu += (value * there) * np.exp(-away / size**2)
        return hu

    def _noise_map(self) -> np.ndarray:
        """Return the noise over its mean in the brain: more in the middle, which fewer photons leave."""
        mni = every_mni(self.anatomy)
        off = ((mni[:, 0] / 75.0) ** 2 + ((mni[:, 1] + 17.0) / 95.0) ** 2).reshape(self.anatomy.grid.shape)
        level = np.clip(1.15 - 0.35 * off, 0.5, None).astype(np.float32)
        brain = level.ravel()[self.anatomy.inside]
        return level / np.float32(np.sqrt((brain**2).mean()))

    def _stored(self, rng: np.random.Generator, image: np.ndarray, sigma: float) -> np.ndarray:
        """Return the image as reconstructed: blurred in the slice, with noise of the same grain; whole HU."""
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        noise *= self._noisier
        noise *= np.float32(sigma / self._gain)
        noise += image
        return np.maximum(np.rint(ndimage.gaussian_filter(noise, self.blur)), LOWEST_HU)


def water_uptake(hours: float) -> float:
    """Return the share of its HU that dead tissue has lost so many hours after onset."""
    return WATER_UPTAKE * (1.0 - float(np.exp(-hours / WATER_HOURS)))


def beam_hardening(anatomy: Anatomy, depth_hu: float) -> np.ndarray:
    """Return ``(z, y, x)`` HU of the dark band between the petrous bones."""
    if depth_hu == 0.0:
        return np.zeros(anatomy.grid.shape, dtype=np.float32)
    x, y, z = every_mni(anatomy).T
    band = np.exp(-(((y + 27.0) / 7.0) ** 2) - ((z + 40.0) / 12.0) ** 2 - (x / 42.0) ** 4)
    return (-depth_hu * band).astype(np.float32).reshape(anatomy.grid.shape)


def _noise_gain(blur: tuple[float, ...]) -> float:
    """Return the SD of unit white noise after the blur."""
    spot = np.zeros((1, 41, 41))
    spot[0, 20, 20] = 1.0
    return float(np.sqrt((ndimage.gaussian_filter(spot, blur) ** 2).sum()))
