"""Work on blocks in threads of our own, one per processor."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def in_threads(work: Callable[[Item], object], items: Sequence[Item]) -> Iterator[float]:
    """Run ``work`` on every item and yield the share done; numpy lets go of the interpreter's lock inside.

    Parameters
    ----------
    work : callable
        Called once an item; what it returns is dropped.
    items : sequence
        What to work on.
    """
    with one_blas_thread(), ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        for number, _ in enumerate(pool.map(work, items), start=1):
            yield number / len(items)


def one_blas_thread() -> contextlib.AbstractContextManager:
    """Keep matrix products to the thread that calls them, where threadpoolctl is installed.

    Threads of ours that each start threads of the linear algebra library wait for one another: on two busy processors
    the maps then take several times as long. Without threadpoolctl the results are the same.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return contextlib.nullcontext()
    return threadpool_limits(limits=1, user_api="blas")
