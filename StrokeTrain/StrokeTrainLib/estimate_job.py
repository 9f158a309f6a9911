"""The job that looks ahead: whether a run can begin, and roughly how long, how much memory and disk it takes."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.progress import Progress, part, silent

from .cohort.grids import grid_of
from .cohort.index import index_cohort
from .cohort.locked import kept_out
from .cohort.select import select
from .cohort.splits import make_splits
from .cohort.table import Patient
from .recipes.describe import changes
from .recipes.schema import Recipe
from .training.plan import load_plan
from .training.run_folder import RunFolder
from .training.train import recipe_for

if TYPE_CHECKING:
    import torch
    from torch import nn

#: Share of a patient's sections that hold lesion, where only those are shown.
_LESION_SHARE = 0.4
#: s to prepare a patient: images alone, or perfusion maps too.
_READ_S, _MAPS_S = 1.0, 4.0
#: Sections of a sequence that the trial step has: a long one is scaled.
_TRIAL_SECTIONS = 4
_BASE_GB = 0.7


def run(
    *,
    recipe: str,
    folder: Path | str,
    run: Path | str,
    overrides: Mapping[str, str] | None = None,
    folds: int | None = None,
    epochs: int | None = None,
    seed: int = 0,
    device: str = "auto",
    init: str | None = None,
    output: Path | str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Check everything that can be known before a run starts, and estimate what it takes.

    Parameters
    ----------
    recipe, overrides, folds, epochs, seed, device, init
        As of ``stroke train``.
    folder, run : path-like
        The cohort, and where the run is to lie.
    output : path-like, optional
        Not used.

    Returns
    -------
    dict
        ``patients``, ``excluded`` (sentences), ``train``, ``validation``, ``test`` (of the first fold), ``epochs``,
        ``folds``, ``seconds_epoch``, ``seconds``, ``memory_gb``, ``disk_gb``, ``disk_free_gb``, ``device``,
        ``changes`` against the paper, ``notes``; ``files``, none.

    Raises
    ------
    StrokeError
        With the first reason for which the run cannot begin.
    """
    place = RunFolder(Path(run).absolute())
    if place.exists:
        place.read()  # one of another version says so
        raise StrokeError(f"{place.path}: holds a run already; go on with it (Resume) or choose another folder.")
    chosen = recipe_for(recipe, run, overrides=overrides, folds=folds, epochs=epochs)
    _require_model(chosen, init)
    which = _require_device(device)
    cohort = index_cohort(folder, progress=part(progress, 0.0, 0.4))
    wanted = chosen.selection
    found = select(
        cohort, chosen.needs, chosen.target if chosen.needs_label else None,
        rules=None if wanted.exclusions == "none" else wanted.exclusions,
        course=None if wanted.reperfusion == "any" else wanted.reperfusion, course_rule=wanted.rule,
        progress=part(progress, 0.4, 0.7),
    )  # fmt: skip
    splits = make_splits(
        found.kept, chosen.split.scheme, seed, stratify=chosen.split.stratify, volumes=found.volumes,
        locked=chosen.split.locked, calibration=chosen.split.calibration,
        excluded=[reason for _, reason in found.excluded], kept_out=kept_out(folder),
    )  # fmt: skip
    first = splits.folds[0]
    if not first.train:
        raise StrokeError(f"{folder}: {len(found.kept)} patients are too few for {chosen.split.scheme}; nobody trains.")
    progress(0.75, "one step of the network")
    sections = _sections(found.kept)
    step = _step(chosen, which)
    sums = _sums(chosen, step, len(first.train), len(first.validation), len(found.kept), len(splits.folds), sections)
    free = shutil.disk_usage(_existing(place.path)).free / 1e9
    notes = [*found.notes, *splits.notes]
    if sums["disk_gb"] > free:
        raise StrokeError(f"{place.path}: the run needs about {sums['disk_gb']:.1f} GB and {free:.1f} GB are free.")
    if sums["disk_gb"] > 0.7 * free:
        notes.append(f"The disk is nearly full: about {sums['disk_gb']:.1f} GB needed, {free:.1f} GB free.")
    return {
        "files": [], "recipe": chosen.name, "patients": len(found.kept), "excluded": [why for _, why in found.excluded],
        "train": len(first.train), "validation": len(first.validation), "test": len(first.test),
        "locked": len(splits.locked), "folds": len(splits.folds), "epochs": chosen.training.epochs, "device": which,
        "disk_free_gb": free, "changes": changes(chosen), "notes": notes, **sums,
    }  # fmt: skip


def resumable(*, run: Path | str, output: Path | str | None = None, progress: Progress = silent) -> dict[str, Any]:
    """Check what can be known before a run is gone on with: version, patients, device, disk.

    Returns
    -------
    dict
        ``device``, ``disk_free_gb``; ``files``, none.

    Raises
    ------
    StrokeError
        With the first reason for which it cannot go on.
    """
    place = RunFolder(Path(run).absolute())
    progress(0.1, "the run's patients")
    plan = load_plan(place.path)
    progress(0.8, "the device")
    try:
        which = _require_device(plan.facts["device"])
    except StrokeError as error:
        gone = f"{place.path}: was begun on '{plan.facts['device']}', which is not there now"
        raise StrokeError(f"{gone} ({error}) Go on where it is, or start a new run on the CPU.") from error
    kept = [path.stat().st_size for path in place.path.glob("fold-*/*.pt")]
    free = shutil.disk_usage(place.path).free
    if free < 3 * max(kept, default=0):  # the newest, the one before, and the one being written
        raise StrokeError(f"{place.path}: {free / 1e9:.1f} GB are free, too little for its checkpoints; make room.")
    return {"files": [], "device": which, "disk_free_gb": free / 1e9}


def _require_model(recipe: Recipe, init: str | None) -> None:
    from .training.initial import open_initial

    if init:
        open_initial(init, recipe)
    elif recipe.training.init == "required":
        raise StrokeError(f"recipe '{recipe.name}' starts from a trained model; choose one under Fine-tune from.")


def _require_device(name: str) -> str:
    from .training.ranks import own_device

    return own_device(name).type


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _sections(patients: tuple[Patient, ...]) -> int:
    """Return how many sections a patient has, by the first one's header."""
    for role in ("dwi", "adc", "tmax", "pwi", "ctp"):
        if patients and role in patients[0].images:
            return max(1, int(grid_of(patients[0].images[role])[0][2]))
    return 24


def _step(recipe: Recipe, device: str) -> dict[str, float]:
    """Return seconds, bytes of activations and number of parameters of one sample's training step."""
    import torch

    from .build import build_network, settle

    network = build_network(settle(recipe)[0]).to(device)
    total = [0]

    def count(module: nn.Module, inputs: Any, result: Any) -> None:
        if isinstance(result, torch.Tensor):
            total[0] += result.numel() * result.element_size()

    hooks = [module.register_forward_hook(count) for module in network.modules() if not list(module.children())]
    inputs, scale = _inputs(recipe, network, device)
    seconds = []
    for _ in range(2):
        begun, total[0] = time.perf_counter(), 0
        result = network(**inputs)
        sum(part.float().mean() for part in _tensors(result)).backward()
        seconds.append(time.perf_counter() - begun)
    for hook in hooks:
        hook.remove()
    weights = sum(parameter.numel() for parameter in network.parameters())
    return {"seconds": min(seconds) * scale / 2, "bytes": total[0] * scale / 2, "weights": weights}


def _tensors(result: Any) -> list[torch.Tensor]:
    if hasattr(result, "float"):
        return [result]
    return [part for item in (result.values() if isinstance(result, dict) else result) for part in _tensors(item)]


def _inputs(recipe: Recipe, network: nn.Module, device: str) -> tuple[dict[str, torch.Tensor], float]:
    """Return a made-up batch of two samples, and by what its cost is multiplied for two whole ones."""
    import torch

    size = tuple(reversed(recipe.matrix))
    view, scale = recipe.view, 1.0
    if view.arrangement == "sequence":
        x = torch.rand(2, _TRIAL_SECTIONS, len(recipe.channels), *size, device=device)
        return {"x": x, "present": torch.ones(2, _TRIAL_SECTIONS, dtype=torch.bool, device=device)}, scale
    if view.arrangement == "series":
        return {"x": torch.rand(2, view.context, view.times, *size, device=device)}, scale
    inputs = {"x": torch.rand(2, view.context * len(recipe.channels), *size, device=device)}
    if recipe.condition is not None:
        from StrokePredictLib.networks.course import LENGTH

        inputs["told"] = torch.zeros(2, LENGTH, device=device)
    return inputs, scale


def _sums(
    recipe: Recipe, step: Mapping[str, float], train: int, validation: int, patients: int, folds: int, sections: int
) -> dict[str, float]:
    """Return seconds, memory and disk of the whole run."""
    whole = recipe.view.arrangement in ("sequence", "series")
    long = sections / _TRIAL_SECTIONS if recipe.view.arrangement == "sequence" else 1.0
    shown = 1.0 if whole else sections * (_LESION_SHARE if recipe.sampling.train == "lesion" else 0.9)
    looked = 1.0 if whole else sections * (_LESION_SHARE if recipe.sampling.validation == "lesion" else 0.9)
    sample = step["seconds"] * long
    epoch = sample * (train * shown * (1 + recipe.sampling.healthy * (not whole)) + validation * looked / 3)
    maps = any(role in ("tmax", "cbf", "cbv", "mtt") for role in recipe.needs)
    prepare = patients * (_MAPS_S if maps else _READ_S)
    width, height = recipe.matrix
    voxels = width * height * (recipe.view.times * recipe.view.context if whole and long == 1.0 else sections)
    cache = patients * voxels * (4 * len(recipe.channels) + 1)
    weights = step["weights"] * 4
    return {
        "seconds_epoch": epoch,
        "seconds": prepare + epoch * recipe.training.epochs * folds,
        "memory_gb": _BASE_GB + (step["bytes"] * 2.0 * long * recipe.training.batch + weights * 4) / 1e9,
        # Two checkpoints with the optimiser's moments, best weights and the fold's model, the ensemble; predictions.
        "disk_gb": (cache + folds * weights * 9 + patients * math.prod((sections, 256, 256)) * 1.0) / 1e9,
        "weights": step["weights"],
    }
