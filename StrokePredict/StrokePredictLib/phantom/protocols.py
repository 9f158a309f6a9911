"""The scanners that simulated patients lie in: vendors A and B, for MR and CT.

Values are typical of published stroke protocols, not those of one hospital: alis2020 has diffusion at 1.5 T from two
vendors, mittermeier2022 CT perfusion every 1.5 s for 48 s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import StrokeError
from .fields import stream
from .grid import Grid


@dataclass(frozen=True)
class Scanner:
    """One vendor's MR protocol.

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
        Signal of grey matter over the noise's SD, at b = 0, before the bolus, and on FLAIR.
    relaxivity, blood_relaxivity : float
        s⁻¹ per mmol/L: rise of R2* with the concentration in the voxel, in tissue and in arteries and veins. Fields
        around capillaries make the tissue's two to three times as high, as in patients: with an arterial peak of
        5 mmol/L grey matter loses 20 to 35 % of its signal and an artery about 90 %. Both are linear, so relative CBF
        and CBV, MTT and Tmax come out right; absolute CBF and CBV come out `overestimate` times too high, which in
        practice is a calibration constant of the sequence.
    arterial_peak : tuple of float
        Range of the bolus' height in arterial blood, mmol/L.
    arrival : tuple of float
        Range of its arrival, s after the first frame.
    injection : float
        Its duration over that of 20 mL at 5 mL/s.
    vendor : str
        "A" or "B".
    tesla : float
        Field strength: 1.5 or 3.
    grey_level : float
        Number that healthy grey matter gets in every image: scanners scale as they like.
    largest : float
        Numbers above are cut, as where bright fluid leaves the stored range.
    adc_mask : float
        Share of grey matter's level on b0 below which the vendor's ADC map is set to 0.
    adc_largest : float
        10⁻⁶ mm²/s, the map's ceiling.
    zero_filled : float
        Share of the image's matrix that was acquired along either in-plane axis; the rest is interpolated.
    baseline_flair : bool
        Whether the protocol of the first session has a FLAIR.
    """

    b_value: float = 1000.0
    dwi_echo: float = 0.080
    pwi_echo: float = 0.030
    interval: float = 1.5
    frames: int = 55
    dwi_snr: float = 50.0
    pwi_snr: float = 90.0
    flair_snr: float = 45.0
    relaxivity: float = 44.0
    blood_relaxivity: float = 16.0
    arterial_peak: tuple[float, float] = (4.6, 5.4)
    arrival: tuple[float, float] = (12.0, 19.0)
    injection: float = 1.0
    vendor: str = "A"
    tesla: float = 3.0
    grey_level: float = 600.0
    largest: float = 32767.0
    adc_mask: float = 0.10
    adc_largest: float = 4000.0
    zero_filled: float = 1.0
    baseline_flair: bool = False

    @property
    def modality(self) -> str:
        """"MR"."""
        return "MR"

    @property
    def times(self) -> np.ndarray:
        """``(t,)`` s."""
        return np.arange(self.frames) * self.interval

    @property
    def overestimate(self) -> float:
        """Factor by which an analysis without calibration finds CBF and CBV too high."""
        return self.relaxivity / self.blood_relaxivity


@dataclass(frozen=True)
class CTScanner:
    """One vendor's CT protocol.

    Attributes
    ----------
    kv : float
        Tube voltage of the perfusion series; recorded only.
    hu_per_mg : float
        HU per mg/mL of iodine, in blood and tissue alike: attenuation is linear in concentration.
    interval : float
        s between the frames of the perfusion series.
    frames : int
        Its length.
    noise_hu, plain_noise_hu : float
        SD in brain after averaging to the grid's sections: a frame, and the plain CT.
    grain_mm : float
        Width (SD) of the reconstruction's blur in the slice, which also makes the noise coarse.
    arterial_peak : tuple of float
        Range of the bolus' height in arterial blood, mg/mL of iodine.
    arrival : tuple of float
        Range of its arrival, s after the first frame.
    injection : float
        Its duration over that of 20 mL at 5 mL/s: iodine takes 40 to 50 mL.
    coverage_mm : float
        Height of the slab.
    vendor : str
        "A" or "B".
    """

    kv: float = 80.0
    hu_per_mg: float = 38.0
    interval: float = 1.5
    frames: int = 32
    noise_hu: float = 3.0
    plain_noise_hu: float = 2.2
    grain_mm: float = 0.6
    arterial_peak: tuple[float, float] = (6.8, 9.6)
    arrival: tuple[float, float] = (6.0, 10.0)
    injection: float = 1.1
    coverage_mm: float = 100.0
    vendor: str = "A"

    @property
    def modality(self) -> str:
        """"CT"."""
        return "CT"

    @property
    def times(self) -> np.ndarray:
        """``(t,)`` s."""
        return np.arange(self.frames) * self.interval


#: At 1.5 T susceptibility acts half as strongly, tissue relaxes otherwise (`relaxation`) and there is less signal.
_MR_B = Scanner(
    b_value=1200.0,
    dwi_echo=0.098,
    pwi_echo=0.045,
    interval=2.0,
    frames=40,
    dwi_snr=34.0,
    pwi_snr=95.0,
    flair_snr=32.0,
    relaxivity=25.0,
    blood_relaxivity=10.0,
    vendor="B",
    tesla=1.5,
    grey_level=220.0,
    largest=1023.0,
    adc_mask=0.45,
    adc_largest=3000.0,
    zero_filled=0.75,
    baseline_flair=True,
)
_CT_B = CTScanner(
    kv=100.0,
    hu_per_mg=31.0,
    interval=2.0,
    frames=30,
    noise_hu=3.6,
    plain_noise_hu=2.8,
    grain_mm=0.5,
    arterial_peak=(8.4, 12.0),
    arrival=(7.0, 12.0),
    coverage_mm=140.0,
    vendor="B",
)
_SCANNERS = {("MR", "A"): Scanner(), ("MR", "B"): _MR_B, ("CT", "A"): CTScanner(), ("CT", "B"): _CT_B}
#: Size, spacing (mm) and centre (LPS mm) of the sections.
_GRIDS = {
    ("MR", "A"): ((24, 128, 128), (1.8, 1.8, 6.0), (0.0, 17.0, 13.0)),
    ("MR", "B"): ((20, 160, 160), (1.5, 1.5, 7.0), (0.0, 17.0, 13.0)),
    ("CT", "A"): ((20, 128, 128), (1.8, 1.8, 5.0), (0.0, 17.0, 18.0)),
    ("CT", "B"): ((28, 144, 144), (1.6, 1.6, 5.0), (0.0, 17.0, 20.0)),
}


def scanner(modality: str = "MR", vendor: str = "A") -> Scanner | CTScanner:
    """Return a vendor's protocol.

    Parameters
    ----------
    modality : {"MR", "CT"}
        What is imaged.
    vendor : {"A", "B"}
        By whom.

    Raises
    ------
    StrokeError
        For another modality or vendor.
    """
    return _SCANNERS[_key(modality, vendor)]


def grid(modality: str, vendor: str, seed: int, pitch_deg: float) -> Grid:
    """Return the sections of one patient, angled with the head, not exactly.

    Parameters
    ----------
    modality, vendor : str
        As `scanner`.
    seed : int
        The patient.
    pitch_deg : float
        The nod of the head (`anatomy.Pose.pitch_deg`).

    Raises
    ------
    StrokeError
        For another modality or vendor.
    """
    shape, spacing, centre = _GRIDS[_key(modality, vendor)]
    pitch = round(-pitch_deg + float(stream(seed, "pose").normal(0, 1.5)), 1)
    return Grid(shape, spacing, pitch, centre)


def _key(modality: str, vendor: str) -> tuple[str, str]:
    if modality.upper() not in ("MR", "CT"):
        raise StrokeError(f"--modality {modality}: not simulated; choose MR or CT.")
    if vendor.upper() not in ("A", "B"):
        raise StrokeError(f"--vendor {vendor}: not simulated; choose A or B.")
    return modality.upper(), vendor.upper()
