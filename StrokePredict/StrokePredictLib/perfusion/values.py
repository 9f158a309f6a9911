"""Samples of a series that are not numbers: interpolated over time where they are few, else their voxel is left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..errors import StrokeError
from ..volume import Volume
from .timing import TimeAxis

#: No scanner writes values beyond this; sums of such float32 values overflow.
LARGEST = 1e12
#: Most frames in a row, and largest share of all frames, that are interpolated: more could hide the artery's peak.
MOST_IN_A_ROW, MOST_SHARE = 2, 0.10
#: Value of what surrounds the head.
AIR = {"MR": 0.0, "CT": -1000.0}
#: Voxels worked on at a time.
BLOCK = 100_000


@dataclass(frozen=True)
class Gaps:
    """Where a series holds no numbers.

    Attributes
    ----------
    samples : int
        How many samples.
    bridged, lost, dead : numpy.ndarray
        ``(z, y, x)`` bool: voxels interpolated over time; voxels to leave out; those of them without any number.
    """

    samples: int
    bridged: np.ndarray
    lost: np.ndarray
    dead: np.ndarray


@dataclass(frozen=True)
class GapsInBrain:
    """Samples without number, counted.

    Attributes
    ----------
    samples : int
        In the whole series.
    bridged, lost, voxels : int
        Voxels of the brain that were interpolated over time, that were left out, and all of them.
    """

    samples: int
    bridged: int
    lost: int
    voxels: int

    @property
    def share(self) -> float:
        """Share of the brain's voxels with a sample that is no number."""
        return (self.bridged + self.lost) / max(1, self.voxels)

    def warning(self) -> str:
        """Return what a reader should know."""
        return (
            f"{self.samples} samples are not numbers (NaN, infinite or beyond {LARGEST:g}): "
            f"{self.bridged} voxels of the brain were interpolated over time, {self.lost} left out"
        )


def bridge_gaps(series: Volume, axis: TimeAxis) -> tuple[Volume, Gaps | None]:
    """Return the series with numbers everywhere, and where they are not its own; None where all are.

    Parameters
    ----------
    series : Volume
        ``(t, z, y, x)``; samples that are no finite numbers, or marked in ``meta["nonfinite"]``, are replaced.
    axis : TimeAxis
        Its times, for the interpolation.

    Raises
    ------
    StrokeError
        If no sample is a number.
    """
    bad = np.stack([~(np.abs(frame) <= LARGEST) for frame in series.array])
    marked = series.meta.get("nonfinite")
    if marked is not None:
        bad |= marked
    samples = int(np.count_nonzero(bad))
    if not samples:
        return series, None
    if samples == bad.size:
        raise StrokeError(f"{series.name}: holds no usable numbers (NaN, infinite or beyond {LARGEST:g}).")
    array = series.array.copy()
    # Voxels without any number get the lowest value: what that means, air or zero, is the series' own.
    array[bad] = series.array.min(where=~bad, initial=np.inf)
    lost, dead = _too_many(bad), bad.all(axis=0)
    touched = bad.any(axis=0)
    times = axis.acquired if axis.acquired.ndim == 2 else np.tile(axis.acquired[:, None], (1, series.shape[0]))
    _in_blocks(array, bad, touched & ~lost, times, _interpolate)
    _in_blocks(array, bad, lost & ~dead, times, _mean_of_good)
    return series.with_array(array), Gaps(samples, touched & ~lost, lost, dead)


def islands(dead: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Return ``(z, y, x)``: voxels without numbers that belong to the brain: patches that touch it.

    What reaches the border of the slices is the surroundings of a head that was cut out.
    """
    labels, _ = ndimage.label(dead)
    outside = np.unique(np.concatenate([labels[:, [0, -1]].ravel(), labels[:, :, [0, -1]].ravel()]))
    beside = np.unique(labels[ndimage.binary_dilation(brain)])
    return np.isin(labels, np.setdiff1d(beside, np.append(outside, 0)))


def without_lost(series: Volume, index: np.ndarray, gaps: Gaps) -> tuple[np.ndarray, GapsInBrain]:
    """Return the brain's voxels that hold numbers, and the count; the others get a neighbour's curve, in place.

    Moving a frame back mixes neighbours: what is left out must not darken what stays.

    Parameters
    ----------
    series : Volume
        As `bridge_gaps` returned it.
    index : numpy.ndarray
        Flat indices of the brain's voxels.
    gaps : Gaps
        As `bridge_gaps` returned it.

    Raises
    ------
    StrokeError
        If nothing stays.
    """
    lost = gaps.lost.reshape(-1)[index]
    count = GapsInBrain(
        gaps.samples, int(np.count_nonzero(gaps.bridged.reshape(-1)[index])), int(np.count_nonzero(lost)), index.size
    )
    kept = index[~lost]
    if kept.size == 0:
        raise StrokeError(f"{series.name}: no voxel of the brain holds numbers in enough frames; export it again.")
    if count.lost:
        empty = np.ones(gaps.lost.size, dtype=bool)
        empty[kept] = False
        nearest = ndimage.distance_transform_edt(
            empty.reshape(series.shape), sampling=series.spacing[::-1], return_distances=False, return_indices=True
        )
        source = np.ravel_multi_index(tuple(axis.reshape(-1)[index[lost]] for axis in nearest), series.shape)
        flat = series.array.reshape(len(series.array), -1)
        flat[:, index[lost]] = flat[:, source]
    return kept, count


def _too_many(bad: np.ndarray) -> np.ndarray:
    """Return ``(z, y, x)``: voxels with too many samples missing, altogether or in a row."""
    lost = bad.sum(axis=0) > MOST_SHARE * len(bad)
    for start in range(len(bad) - MOST_IN_A_ROW):
        lost |= bad[start : start + MOST_IN_A_ROW + 1].all(axis=0)
    return lost


def _in_blocks(array: np.ndarray, bad: np.ndarray, where: np.ndarray, times: np.ndarray, fill) -> None:
    """Replace the curves of some voxels, in place, a block at a time."""
    flat, flat_bad = array.reshape(len(array), -1), bad.reshape(len(bad), -1)
    chosen = np.flatnonzero(where)
    per_slice = array.shape[2] * array.shape[3]
    for block in np.split(chosen, range(BLOCK, chosen.size, BLOCK)):
        flat[:, block] = fill(flat[:, block], flat_bad[:, block], times[:, block // per_slice])


def _interpolate(curves: np.ndarray, bad: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return ``(T, V)`` curves with bad samples on the line between the good ones beside them; ends are held."""
    frames = np.arange(len(curves))[:, None]
    before = np.maximum.accumulate(np.where(bad, -1, frames), axis=0)
    after = np.minimum.accumulate(np.where(bad, len(curves), frames)[::-1], axis=0)[::-1]
    before, after = np.where(before < 0, after, before), np.where(after == len(curves), before, after)
    start, end = (np.take_along_axis(times, at, axis=0) for at in (before, after))
    share = np.where(end > start, (times - start) / np.where(end > start, end - start, 1.0), 0.0)
    low, high = (np.take_along_axis(curves, at, axis=0) for at in (before, after))
    return np.where(bad, low + share * (high - low), curves).astype(curves.dtype)


def _mean_of_good(curves: np.ndarray, bad: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return ``(T, V)``: every voxel at the mean of its numbers, so that it shows tissue but no bolus."""
    mean = curves.mean(axis=0, where=~bad, dtype=np.float64)
    return np.broadcast_to(mean, curves.shape).astype(curves.dtype)
