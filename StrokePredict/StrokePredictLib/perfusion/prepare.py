"""A series as acquired to concentration curves of its brain on an even time grid."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import StrokeError
from ..progress import Progress, silent
from ..volume import Volume
from . import concentration, motion
from .bolus import Bolus, find_bolus, with_arteries
from .brain import brain_mask
from .inputs import Tissue
from .smoothing import InPlaneSmoother
from .threads import in_threads
from .timing import TimeAxis, interpolation_matrix, without_first
from .values import AIR, Gaps, GapsInBrain, islands, without_lost


@dataclass
class Prepared:
    """What deconvolution starts from.

    Attributes
    ----------
    tissue : Tissue
        Curves to deconvolve: moved back, smoothed where asked for.
    sharp : Tissue
        The same voxels without smoothing, where arteries are looked for; the same object where nothing is smoothed.
    axis : TimeAxis
        Their times, from the first frame used.
    start : float
        s from the first acquired frame to the first frame used.
    bolus : Bolus
        The passage through the whole brain.
    motion : Motion or None
        None where it was not looked for.
    gaps : GapsInBrain
        Samples that were no numbers.
    warnings : list of str
        What was done that a reader should know.
    """

    tissue: Tissue
    sharp: Tissue
    axis: TimeAxis
    start: float
    bolus: Bolus
    motion: motion.Motion | None
    gaps: GapsInBrain
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Preparation:
    """How a series is prepared.

    Attributes
    ----------
    modality : {"MR", "CT"}
        What it is.
    echo_time : float or None
        TE in s.
    correct_motion : bool
        Estimate rigid motion; move back, or reject, what moved.
    smoothing : float
        Width (FWHM, mm) in the slice; 0 for none.
    """

    modality: str
    echo_time: float | None = None
    correct_motion: bool = True
    smoothing: float = 0.0


def prepare(
    series: Volume,
    axis: TimeAxis,
    how: Preparation,
    mask: np.ndarray | Volume | None = None,
    progress: Progress = silent,
    gaps: Gaps | None = None,
) -> Prepared:
    """Find brain and bolus, undo motion, and return concentration curves.

    Parameters
    ----------
    series : Volume
        ``(t, z, y, x)``.
    axis : TimeAxis
        Its times.
    how : Preparation
        What to do.
    mask : array or Volume, optional
        Brain; found if left out.
    progress : callable
        Called with the share done and what is being done.
    gaps : Gaps, optional
        Where the series holds no numbers of its own.

    Raises
    ------
    StrokeError
        If there is no brain, no bolus, or nothing that changes.
    """
    warnings = list(axis.notes)
    progress(0.0, "finding the brain")
    index = find_brain(series, mask, how.modality, None if gaps is None else gaps.dead)
    counted = GapsInBrain(0, 0, 0, index.size)
    if gaps is not None:
        index, counted = without_lost(series, index, gaps)
        warnings.append(counted.warning())
    signal = _mean_signal(series, index)
    bolus = find_bolus(signal, _frame_times(axis), how.modality, series.name)
    bolus = with_arteries(bolus, series.array.reshape(len(signal), -1), index, signal, how.modality)
    moved = None
    if how.correct_motion:
        progress(0.2, "head motion")
        moved = motion.estimate(series, slice(bolus.first, bolus.arrival), bolus.peak, how.modality)
        _tell_motion(moved, warnings)
    progress(0.5, "signal to concentration")
    start = float(_frame_times(axis)[bolus.first])
    if bolus.first:
        warnings.append(f"the first {bolus.first} frames were dropped: brighter than the steady state")
        axis = without_first(axis, bolus.first)
    sharp, valid = _curves(series, index, axis, bolus, moved, how, None, warnings)
    tissue = sharp
    if how.smoothing > 0:
        progress(0.75, "smoothing")
        tissue, also = _curves(series, index, axis, bolus, moved, how, how.smoothing, warnings)
        valid &= also
    if not valid.any():
        raise StrokeError(f"{series.name}: no voxel of the brain changes over time; check the file.")
    if not valid.all():
        warnings.append(f"{np.count_nonzero(~valid)} voxels left out: constant, or without signal before the bolus")
        same = tissue is sharp
        sharp = replace(sharp, curves=sharp.curves[:, valid], index=index[valid])
        tissue = sharp if same else replace(tissue, curves=tissue.curves[:, valid], index=index[valid])
    return Prepared(tissue, sharp, axis, start, bolus, moved, counted, warnings)


def find_brain(
    series: Volume, mask: np.ndarray | Volume | None, modality: str, dead: np.ndarray | None = None
) -> np.ndarray:
    """Return the flat indices of the brain's voxels, from a mask or from the first frames; ``dead`` ones show air."""
    if mask is None:
        # Past the first MR transient, and before contrast in any usable series.
        baseline = series.array[1:4].mean(axis=0)
        if dead is not None:
            baseline[dead] = AIR[modality]
        brain = brain_mask(series.with_array(baseline, series.name), modality)
        if dead is not None:
            brain |= islands(dead, brain)
    else:
        if isinstance(mask, Volume):
            series.require_same_grid(mask)
            mask = mask.array
        brain = np.asarray(mask) > 0
        if brain.shape != series.shape:
            raise StrokeError(f"{series.name}: the mask's size {brain.shape} is not the series' {series.shape}.")
    index = np.flatnonzero(brain)
    if index.size == 0:
        raise StrokeError(f"{series.name}: the brain mask is empty; give another.")
    return index


def _frame_times(axis: TimeAxis) -> np.ndarray:
    return axis.acquired if axis.acquired.ndim == 1 else axis.acquired.mean(axis=1)


def _mean_signal(series: Volume, index: np.ndarray) -> np.ndarray:
    some = index[:: max(1, index.size // 50000)]
    flat = series.array.reshape(len(series.array), -1)
    return np.array([np.take(frame, some).mean(dtype=np.float64) for frame in flat])


def _curves(
    series: Volume,
    index: np.ndarray,
    axis: TimeAxis,
    bolus: Bolus,
    moved: motion.Motion | None,
    how: Preparation,
    fwhm: float | None,
    warnings: list[str],
) -> tuple[Tissue, np.ndarray]:
    """Return the brain's concentration on the even grid, and which voxels can be used."""
    signal = _gather(series, index, bolus.first, moved, fwhm)
    baseline = slice(0, bolus.arrival - bolus.first)
    if moved is not None and moved.rejected:
        _bridge(signal, _frame_times(axis), [t - bolus.first for t in moved.rejected])
    if how.modality == "MR":
        curves, valid, floored = concentration.from_mr(signal, baseline, how.echo_time or 1.0)
        if floored > 0.001 and fwhm is None:
            warnings.append(f"{100 * floored:.1f} % of the samples lie at the noise floor (2 % of the baseline)")
    else:
        curves, valid = concentration.from_ct(signal, baseline)
    if not axis.is_even:
        curves = _resample(curves, axis, index, series.shape)
    return Tissue(curves, index, series, axis.dt), valid


def _gather(
    series: Volume, index: np.ndarray, first: int, moved: motion.Motion | None, fwhm: float | None
) -> np.ndarray:
    """Return ``(T, V)`` signal of the brain's voxels, frame by frame, so that no second series is held."""
    smoother = None
    if fwhm:
        mask = np.zeros(int(np.prod(series.shape)), dtype=bool)
        mask[index] = True
        smoother = InPlaneSmoother(mask.reshape(series.shape), series.spacing, fwhm)
    signal = np.empty((series.array.shape[0] - first, index.size), dtype=np.float32)

    def one(frame: int) -> None:
        image, row = series.array[frame], signal[frame - first]
        back = moved.matrices[frame] if moved is not None and frame in moved.corrected else None
        if smoother is not None:
            row[:] = smoother(image if back is None else motion.resample_frame(image, series, back))
        elif back is not None:
            row[:] = motion.resample_frame(image, series, back, index)
        else:
            np.take(image.reshape(-1), index, out=row)

    for _ in in_threads(one, range(first, series.array.shape[0])):
        pass
    return signal


def _bridge(signal: np.ndarray, times: np.ndarray, rejected: list[int]) -> None:
    """Replace rejected frames by interpolation in time between those kept; in place."""
    kept = np.array([t for t in range(len(signal)) if t not in rejected])
    for t in (t for t in rejected if t >= 0):
        weights = interpolation_matrix(times[kept], np.array([times[t]]))[0]
        near = np.flatnonzero(weights)
        signal[t] = weights[near] @ signal[kept[near]]


def _resample(curves: np.ndarray, axis: TimeAxis, index: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    if axis.acquired.ndim == 1:
        return interpolation_matrix(axis.acquired, axis.even) @ curves
    out = np.empty((len(axis.even), curves.shape[1]), dtype=np.float32)
    ends = np.searchsorted(index, np.arange(shape[0] + 1) * shape[1] * shape[2])
    for z, (start, stop) in enumerate(itertools.pairwise(ends)):
        out[:, start:stop] = interpolation_matrix(axis.acquired[:, z], axis.even) @ curves[:, start:stop]
    return out


def _tell_motion(moved: motion.Motion, warnings: list[str]) -> None:
    if moved.corrected:
        warnings.append(f"{len(moved.corrected)} frames were moved back (up to {moved.displacement.max():.1f} mm)")
    if moved.rejected:
        count, limit = len(moved.rejected), motion.REJECT
        warnings.append(f"{count} frames moved more than {limit:g} mm and were interpolated in time")
