"""The stages of a longer command: each shown with its time, its files collected."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from StrokePredictLib.progress import Progress, part, silent

from .console import stage


class Steps:
    """Run stages one after the other.

    Parameters
    ----------
    progress : Progress
        Told how far the whole is.
    count : int
        How many stages are expected.

    Attributes
    ----------
    seconds : dict of str to float
        By stage.
    files : list of str
        What all of them wrote.
    """

    def __init__(self, progress: Progress = silent, count: int = 1) -> None:
        self.progress, self.count = progress, count
        self.seconds: dict[str, float] = {}
        self.files: list[str] = []

    def __call__(self, title: str, function: Callable[..., dict[str, Any]], **parameters: Any) -> dict[str, Any]:
        """Run one stage: ``function(progress=…, **parameters)``, whose result names its ``files``."""
        start = time.perf_counter()
        done = len(self.seconds)
        whole = part(self.progress, min(1.0, done / self.count), min(1.0, (done + 1) / self.count))
        with stage(title) as show:

            def report(fraction: float, words: str) -> None:
                show(fraction, words)
                whole(fraction, f"{title}: {words}")

            result = function(progress=report, **parameters)
        self.seconds[title] = round(time.perf_counter() - start, 2)
        self.files += result["files"]
        return result
