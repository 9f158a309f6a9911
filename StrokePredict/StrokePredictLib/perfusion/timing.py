"""The time axis of a series: what a list of times means, and the even grid that deconvolution needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import StrokeError

#: Fewer frames than this do not hold a bolus passage with its baseline.
MINIMUM_FRAMES = 20
#: A frame interval above this (s) in a perfusion series is no interval in seconds: it is in milliseconds.
LONGEST_INTERVAL = 30.0


@dataclass(frozen=True)
class TimeAxis:
    """Acquisition times and the even grid laid over them.

    Attributes
    ----------
    acquired : numpy.ndarray
        ``(T,)`` s, or ``(T, Z)`` where slices have times of their own; the first is 0.
    even : numpy.ndarray
        ``(N,)`` s, evenly spaced, inside the span that every slice covers.
    notes : tuple of str
        What was done to the times, for the record.
    """

    acquired: np.ndarray
    even: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def dt(self) -> float:
        """Interval of the even grid in s."""
        return float(self.even[1] - self.even[0])

    @property
    def is_even(self) -> bool:
        """Whether the acquired times already are the even grid, so that nothing is interpolated."""
        same = self.acquired.ndim == 1 and self.acquired.shape == self.even.shape
        return bool(same and np.allclose(self.acquired, self.even, atol=0.02 * self.dt))


def make_axis(times: np.ndarray, frames: int, slices: int, name: str = "series") -> TimeAxis:
    """Check acquisition times and lay an even grid over them.

    Parameters
    ----------
    times : numpy.ndarray
        ``(T,)`` or, per slice, ``(T, Z)``; s, or ms where no bolus could be seen in seconds that long.
    frames, slices : int
        Size of the series.
    name : str
        What an error calls the series.

    Raises
    ------
    StrokeError
        If times are missing, not rising, or too few.
    """
    times = np.array(times, dtype=np.float64)
    if times.ndim == 0 or times.shape[0] != frames or (times.ndim == 2 and times.shape[1] != slices):
        found = "×".join(map(str, times.shape)) or "one"
        raise StrokeError(f"{name}: {found} times for {frames} frames; give one time for each frame.")
    if frames < MINIMUM_FRAMES:
        raise StrokeError(f"{name}: {frames} frames; at least {MINIMUM_FRAMES} are needed to see a bolus pass.")
    steps = np.diff(times, axis=0)
    if not np.all(np.isfinite(times)) or np.any(steps <= 0):
        raise StrokeError(f"{name}: the frame times do not rise frame by frame; correct them or give the interval.")
    notes: list[str] = []
    if np.median(steps) > LONGEST_INTERVAL:
        times, steps = times / 1000.0, steps / 1000.0
        notes.append("times were taken as milliseconds")
    usual = float(np.median(steps))
    if not 0.05 <= usual <= LONGEST_INTERVAL:
        raise StrokeError(f"{name}: a frame every {usual:.3g} s is no perfusion series; give the interval in s.")
    times -= times.min()
    return TimeAxis(times, _even_grid(times, steps, notes), tuple(notes))


def without_first(axis: TimeAxis, frames: int) -> TimeAxis:
    """Return the axis of a series whose first frames are dropped, its time counted from the first kept."""
    times = axis.acquired[frames:] - axis.acquired[frames].min()
    steps = np.diff(times, axis=0)
    return TimeAxis(times, _even_grid(times, steps, []), axis.notes)


def _even_grid(times: np.ndarray, steps: np.ndarray, notes: list[str]) -> np.ndarray:
    """Return the grid at the interval of the densest phase, so that no part of the first pass is thinned."""
    step = float(np.percentile(steps, 10)) if np.ptp(steps) > 0.1 * np.median(steps) else float(steps.mean())
    start, end = (times[0].max(), times[-1].min()) if times.ndim == 2 else (times[0], times[-1])
    count = int(np.floor((end - start) / step + 1e-3)) + 1
    if times.ndim == 1 and count == len(times):
        return start + step * np.arange(count)
    widest = float(steps.max())
    notes.append(f"resampled to an even {step:.2f} s grid by linear interpolation; the widest gap is {widest:.2f} s")
    return start + step * np.arange(count)


def interpolation_matrix(acquired: np.ndarray, even: np.ndarray) -> np.ndarray:
    """Return ``(N, T)`` float32 weights of linear interpolation from acquired times ``(T,)`` to even ones ``(N,)``."""
    after = np.clip(np.searchsorted(acquired, even, side="right"), 1, len(acquired) - 1)
    left, right = acquired[after - 1], acquired[after]
    share = np.clip((even - left) / (right - left), 0.0, 1.0)
    weights = np.zeros((len(even), len(acquired)), dtype=np.float32)
    rows = np.arange(len(even))
    weights[rows, after - 1] = 1.0 - share
    weights[rows, after] += share
    return weights
