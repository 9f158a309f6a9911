"""Block-circulant SVD whose cut is chosen for each voxel by the oscillation index (Wu et al., 2003).

Singular values are dropped from the smallest up until the residue oscillates less than a limit:
``O = Σ |f(k) − 2 f(k−1) + f(k−2)| / (L · max f)``. A voxel's residue at every cut is a partial sum of Fourier modes, so
modes are added one pair at a time from the largest singular value down; the last partial sum below the limit is Wu's
choice. A voxel is left alone once a bound shows that no later sum can come back below it.
"""

from __future__ import annotations

import numpy as np

from .residue import circular_peak
from .svd import residue_operator, transfer

#: Modes whose singular value is below this share of the largest are noise divided by zero.
SMALLEST = 1e-5


class OscillationSvd:
    """Deconvolution of blocks of voxels by one arterial curve.

    Parameters
    ----------
    aif : numpy.ndarray
        ``(N,)`` arterial concentration.
    dt : float
        s.
    limit : float
        Oscillation index that a residue must stay below.
    """

    def __init__(self, aif: np.ndarray, dt: float, limit: float) -> None:
        self.n, self.length, self.limit = len(aif), 2 * len(aif), limit
        self.eigenvalues = transfer(aif, dt)
        size = np.abs(self.eigenvalues)
        order = np.argsort(-size, kind="stable")
        self.order = order[size[order] >= SMALLEST * size.max()]
        self._operators: dict[int, np.ndarray] = {}
        self._prepare()

    def _prepare(self) -> None:
        """Lay out each mode: its coefficients of a curve, its two waves and their second differences."""
        k, length = self.order, self.length
        phase = 2.0 * np.pi * np.outer(k, np.arange(length)) / length
        # A mode and its conjugate together; the mean and the Nyquist mode have none.
        pair = np.where((k == 0) | (k == length // 2), 1.0, 2.0) / length
        inverse = np.conj(self.eigenvalues[k]) / np.abs(self.eigenvalues[k]) ** 2
        weights = pair[:, None] * inverse[:, None] * np.exp(-1j * phase[:, : self.n])
        coefficients = np.stack([weights.real, -weights.imag], axis=1)  # (K, 2, N)
        waves = np.stack([np.cos(phase), np.sin(phase)], axis=1)  # (K, 2, L)
        self.coefficients = coefficients.reshape(-1, self.n).T.astype(np.float32)
        self.waves = np.concatenate([waves, np.diff(waves, 2, axis=2)], axis=2).astype(np.float32)
        self.bend = (4.0 * np.sin(np.pi * k / length) ** 2).astype(np.float32)

    def __call__(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return height (1/s) and place (samples) of the residue's maximum for ``(B, N)`` curves."""
        level = self.choose(rows)
        height, place = np.empty(len(rows), dtype=np.float32), np.empty(len(rows), dtype=np.float32)
        for kept in np.unique(level):
            found = np.flatnonzero(level == kept)
            height[found], place[found] = circular_peak(rows[found] @ self._operator(int(kept)))
        return height, place

    def choose(self, rows: np.ndarray) -> np.ndarray:
        """Return how many modes (pairs counted once) each voxel keeps, at least one."""
        modes = (rows @ self.coefficients).reshape(len(rows), -1, 2)
        last = self._last_level(modes)
        level = np.ones(len(rows), dtype=np.int64)
        active = np.argsort(-last, kind="stable")
        modes, last = modes[active], last[active]
        state = np.zeros((len(rows), self.waves.shape[2]), dtype=np.float32)
        scratch = np.empty_like(state)
        for m in range(1, len(self.order) + 1):
            count = int(np.searchsorted(-last, -m, side="right"))
            if count == 0:
                break
            np.matmul(modes[:count, m - 1], self.waves[m - 1], out=scratch[:count])
            state[:count] += scratch[:count]
            low = self._oscillation(state[:count], scratch[:count]) < self.limit
            level[active[:count][low]] = m
        return level

    def _oscillation(self, state: np.ndarray, scratch: np.ndarray) -> np.ndarray:
        residue, bends = state[:, : self.length], state[:, self.length :]
        top = residue.max(axis=1)
        total = np.abs(bends, out=scratch[:, self.length :]).sum(axis=1)
        return np.where(top > 0, total / (self.length * np.where(top > 0, top, 1.0)), np.inf)

    def _last_level(self, modes: np.ndarray) -> np.ndarray:
        """Return the last level whose index may lie below the limit, by a bound.

        The sum of |second difference| is at least the modulus of any one of its Fourier terms, less what the two
        differences across the ends hold; the maximum is at most the sum of all amplitudes.
        """
        amplitude = np.hypot(modes[..., 0], modes[..., 1])
        term = 0.5 * self.length * np.maximum.accumulate(amplitude * self.bend, axis=1)
        ends = 2.0 * np.cumsum(amplitude * self.bend, axis=1)
        highest = np.cumsum(amplitude, axis=1)
        possible = (term - ends) < 1.001 * self.limit * self.length * highest
        return possible.shape[1] - possible[:, ::-1].argmax(axis=1)

    def _operator(self, kept: int) -> np.ndarray:
        if kept not in self._operators:
            weights = np.zeros(self.n + 1, dtype=np.complex128)
            chosen = self.order[:kept]
            weights[chosen] = 1.0 / self.eigenvalues[chosen]
            self._operators[kept] = np.ascontiguousarray(residue_operator(weights, self.n).T)
        return self._operators[kept]
