"""Signal to a number proportional to the tracer's concentration."""

from __future__ import annotations

import numpy as np

#: MR signal below this share of its baseline is noise, not signal: the drop is not measured beyond it.
SIGNAL_FLOOR = 0.02


def from_mr(signal: np.ndarray, baseline: slice, echo_time: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Return ΔR2* = −ln(S/S0)/TE.

    Parameters
    ----------
    signal : numpy.ndarray
        ``(T, V)`` float32; overwritten.
    baseline : slice
        Frames before contrast.
    echo_time : float
        TE in s.

    Returns
    -------
    curves : numpy.ndarray
        ``(T, V)`` in 1/s.
    valid : numpy.ndarray
        ``(V,)`` bool: the baseline is positive and the curve changes at all.
    floored : float
        Share of samples at or below `SIGNAL_FLOOR`, which were set to it.
    """
    reference = signal[baseline].mean(axis=0)
    valid = (reference > 0) & (signal.max(axis=0) > signal.min(axis=0))
    signal *= np.where(valid, 1.0 / np.where(valid, reference, 1.0), 0.0).astype(np.float32)
    low = signal < SIGNAL_FLOOR
    floored = float(np.count_nonzero(low[:, valid])) / max(1, low.shape[0] * int(np.count_nonzero(valid)))
    np.maximum(signal, SIGNAL_FLOOR, out=signal)
    np.log(signal, out=signal)
    signal *= np.float32(-1.0 / echo_time)
    signal[:, ~valid] = 0.0
    return signal, valid, floored


def from_ct(signal: np.ndarray, baseline: slice) -> tuple[np.ndarray, np.ndarray]:
    """Return ΔHU over the mean of the baseline frames, in place, and which voxels change at all.

    Parameters
    ----------
    signal : numpy.ndarray
        ``(T, V)`` float32 HU; overwritten.
    baseline : slice
        Frames before contrast.
    """
    valid = signal.max(axis=0) > signal.min(axis=0)
    signal -= signal[baseline].mean(axis=0)
    return signal, valid
