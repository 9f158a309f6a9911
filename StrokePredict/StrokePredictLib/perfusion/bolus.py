"""When the contrast arrives, which frames are baseline, and which came before the steady state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import StrokeError

#: Bolus height over the noise of the whole-brain curve below which no contrast is believed.
LEAST_BOLUS_TO_NOISE = 5.0
#: Whole-brain enhancement below which there was no contrast: share of signal lost (MR), HU gained (CT).
LEAST_BOLUS = {"MR": 0.02, "CT": 0.7}


@dataclass(frozen=True)
class Bolus:
    """The passage of the contrast through the whole brain, in frames of the series as acquired.

    Attributes
    ----------
    first : int
        First frame used; those before it had not reached the steady state.
    arrival : int
        First frame in which contrast may be present in an artery; baseline is ``first`` up to it, exclusive.
    peak : int
        Frame of the highest whole-brain enhancement.
    enhancement : numpy.ndarray
        ``(T,)`` whole-brain curve: −ln(S/S0) for MR, ΔHU for CT.
    noise : float
        Its standard deviation from frame to frame.
    """

    first: int
    arrival: int
    peak: int
    enhancement: np.ndarray
    noise: float


def find_bolus(signal: np.ndarray, times: np.ndarray, modality: str, name: str = "series") -> Bolus:
    """Find steady state, arrival and peak on the mean signal of the brain.

    Parameters
    ----------
    signal : numpy.ndarray
        ``(T,)`` mean signal of the brain.
    times : numpy.ndarray
        ``(T,)`` s.
    modality : {"MR", "CT"}
        Contrast darkens (MR, T2*) or brightens (CT).

    Raises
    ------
    StrokeError
        If no contrast arrives.
    """
    signal = np.asarray(signal, dtype=np.float64)
    first = _steady_state(signal) if modality == "MR" else 0
    reference = float(np.median(signal[first : first + 3]))
    curve = _enhancement(signal, reference, modality)
    smooth = np.convolve(np.pad(curve, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    peak = first + int(np.argmax(smooth[first:]))
    noise = float(1.4826 * np.median(np.abs(np.diff(curve[first:], 2))) / np.sqrt(6.0))
    height = float(smooth[peak])
    if height < LEAST_BOLUS[modality] or height < LEAST_BOLUS_TO_NOISE * noise or peak <= first + 1:
        unit = "of the signal" if modality == "MR" else "HU"
        shown = f"{100 * (1 - np.exp(-height)):.1f} %" if modality == "MR" else f"{height:.1f}"
        raise StrokeError(
            f"{name}: no contrast arrives in the brain (largest change {shown} {unit}); check that this is the "
            f"perfusion series, its modality ({modality}) and that its baseline was recorded."
        )
    low = np.flatnonzero(smooth[first:peak] < max(0.1 * height, 2.0 * noise))
    rise = first + (int(low[-1]) + 1 if low.size else 1)
    # Arteries fill seconds before the brain as a whole: see `with_arteries`.
    early = int(np.searchsorted(times, times[rise] - 2.0, side="right"))
    arrival = int(np.clip(early, first + 1, rise))
    baseline = float(signal[first:arrival].mean())
    return Bolus(first, arrival, peak, _enhancement(signal, baseline, modality), noise)


def with_arteries(bolus: Bolus, frames: np.ndarray, index: np.ndarray, signal: np.ndarray, modality: str) -> Bolus:
    """Move the arrival to where the first vessels fill, so that the baseline holds no contrast.

    Parameters
    ----------
    bolus : Bolus
        Found on the brain's mean.
    frames : numpy.ndarray
        ``(T, all voxels)`` the series, flat.
    index : numpy.ndarray
        The brain's voxels.
    signal : numpy.ndarray
        ``(T,)`` mean signal of the brain.
    modality : {"MR", "CT"}
        What the series is.
    """
    before = slice(bolus.first, max(bolus.first + 1, bolus.arrival - 2))
    # The voxels that have changed most when the brain as a whole begins to: arteries. Later ones are veins.
    early = [np.take(frames[t], index) for t in (bolus.arrival, min(bolus.arrival + 1, bolus.peak))]
    change = (np.minimum if modality == "MR" else np.maximum)(*early) - np.take(frames[before.start], index)
    count = max(10, index.size // 200)
    order = np.argpartition(change if modality == "MR" else -change, min(count, index.size - 1))[:count]
    curve = _enhancement(frames[:, index[order]].mean(axis=1, dtype=np.float64), 1.0, modality)
    curve = curve - curve[before].mean()
    noise = float(1.4826 * np.median(np.abs(np.diff(curve[bolus.first :], 2))) / np.sqrt(6.0))
    # A sharp bolus passes for noise in that estimate: it counts up to 2 % of the height only.
    limit = max(0.04 * float(curve.max()), 3.0 * min(noise, float(curve.max()) / 50.0))
    over = np.flatnonzero(curve[bolus.first + 1 : bolus.peak] > limit)
    arrival = min(bolus.arrival + 1, bolus.first + 1 + int(over[0])) if over.size else bolus.arrival
    baseline = float(signal[bolus.first : arrival].mean())
    return Bolus(bolus.first, arrival, bolus.peak, _enhancement(signal, baseline, modality), bolus.noise)


def _steady_state(signal: np.ndarray) -> int:
    """Return how many first frames are brighter than what follows, as before the longitudinal steady state."""
    count = 0
    while count < min(5, len(signal) - 8):
        following = signal[count + 1 : count + 6]
        spread = 1.4826 * np.median(np.abs(following - np.median(following)))
        if signal[count] - np.median(following) <= max(4.0 * spread, 0.02 * abs(np.median(following))):
            break
        count += 1
    return count


def _enhancement(signal: np.ndarray, baseline: float, modality: str) -> np.ndarray:
    if modality == "CT":
        return signal - baseline
    return -np.log(np.maximum(signal, 1e-3 * abs(baseline) + 1e-30) / max(baseline, 1e-30))
