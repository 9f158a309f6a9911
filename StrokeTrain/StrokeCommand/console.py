"""What a command says while it works and when it ends."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from StrokePredictLib.progress import Progress as ProgressFunction

#: Words for the person go to stderr, so that stdout stays clean for ``--json`` and pipes.
terminal = Console(stderr=True, highlight=False, soft_wrap=True)
answer = Console(highlight=False, soft_wrap=True)
#: More paths than this nobody reads.
_MOST_FILES = 40


@contextlib.contextmanager
def stage(title: str) -> Iterator[ProgressFunction]:
    """Show one stage: a bar on a terminal, one line otherwise; its time at the end."""
    start = time.perf_counter()
    if terminal.is_terminal:
        columns = (
            SpinnerColumn(), TextColumn("{task.description:<32}"), BarColumn(bar_width=24),
            TextColumn("[dim]{task.fields[words]}"), TimeElapsedColumn(),
        )  # fmt: skip
        with Progress(*columns, console=terminal, transient=True) as bars:
            task = bars.add_task(title, total=1.0, words="")
            yield lambda fraction, words: bars.update(task, completed=fraction, words=words)
    else:
        yield lambda fraction, words: None
    terminal.print(f"  [green]✓[/] {title:<40} {time.perf_counter() - start:6.1f} s")


def print_json(result: Any) -> None:
    """Print one JSON object on stdout."""
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")


def print_files(files: list[str]) -> None:
    """Print the paths that were written, one a line; of a whole cohort's, how many and where."""
    if len(files) > _MOST_FILES:
        folder = os.path.commonpath([Path(path).parent for path in files])
        answer.print(f"{len(files)} files in {folder} (--json names them all)", markup=False)
        return
    for path in files:
        answer.print(path, markup=False)
