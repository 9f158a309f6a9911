"""Several processes that train one network together, started by torchrun; and which device each takes.

Gradients are the mean over all processes: a loss that is a mean over items (`alis2020`) learns as in one process; a
Dice over the batch is over each process's share. Batch normalisation is not synchronised: each process normalises its
own share of a batch, as a batch of that size would be, and the first one's running statistics are validated and kept.
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator
from typing import Any

import torch

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.inference.devices import choose_device

#: The other ranks wait this long while the first one prepares or predicts.
WAIT = datetime.timedelta(days=2)


def world_size() -> int:
    """Return how many processes torchrun started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Return which of them this is; 0 without torchrun."""
    return int(os.environ.get("RANK", "0"))


@contextlib.contextmanager
def together(device: torch.device) -> Iterator[None]:
    """Join the processes that torchrun started: NCCL on GPUs, gloo on CPUs; without torchrun do nothing."""
    if world_size() == 1:
        yield
        return
    import ignite.distributed as idist

    idist.initialize("nccl" if device.type == "cuda" else "gloo", timeout=WAIT)
    try:
        yield
    finally:
        with contextlib.suppress(Exception):
            idist.finalize()


def own_device(name: str) -> torch.device:
    """Return the device of this process: as asked for, and under torchrun the GPU of this process's own number.

    Raises
    ------
    StrokeError
        If it is not there.
    """
    device = choose_device(name)
    if device.type == "cuda":
        number = int(os.environ.get("LOCAL_RANK", "0")) if world_size() > 1 else torch.cuda.current_device()
        torch.cuda.set_device(number)
        return torch.device("cuda", number)
    return device


def usable(name: str) -> str:
    """Return a device's name, or ``auto`` where it is not on this machine but on those that trained."""
    try:
        own_device(name)
    except StrokeError:
        return "auto"
    return name


def wait_for_all() -> None:
    """Wait until every process is here."""
    if world_size() > 1:
        import torch.distributed as distributed

        if distributed.is_initialized():
            distributed.barrier()


def told_by_first(content: Any) -> Any:
    """Return what the first process has, in all of them."""
    if world_size() == 1:
        return content
    import torch.distributed as distributed

    held = [content]
    distributed.broadcast_object_list(held, src=0)
    return held[0]
