"""A client of dask.distributed: of a scheduler somewhere, or of worker processes on this machine."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from StrokePredictLib.errors import StrokeError

if TYPE_CHECKING:
    from distributed import Client

#: How long a scheduler may take to answer, s.
PATIENCE = 15


@contextlib.contextmanager
def connected(scheduler: str | None, workers: int) -> Iterator[Client]:
    """Give a client; local workers end with it, a scheduler elsewhere goes on.

    Parameters
    ----------
    scheduler : str or None
        Address as ``tcp://host:8786``, or ``file:PATH`` of a scheduler file; None: worker processes here.
    workers : int
        How many here, of one thread each.

    Raises
    ------
    StrokeError
        If dask.distributed is not installed, or no scheduler answers.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise StrokeError(
            "more than one worker needs dask.distributed: './stroke cohort' installs it in a checkout, else "
            "pip install distributed."
        ) from error
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set({"distributed.comm.timeouts.connect": PATIENCE}))
        if scheduler is None:
            place: object = stack.enter_context(_local(LocalCluster, workers))
            yield stack.enter_context(Client(place, timeout=PATIENCE))
            return
        file = scheduler.removeprefix("file:") if scheduler.startswith("file:") else None
        try:
            if file and not Path(file).is_file():  # dask would wait for it without end
                raise FileNotFoundError(f"{file} is not there")
            client = Client(timeout=PATIENCE, **({"scheduler_file": file} if file else {"address": scheduler}))
        except (OSError, ValueError, TypeError) as error:  # a time-out is an OSError
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            raise StrokeError(
                f"--scheduler {scheduler}: no scheduler answers there ({reason}); start one with 'dask scheduler', or "
                "leave the option out to work on this machine."
            ) from error
        yield stack.enter_context(client)


@contextlib.contextmanager
def _local(kind: type, workers: int) -> Iterator[object]:
    # No limit by dask: a worker that it ended in the midst of a large series would only begin anew.
    place = kind(
        n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
        memory_limit=0, silence_logs=logging.CRITICAL,
    )  # fmt: skip
    with place:
        yield place
