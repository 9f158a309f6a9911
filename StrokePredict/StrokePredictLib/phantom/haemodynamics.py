"""Blood flow, blood volume, transit time and delay of each voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .anatomy import Anatomy
from .fields import rising, smooth_field, stream
from .occlusion import Occlusion

#: Healthy flow (mL/100 g/min) and volume (mL/100 g): common textbook values (Leenders 1990; Østergaard 1996).
GREY_CBF, WHITE_CBF = 60.0, 22.0
GREY_CBV, WHITE_CBV = 4.0, 2.0
#: Haematocrit factor (1 − large-vessel)/(1 − small-vessel) and density (g/mL) that curves are scaled with.
KH, RHO = 0.73, 1.05
#: Seconds from the arterial input to the border of the tissue behind an occlusion at full severity.
FULL_DELAY_S = 20.0
#: Share of its flow that a chronic white-matter lesion, and of flow and volume that an old infarct, has lost (assumed).
CHRONIC_LOSS, SCAR_LOSS = 0.3, 0.85
#: Mean and SD of the logarithm of the change of severity by 24 h where nothing reopened (assumed).
LATE_DRIFT = (0.08, 0.14)


@dataclass(frozen=True)
class Perfusion:
    """Perfusion of the voxels of `Anatomy.inside`, flat arrays ``(n,)``.

    Attributes
    ----------
    cbf : numpy.ndarray
        mL/100 g/min of the voxel as a whole (fluid in it counts as tissue without flow).
    cbv : numpy.ndarray
        mL/100 g, likewise.
    mtt : numpy.ndarray
        s, CBV/CBF (central volume theorem); 0 where no tissue is.
    delay : numpy.ndarray
        s, onset of the tissue's residue function after the arterial input.
    severity : numpy.ndarray
        0 to 1 (`occlusion.severity`).
    flow_share : numpy.ndarray
        Flow over what it would be without the occlusion.
    """

    cbf: np.ndarray
    cbv: np.ndarray
    mtt: np.ndarray
    delay: np.ndarray
    severity: np.ndarray
    flow_share: np.ndarray


def flow_share(severity: np.ndarray) -> np.ndarray:
    """Return CBF over its healthy value: held by autoregulation at first, then falling steeply to a trickle."""
    return 0.05 + 0.95 / (1.0 + (severity / 0.40) ** 2.7)


def volume_share(severity: np.ndarray) -> np.ndarray:
    """Return CBV over its healthy value: up by vasodilation in the penumbra, down where vessels collapse."""
    return 1.0 + 0.40 * np.exp(-(((severity - 0.50) / 0.20) ** 2)) - 0.62 * rising(severity - 0.84, 0.12)


def perfuse(seed: int, anatomy: Anatomy, occlusion: Occlusion, severity: np.ndarray) -> Perfusion:
    """Return the perfusion of one patient.

    Parameters
    ----------
    seed : int
        The patient.
    anatomy : Anatomy
        Tissue fractions.
    occlusion : Occlusion
        What is blocked.
    severity : numpy.ndarray
        ``(n,)``, from `occlusion.severity`.
    """
    rng = stream(seed, "perfusion")
    level = np.exp(rng.normal(0, 0.07))
    own = 1.0 + 0.06 * smooth_field(rng, anatomy.mni, 14.0)
    share = flow_share(severity)
    grey, white = _living(anatomy)
    cbf = level * own * share * (GREY_CBF * grey + WHITE_CBF * (white - CHRONIC_LOSS * anatomy.wm_lesion))
    own = 1.0 + 0.05 * smooth_field(rng, anatomy.mni, 18.0)
    cbv = own * volume_share(severity) * (GREY_CBV * grey + WHITE_CBV * white)
    tissue = (anatomy.grey + anatomy.white) > 0.02
    mtt = np.where(tissue, np.clip(60.0 * cbv / np.maximum(cbf, 1e-3), 1.5, 40.0), 0.0)
    # The cap on MTT moves the volume, so that flow, volume and transit time always agree.
    cbv = np.where(tissue, cbf * mtt / 60.0, 0.0)
    delay = _healthy_delay(rng, anatomy) + FULL_DELAY_S * severity**2.2
    fields = (np.where(tissue, cbf, 0.0), cbv, mtt, np.where(tissue, delay, 0.0), severity, share)
    return Perfusion(*(field.astype(np.float32) for field in fields))


def _living(anatomy: Anatomy) -> tuple[np.ndarray, np.ndarray]:
    """Return fractions of grey and white matter less what an old infarct has left of them without vessels."""
    scar = anatomy.old_infarct / np.maximum(anatomy.grey + anatomy.white, 1e-3)
    left = 1.0 - SCAR_LOSS * np.clip(scar, 0, 1)
    return anatomy.grey * left, anatomy.white * left


def severity_after(seed: int, severity: np.ndarray, fed_again: np.ndarray) -> np.ndarray:
    """Return the fall of perfusion pressure at 24 h.

    Where flow came back a trace of delay stays. Elsewhere collaterals have opened a little, or failed: the patient's
    luck. Luxury perfusion is not simulated.

    Parameters
    ----------
    seed : int
        The patient.
    severity : numpy.ndarray
        ``(n,)`` at baseline.
    fed_again : numpy.ndarray
        ``(n,)`` bool, from `fate.decide_fate`.
    """
    return np.where(fed_again, 0.25 * severity, np.clip(severity * late_drift(seed), 0, 1)).astype(np.float32)


def late_drift(seed: int) -> float:
    """Return the factor by which severity changes over a day where nothing reopens: above 1, collaterals fail."""
    return float(np.exp(stream(seed, "late").normal(*LATE_DRIFT)))


def _healthy_delay(rng: np.random.Generator, anatomy: Anatomy) -> np.ndarray:
    """Return seconds of arrival in healthy tissue: earliest at the insula and basal ganglia, late at border zones."""
    x, y, z = np.abs(anatomy.mni[:, 0]), anatomy.mni[:, 1], anatomy.mni[:, 2]
    far = np.sqrt(((x - 32) / 40.0) ** 2 + ((y - 0) / 60.0) ** 2 + ((z - 0) / 55.0) ** 2)
    return np.maximum(0.25 + 0.45 * far + 0.12 * smooth_field(rng, anatomy.mni, 25.0), 0.05)
