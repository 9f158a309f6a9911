"""What a run tells while it goes: a status file that a panel follows, and a log of JSON lines."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import socket
import time
from pathlib import Path
from typing import Any

from StrokePredictLib.io.output import write_text

#: Seconds between two writings of the status while nothing important happens.
BEAT_S = 2.0


class Status:
    """The present state of a run, in a file that is always whole.

    Parameters
    ----------
    path : Path, optional
        ``status.json``; None: nothing is written (other ranks of a distributed run).
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.facts: dict[str, Any] = {"pid": os.getpid(), "host": socket.gethostname(), "state": "preparing"}
        self._written = 0.0

    def update(self, **facts: Any) -> None:
        """Take in facts; write at once where ``state``, ``fold`` or ``epoch`` changed, else when a beat is due."""
        changed = any(self.facts.get(key) != facts[key] for key in ("state", "fold", "epoch") if key in facts)
        self.facts |= facts
        if changed or time.monotonic() - self._written > BEAT_S:
            self.write()

    def write(self) -> None:
        """Write the file now."""
        if self.path is None:
            return
        self._written = time.monotonic()
        write_text(self.path, json.dumps(self.facts | {"heartbeat": time.time()}, indent=1, ensure_ascii=False) + "\n")

    def last(self, **facts: Any) -> None:
        """Write for the last time; a disk that is full must not hide the reason for which the run ends."""
        self.facts |= facts
        with contextlib.suppress(Exception):
            self.write()


class Log:
    """JSON lines, one an event, each with its time.

    Parameters
    ----------
    path : Path, optional
        None: nothing is written.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def __call__(self, event: str, **facts: Any) -> None:
        """Append one event."""
        if self.path is None:
            return
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        line = json.dumps({"time": now, "event": event, **facts}, ensure_ascii=False)
        with self.path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(line + "\n")

    def forget_after(self, epoch: int) -> None:
        """Drop epochs later than one from which a run goes on, and a line that a kill cut short."""
        if self.path is None or not self.path.is_file():
            return
        kept = [line for line in read_log(self.path) if line.get("epoch", 0) <= epoch]
        write_text(self.path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept))


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return the events of a log; a line that was cut short is left out."""
    lines = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        with contextlib.suppress(ValueError):
            lines.append(json.loads(line))
    return [line for line in lines if isinstance(line, dict)]
