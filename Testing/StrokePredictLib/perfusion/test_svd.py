"""Every SVD method against the published matrix formula, written out here with numpy's own decomposition."""

import numpy as np
import pytest
from Benchmarks import perfusion_reference as reference

from StrokePredictLib.perfusion.deconvolve import Settings, deconvolve
from StrokePredictLib.perfusion.osvd import OscillationSvd

DT = 1.5


@pytest.fixture(scope="module")
def case() -> tuple[np.ndarray, np.ndarray]:
    """Return ``(N, V)`` noisy curves and the arterial curve."""
    curves = reference.measured(reference.draw(60, seed=4), DT, "MR", 50.0, seed=5)
    return curves.astype(np.float32), reference.sample(reference.arterial(reference.fine_times()), DT)


def circulant(aif: np.ndarray) -> np.ndarray:
    """Return A[i, j] = dt · aif[(i − j) mod 2N], aif padded with zeros to 2N."""
    padded = np.concatenate([aif, np.zeros_like(aif)])
    return DT * np.stack([np.roll(padded, j) for j in range(len(padded))], axis=1)


def padded(curves: np.ndarray) -> np.ndarray:
    return np.concatenate([curves, np.zeros_like(curves)]).astype(np.float64)


def peak(residue: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the vertex of the parabola through the circle's maximum and its neighbours, voxel by voxel."""
    heights, places = [], []
    n = len(residue)
    for f in residue.T:
        k = int(np.argmax(f))
        y = [f[(k - 1) % n], f[k], f[(k + 1) % n]]
        a, b, c = np.polyfit([-1.0, 0.0, 1.0], y, 2)
        where = k - b / (2 * a)
        heights.append(c - b * b / (4 * a))
        places.append(where - n if where >= n / 2 else where)
    return np.array(heights), np.array(places) * DT


def truncated(aif: np.ndarray, curves: np.ndarray, cut: float) -> np.ndarray:
    u, s, vt = np.linalg.svd(circulant(aif))
    keep = s >= cut * s.max()
    return vt.T @ np.diag(np.where(keep, 1.0 / s, 0.0)) @ u.T @ padded(curves)


def tikhonov(aif: np.ndarray, curves: np.ndarray, damping: float) -> np.ndarray:
    a = circulant(aif)
    mu = damping * np.linalg.svd(a, compute_uv=False).max()
    return np.linalg.solve(a.T @ a + mu**2 * np.eye(len(a)), a.T @ padded(curves))


def oscillation_index(f: np.ndarray) -> float:
    """Return Wu's index of one residue: sum over k = 2 … L − 1 of |f(k) − 2 f(k − 1) + f(k − 2)| / (L · max f)."""
    total = sum(abs(f[k] - 2 * f[k - 1] + f[k - 2]) for k in range(2, len(f)))
    return total / (len(f) * f.max()) if f.max() > 0 else np.inf


def oscillating(aif: np.ndarray, curves: np.ndarray, limit: float) -> np.ndarray:
    """Return residues with singular values dropped one distinct value at a time until the index is below the limit."""
    u, s, vt = np.linalg.svd(circulant(aif))
    levels = [0.0]
    for value in np.sort(s):
        if value > levels[-1] * (1 + 1e-7):
            levels.append(value)
    out = []
    for c in padded(curves).T:
        projected = u.T @ c
        for level in levels:
            f = vt.T @ np.where(s > level * (1 + 1e-7), projected / s, 0.0)
            if oscillation_index(f) < limit:
                break
        out.append(f)
    return np.array(out).T


@pytest.mark.parametrize(
    ("settings", "formula"),
    [
        (Settings("bsvd", cut=0.10), lambda a, c: truncated(a, c, 0.10)),
        (Settings("bsvd", cut=0.20), lambda a, c: truncated(a, c, 0.20)),
        (Settings("tikhonov", damping=0.10), lambda a, c: tikhonov(a, c, 0.10)),
        (Settings("osvd", oscillation=0.035), lambda a, c: oscillating(a, c, 0.035)),
        (Settings("osvd", oscillation=0.095), lambda a, c: oscillating(a, c, 0.095)),
    ],
    ids=["bsvd 10 %", "bsvd 20 %", "tikhonov", "osvd 0.035", "osvd 0.095"],
)
def test_equals_the_matrix_formula(case, settings, formula):
    curves, aif = case
    rates = deconvolve(curves, aif, DT, settings)
    height, place = peak(formula(aif, curves))
    np.testing.assert_allclose(rates.flow, height, rtol=1e-4)
    np.testing.assert_allclose(rates.tmax, place, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(rates.volume, curves.sum(axis=0) / aif.sum(), rtol=1e-4)


def test_the_bound_never_hides_a_level(case):
    """Choosing with the bound off gives the same cut for every voxel."""
    curves, aif = case
    solver = OscillationSvd(aif, DT, 0.035)
    rows = np.ascontiguousarray(curves.T)
    quick = solver.choose(rows)
    solver._last_level = lambda modes: np.full(len(modes), len(solver.order))
    np.testing.assert_array_equal(quick, solver.choose(rows))


@pytest.mark.parametrize("dt", reference.INTERVALS)
@pytest.mark.parametrize("kind", reference.RESIDUES)
def test_delay_changes_cbf_by_five_percent_at_most(dt, kind):
    delays = np.arange(-2.0, 10.01, 0.5)
    tissues = reference.make(kind, 4.0, 6.0, delays)
    aif = reference.sample(reference.arterial(reference.fine_times()), dt)
    flow = deconvolve(reference.sample(tissues.curves, dt).astype(np.float32), aif, dt, Settings("bsvd")).flow
    undelayed = flow[delays == 0.0]
    assert np.abs(flow / undelayed - 1.0).max() <= 0.05
