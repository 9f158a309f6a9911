"""What is asked of an experiment, and what is written down of it before the first step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictLib.io.output import write_text
from StrokePredictLib.threads import available_threads

RECORD = "experiment.json"
#: Of what lies in the output folder; another one is not gone on with.
FORMAT = 1


@dataclass(frozen=True)
class Setting:
    """The choices of one experiment.

    Attributes
    ----------
    data, output : Path
        Cohort, and where everything is written.
    quick : bool
        Reduced image size, epochs and patients, said in the table.
    seed : int
        Of splits, weights and intervals.
    folds : int or None
        Instead of the paper's number.
    device : str
        ``auto``, ``cuda``, ``mps`` or ``cpu``.
    external : Path or None
        Another cohort, for an external test.
    scheduler : str or None
        Address of a dask scheduler.
    workers : int or None
        Processes on this machine; as many as there are cores if left out, on a GPU one.
    cache : Path or None
        Folder of prepared patients.
    values : dict of str to str
        Values of every recipe changed, as ``training.epochs``.
    """

    data: Path
    output: Path
    quick: bool = False
    seed: int = 0
    folds: int | None = None
    device: str = "auto"
    external: Path | None = None
    scheduler: str | None = None
    workers: int | None = None
    cache: Path | None = None
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def processes(self) -> int:
        """Worker processes on this machine."""
        if self.workers is not None:
            return self.workers
        if self.device in ("cuda", "mps") or (self.device == "auto" and _has_gpu()):
            return 1
        return available_threads()

    def asked(self, name: str) -> dict[str, Any]:
        """Return what decides the numbers: what a folder must have been begun with to go on in it."""
        return {
            "format": FORMAT,
            "experiment": name,
            "data": str(self.data.absolute()),
            "external": None if self.external is None else str(self.external.absolute()),
            "quick": self.quick,
            "seed": self.seed,
            "folds": self.folds,
            "values": dict(self.values),
        }

    def command(self, name: str) -> str:
        """Return the command that makes the same numbers; folders by their names alone."""
        words = [
            "stroke experiment",
            name,
            f"--data {quote(self.data.name)}",
            f"-o {quote(self.output.name)}",
            f"--seed {self.seed}",
        ]
        words += ["--quick"] if self.quick else []
        words += [f"--folds {self.folds}"] if self.folds is not None else []
        words += [f"--external {self.external.name}"] if self.external is not None else []
        words += [f"--set {quote(f'{path}={value}')}" for path, value in self.values.items()]
        return " ".join(words)


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available()


def taken_up(setting: Setting, name: str) -> bool:
    """Return whether the folder holds the same experiment, begun earlier.

    Raises
    ------
    StrokeError
        If the folder holds another experiment, or this one with other choices.
    """
    path, asked = setting.output / RECORD, setting.asked(name)
    if not path.exists():
        return False
    before = read_json_object(path, "choose another folder").get("asked", {})
    other = next((key for key in asked if before.get(key) != asked[key]), None)
    if other is not None:
        raise StrokeError(
            f"{setting.output}: was begun with {other} = {before.get(other)}, now it is {asked[other]}; choose another "
            "folder with -o."
        )
    return True


def write_record(setting: Setting, content: Mapping[str, Any]) -> Path:
    """Write ``experiment.json`` and return where it lies."""
    path = setting.output / RECORD
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return path
