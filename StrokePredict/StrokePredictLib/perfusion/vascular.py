"""A physiological model of the passage through tissue, fitted to all voxels at once.

Transit times are gamma distributed with mean MTT and shape α, and the artery's bolus reaches the tissue after a delay
(Mouridsen et al., J Cereb Blood Flow Metab 34 (2014) 1511). The residue function has a closed Fourier transform,
``R(ω) = (1 − (1 + iωβ)^−α) / (iω)`` with β = MTT/α, so the modelled curve and its derivatives are products on the few
frequencies that the arterial curve holds, brought to the frame times by one small matrix. Each voxel is fitted by
Levenberg–Marquardt steps towards the maximum a posteriori of ``(CBV, ln MTT, delay, ln α)`` and a free offset; standard
errors come from the curvature there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .residue import circular_peak
from .svd import REFERENCE_CUT, residue_operator, transfer, truncated_weights

#: Frequencies at which the arterial spectrum is below this share of its largest carry nothing.
SPECTRUM_FLOOR = 2e-3
#: Bounds of ln MTT, delay (s) and ln α: beyond them the data say nothing.
BOUNDS = ((np.log(0.5), np.log(60.0)), (-8.0, 30.0), (np.log(0.3), np.log(40.0)))


@dataclass(frozen=True)
class Prior:
    """Gaussian beliefs, mean and standard deviation; CBV has none.

    Attributes
    ----------
    log_mtt, delay, log_shape : tuple of float
        For ln(MTT/s), delay in s, ln α.
    """

    log_mtt: tuple[float, float] = (np.log(9.0), 1.2)
    delay: tuple[float, float] = (2.0, 5.0)
    log_shape: tuple[float, float] = (np.log(4.0), 2.0)

    @property
    def mean(self) -> np.ndarray:
        """``(4,)`` in the order of the parameters."""
        return np.array([0.0, self.log_mtt[0], self.delay[0], self.log_shape[0]])

    @property
    def precision(self) -> np.ndarray:
        """``(4,)`` inverse variances."""
        return np.array([0.0, self.log_mtt[1] ** -2, self.delay[1] ** -2, self.log_shape[1] ** -2])


@dataclass
class Fit:
    """Fitted numbers per voxel.

    Attributes
    ----------
    theta : numpy.ndarray
        ``(B, 4)``: CBV in mL/mL, ln MTT, delay in s, ln α.
    covariance : numpy.ndarray
        ``(B, 4, 4)``.
    curve : numpy.ndarray
        ``(B, N)`` fitted tissue curves.
    """

    theta: np.ndarray
    covariance: np.ndarray
    curve: np.ndarray

    def numbers(self) -> dict[str, np.ndarray]:
        """Return flow (1/s), volume (mL/mL), delay (s) and standard errors, unscaled."""
        volume, mtt = self.theta[:, 0], np.exp(self.theta[:, 1])
        spread = self.covariance
        # CBF = CBV/MTT: its relative variance is that of both, less what they share.
        relative = spread[:, 0, 0] / volume**2 + spread[:, 1, 1] - 2.0 * spread[:, 0, 1] / volume
        deviations = np.sqrt(np.maximum(np.einsum("bii->bi", spread), 0.0))
        return {
            "flow": volume / mtt,
            "volume": volume,
            "delay": self.theta[:, 2],
            "delay_sd": deviations[:, 2],
            "cbf_sd": volume / mtt * np.sqrt(np.maximum(relative, 0.0)),
            "cbv_sd": deviations[:, 0],
            "mtt_sd": mtt * deviations[:, 1],
        }


class VascularModel:
    """The model for one arterial curve.

    Parameters
    ----------
    aif : numpy.ndarray
        ``(N,)`` arterial concentration, evenly sampled.
    dt : float
        s.
    prior : Prior
        Beliefs that hold a voxel with little signal.
    """

    def __init__(self, aif: np.ndarray, dt: float, prior: Prior | None = None, steps: int = 12) -> None:
        self.n, self.dt, self.steps = len(aif), dt, steps
        self.prior = prior or Prior()
        # What follows the last frame cannot reach an earlier one, so the curve may fade out instead of breaking off.
        fade = 0.5 * (1.0 + np.cos(np.pi * np.arange(1, self.n + 1) / self.n)) * float(np.mean(aif[-3:]))
        spectrum = np.fft.rfft(np.concatenate([aif, fade])) * dt
        keep = np.abs(spectrum) >= SPECTRUM_FLOOR * np.abs(spectrum).max()
        bins = np.flatnonzero(keep)
        self.omega = (2.0 * np.pi * bins / (2 * self.n * dt)).astype(np.float32)
        pair = np.where((bins == 0) | (bins == self.n), 1.0, 2.0) / (2 * self.n * dt)
        wave = np.exp(2j * np.pi * np.outer(bins, np.arange(self.n)) / (2 * self.n))
        basis = (pair * spectrum[bins])[:, None] * wave
        plain = np.concatenate([basis.real, -basis.imag])  # (2K, N)
        self._plain = plain.astype(np.float32)
        # The baseline's own error shifts the whole curve: a free offset, taken out of data and model by their means.
        self._level = (plain - plain.mean(axis=1, keepdims=True)).astype(np.float32)
        weights = truncated_weights(transfer(aif, dt), REFERENCE_CUT)
        self._residue = np.ascontiguousarray(residue_operator(weights, self.n).T)

    @staticmethod
    def start(flow: np.ndarray, volume: np.ndarray, tmax: np.ndarray) -> np.ndarray:
        """Return ``(B, 4)`` start values from an SVD's flow (1/s), volume (mL/mL) and Tmax (s)."""
        mtt = np.clip(volume / np.maximum(flow, 1e-6), 2.0, 25.0)
        columns = [np.maximum(volume, 1e-4), np.log(mtt), np.clip(tmax, -5.0, 25.0), np.zeros(len(flow))]
        return np.stack(columns, axis=1).astype(np.float64)

    def curves(self, theta: np.ndarray) -> np.ndarray:
        """Return the curves ``(B, N)`` of ``(B, 4)`` parameters."""
        return self._evaluate(theta, self._plain, derivatives=False)[0]

    def _evaluate(self, theta: np.ndarray, basis: np.ndarray, derivatives: bool = True) -> np.ndarray:
        """Return ``(5, B, N)``: the curve and its derivatives by CBV, ln MTT, delay, ln α; or ``(1, B, N)``."""
        volume, mtt = theta[:, :1].astype(np.float32), np.exp(theta[:, 1:2]).astype(np.float32)
        delay, shape = theta[:, 2:3].astype(np.float32), np.exp(theta[:, 3:4]).astype(np.float32)
        w = np.where(self.omega > 0, self.omega, np.float32(1e-4))
        x = w * (mtt / shape)
        log_size, angle = 0.5 * np.log1p(x * x), np.arctan(x)
        size, phase = np.exp(-shape * log_size), -shape * angle
        power = size * np.exp(1j * phase)
        # Residue over MTT, so that the amplitude is the blood volume.
        turn = np.exp(-1j * (w * delay)) / (1j * w * mtt)
        unit = turn * (1.0 - power)
        spectra = [volume * unit]
        if derivatives:
            share = 1j * x / (1.0 + 1j * x)
            slope = volume * turn * shape * power
            spectra += [unit, slope * share - spectra[0], -1j * w * spectra[0]]
            spectra += [slope * (log_size + 1j * angle - share)]
        stacked = np.stack(spectra)
        return np.concatenate([stacked.real, stacked.imag], axis=2) @ basis

    def fit(self, rows: np.ndarray, start: np.ndarray) -> Fit:
        """Fit ``(B, N)`` curves from ``(B, 4)`` start values."""
        rows = rows - rows.mean(axis=1, keepdims=True)
        theta = self._best_start(rows, start)
        state = self._evaluate(theta, self._level)
        variance = self._variance(rows, state[0])
        cost = self._cost(rows, state[0], theta, variance)
        damping = np.full(len(rows), 1e-2)
        active = np.arange(len(rows))
        for _ in range(self.steps):
            moved, gain = self._step(rows, theta, state, variance, damping, active, cost)
            # A voxel whose cost has settled is left alone.
            active = active[(gain > 1e-3) | ~moved]
            active = active[damping[active] < 1e4]
            if active.size == 0:
                break
        variance = self._variance(rows, state[0])
        return Fit(theta, np.linalg.inv(self._curvature(state, variance)), self.curves(theta))

    def _step(self, rows, theta, state, variance, damping, active, cost) -> tuple[np.ndarray, np.ndarray]:
        """Try one damped step of the active voxels; return which moved and how much their cost fell."""
        some = state[:, active]
        hessian = self._curvature(some, variance[active])
        gradient = self._gradient(rows[active], some, theta[active], variance[active])
        diagonal = np.einsum("bii->bi", hessian)
        diagonal *= 1.0 + damping[active, None]
        step = np.linalg.solve(hessian, gradient[..., None])[..., 0]
        trial = self._bounded(theta[active] + np.clip(step, -self._reach(theta[active]), self._reach(theta[active])))
        tried = self._evaluate(trial, self._level)
        value = self._cost(rows[active], tried[0], trial, variance[active])
        better = value < cost[active]
        gain = np.where(better, cost[active] - value, 0.0)
        chosen = active[better]
        theta[chosen], cost[chosen] = trial[better], value[better]
        state[:, chosen] = tried[:, better]
        damping[active] *= np.where(better, 0.2, 8.0)
        return better, gain

    def _best_start(self, rows: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Return the best of a few shapes and onsets about the start; the residue's maximum lies after its onset."""
        best, lowest = start.copy(), np.full(len(rows), np.inf)
        square = (rows**2).sum(axis=1)
        for shape in (1.0, 4.0):
            for share in (0.0, 0.35, 0.7):
                trial = start.copy()
                trial[:, 2] -= share * np.exp(start[:, 1]) * 0.7 + 0.5
                trial[:, 3] = np.log(shape)
                trial = self._bounded(trial)
                unit = self._evaluate(trial, self._level, derivatives=False)[0] / trial[:, :1]
                norm = np.maximum((unit**2).sum(axis=1), 1e-20)
                across = (unit * rows).sum(axis=1)
                cost = square - np.maximum(across, 0.0) ** 2 / norm
                trial[:, 0] = np.maximum(across / norm, 1e-5)
                lower = cost < lowest
                best[lower], lowest[lower] = trial[lower], cost[lower]
        return best

    def _bounded(self, theta: np.ndarray) -> np.ndarray:
        theta = theta.copy()
        theta[:, 0] = np.maximum(theta[:, 0], 1e-5)
        for column, (low, high) in enumerate(BOUNDS, start=1):
            theta[:, column] = np.clip(theta[:, column], low, high)
        return theta

    @staticmethod
    def _reach(theta: np.ndarray) -> np.ndarray:
        """Return how far one step may go: half the volume, a factor 2 in MTT, 3 s, a factor 3 in shape."""
        reach = np.tile([0.0, 0.7, 3.0, 1.1], (len(theta), 1))
        reach[:, 0] = np.maximum(0.5 * theta[:, 0], 0.003)
        return reach

    def _variance(self, rows: np.ndarray, curve: np.ndarray) -> np.ndarray:
        """Return each voxel's noise variance from what the model leaves over."""
        return ((rows - curve) ** 2).sum(axis=1, dtype=np.float64) / (self.n - 5) + 1e-16

    def _cost(self, rows, curve, theta, variance) -> np.ndarray:
        data = ((rows - curve) ** 2).sum(axis=1, dtype=np.float64) / variance
        return data + ((theta - self.prior.mean) ** 2 * self.prior.precision).sum(axis=1)

    def _curvature(self, state: np.ndarray, variance: np.ndarray) -> np.ndarray:
        slopes = state[1:].transpose(1, 0, 2)
        hessian = (slopes @ slopes.transpose(0, 2, 1)).astype(np.float64) / variance[:, None, None]
        hessian += np.diag(self.prior.precision)
        hessian[:, range(4), range(4)] *= 1.0 + 1e-9
        return hessian

    def _gradient(self, rows, state, theta, variance) -> np.ndarray:
        left = rows - state[0]
        slopes = np.einsum("pbn,bn->bp", state[1:], left).astype(np.float64) / variance[:, None]
        return slopes - (theta - self.prior.mean) * self.prior.precision

    def tmax(self, fit: Fit) -> np.ndarray:
        """Return the reference bSVD's Tmax (s) of the fitted, noise-free curves."""
        return circular_peak(fit.curve @ self._residue)[1] * self.dt
