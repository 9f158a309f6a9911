"""What a run tells: status file, log, curves, and the line that a person reads."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from StrokePredictLib.progress import Progress, silent

from .status import Log, Status

#: Gets every epoch's figures, for a line on the terminal.
OnEpoch = Callable[[dict[str, Any]], None]


def unheard(facts: dict[str, Any]) -> None:
    """Say nothing."""


class Teller:
    """Tells how far a run is.

    Parameters
    ----------
    status : Status
        Of the run, or of a fold that another machine trains.
    log : Log
        Of the run.
    folds, epochs : int
        How many, at most.
    progress : Progress
        Gets the share done and a few words.
    on_epoch : callable
        Gets the figures of every epoch.
    """

    def __init__(
        self,
        status: Status,
        log: Log,
        folds: int,
        epochs: int,
        progress: Progress = silent,
        on_epoch: OnEpoch = unheard,
    ) -> None:
        self.status, self.log, self.progress, self.on_epoch = status, log, progress, on_epoch
        self.folds, self.epochs = folds, epochs
        self.fold = 0
        self.seconds: list[float] = []
        self._curves: Any = None
        self._fold_log = Log(None)

    def begin_fold(self, fold: int, folder: Path | None) -> None:
        """Open a fold's log and curves; ``folder`` None: write nothing."""
        self.fold = fold
        self._fold_log = Log(folder / "log.jsonl" if folder else None)
        self._curves = None
        self._folder = folder
        self.status.update(state="training", fold=fold, folds=self.folds, epochs=self.epochs, epoch=0)

    def resume_at(self, epoch: int) -> None:
        """Forget what was told of later epochs, which are trained again."""
        self._fold_log.forget_after(epoch)
        if self._folder is not None:
            self._curves = _curves(self._folder / "tensorboard", epoch + 1)

    def iteration(self, facts: dict[str, Any]) -> None:
        """Take in that a step is done."""
        within = (facts["epoch"] - 1 + facts["step"] / facts["steps"]) / self.epochs
        left = self._left(facts["epoch"] - 1 + facts["step"] / facts["steps"])
        self.status.update(epoch=facts["epoch"], step=facts["step"], steps=facts["steps"], time_left_s=left)
        words = f"fold {self.fold}/{self.folds}, epoch {facts['epoch']}/{self.epochs}"
        self.progress((self.fold - 1 + within) / self.folds, words + (f", {in_words(left)} left" if left else ""))

    def epoch(self, facts: dict[str, Any]) -> None:
        """Take in the figures of an epoch."""
        self.seconds.append(facts["seconds"])
        facts = {"fold": self.fold, **facts, "time_left_s": self._left(facts["epoch"])}
        rounded = {key: round(value, 6) if isinstance(value, float) else value for key, value in facts.items()}
        self._fold_log("epoch", **rounded)
        self.status.update(**rounded)
        self.status.write()
        if self._curves is not None:
            # Curves are a convenience: a full disk is told by the checkpoints.
            with contextlib.suppress(Exception):
                for name in ("train_loss", "validation_loss", "score", "rate"):
                    if name in facts:
                        self._curves.add_scalar(name, facts[name], facts["epoch"])
                self._curves.flush()
        self.on_epoch(rounded | {"folds": self.folds, "epochs": self.epochs})

    def end_fold(self) -> None:
        """Close the fold's curves."""
        if self._curves is not None:
            with contextlib.suppress(Exception):
                self._curves.close()
        self._curves = None

    def words(self, state: str, fraction: float, words: str) -> None:
        """Tell of work between trainings."""
        self.status.update(state=state, message=words)
        self.progress(fraction, words)

    def _left(self, epochs_done: float) -> float | None:
        """Return an upper bound of the seconds left: early stopping may end folds sooner."""
        if not self.seconds:
            return None
        mean = sum(self.seconds[-20:]) / len(self.seconds[-20:])
        return round(mean * ((self.folds - self.fold + 1) * self.epochs - epochs_done), 1)


def in_words(seconds: float) -> str:
    """Return a duration as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _curves(folder: Path, first: int) -> Any:
    """Return TensorBoard's writer, which drops what it has from step ``first`` on; None where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    with contextlib.suppress(OSError):
        return SummaryWriter(str(folder), purge_step=first)
    return None
