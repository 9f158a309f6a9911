"""How fast and how lean inference is, with untrained networks on made-up cases of the usual sizes.

The reference is the bare forward pass of the same network on the same batches in the same run. Times of the worker run
from giving it the job, its images lying on disk, to the result on disk.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from StrokePredictLib.case import StrokeCase
from StrokePredictLib.job_folder import JobFolder
from StrokePredictLib.models.bundle import METADATA, open_bundle
from StrokePredictLib.volume import Volume
from StrokePredictLib.worker_client import environment
from StrokePredictLib.worker_process import WorkerProcess

from .models import make_bundle

VALUES = {"dwi": 100.0, "adc": 800.0, "tmax": 3.0, "cbf": 50.0, "cbv": 4.0, "mtt": 5.0}
#: Loads and runs a job in a process of its own and prints the most memory that it took, in MB.
_CHILD = (
    "import json, resource, sys\n"
    "from StrokePredictLib import jobs\n"
    "name, parameters = json.loads(sys.argv[1])\n"
    "jobs.run(name, **parameters)\n"
    "try:  # Linux's ru_maxrss counts what the parent took before this process began\n"
    "    status = open('/proc/self/status').read()\n"
    "    print(int(status.split('VmHWM:')[1].split()[0]) / 2**10)\n"
    "except OSError:\n"
    "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)\n"
)


def run(repeats: int = 3, *, large: tuple[int, int, int] = (40, 256, 256)) -> dict[str, Any]:
    """Measure.

    Parameters
    ----------
    repeats : int
        The best of so many is given.
    large : tuple of int
        ``(z, y, x)`` of the case whose memory is measured.

    Returns
    -------
    dict
        Seconds, ratios and megabytes. ``cpu_s`` is the worker's own processor time, which other load does not touch.
    """
    import torch

    with tempfile.TemporaryDirectory(prefix="stroke-bench-") as place:
        folder = Path(place)
        with WorkerProcess() as worker:
            debs = _in_worker(worker, make_bundle(folder, "debs2021", (192, 192)), (24, 192, 192), repeats)
            alis = _in_worker(worker, make_bundle(folder, "alis2020", (224, 224)), (24, 224, 224), repeats)
            slider = _slider(worker, make_bundle(folder, "fate", (192, 192)), repeats)
        return {
            "benchmark": "inference",
            "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "load_average": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
            "machine": platform.machine(),
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            "late_fusion_192x192x24": debs,
            "alis_224x224x24": alis,
            "slider_192x192x24": slider,
            "whole_to_bare": {
                kind: _ratio(folder / kind, shape, repeats)
                for kind, shape in (("debs2021", (24, 192, 192)), ("alis2020", (24, 224, 224)))
            },
            "peak_memory_mb": _memory(folder, large),
        }


def make_case(shape: tuple[int, int, int], roles: tuple[str, ...] = tuple(VALUES), seed: int = 0) -> StrokeCase:
    """Return an elliptic brain with noisy images that fills most of the grid."""
    generator = np.random.default_rng(seed)
    spacing = 230.0 / shape[2]
    affine = np.diag([spacing, spacing, 5.0, 1.0])
    y, x = np.ogrid[: shape[1], : shape[2]]
    disc = np.hypot((x - shape[2] / 2) / (0.33 * shape[2]), (y - shape[1] / 2) / (0.4 * shape[1])) < 1
    brain = np.broadcast_to(disc, shape).copy()
    volumes = {"brain": Volume(brain, affine, name="brain")}
    for role in roles:
        values = VALUES[role] * generator.uniform(0.5, 1.5, shape).astype(np.float32) * brain
        volumes[role] = Volume(values.astype(np.float32), affine, name=role)
    return StrokeCase("bench", volumes)


def _in_worker(worker: WorkerProcess, bundle: Path, shape: tuple[int, int, int], repeats: int) -> dict[str, float]:
    with JobFolder() as folder:
        files = folder.put(make_case(shape).volumes)
        parameters = {"files": files, "models": [str(bundle)], "device": "cpu", "form": ".nrrd"}

        def job() -> None:
            worker.run("predict", parameters | {"output": str(folder.result)}, folder.path)

        job()  # the network is loaded with the first
        return _timed(job, repeats, worker.client.pid)


def _slider(worker: WorkerProcess, bundle: Path, repeats: int) -> dict[str, float]:
    with JobFolder() as folder:
        parameters = {"files": folder.put(make_case((24, 192, 192)).volumes), "model": str(bundle), "device": "cpu"}
        degrees = iter(np.linspace(0, 1, repeats + 1).tolist())

        def job() -> bool:
            more = {"output": str(folder.result), "form": ".nrrd", "reperfusion": next(degrees)}
            return worker.run("what-if", parameters | more, folder.path)["looked_again"]

        begin = time.perf_counter()
        job()
        first = time.perf_counter() - begin
        return {"first_s": round(first, 3)} | _timed(job, repeats, worker.client.pid)


def _ratio(bundle: Path, shape: tuple[int, int, int], repeats: int) -> dict[str, float]:
    """Return whole inference in this process against the bare forward pass of the same batches, both timed in turns."""
    import torch

    from StrokePredictLib.inference import predict, prepare
    from StrokePredictLib.preprocess.sections import Sections

    case, opened = make_case(shape), open_bundle(bundle)
    card, network = opened.card, opened.load()
    batch = predict(case, opened, device="cpu").record["batch"]
    x = torch.from_numpy(prepare(case, card, Sections.around(case.volumes["brain"], card.spacing_mm, card.matrix)))
    parts = [x[None]] if card.arrangement == "sequence" else x.split(batch)

    def bare() -> None:
        with torch.inference_mode():
            for part in parts:
                network(part)

    def whole() -> None:
        predict(case, opened, device="cpu")

    bare()
    times: dict[str, list[float]] = {"whole": [], "bare": []}
    cpu: dict[str, list[float]] = {"whole": [], "bare": []}
    for _ in range(repeats):
        for name, work in (("bare", bare), ("whole", whole)):
            begin, used = time.perf_counter(), time.process_time()
            work()
            times[name].append(time.perf_counter() - begin)
            cpu[name].append(time.process_time() - used)
    return {
        "whole_s": round(min(times["whole"]), 3),
        "bare_s": round(min(times["bare"]), 3),
        "ratio": round(min(times["whole"]) / min(times["bare"]), 3),
        "cpu_ratio": round(min(cpu["whole"]) / min(cpu["bare"]), 3),
        "batch": batch,
    }


def _memory(folder: Path, shape: tuple[int, int, int]) -> dict[str, float]:
    """Return the most memory in MB that a process took from start to result, by model."""
    if sys.platform == "win32":
        return {}
    found = {}
    for kind in ("debs2021", "yu2020", "alis2020", "fate"):
        bundle = folder / kind
        if not (bundle / METADATA).is_file():
            make_bundle(folder, kind, (192, 192))
        with JobFolder() as job:
            parameters = {"output": str(job.result), "files": job.put(make_case(shape).volumes), "device": "cpu"}
            found[kind] = round(_peak("predict", parameters | {"models": [str(bundle)]}), 1)
    return found


def _peak(name: str, parameters: dict[str, Any]) -> float:
    import json

    done = subprocess.run(
        [sys.executable, "-c", _CHILD, json.dumps([name, parameters])],
        env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout.split()[-1])


def _timed(job: Callable[[], Any], repeats: int, pid: int | None) -> dict[str, float]:
    """Return the best wall and processor seconds of a job in the worker."""
    wall, cpu = [], []
    for _ in range(repeats):
        begin, used = time.perf_counter(), _cpu_s(pid)
        job()
        wall.append(time.perf_counter() - begin)
        cpu.append(_cpu_s(pid) - used)
    return {"wall_s": round(min(wall), 3), "cpu_s": round(min(cpu), 3)}


def _cpu_s(pid: int | None) -> float:
    """Return the processor seconds of another process; nan where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
