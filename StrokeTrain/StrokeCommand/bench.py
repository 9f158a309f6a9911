"""``stroke bench NAME``: speed against named references, measured in one run."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Annotated, Any

import typer

from StrokePredictLib.errors import StrokeError

from .console import answer

#: Name → "module:function"; the function takes no argument and returns what JSON can carry.
BENCHMARKS = {
    "perfusion": "StrokeCommand.benchmarks.perfusion:run",
    "inference": "StrokeCommand.benchmarks.inference:run",
    "training": "StrokeCommand.benchmarks.training:run",
}


def bench(name: Annotated[str, typer.Argument(help=f"One of: {', '.join(BENCHMARKS)}.")]) -> None:
    """Measure speed against named references, in one run; prints JSON with the ratios."""
    answer.print(json.dumps(run(name), indent=1, ensure_ascii=False), markup=False)


def run(name: str) -> dict[str, Any]:
    """Run a benchmark by name.

    Raises
    ------
    StrokeError
        If there is none of that name.
    """
    if name not in BENCHMARKS:
        raise StrokeError(f"no benchmark '{name}'; there are {', '.join(BENCHMARKS)}.")
    module, function = BENCHMARKS[name].split(":")
    return getattr(import_module(module), function)()
