"""A run followed by its files: what is new since the last look is read, and no more."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from StrokeTrainLib.training.control import RunState, folds_of, state_of


class Tail:
    """JSON lines of a file that grows, or is written anew.

    Parameters
    ----------
    path : Path
        It need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[dict[str, Any]] = []
        self._read, self._rest, self._identity = 0, b"", (0, 0)

    def look(self) -> bool:
        """Read what is new; return whether anything is."""
        try:
            told = self.path.stat()
            identity = (told.st_ino, told.st_dev)
            if told.st_size < self._read or (self._read and identity != self._identity):
                self.lines, self._read, self._rest = [], 0, b""  # a run that goes on forgets unfinished epochs
            if told.st_size == self._read:
                return False
            with self.path.open("rb") as stream:
                stream.seek(self._read)
                new = stream.read()
        except OSError:
            return False
        self._identity, self._read = identity, self._read + len(new)
        *whole, self._rest = (self._rest + new).split(b"\n")
        for line in whole:
            try:
                content = json.loads(line)
            except ValueError:
                continue
            if isinstance(content, dict):
                self.lines.append(content)
        return bool(whole)


@dataclass
class Followed:
    """A run and what is known of it.

    Attributes
    ----------
    path : Path
        Its folder.
    state : RunState
        As of the last look.
    log : Tail
        Of the run.
    folds : dict of int to Tail
        Epochs by fold.
    """

    path: Path
    state: RunState = field(default_factory=lambda: RunState("none"))
    log: Tail = field(init=False)
    folds: dict[int, Tail] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.log = Tail(self.path / "log.jsonl")

    def look(self) -> bool:
        """Look at all files; return whether an epoch or a line of the log is new."""
        self.state = state_of(self.path)
        new = self.log.look()
        for folder in folds_of(self.path):
            number = int(folder.name[5:])
            if number not in self.folds:
                self.folds[number] = Tail(folder / "log.jsonl")
            new = self.folds[number].look() or new
        return new

    def curve(self, fold: int, key: str) -> list[tuple[float, float]]:
        """Return (epoch, value) of a fold."""
        lines = self.folds[fold].lines if fold in self.folds else []
        return [(float(line["epoch"]), float(line[key])) for line in lines if key in line and "epoch" in line]

    @property
    def share(self) -> float:
        """How much of the run is done, 0 to 1."""
        facts = self.state.facts
        if self.state.state == "done":
            return 1.0
        if "share" in facts:  # an experiment's
            return min(1.0, max(0.0, float(facts["share"])))
        folds, epochs = int(facts.get("folds") or 0), int(facts.get("epochs") or 0)
        if not folds or not epochs:
            return 0.0
        epoch, steps = int(facts.get("epoch") or 0), int(facts.get("steps") or 0)
        within = (epoch - 1 + int(facts.get("step") or 0) / steps) / epochs if epoch and steps else 0.0
        return min(1.0, (int(facts.get("fold") or 1) - 1 + max(0.0, within)) / folds)
