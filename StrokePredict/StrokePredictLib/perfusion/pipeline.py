"""A perfusion series to its maps."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..errors import StrokeError
from ..volume import Volume
from . import concentration
from .bolus import Bolus, find_bolus
from .brain import brain_mask
from .deconvolve import METHODS, Rates, Settings, deconvolve
from .inputs import Choice, Tissue, find_arterial, find_venous
from .scaling import Scaling
from .timing import TimeAxis, interpolation_matrix, make_axis

MODALITIES = ("MR", "CT")


def silent(share: float, text: str) -> None:
    """Report progress to nobody."""


@dataclass
class PerfusionResult:
    """Maps of one series.

    Attributes
    ----------
    maps : dict of str to Volume
        float32 on the series' grid, 0 outside the mask: ``cbf`` mL/100 g/min, ``cbv`` mL/100 g, ``mtt``, ``tmax``,
        ``ttp`` s; ``delay`` s for vascular.
    mask : Volume
        bool, where the maps were computed.
    summary : dict
        Plain data: what `perfusion.json` holds.
    """

    maps: dict[str, Volume]
    mask: Volume
    summary: dict = field(default_factory=dict)


def compute_maps(
    series: Volume,
    times: np.ndarray,
    *,
    modality: str = "MR",
    echo_time: float | None = None,
    mask: np.ndarray | Volume | None = None,
    aif: str | np.ndarray = "auto",
    method: str = "bsvd",
    settings: Settings | None = None,
    scaling: Scaling | None = None,
    progress: Callable[[float, str], None] = silent,
) -> PerfusionResult:
    """Compute CBF, CBV, MTT, Tmax and TTP.

    Parameters
    ----------
    series : Volume
        ``(t, z, y, x)``: T2*-weighted signal (MR) or HU (CT).
    times : numpy.ndarray
        ``(t,)`` s, or ``(t, z)`` where slices have times of their own.
    modality : {"MR", "CT"}
        What the series is.
    echo_time : float, optional
        TE in s (MR). CBF, CBV and times do not depend on it, since the artery and the tissue share it.
    mask : array or Volume, optional
        ``(z, y, x)`` bool brain; found from the baseline if left out.
    aif : "auto" or numpy.ndarray
        Arterial input: found, or a curve ``(t,)`` in concentration units at ``times``.
    method : {"bsvd", "osvd", "tikhonov", "vascular"}
        Deconvolution.
    progress : callable
        Called with the share done and what is being done.

    Raises
    ------
    StrokeError
        If the series, its times or its bolus cannot be used.
    """
    modality = _checked(series, modality, method)
    settings = settings or Settings(method=method)
    scaling = scaling or Scaling()
    axis = make_axis(times, series.array.shape[0], series.shape[0], series.name)
    warnings = list(axis.notes)
    progress(0.02, "finding the brain")
    brain, bolus = _brain_and_bolus(series, axis, modality, mask, echo_time)
    progress(0.15, "signal to concentration")
    tissue, axis = _concentration(series, axis, brain, bolus, modality, echo_time, warnings)
    progress(0.35, "arterial input")
    mean_curve = tissue.curves.mean(axis=1, dtype=np.float64)
    arterial = _arterial(aif, tissue, mean_curve, axis)
    venous = find_venous(tissue, arterial)
    progress(0.5, f"deconvolution ({method})")
    told = lambda share: progress(0.5 + 0.45 * share, f"deconvolution ({method})")  # noqa: E731
    rates = deconvolve(tissue.curves, arterial.curve, axis.dt, settings, told)
    maps = _maps(rates, tissue, series, scaling)
    told = (axis, bolus, arterial, venous, tissue, echo_time, warnings, mean_curve)
    summary = _summary(modality, method, settings, scaling, *told)
    progress(1.0, "done")
    found = np.zeros(int(np.prod(series.shape)), dtype=bool)
    found[tissue.index] = True
    return PerfusionResult(maps, series.with_array(found.reshape(series.shape), "mask"), summary)


def _checked(series: Volume, modality: str, method: str) -> str:
    modality = {"MRI": "MR", "PWI": "MR", "DSC": "MR", "CTP": "CT"}.get(modality.upper(), modality.upper())
    if modality not in MODALITIES:
        raise StrokeError(f"{series.name}: unknown modality {modality}; choose MR or CT.")
    if method not in METHODS:
        raise StrokeError(f"unknown deconvolution method {method}; choose one of {', '.join(METHODS)}.")
    if not series.is_series:
        raise StrokeError(f"{series.name}: is a 3D image; a 4D series (x, y, z, time) is needed here.")
    return modality


def _brain_and_bolus(
    series: Volume, axis: TimeAxis, modality: str, mask: np.ndarray | Volume | None, echo_time: float | None
) -> tuple[np.ndarray, Bolus]:
    """Return the flat indices of the brain's voxels and the bolus in them."""
    array = series.array
    if mask is None:
        # Two frames in: past the first MR transient, and before any contrast in any usable series.
        brain = brain_mask(series.with_array(array[1:4].mean(axis=0), series.name), modality)
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
    some = index[:: max(1, index.size // 50000)]
    times = axis.acquired if axis.acquired.ndim == 1 else axis.acquired.mean(axis=1)
    mean = array.reshape(len(array), -1)[:, some].mean(axis=1, dtype=np.float64)
    return index, find_bolus(mean, times, modality, series.name)


def _concentration(
    series: Volume,
    axis: TimeAxis,
    index: np.ndarray,
    bolus: Bolus,
    modality: str,
    echo_time: float | None,
    warnings: list[str],
) -> tuple[Tissue, TimeAxis]:
    """Return the brain's curves on the even grid, without the frames before the steady state."""
    flat = series.array.reshape(series.array.shape[0], -1)
    signal = np.empty((flat.shape[0] - bolus.first, index.size), dtype=np.float32)
    for row, frame in zip(signal, flat[bolus.first :], strict=True):
        np.take(frame, index, out=row)
    baseline = slice(0, bolus.arrival - bolus.first)
    if bolus.first:
        warnings.append(f"the first {bolus.first} frames were dropped: brighter than the steady state")
        axis = make_axis(axis.acquired[bolus.first :], signal.shape[0], series.shape[0], series.name)
    if modality == "MR":
        if echo_time is None:
            warnings.append("no echo time: concentrations are in arbitrary units; the maps do not depend on it")
        curves, valid, floored = concentration.from_mr(signal, baseline, echo_time or 1.0)
        if floored > 0.001:
            warnings.append(f"{100 * floored:.1f} % of the samples lie at the noise floor (2 % of the baseline)")
    else:
        curves, valid = concentration.from_ct(signal, baseline)
    if not valid.any():
        raise StrokeError(f"{series.name}: no voxel of the brain changes over time; check the file.")
    if not valid.all():
        warnings.append(f"{np.count_nonzero(~valid)} voxels left out: constant, or without signal before the bolus")
        curves, index = curves[:, valid], index[valid]
    if not axis.is_even:
        curves = _resample(curves, axis, index, series.shape)
    return Tissue(curves, index, series, axis.dt), axis


def _resample(curves: np.ndarray, axis: TimeAxis, index: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    if axis.acquired.ndim == 1:
        return interpolation_matrix(axis.acquired, axis.even) @ curves
    out = np.empty((len(axis.even), curves.shape[1]), dtype=np.float32)
    ends = np.searchsorted(index, np.arange(shape[0] + 1) * shape[1] * shape[2])
    for z, (start, stop) in enumerate(itertools.pairwise(ends)):
        out[:, start:stop] = interpolation_matrix(axis.acquired[:, z], axis.even) @ curves[:, start:stop]
    return out


def _arterial(aif: str | np.ndarray, tissue: Tissue, mean_curve: np.ndarray, axis: TimeAxis) -> Choice:
    if isinstance(aif, str):
        if aif != "auto":
            raise StrokeError(f"unknown arterial input {aif!r}; choose auto or give a curve.")
        return find_arterial(tissue, mean_curve)
    curve = np.asarray(aif, dtype=np.float64)
    times = axis.acquired if axis.acquired.ndim == 1 else axis.acquired.mean(axis=1)
    curve = curve[-len(times) :] if curve.ndim == 1 else np.interp(axis.even, curve[:, 0], curve[:, 1])
    if curve.shape[0] != len(axis.even):
        curve = np.interp(axis.even, times, curve)
    return Choice(curve, "given curve")


def _maps(rates: Rates, tissue: Tissue, series: Volume, scaling: Scaling) -> dict[str, Volume]:
    flow, volume = rates.flow, np.maximum(rates.volume, 0.0)
    mtt = np.where(flow > 0, volume / np.where(flow > 0, flow, 1.0), 0.0)
    values = {
        "cbf": scaling.cbf * np.maximum(flow, 0.0),
        "cbv": scaling.cbv * volume,
        "mtt": mtt,
        # Contrast cannot reach tissue before its artery: a negative Tmax is the artery's own lateness, shown as 0.
        "tmax": np.maximum(rates.tmax, 0.0),
        "ttp": rates.ttp,
        **rates.extra,
    }
    maps = {}
    for name, value in values.items():
        image = np.zeros(int(np.prod(series.shape)), dtype=np.float32)
        image[tissue.index] = value
        maps[name] = series.with_array(image.reshape(series.shape), name)
    return maps


def _summary(
    modality, method, settings, scaling, axis, bolus, arterial, venous, tissue, echo_time, warnings, mean_curve
) -> dict:
    curve = {"times_s": np.round(axis.even, 4).tolist()}
    return {
        "modality": modality,
        "method": method,
        "parameters": {name: getattr(settings, name) for name in settings.__dataclass_fields__},
        "scaling": {"haematocrit_factor": scaling.haematocrit_factor, "density_g_per_ml": scaling.density},
        "echo_time_s": echo_time,
        "times": {"interval_s": axis.dt, "frames": len(axis.even), "dropped_first": bolus.first} | curve,
        "bolus": {
            "arrival_frame": bolus.arrival,
            "peak_frame": bolus.peak,
            "baseline_s": [0.0, round((bolus.arrival - bolus.first) * axis.dt, 3)],
        },
        "brain_curve": np.round(mean_curve, 6).tolist(),
        "aif": _told(arterial),
        "vof": _told(venous) if venous else None,
        "voxels": int(tissue.index.size),
        "quality": [],
        "quality_passed": True,
        "warnings": warnings,
    }


def _told(choice: Choice) -> dict:
    told = {"source": choice.source, "voxel": choice.voxel, "place_lps_mm": choice.place}
    told |= {"voxels": int(choice.rows.size), "curve": np.round(choice.curve, 5).tolist()}
    return told | choice.notes | ({"candidates": choice.candidates} if choice.candidates else {})
