"""Tissue curves and an arterial curve to flow, volume and times, voxel block by voxel block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from . import residue, svd
from .osvd import OscillationSvd
from .threads import in_threads

METHODS = ("bsvd", "osvd", "tikhonov", "vascular")
#: Voxels worked on at once: their residues stay in the processor's cache, and memory stays bounded.
BLOCK = 4096


@dataclass(frozen=True)
class Settings:
    """What a deconvolution needs to know besides the curves.

    Attributes
    ----------
    cut : float
        bsvd: singular values below this share of the largest are dropped.
    damping : float
        tikhonov: damping as a share of the largest singular value.
    oscillation : float
        osvd: index that a residue must stay below.
    least_volume : float
        Voxels whose blood volume is below this share of the brain's median hold fluid or nothing: there is no bolus
        whose time could be read, so Tmax, MTT, TTP (and delay) are 0 there.
    """

    method: str = "bsvd"
    cut: float = svd.DEFAULT_CUT
    damping: float = 0.10
    oscillation: float = 0.035
    least_volume: float = 0.15


@dataclass
class Rates:
    """Deconvolved numbers per voxel, ``(V,)`` float32, before scaling.

    Attributes
    ----------
    flow : numpy.ndarray
        Maximum of the residue, 1/s.
    volume : numpy.ndarray
        Area of the tissue curve over that of the artery, mL/mL.
    tmax, ttp : numpy.ndarray
        s; Tmax may be negative here.
    extra : dict
        What only one method gives, such as ``delay`` and standard errors.
    """

    flow: np.ndarray
    volume: np.ndarray
    tmax: np.ndarray
    ttp: np.ndarray
    extra: dict[str, np.ndarray] = field(default_factory=dict)


def deconvolve(
    curves: np.ndarray,
    aif: np.ndarray,
    dt: float,
    settings: Settings,
    progress: Callable[[float], None] = lambda share: None,
) -> Rates:
    """Deconvolve every curve.

    Parameters
    ----------
    curves : numpy.ndarray
        ``(N, V)`` float32 tissue concentration, evenly sampled.
    aif : numpy.ndarray
        ``(N,)`` arterial concentration in the same unit.
    dt : float
        s.
    """
    work = _worker(aif, dt, settings)
    refine = _Refiner(aif, dt) if settings.method == "vascular" else None
    count = curves.shape[1]
    area = float(aif.sum())
    rates = Rates(*(np.empty(count, dtype=np.float32) for _ in range(4)))
    rates.extra = {name: np.empty(count, dtype=np.float32) for name in (refine.extra if refine else ())}

    def one(block: slice) -> None:
        rows = np.ascontiguousarray(curves[:, block].T)
        rates.volume[block] = rows.sum(axis=1) / area
        rates.ttp[block] = residue.open_peak(rows)[1] * dt
        rates.flow[block], place = work(rows)
        rates.tmax[block] = place * dt
        if refine:
            refine(rows, rates, block)

    for done in in_threads(one, list(_blocks(count))):
        progress(done)
    return rates


def _worker(aif: np.ndarray, dt: float, settings: Settings) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return what takes ``(B, N)`` curves to residue height (1/s) and place (samples)."""
    if settings.method in ("osvd", "vascular"):
        return OscillationSvd(aif, dt, settings.oscillation)
    eigenvalues = svd.transfer(aif, dt)
    if settings.method == "bsvd":
        weights = svd.truncated_weights(eigenvalues, settings.cut)
    elif settings.method == "tikhonov":
        weights = svd.tikhonov_weights(eigenvalues, settings.damping)
    else:
        raise ValueError(f"unknown method {settings.method}")
    operator = svd.residue_operator(weights, len(aif)).T
    return lambda rows: residue.circular_peak(rows @ operator)


class _Refiner:
    """Replaces the start values of a block by the fitted vascular model."""

    extra = ("delay", "delay_sd", "cbf_sd", "cbv_sd", "mtt_sd")

    def __init__(self, aif: np.ndarray, dt: float) -> None:
        from .vascular import VascularModel

        self.model = VascularModel(aif, dt)

    def __call__(self, rows: np.ndarray, rates: Rates, block: slice) -> None:
        fit = self.model.fit(rows, self.model.start(rates.flow[block], rates.volume[block], rates.tmax[block]))
        rates.tmax[block] = self.model.tmax(fit)
        found = fit.numbers()
        rates.flow[block], rates.volume[block] = found.pop("flow"), found.pop("volume")
        for name, value in found.items():
            rates.extra[name][block] = value


def _blocks(count: int) -> Iterator[slice]:
    for start in range(0, count, BLOCK):
        yield slice(start, min(count, start + BLOCK))
