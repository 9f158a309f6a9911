"""Figures of accuracy on the digital references: few voxels for the tests, many for the table in the documentation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from Benchmarks import perfusion_reference as reference
from scipy.signal import fftconvolve
from scipy.special import gammainc

from StrokePredictLib.perfusion.deconvolve import Rates, Settings, deconvolve
from StrokePredictLib.perfusion.scaling import Scaling
from StrokePredictLib.perfusion.vascular import Prior

#: What is compared: name in the table, settings.
METHODS = {
    "bsvd 10 %": Settings("bsvd", cut=0.10),
    "bsvd 12 %": Settings("bsvd", cut=0.12),
    "bsvd 20 %": Settings("bsvd", cut=0.20),
    "osvd 0.035": Settings("osvd", oscillation=0.035),
    "osvd 0.095": Settings("osvd", oscillation=0.095),
    "tikhonov 10 %": Settings("tikhonov", damping=0.10),
    "vascular": Settings("vascular"),
}


def solve(
    tissues: reference.Tissues, dt: float, modality: str, level: float, settings: Settings, seed: int = 0
) -> Rates:
    """Return what a method makes of noisy curves, with the true arterial curve sampled at the frame times."""
    curves = reference.measured(tissues, dt, modality, level, seed).astype(np.float32)
    return deconvolve(curves, reference.sample(reference.arterial(reference.fine_times()), dt), dt, settings)


def flow_ratio(settings: Settings, kind: str, mtt: float, dt: float = 1.5) -> float:
    """Return measured over true CBF, without noise."""
    tissues = reference.make(kind, 4.0, mtt, 0.0)
    return float(Scaling().cbf * solve(tissues, dt, "CT", np.inf, settings).flow[0] / tissues.cbf[0])


def noisy_flow(settings: Settings, kind: str, cbf: float, modality: str, level: float, count: int = 400) -> float:
    """Return the median of measured over true CBF at 4 s, with noise."""
    tissues = reference.make(kind, np.full(count, cbf * 4.0 / 60.0), 4.0, 0.0)
    return float(np.median(Scaling().cbf * solve(tissues, 1.5, modality, level, settings).flow / cbf))


def measured_ratio(settings: Settings, normal: tuple[float, float], ill_mtt: float, dt: float = 1.5) -> float:
    """Return the measured rCBF of tissue at a quarter of the flow of normal tissue (CBF, MTT), exponential both."""
    cbf, mtt = normal
    tissues = reference.make("exponential", [cbf * mtt / 60.0, cbf / 4.0 * ill_mtt / 60.0], [mtt, ill_mtt], [0.0, 4.0])
    flow = solve(tissues, dt, "CT", np.inf, settings).flow
    return float(flow[1] / flow[0])


def delay_spread(settings: Settings, kind: str, mtt: float, dt: float) -> float:
    """Return the largest relative change of CBF over delays of −2 to 10 s, against no delay."""
    delays = np.arange(-2.0, 10.01, 0.25)
    flow = solve(reference.make(kind, 4.0, mtt, delays), dt, "CT", np.inf, settings).flow
    return float(np.abs(flow / flow[delays == 0.0] - 1.0).max())


def six_second_rule(tmax: np.ndarray, truth: np.ndarray, margin: float = 1.0) -> tuple[float, float]:
    """Return sensitivity and specificity of Tmax > 6 s for voxels more than ``margin`` s from the limit."""
    far = np.abs(truth - 6.0) > margin
    hit = tmax > 6.0
    return float(hit[far & (truth > 6.0)].mean()), float((~hit)[far & (truth <= 6.0)].mean())


def right_side_of_delay(rates: Rates, tissues: reference.Tissues, method: str) -> float:
    """Return the share of voxels put on the right side of 6 s of true delay: by delay where fitted, else by Tmax."""
    found = rates.extra["delay"] if method == "vascular" else rates.tmax
    return float(((found > 6.0) == (tissues.delay > 6.0)).mean())


# --- the Cramér-Rao bound of the gamma model -------------------------------------------------------------------------


def _model(theta: np.ndarray, dt: float) -> np.ndarray:
    """Return sampled curves ``(N, V)`` of CBV (mL/100 g), ln MTT, delay, ln α, from the formulae on the 0.1 s grid."""
    t = reference.fine_times()
    aif = reference.arterial(t)
    out = []
    for cbv, log_mtt, delay, log_shape in theta:
        mtt, shape = np.exp(log_mtt), np.exp(log_shape)
        r = 1.0 - gammainc(shape, t * shape / mtt)
        full = fftconvolve(aif, r)[: t.size] * reference.FINE - 0.5 * reference.FINE * aif
        flow = cbv / mtt / 100.0 * reference.DENSITY / reference.HAEMATOCRIT_FACTOR
        out.append(flow * np.interp(t - delay, t, full, left=0.0))
    return reference.sample(np.array(out).T, dt)


def bounds(theta: np.ndarray, dt: float, modality: str, level: float, prior: Prior | None) -> dict[str, np.ndarray]:
    """Return the least standard deviations of cbf, cbv, mtt, delay at ``(V, 4)`` truths.

    Parameters
    ----------
    theta : numpy.ndarray
        CBV (mL/100 g), ln MTT, delay (s), ln α.
    prior : Prior or None
        Its information is added to that of the data, or not.
    """
    clean = _model(theta, dt)
    slopes = []
    for column, step in enumerate((1e-3, 1e-3, 1e-2, 1e-2)):
        up, down = theta.copy(), theta.copy()
        up[:, column] += step
        down[:, column] -= step
        slopes.append((_model(up, dt) - _model(down, dt)) / (2 * step))
    if modality == "CT":
        sigma = np.full_like(clean, reference.grey_peak() / level)
    else:
        gain = reference.GREY_DROP / reference.grey_peak()
        sigma = np.exp(gain * clean) / (level * gain)
    # The baseline's error is a fifth, free parameter: its direction is projected out.
    offset = 1.0 / sigma
    offset /= np.sqrt((offset**2).sum(axis=0))
    jacobian = np.stack(slopes) / sigma
    jacobian -= (jacobian * offset).sum(axis=1, keepdims=True) * offset
    information = np.einsum("pnv,qnv->vpq", jacobian, jacobian)
    if prior is not None:
        information = information + np.diag(prior.precision)
    spread = np.linalg.inv(information)
    cbv, mtt = theta[:, 0], np.exp(theta[:, 1])
    gradient = np.stack([60.0 / mtt, -60.0 * cbv / mtt, np.zeros_like(mtt), np.zeros_like(mtt)], axis=1)
    return {
        "cbf": np.sqrt(np.einsum("vp,vpq,vq->v", gradient, spread, gradient)),
        "cbv": np.sqrt(spread[:, 0, 0]),
        "mtt": mtt * np.sqrt(spread[:, 1, 1]),
        "delay": np.sqrt(spread[:, 2, 2]),
    }


def spread_cases() -> Iterator[tuple[float, float, float, float]]:
    """Yield CBV, MTT, delay and shape α of the truths at which spread is compared with the bound."""
    for cbv, mtt in ((1.5, 8.0), (3.0, 4.0), (4.0, 4.0), (4.0, 8.0), (4.0, 14.0), (7.0, 10.0)):
        for shape, delay in ((1.0, 0.0), (3.0, 0.0), (1.0, 5.0), (3.0, 5.0)):
            yield cbv, mtt, delay, shape


def spread_over_bound(
    dt: float, modality: str, level: float, repeats: int, prior: Prior | None
) -> dict[str, np.ndarray]:
    """Return, for each truth, the SD of vascular estimates over the bound's SD: one row per truth."""
    ratios: dict[str, list[float]] = {"cbf": [], "cbv": [], "mtt": [], "delay": []}
    for number, (cbv, mtt, delay, shape) in enumerate(spread_cases()):
        kind = "exponential" if shape == 1.0 else "gamma"
        tissues = reference.make(kind, np.full(repeats, cbv), mtt, delay)
        rates = solve(tissues, dt, modality, level, METHODS["vascular"], seed=100 + number)
        found = {
            "cbf": Scaling().cbf * rates.flow,
            "cbv": Scaling().cbv * rates.volume,
            "mtt": rates.volume / rates.flow,
            "delay": rates.extra["delay"],
        }
        least = bounds(np.array([[cbv, np.log(mtt), delay, np.log(shape)]]), dt, modality, level, prior)
        for name, values in found.items():
            ratios[name].append(float(values.std() / least[name][0]))
    return {name: np.array(values) for name, values in ratios.items()}


def vascular_errors(count: int, dt: float, modality: str, level: float, seed: int = 11) -> dict[str, float]:
    """Return the vascular model's errors on random voxels of every residue."""
    tissues = reference.draw(count, seed)
    rates = solve(tissues, dt, modality, level, METHODS["vascular"], seed)
    cbf, cbv = Scaling().cbf * rates.flow, Scaling().cbv * rates.volume
    shape = {"exponential": 1.0, "gamma": 3.0, "linear": 3.0, "box": 20.0}
    theta = np.stack(
        [tissues.cbv, np.log(tissues.mtt), tissues.delay, np.log([shape[str(k)] for k in tissues.kind])], axis=1
    )
    low, thin = tissues.cbf <= 20.0, tissues.cbv <= 2.0
    inside = low & np.isin(tissues.kind, ("exponential", "gamma"))
    some = np.flatnonzero(low)[:300]
    least = bounds(theta[some], dt, modality, level, None)["cbf"]
    least_prior = bounds(theta[some], dt, modality, level, Prior())["cbf"]
    sens, spec = six_second_rule(rates.tmax, reference.tmax_reference(tissues))
    return {
        "delay": float(np.median(np.abs(rates.extra["delay"] - tissues.delay))),
        "cbf_low": float(np.median(np.abs(cbf - tissues.cbf)[low])),
        "cbf_low_in_model": float(np.median(np.abs(cbf - tissues.cbf)[inside])),
        "cbf_bound": float(np.median(least)),
        "cbf_bound_prior": float(np.median(least_prior)),
        "cbv_thin": float(np.median(np.abs(cbv - tissues.cbv)[thin])),
        "sensitivity": sens,
        "specificity": spec,
    }
