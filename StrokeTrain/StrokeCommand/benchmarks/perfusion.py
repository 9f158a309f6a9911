"""How fast perfusion maps are made of a large CT series, against plain ways of doing the same.

The references, timed in the same run on the same machine: (a) the bare float32 matrix product of that shape, (b) the
plain vectorised matrix method, (c) the same voxel by voxel in a loop.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from StrokePredictLib.perfusion.deconvolve import METHODS, Settings, deconvolve
from StrokePredictLib.perfusion.pipeline import compute_maps
from StrokePredictLib.volume import Volume

#: (t, z, y, x), brain voxels, frame interval in s, relative cut.
SHAPE, BRAIN, INTERVAL, CUT = (45, 32, 256, 256), 600_000, 2.0, 0.10
#: Voxels of the loop; its time is scaled to the whole brain.
LOOP = 5_000


def run(methods: tuple[str, ...] = METHODS, shape: tuple[int, ...] = SHAPE, brain: int = BRAIN) -> dict:
    """Time every method and its references.

    Parameters
    ----------
    methods : tuple of str
        Which to time.
    shape : tuple of int
        Series ``(t, z, y, x)``.
    brain : int
        Brain voxels.

    Returns
    -------
    dict
        Seconds, ratios to the references, and peak memory over the size of the float32 series. ``series_to_maps_s`` is
        everything but reading: brain mask given, arterial input found, no motion correction, no smoothing.
    """
    curves, aif = brain_curves(shape[0], brain)
    references = {
        "a_bare_product_s": best_of(lambda: bare_product(curves), 5),
        "b_vectorised_matrix_s": best_of(lambda: vectorised(curves, aif), 2),
        "c_voxel_loop_s": best_of(lambda: looped(curves[:, :LOOP], aif), 1) * brain / min(LOOP, brain),
    }
    found = {}
    for method in methods:
        print(f"timing {method} …", file=sys.stderr, flush=True)
        repeats = 3 if method in ("bsvd", "tikhonov") else 1
        settings = Settings(method)
        seconds = best_of(lambda s=settings: deconvolve(curves, aif, INTERVAL, s), repeats)
        row = {"deconvolution_s": seconds} | _in_child(method, shape, brain)
        row |= {f"ratio_to_{name[:-2]}": seconds / value for name, value in references.items()}
        found[method] = row
    extra = {
        "bsvd_with_smoothing_5_mm": _in_child("bsvd", shape, brain, smoothing=5.0),
        "bsvd_with_motion_correction": _in_child("bsvd", shape, brain, motion=True),
    }
    return {
        "benchmark": "perfusion",
        "series": "×".join(map(str, shape[::-1])),
        "brain_voxels": brain,
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "numpy": np.__version__,
        "references": _rounded(references),
        "methods": {name: _rounded(row) for name, row in found.items()},
        "options": {name: _rounded(row) for name, row in extra.items()},
        "loop_voxels_timed": min(LOOP, brain),
    }


def arterial_curve(frames: int) -> np.ndarray:
    """Return a gamma-variate bolus with its recirculation, HU."""
    u = np.maximum(np.arange(frames) * INTERVAL - 12.0, 0.0)
    first = (u / 4.5) ** 3 * np.exp(3.0 - u / 1.5)
    v = np.maximum(u - 12.0, 0.0)
    return 300.0 * (first + 0.2 * (v / 9.0) ** 3 * np.exp(3.0 - v / 3.0))


def brain_curves(frames: int, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(T, V)`` float32 ΔHU of tissue of many delays and transit times with noise, and the arterial curve."""
    rng = np.random.default_rng(seed)
    aif, t = arterial_curve(frames), np.arange(frames) * INTERVAL
    kinds = []
    for _ in range(500):
        mtt, delay, cbv = rng.uniform(3, 15), rng.uniform(0, 8), rng.uniform(0.01, 0.06)
        kernel = np.exp(-np.maximum(t - delay, 0) / mtt) / mtt * (t >= delay)
        kinds.append(cbv * INTERVAL * np.convolve(aif, kernel)[:frames])
    curves = np.array(kinds, dtype=np.float32).T[:, rng.integers(0, len(kinds), count)]
    for row in curves:
        row += rng.standard_normal(count, dtype=np.float32) * np.float32(0.7)
    return np.ascontiguousarray(curves), aif


def make_series(shape: tuple[int, ...], brain: int) -> tuple[Volume, np.ndarray]:
    """Return a CT series with skull, arteries and a sinus, and its brain mask of about ``brain`` voxels."""
    frames, nz, ny, nx = shape
    _, y, x = np.ogrid[:nz, :ny, :nx]
    centre = [(n - 1) / 2 for n in (nz, ny, nx)]
    reach = np.sqrt(brain / (nz * np.pi * 1.2)), np.sqrt(1.2 * brain / (nz * np.pi))
    radius = ((x - centre[2]) / reach[0]) ** 2 + ((y - centre[1]) / reach[1]) ** 2
    mask = np.broadcast_to(radius <= 1.0, shape[1:]).copy()
    still = np.broadcast_to(np.where(radius <= 1.2, 900.0, -1000.0).astype(np.float32), shape[1:])
    index = np.flatnonzero(mask)
    curves, aif = brain_curves(frames, index.size)
    array = np.empty(shape, dtype=np.float32)
    for t in range(frames):
        array[t] = still
        array[t].reshape(-1)[index] = curves[t] + 35.0
    half, middle = nz // 2, int(centre[2])
    front, back = int(centre[1] - 0.3 * reach[1]), int(centre[1] + 0.93 * reach[1])
    for side in (-1, 1):
        at = middle + side * int(0.4 * reach[0])
        array[:, half - 3 : half + 3, front : front + 3, at : at + 3] = 35.0 + aif[:, None, None, None]
    array[:, :, back - 3 : back + 3, middle - 3 : middle + 3] = 35.0 + np.roll(aif, 3)[:, None, None, None]
    return Volume(array, np.diag([0.9, 0.9, 5.0, 1.0]), name="benchmark series"), mask


def bare_product(curves: np.ndarray) -> np.ndarray:
    """Multiply a (2T × T) float32 matrix with all curves, and nothing else."""
    matrix = np.ones((2 * len(curves), len(curves)), dtype=np.float32)
    return matrix @ curves


def inverse_matrix(aif: np.ndarray) -> np.ndarray:
    """Return the truncated pseudo-inverse of the block-circulant matrix, by numpy's decomposition."""
    padded = np.concatenate([aif, np.zeros_like(aif)])
    matrix = INTERVAL * np.stack([np.roll(padded, k) for k in range(len(padded))], axis=1)
    u, s, vt = np.linalg.svd(matrix)
    return (vt.T * np.where(s >= CUT * s.max(), 1.0 / s, 0.0)) @ u.T


def vectorised(curves: np.ndarray, aif: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return flow, volume, Tmax of all voxels by one product in float64, the plain way."""
    residues = inverse_matrix(aif) @ np.concatenate([curves, np.zeros_like(curves)]).astype(np.float64)
    return residues.max(axis=0), curves.sum(axis=0) / aif.sum(), residues.argmax(axis=0) * INTERVAL


def looped(curves: np.ndarray, aif: np.ndarray) -> list[tuple[float, ...]]:
    """Return the same voxel by voxel."""
    inverse, out = inverse_matrix(aif), []
    for curve in curves.T:
        residue = inverse @ np.concatenate([curve, np.zeros_like(curve)])
        out.append((residue.max(), curve.sum() / aif.sum(), residue.argmax() * INTERVAL))
    return out


def best_of(work: Callable[[], object], repeats: int) -> float:
    """Return the least time of some runs in s."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def _in_child(method: str, shape: tuple[int, ...], brain: int, smoothing: float = 0.0, motion: bool = False) -> dict:
    """Time series to maps in a process of its own, whose peak memory is the work's."""
    task = json.dumps({"method": method, "shape": shape, "brain": brain, "smoothing": smoothing, "motion": motion})
    paths = os.pathsep.join(p for p in sys.path if p)
    done = subprocess.run(
        [sys.executable, "-c", f"from {__spec__.name if __spec__ else __name__} import child; child()"],
        input=task, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": paths},
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def child() -> None:
    """Read a task from standard input, do it, and print its time and peak memory as JSON."""
    task = json.loads(sys.stdin.read())
    series, mask = make_series(tuple(task["shape"]), task["brain"])
    times = np.arange(task["shape"][0]) * INTERVAL
    start = time.perf_counter()
    compute_maps(
        series,
        times,
        modality="CT",
        mask=mask,
        method=task["method"],
        smoothing=task["smoothing"],
        motion=task["motion"],
    )
    row = {"series_to_maps_s": time.perf_counter() - start}
    peak = _peak_bytes()
    print(json.dumps(row | ({"peak_memory_over_series": peak / series.array.nbytes} if peak else {})))


def _peak_bytes() -> int | None:
    """Return the process's peak memory; None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.is_file():  # Linux hands the parent's peak down in getrusage, but not here
        high = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(high[0]) * 1024 if high else None
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _rounded(row: dict[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.4g}") for name, value in row.items()}


def main() -> None:
    """Print the figures as JSON; arguments name methods, all if there are none."""
    print(json.dumps(run(tuple(sys.argv[1:]) or METHODS), indent=1))


if __name__ == "__main__":
    main()
