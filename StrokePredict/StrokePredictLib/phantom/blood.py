"""What the arteries and veins of a patient carry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .bolus import Bolus, convolved


@dataclass(frozen=True)
class Late:
    """How blood reaches the branches behind an occlusion, and how it leaves through the sinuses (s)."""

    artery_delay: float
    artery_dispersion: float
    vein_delay: float
    vein_transit: float


def blood_curves(bolus: Bolus, late: Late, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the concentration in arteries, late arteries and veins at ``times``, in the bolus' unit; of like areas."""
    fine = np.arange(0.0, float(times[-1]) + 1.0, 0.1)
    aif = bolus(fine)
    collateral = convolved(aif, late.artery_dispersion) / late.artery_dispersion
    vein = convolved(aif, late.vein_transit) / late.vein_transit
    return (
        np.interp(times, fine, aif),
        np.interp(times - late.artery_delay, fine, collateral, left=0.0),
        np.interp(times - late.vein_delay, fine, vein, left=0.0),
    )
