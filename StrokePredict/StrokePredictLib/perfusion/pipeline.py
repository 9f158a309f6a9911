"""A perfusion series to its maps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import StrokeError
from ..progress import Progress, part, silent
from ..volume import Volume
from .brain import hounsfield_offset
from .deconvolve import METHODS, Rates, Settings, deconvolve
from .inputs import Choice, find_arterial, find_venous, scale_to_venous
from .manual import InputVoxels, from_curve, from_voxels
from .prepare import Preparation, Prepared, prepare
from .quality import check_all
from .record import summarise
from .scaling import Scaling
from .smoothing import DEFAULT_FWHM
from .timing import make_axis
from .values import bridge_gaps

MODALITIES = ("MR", "CT")


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
    aif: str | np.ndarray | InputVoxels = "auto",
    vof: str | InputVoxels = "auto",
    method: str = "bsvd",
    settings: Settings | None = None,
    scaling: Scaling | None = None,
    smoothing: float | None = None,
    motion: bool = True,
    scale_aif: bool | None = None,
    progress: Progress = silent,
) -> PerfusionResult:
    """Compute CBF, CBV, MTT, Tmax and TTP.

    Parameters
    ----------
    series : Volume
        ``(t, z, y, x)``: T2*-weighted signal (MR) or HU (CT). Samples that are no numbers, or marked in
        ``meta["nonfinite"]``, are interpolated over time, or their voxels left out.
    times : numpy.ndarray
        ``(t,)`` s, or ``(t, z)`` where slices have times of their own.
    modality : {"MR", "CT"}
        What the series is.
    echo_time : float, optional
        TE in s (MR). CBF, CBV and times do not depend on it, since the artery and the tissue share it.
    mask : array or Volume, optional
        ``(z, y, x)`` brain; found from the baseline if left out.
    aif : "auto", numpy.ndarray or InputVoxels
        Arterial input: found; a curve in concentration units, ``(t,)`` at ``times`` or ``(n, 2)`` of time and value; or
        voxels, points or a region chosen by a reader.
    vof : "auto" or InputVoxels
        Venous output: found, or chosen by a reader.
    method : {"bsvd", "osvd", "tikhonov", "vascular"}
        Deconvolution.
    settings : Settings, optional
        Its numbers (relative cut, oscillation limit, damping).
    scaling : Scaling, optional
        Haematocrit factor and density.
    smoothing : float, optional
        Width (FWHM) in the slice in mm; left out: none for MR, 5 mm for CT. Arteries are looked for without it.
    motion : bool
        Estimate rigid motion; frames that moved are moved back, or rejected and interpolated.
    scale_aif : bool, optional
        Scale the arterial curve to the venous area, against partial volume; left out: for CT.
    progress : callable
        Called with the share done and what is being done.

    Raises
    ------
    StrokeError
        If the series, its times or its bolus cannot be used.
    """
    modality = _checked(series, modality, method)
    settings = replace(settings or Settings(), method=method)
    scaling = scaling or Scaling()
    how = Preparation(modality, echo_time, motion, DEFAULT_FWHM[modality] if smoothing is None else float(smoothing))
    axis = make_axis(times, series.array.shape[0], series.shape[0], series.name)
    series, gaps = bridge_gaps(series, axis)
    offset = hounsfield_offset(series.array[0]) if modality == "CT" else 0.0
    if offset:
        series = series.with_array(series.array - np.float32(offset))
    prepared = prepare(series, axis, how, mask, part(progress, 0.0, 0.4), gaps)
    if offset:
        prepared.warnings.append(f"{offset:g} was subtracted: the CT values were stored without their intercept")
    progress(0.4, "arterial input")
    arterial, venous = _inputs(aif, vof, prepared, series)
    if arterial.rows.size and (modality == "CT" if scale_aif is None else scale_aif):
        scale_to_venous(arterial, venous)

    def told(share: float) -> None:
        progress(0.5 + 0.45 * share, f"deconvolution ({method})")

    rates = deconvolve(prepared.tissue.curves, arterial.curve, prepared.axis.dt, settings, told)
    checks = check_all(modality, prepared, arterial, venous)
    if modality == "MR" and echo_time is None:
        prepared.warnings.append("no echo time: concentrations are in arbitrary units; the maps do not depend on it")
    summary = summarise(prepared, how, settings, scaling, arterial, venous, checks)
    empty = rates.volume < settings.least_volume * float(np.median(rates.volume))
    summary["voxels_without_bolus"] = int(np.count_nonzero(empty))
    maps = _maps(rates, empty, prepared, series, scaling)
    progress(1.0, "done")
    found = np.zeros(int(np.prod(series.shape)), dtype=bool)
    found[prepared.tissue.index] = True
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


def _inputs(
    aif: str | np.ndarray | InputVoxels, vof: str | InputVoxels, prepared: Prepared, series: Volume
) -> tuple[Choice, Choice | None]:
    """Return the arterial input and, where there is one, the venous output."""
    sharp = prepared.sharp
    if isinstance(aif, InputVoxels):
        arterial = from_voxels(aif, sharp)
    elif isinstance(aif, str):
        if aif != "auto":
            raise StrokeError(f"unknown arterial input {aif!r}; choose auto, or give a curve or voxels.")
        arterial = find_arterial(sharp, sharp.curves.mean(axis=1, dtype=np.float64))
    else:
        arterial = from_curve(aif, prepared.axis, prepared.start, series.array.shape[0], series.name)
    if not (arterial.curve.max() > 0 and arterial.curve.sum() > 0):
        raise StrokeError(f"{series.name}: the arterial input holds no contrast; choose another place.")
    if not isinstance(vof, InputVoxels):
        if vof != "auto":
            raise StrokeError(f"unknown venous output {vof!r}; choose auto, or give voxels.")
        return arterial, find_venous(sharp, arterial)
    venous = from_voxels(vof, sharp, "venous output")
    if int(venous.curve.argmax()) < int(arterial.curve.argmax()):
        raise StrokeError(f"{series.name}: the venous output chosen peaks before the arterial input; choose a vein.")
    return arterial, venous


def _maps(rates: Rates, empty: np.ndarray, prepared: Prepared, series: Volume, scaling: Scaling) -> dict[str, Volume]:
    flow, volume = np.maximum(rates.flow, 0.0), np.maximum(rates.volume, 0.0)
    values = {
        "cbf": scaling.cbf * flow,
        "cbv": scaling.cbv * volume,
        "mtt": np.where(flow > 0, volume / np.where(flow > 0, flow, 1.0), 0.0),
        # Tissue cannot fill before the vessel that feeds it: a negative Tmax is the chosen artery's own delay.
        "tmax": np.maximum(rates.tmax, 0.0),
        "ttp": rates.ttp + prepared.start,
    }
    for name, value in rates.extra.items():
        factor = {"cbf_sd": scaling.cbf, "cbv_sd": scaling.cbv}.get(name, 1.0)
        values[name] = factor * value
    for name in ("mtt", "tmax", "ttp", "delay", "mtt_sd", "delay_sd"):
        if name in values:
            values[name] = np.where(empty, 0.0, values[name])
    maps = {}
    for name, value in values.items():
        image = np.zeros(int(np.prod(series.shape)), dtype=np.float32)
        image[prepared.tissue.index] = value
        maps[name] = series.with_array(image.reshape(series.shape), name)
    return maps
