"""How fast training is against the bare loop of the same steps, and how its memory grows with the cohort.

The reference is forward, backward and step of the same network, loss and optimiser on batches that lie in memory
already, in the same process; both take turns, and medians are compared.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from StrokePredictLib.worker_client import environment

if TYPE_CHECKING:
    from StrokeTrainLib.data import Entry
    from StrokeTrainLib.recipes import Recipe

#: Recipes whose arrangements differ: sections, stacks of them, whole patients.
RECIPES = ("debs2021", "yu2020", "alis2020")
SECTIONS = 12
#: Trains an epoch in a process of its own and prints the most memory that it took, in MB.
_CHILD = """
import json, sys, threading, time
from pathlib import Path
from StrokeCommand.benchmarks.training import Turns, made_entries, short_recipe, train
place, count = Path(sys.argv[1]), int(sys.argv[2])
recipe = short_recipe("debs2021", augmented=False).model_copy(update={"matrix": (32, 32)})
turns = Turns(made_entries(place / "many", recipe, 4), recipe, "cpu")
turns.entries = made_entries(place / "many", recipe, count)
def own():
    words = open("/proc/self/status").read()
    return {name: int(words.split(name + ":")[1].split()[0]) / 2**10 for name in ("RssAnon", "VmHWM")}
most = own()
def look(facts):
    now = own()
    for name in most:
        most[name] = max(most[name], now[name])
train(turns, place / f"run-{count}", 1, look)
print(json.dumps({"own": round(most["RssAnon"], 1), "with_mapped_files": round(most["VmHWM"], 1)}))
"""


def run(repeats: int = 5, recipes: Sequence[str] = RECIPES, memory: Sequence[int] = (50, 500)) -> dict[str, Any]:
    """Measure.

    Parameters
    ----------
    repeats : int
        Turns; medians are given.
    recipes : sequence of str
        Which.
    memory : sequence of int
        Cohorts' sizes for the memory of a run.

    Returns
    -------
    dict
        Samples a second, ratios and megabytes.
    """
    import torch

    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    with tempfile.TemporaryDirectory(prefix="stroke-bench-") as place:
        speed = {
            device: {name: _speed(Path(place), name, device, repeats) for name in recipes} for device in devices
        }
        return {
            "benchmark": "training",
            "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "load_average": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
            "machine": platform.machine(),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            "throughput": speed,
            "peak_memory_mb": {str(count): _peak(Path(place), count) for count in memory} if _tells_memory() else {},
        }


def short_recipe(name: str, *, augmented: bool, small: bool = True) -> Recipe:
    """Return a recipe at reduced size, with or without augmentation; of the paper, where its own is none, mirroring."""
    from StrokeTrainLib.recipes import load_recipe

    changes = {"preset": "small"} if small else {}
    changes |= {"augmentation.enabled": str(augmented).lower()}
    if augmented and not load_recipe(name).augmentation.enabled:
        changes |= {"augmentation.mirror": "0.5", "augmentation.rotation_deg": "10", "augmentation.elastic_px": "1"}
    return load_recipe(name, changes)


def made_entries(folder: Path, recipe: Recipe, count: int) -> list[Entry]:
    """Return made-up patients as the cache holds them."""
    from StrokeTrainLib.data import Entry
    from StrokeTrainLib.data.entry import CLASSES, INPUTS

    width, height = recipe.matrix
    shape = (SECTIONS, len(recipe.channels), height, width)
    y, x = np.ogrid[:height, :width]
    brain = np.hypot((x - width / 2) / (0.4 * width), (y - height / 2) / (0.45 * height)) < 1
    lesion = np.hypot(x - 0.65 * width, y - 0.5 * height) < 0.1 * width
    classes = np.broadcast_to(np.where(lesion, 0, np.where(brain, 1, 2)).astype(np.uint8), (SECTIONS, height, width))
    entries = []
    for number in range(count):
        place = folder / f"{recipe.name}-{number:04d}"
        if not place.is_dir():
            place.mkdir(parents=True)
            values = np.random.default_rng(number).random(shape, dtype=np.float32) * brain
            np.save(place / INPUTS, values)
            np.save(place / CLASSES, classes)
        entries.append(
            Entry(
                id=f"sub-{number:04d}", folder=place, shape=shape, lesion=(int(lesion.sum()),) * SECTIONS,
                brain=(int(brain.sum()),) * SECTIONS, lesion_ml=10.0, modality="MR",
                present=tuple(channel.role for channel in recipe.channels),
            )
        )  # fmt: skip
    return entries


class Turns:
    """An epoch of the engine, then the same steps bare, and so on; the first turn warms up.

    Parameters
    ----------
    entries : sequence of Entry
        On disk.
    recipe : Recipe
        What is trained.
    device : str
        ``"cpu"`` or ``"cuda"``.
    """

    def __init__(self, entries: Sequence[Entry], recipe: Recipe, device: str) -> None:
        import torch

        from StrokeTrainLib.build import build_network
        from StrokeTrainLib.losses import build_loss
        from StrokeTrainLib.optimisers import build_optimiser

        self.entries, self.recipe, self.device = entries, recipe, device
        # As the engine has it: what is compared is the work around the steps, not the order of numbers in memory.
        self.last = recipe.view.arrangement in ("section", "stack")
        layout = torch.channels_last if self.last else torch.preserve_format
        self.network = build_network(recipe).to(device, memory_format=layout)
        self.loss_of = build_loss(recipe)
        self.optimiser, self.schedule, _ = build_optimiser(recipe, self.network)
        self.batches = [batch.to(device, channels_last=self.last) for batch in self.make("train", 1)]
        self.seconds: dict[str, list[float]] = {"engine": [], "epoch": [], "bare": [], "engine_cpu": [], "bare_cpu": []}

    def make(self, part: str, epoch: int) -> Any:
        """Return an epoch's batches."""
        from StrokeTrainLib.data import build_batches

        return build_batches(self.entries, self.recipe, part=part, epoch=epoch, workers=0)

    def run(self, folder: Path, epochs: int) -> dict[str, float]:
        """Measure; return medians."""
        train(self, folder, epochs, self._after_steps, self._after_epoch, self._mark)
        samples = sum(len(batch) for batch in self.batches)
        middle = {name: median(values[1:]) for name, values in self.seconds.items()}
        return {
            "engine_samples_per_s": round(samples / middle["engine"], 2),
            "bare_samples_per_s": round(samples / middle["bare"], 2),
            "ratio": round(middle["bare"] / middle["engine"], 3),
            "ratio_with_checkpoint": round(middle["bare"] / middle["epoch"], 3),
            "cpu_ratio": round(middle["bare_cpu"] / middle["engine_cpu"], 3),
            "steps": len(self.batches),
        }

    def _mark(self, *_: Any) -> None:
        self.begin, self.cpu = time.perf_counter(), time.process_time()

    def _after_steps(self, facts: dict[str, Any]) -> None:
        if facts["step"] == facts["steps"]:
            self._wait()
            self.seconds["engine"].append(time.perf_counter() - self.begin)
            self.seconds["engine_cpu"].append(time.process_time() - self.cpu)

    def _after_epoch(self, facts: dict[str, Any]) -> None:
        self.seconds["epoch"].append(facts["seconds"])
        self._mark()
        self._bare()
        self._wait()
        self.seconds["bare"].append(time.perf_counter() - self.begin)
        self.seconds["bare_cpu"].append(time.process_time() - self.cpu)
        self._mark()

    def _bare(self) -> None:
        import contextlib

        import torch

        half = self.device == "cuda" and self.recipe.training.mixed_precision
        scaler = torch.amp.GradScaler(self.device, enabled=half)
        self.network.train()
        for batch in self.batches:
            self.optimiser.zero_grad(set_to_none=True)
            with torch.autocast("cuda", torch.float16) if half else contextlib.nullcontext():
                loss = self.loss_of(self.network(**batch.x), batch.y)
            scaler.scale(loss).backward()
            scaler.step(self.optimiser)
            scaler.update()
            if self.schedule is not None:
                self.schedule.step()

    def _wait(self) -> None:
        if self.device == "cuda":
            import torch

            torch.cuda.synchronize()


def train(
    turns: Turns, folder: Path, epochs: int, on_step: Any = None, on_epoch: Any = None, on_start: Any = None
) -> None:
    """Train with the engine as ``stroke train`` does: status file, log, curves and checkpoints included."""
    from StrokeTrainLib.build import build_network
    from StrokeTrainLib.optimisers import build_optimiser
    from StrokeTrainLib.training.engine import FoldTraining
    from StrokeTrainLib.training.parts import Parts, Rules
    from StrokeTrainLib.training.status import Log, Status
    from StrokeTrainLib.training.telling import Teller

    folder.mkdir(parents=True, exist_ok=True)
    teller = Teller(Status(folder / "status.json"), Log(folder / "log.jsonl"), 1, epochs)
    teller.begin_fold(1, folder)
    network = build_network(turns.recipe).to(turns.device)
    optimiser, per_iteration, per_epoch = build_optimiser(turns.recipe, network)
    parts = Parts(network, optimiser, turns.loss_of, turns.make, per_iteration, per_epoch, turns.last)

    def both(*hooks: Any) -> Any:
        return lambda facts: [hook(facts) for hook in hooks if hook is not None]

    FoldTraining(
        parts, Rules(epochs=epochs, validate=False, amp=turns.recipe.training.mixed_precision), folder,
        both(teller.resume_at, on_start), both(teller.iteration, on_step), both(teller.epoch, on_epoch),
    ).run()  # fmt: skip
    teller.end_fold()


def _speed(place: Path, name: str, device: str, repeats: int) -> dict[str, dict[str, float]]:
    found = {}
    for words, augmented in (("augmentation_off", False), ("augmentation_on", True)):
        recipe = short_recipe(name, augmented=augmented, small=device == "cpu")
        entries = made_entries(place / f"cohort-{device}", recipe, 6 if device == "cpu" else 48)
        found[words] = Turns(entries, recipe, device).run(place / f"{name}-{device}-{words}", repeats + 1)
    return found


def _tells_memory() -> bool:
    return Path("/proc/self/status").is_file()


def _peak(place: Path, count: int) -> dict[str, float]:
    """Return the most memory in MB of a process that trains an epoch: all, and without what it maps from files."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(place), str(count)], env=environment(), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])
