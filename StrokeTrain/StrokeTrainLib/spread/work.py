"""A function over cases or folds, on this machine's cores or many machines: all done, none twice."""

from __future__ import annotations

import logging
import queue
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.progress import Progress, silent
from StrokePredictLib.threads import available_threads

from .cluster import connected
from .ledger import Ledger, key_of

#: s between two looks whether somebody wants it to stop.
_GLANCE = 0.2


@dataclass
class Outcome:
    """How it went.

    Attributes
    ----------
    done, skipped : dict of str to dict
        By item what the function returned, now or in an earlier run.
    failed : dict of str to str
        By item why, in one line.
    left : list of str
        Items that were not begun, or not finished, because it was stopped.
    workers : dict of str to int
        By ``host:process`` how many items it did now.
    """

    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    skipped: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    workers: dict[str, int] = field(default_factory=dict)


def spread(
    function: str,
    items: Mapping[str, Mapping[str, Any]],
    *,
    ledger: Path | str,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Progress = silent,
    stop: Callable[[], bool] = bool,
) -> Outcome:
    """Call a function for every item, and leave a receipt of each.

    A worker that dies costs the item that it was at, which another does from its beginning; what it had finished has a
    receipt and is not done again, nor by a later call with the same parameters.

    Parameters
    ----------
    function : str
        ``"module:name"``, importable on every worker; takes an item's parameters by keyword, writes whole files or
        none, and returns a dict that JSON can carry. Paths in it must mean the same on every machine.
    items : mapping of str to mapping
        By name the parameters, which JSON can carry.
    ledger : path-like
        Folder of the receipts, on a disk that all workers share.
    scheduler : str, optional
        Address of a dask scheduler; worker processes on this machine if left out.
    workers : int, optional
        How many of those; as many as there are cores if left out. 1: in this process.
    progress : Progress
        Told how many are done.
    stop : callable
        Asked a few times a second; True: begin nothing more, and end what runs on this machine.

    Returns
    -------
    Outcome
        One item's fault never ends the others.

    Raises
    ------
    StrokeError
        If the parameters cannot be sent, the function is not found, or no scheduler answers.
    """
    _function(function)
    keys = {item: key_of(function, parameters) for item, parameters in items.items()}
    outcome = Outcome()
    if not items:
        return outcome
    place = Path(ledger).absolute()
    if workers is not None and workers < 1:
        raise StrokeError(f"--workers {workers}: at least 1 is needed.")
    known = {item: Ledger(place).read(item, keys[item]) for item in items}
    outcome.skipped = {item: receipt["result"] for item, receipt in known.items() if receipt is not None}
    # A name of its own for each call: what was done before is told by the receipts, not by the scheduler.
    call = uuid.uuid4().hex[:12]
    tasks = [(function, item, dict(items[item]), str(place), keys[item], call) for item in items if known[item] is None]
    count = min(workers or available_threads(), len(tasks))
    if not tasks:
        progress(1.0, f"all {len(items)} were done before")
    elif scheduler is None and count == 1:
        _here(tasks, outcome, progress, stop)
    else:
        _spread_out(tasks, outcome, scheduler, count, progress, stop)
    seen = {*outcome.done, *outcome.skipped, *outcome.failed}
    outcome.left = [item for item in items if item not in seen]
    return outcome


def do_item(function: str, item: str, parameters: dict[str, Any], ledger: str, key: str, call: str) -> dict[str, Any]:
    """Do one item where this runs; return its receipt with ``"now"``, or ``"reason"`` where it failed."""
    try:
        receipt, now = Ledger(Path(ledger)).once(item, key, lambda: _function(function)(**parameters), call)
    except StrokeError as error:
        return {"item": item, "reason": " ".join(str(error).split())}
    except Exception as error:  # a fault of ours must not cost the other items their turn
        logging.getLogger(__name__).exception("%s of %s", function, item)
        return {"item": item, "reason": f"fault of the software: {type(error).__name__}: {error}"}
    return receipt | {"now": now}


def _function(name: str) -> Callable[..., dict[str, Any]]:
    try:
        module, attribute = name.split(":")
        return getattr(import_module(module), attribute)
    except (ValueError, ImportError, AttributeError) as error:
        raise StrokeError(f"no function '{name}' here ({error}); is this software installed on the worker?") from error


def _here(tasks: list[tuple], outcome: Outcome, progress: Progress, stop: Callable[[], bool]) -> None:
    for number, task in enumerate(tasks):
        if stop():
            return
        progress(number / len(tasks), task[1])
        _note(do_item(*task), outcome)
    progress(1.0, f"{len(tasks)} of {len(tasks)}")


def _spread_out(
    tasks: list[tuple],
    outcome: Outcome,
    scheduler: str | None,
    count: int,
    progress: Progress,
    stop: Callable[[], bool],
) -> None:
    progress(0.0, "waiting for the first worker" if scheduler else f"starting {count} workers")
    ended: queue.SimpleQueue = queue.SimpleQueue()
    with connected(scheduler, count) as client:
        futures = {
            client.submit(do_item, *task, key=f"{task[1]}-{task[-1]}", priority=-number): task[1]
            for number, task in enumerate(tasks)
        }
        for future in futures:
            future.add_done_callback(ended.put)
        waiting = len(futures)
        try:
            while waiting and not stop():
                try:
                    future = ended.get(timeout=_GLANCE)
                except queue.Empty:
                    if client.status not in ("running", "connecting"):
                        raise StrokeError(
                            "the scheduler is gone; what is done has its receipt: start it again."
                        ) from None
                    continue
                waiting -= 1
                _note(_answer(future, futures[future]), outcome)
                progress(1 - waiting / len(futures), f"{len(futures) - waiting} of {len(futures)}, {futures[future]}")
        finally:
            if waiting:
                client.cancel(list(futures), force=True)


def _answer(future: Any, item: str) -> dict[str, Any]:
    """Return what `do_item` returned, or why there is none."""
    if future.status == "finished":
        return future.result()
    if future.status == "cancelled":
        return {"item": item, "reason": "the scheduler has forgotten it: start it again."}
    error = future.exception()
    if type(error).__name__ == "KilledWorker":
        return {"item": item, "reason": "every worker that tried it died (memory?); the others are not concerned."}
    if isinstance(error, ImportError):
        raise StrokeError(f"a worker cannot import this software ({error}); install it there, in the same version.")
    return {"item": item, "reason": f"{type(error).__name__}: {' '.join(str(error).split())}"}


def _note(answer: dict[str, Any], outcome: Outcome) -> None:
    item = answer["item"]
    if "reason" in answer:
        outcome.failed[item] = answer["reason"]
    elif answer["now"]:
        outcome.done[item] = answer["result"]
        worker = f"{answer['host']}:{answer['process']}"
        outcome.workers[worker] = outcome.workers.get(worker, 0) + 1
    else:
        outcome.skipped[item] = answer["result"]
