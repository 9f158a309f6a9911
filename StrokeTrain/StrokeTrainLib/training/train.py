"""A whole run: begun or gone on with, fold after fold, to the model that is handed over."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.output import explain
from StrokePredictLib.progress import Progress, part, silent

from ..data import Entry, cache_folder
from ..recipes import load_recipe
from ..recipes.describe import leaves
from ..recipes.schema import Recipe
from ..spread.work import spread
from .begin import Options, begin
from .finish import finish
from .fold import train_fold
from .initial import open_initial
from .plan import Plan, load_plan
from .preparation import prepare_all
from .ranks import own_device, rank, together, wait_for_all, world_size
from .run_folder import RunFolder
from .status import Log, Status
from .stop import stoppable
from .telling import OnEpoch, Teller, unheard

#: What a disk may say that is no fault of ours.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
#: Share of a run's progress that preparing the cohort takes.
PREPARING = 0.1


def train(
    recipe: Recipe,
    run: Path | str,
    options: Options,
    *,
    resume: bool = False,
    progress: Progress = silent,
    on_epoch: OnEpoch = unheard,
) -> dict[str, Any]:
    """Train by a recipe on a cohort.

    Parameters
    ----------
    recipe : Recipe
        What is trained and how.
    run : path-like
        The run's folder.
    options : Options
        Cohort, seed, device and the like; of a run that is gone on with, its own count.
    resume : bool
        Go on with the run that lies there, to the very weights that it would have had without a break (on a CPU).
    progress : Progress
        Told the share done and how long it will take.
    on_epoch : callable
        Gets the figures of every epoch.

    Returns
    -------
    dict
        What ``RUN/summary.json`` holds, and ``files``.

    Raises
    ------
    StrokeError
        For every mistake of the user and every fault of the data; what was finished stays.
    """
    folder = RunFolder(Path(run).absolute())
    first = rank() == 0
    if not resume and folder.exists and first:
        raise StrokeError(f"{folder.path}: holds a run already; go on with it (--resume) or choose another folder.")
    status = Status(folder.status if first else None)
    log = Log(folder.log if first else None)
    with contextlib.ExitStack() as stack:
        if first:
            stack.enter_context(folder.locked())
        before = _taken_up(recipe, options, folder) if resume else None
        stack.enter_context(_told(status, log, folder))
        stack.enter_context(stoppable(lambda: status.last(state="stopped", message="")))
        if world_size() > 1:
            stack.enter_context(together(own_device(options.device)))
        status.write()
        plan, entries = _plan(recipe, options, folder, before, log, _preparing(status, progress))
        status.update(message="")
        teller = Teller(status, log, plan.folds, plan.recipe.training.epochs, part(progress, PREPARING, 1.0), on_epoch)
        results = _all_folds(plan, entries, teller, options.scheduler)
        done = finish(plan, results, teller) if first else {}
        status.last(state="done", message="")
        log("done", **done.get("scores", {}))
        wait_for_all()
    return done | {"files": _files(folder)}


def _preparing(status: Status, progress: Progress) -> Progress:
    """Return a progress that also stands in the status: a large cohort is prepared for an hour."""
    share = part(progress, 0.0, PREPARING)

    def tell(fraction: float, words: str) -> None:
        status.update(message=words)
        share(fraction, words)

    return tell


def _plan(
    recipe: Recipe, options: Options, folder: RunFolder, plan: Plan | None, log: Log, progress: Progress
) -> tuple[Plan, Mapping[str, Entry]]:
    """Begin the run, or take it up; the first process begins, and the others read what it wrote."""
    import torch

    entries: Mapping[str, Entry] = {}
    if plan is not None:
        log("resumed", world=world_size())
    elif rank() == 0:
        plan, entries = begin(recipe, options, folder, progress)
        log("begun", recipe=plan.recipe.name, folds=plan.folds, patients=len(plan.patients), notes=plan.facts["notes"])
    wait_for_all()
    plan = plan or load_plan(folder.path)
    torch.set_num_threads(plan.threads)
    if not entries:
        names = sorted({name for fold in range(1, plan.folds + 1) for side in plan.parts(fold) for name in side})
        entries, failed = prepare_all([plan.patients[name] for name in names], plan.recipe, plan.cache, progress)
        if failed:
            raise StrokeError(f"{next(iter(failed.values()))} The run cannot go on without this patient.")
    return plan, entries


def _taken_up(recipe: Recipe, options: Options, folder: RunFolder) -> Plan:
    """Return the plan of the run that lies there, if it is the one that is asked for."""
    plan = load_plan(folder.path)
    _require_same(recipe, plan, options)
    return plan


def _require_same(recipe: Recipe, plan: Plan, options: Options) -> None:
    """Raise `StrokeError` where a run would go on by another recipe, seed or on another device's arithmetic."""
    if options.data is not None and Path(options.data).absolute() != Path(plan.facts["data"]):
        raise StrokeError(f"{plan.folder.path}: was begun on {plan.facts['data']}; leave --data out to go on with it.")
    ours, theirs = (dict(leaves(r.model_dump(mode="json"))) for r in (recipe, plan.recipe))
    other = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
    if other:
        raise StrokeError(
            f"{plan.folder.path}: was begun with {other[0]} = {theirs.get(other[0])}, now it is {ours.get(other[0])}; "
            "go on with the run's own recipe or start a new run."
        )
    for name in ("seed", "device", "threads", "workers"):
        asked = getattr(options, name)
        if asked not in (None, "auto", plan.facts[name]):
            raise StrokeError(f"{plan.folder.path}: was begun with {name} {plan.facts[name]}; leave --{name} out.")
    _require_same_start(plan, options)
    if world_size() != plan.facts["world"]:
        raise StrokeError(
            f"{plan.folder.path}: was begun by {plan.facts['world']} processes, now there are {world_size()}; go on "
            "with as many."
        )


def _require_same_start(plan: Plan, options: Options) -> None:
    """Refuse another model to start from, and another folder of prepared patients, than the run began with."""
    if options.init:
        began = plan.facts["init"]
        if began is None or open_initial(options.init, plan.recipe).sha256 != began["sha256"]:
            which = f"from the model '{began['name']}'" if began else "without --init"
            raise StrokeError(f"{plan.folder.path}: was begun {which}; leave --init out, or start a new run.")
    if options.cache is not None and cache_folder(options.cache).resolve() != plan.cache.resolve():
        raise StrokeError(f"{plan.folder.path}: was begun with --cache {plan.cache}; leave --cache out to go on.")


def _all_folds(
    plan: Plan, entries: Mapping[str, Entry], teller: Teller, scheduler: str | None
) -> list[dict[str, Any]]:
    if scheduler is None:
        return [train_fold(plan, fold, entries, teller) for fold in range(1, plan.folds + 1)]
    items = {f"fold-{fold}": {"run": str(plan.folder.path), "fold": fold} for fold in range(1, plan.folds + 1)}
    teller.status.update(state="training", folds=plan.folds, message=f"spread over {scheduler}")
    outcome = spread(
        "StrokeTrainLib.training.fold:run_fold", items, ledger=plan.folder.path / "spread", scheduler=scheduler,
        progress=teller.progress,
    )  # fmt: skip
    if outcome.failed:
        name, reason = next(iter(outcome.failed.items()))
        raise StrokeError(f"{name}: {reason} ({len(outcome.failed)} of {plan.folds} folds failed; --resume goes on.)")
    found = outcome.done | outcome.skipped
    return [found[item] for item in items]


@contextlib.contextmanager
def _told(status: Status, log: Log, folder: RunFolder) -> Iterator[None]:
    """Write into the status why a run ends, whatever the reason, and say a full disk in words."""
    try:
        yield
    except KeyboardInterrupt:
        status.last(state="stopped", message="")
        with contextlib.suppress(OSError):
            log("stopped")
        raise
    except BaseException as error:
        told = _in_words(error, folder)
        words = " ".join(str(told).split())
        status.last(state="failed", message=words)
        with contextlib.suppress(OSError):
            log("failed", words=words)
        if told is not error:
            raise told from error
        raise


def _in_words(error: BaseException, folder: RunFolder) -> BaseException:
    """Return a full disk or a GPU that is gone in words; every other error as it is."""
    if isinstance(error, OSError) and error.errno in _DISK:
        return explain(error, folder.path)
    if isinstance(error, RuntimeError) and "CUDA error" in str(error):
        first = str(error).splitlines()[0].rstrip(".")
        return StrokeError(
            f"{folder.path}: the GPU failed or is gone ({first}). Every whole epoch is kept; go on with --resume once "
            "it is back."
        )
    return error


def _files(folder: RunFolder) -> list[str]:
    return [str(path) for path in (folder.bundle, folder.path / "summary.json", folder.log)]


def recipe_for(
    name: str | Path | None,
    run: Path | str,
    *,
    resume: bool = False,
    overrides: Mapping[str, str] | None = None,
    folds: int | None = None,
    epochs: int | None = None,
) -> Recipe:
    """Return the recipe of a command line: by name or file, or that of the run to go on with, with values changed.

    Parameters
    ----------
    name : str, Path or None
        Recipe's name or file; None with ``resume``: the run's own.
    run : path-like
        The run's folder.
    resume : bool
        See `train`.
    overrides : mapping of path to value
        Such as ``{"training.batch": "8"}``.
    folds, epochs : int, optional
        Shorter words for ``split.scheme`` and ``training.epochs``; 1 fold is one split of 80, 10 and 10 %.
    """
    folder = RunFolder(Path(run))
    changed = dict(overrides or {})
    if folds is not None:
        if folds < 1:
            raise StrokeError(f"--folds {folds}: at least 1 is needed.")
        changed["split.scheme"] = "80-10-10" if folds == 1 else f"{folds}-fold"
    if epochs is not None:
        changed["training.epochs"] = str(epochs)
    if resume:
        if not folder.exists:
            raise StrokeError(f"{run}: no training run here (run.json is missing); begin one without --resume.")
        folder.read()
        own = load_recipe(folder.recipe, changed)
        if name is not None and Path(str(name)).suffix != ".json" and own.name != str(name):
            raise StrokeError(f"{run}: trains recipe '{own.name}', not '{name}'.")
        return own
    return load_recipe(name, changed)
