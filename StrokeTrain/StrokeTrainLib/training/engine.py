"""One fold's network trained with ignite: steps, validation, early stopping, checkpoints at epoch ends."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Engine, Events
from ignite.handlers import Checkpoint, EarlyStopping
from torch import nn

from StrokePredictLib.errors import StrokeError

from .checkpoints import BEST, LAST, Saver, newest, read_checkpoint, remove_unfinished
from .parts import Parts, Rules
from .seeds import seed_torch
from .silence import is_silent, remember, told
from .validation import Tally

#: On a GPU the loss is looked at this many steps late, so that no step waits for the one before.
GPU_LAG = 8
logging.getLogger("ignite").setLevel(logging.CRITICAL)


#: Called after an iteration or an epoch with what is to be shown.
Report = Callable[[dict[str, Any]], None]


@dataclass
class FoldTraining:
    """A fold's training, which can be stopped at any moment and gone on with.

    Parameters
    ----------
    parts : Parts
        What is trained.
    rules : Rules
        How long.
    folder : Path
        Where checkpoints lie.
    on_start, on_iteration, on_epoch : callable
        Told where it is: ``on_start`` gets the last epoch that is done already, ``on_epoch`` the figures of an epoch.
    notes : list of str
        What a reader should know, such as a checkpoint that was damaged.
    facts : dict
        ``best_epoch`` and ``best_score`` so far, and `silence.SINCE`; saved in the checkpoints.
    """

    parts: Parts
    rules: Rules
    folder: Path
    on_start: Callable[[int], None] = lambda epoch: None
    on_iteration: Report = lambda facts: None
    on_epoch: Report = lambda facts: None
    notes: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.device = next(self.parts.network.parameters()).device
        if self.parts.channels_last:
            self.parts.network.to(memory_format=torch.channels_last)
        self.half = self.rules.amp and self.device.type == "cuda"
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.half)
        self.network = distributed(self.parts.network)
        self.trainer = Engine(self._step)
        self.figures: dict[str, float] = {}
        # Apple's GPUs know no double precision.
        precise = torch.float32 if self.device.type == "mps" else torch.float64
        self.totals = torch.zeros(2, dtype=precise, device=self.device)
        self.pending: list[tuple[torch.Tensor, list[str]]] = []
        self.early = None
        if self.rules.patience is not None and self.rules.validate:
            self.early = EarlyStopping(
                self.rules.patience, self._score, self.trainer, threshold=self.rules.min_delta, cumulative=True
            )
            self.early.logger.disabled = True  # it writes to the user's terminal, whatever its parents say
        self.best = Checkpoint(
            {"network": self.network}, Saver(self.folder, keep=False), filename_pattern=BEST, n_saved=1,
            score_function=self._score, score_name="score", include_self=False,
        )  # fmt: skip
        self.last = Checkpoint(self._state(), Saver(self.folder, keep=True), filename_pattern=LAST, n_saved=1)

    def _score(self, engine: Engine) -> float:
        return self.figures["score"] if self.rules.validate else float(self.trainer.state.epoch)

    def _state(self) -> dict[str, Any]:
        """Return everything that a checkpoint holds, by name; randomness is not in it, it follows from the epoch."""
        state = {
            "network": self.network,
            "optimiser": self.parts.optimiser,
            "trainer": self.trainer,
            "best": self.best,
            "facts": _Facts(self.facts),
            "per_iteration": self.parts.per_iteration,
            "per_epoch": self.parts.per_epoch,
            "early": self.early,
            "scaler": self.scaler if self.half else None,
        }
        return {name: item for name, item in state.items() if item is not None}

    def run(self) -> dict[str, Any]:
        """Train to the end, from the newest whole checkpoint where there is one.

        Returns
        -------
        dict
            ``epochs`` that were trained, ``best_epoch``, ``best_score`` and ``network``, its weights on the CPU
            (in the first process; None in the others).

        Raises
        ------
        StrokeError
            If the loss is no number, or a checkpoint cannot be written.
        """
        first = self._go_on()
        self.on_start(first - 1)
        length = len(self.parts.batches("train", first))
        if not length:
            raise StrokeError(f"fold {self.rules.fold}: there is nothing to train on; see the cohort's exclusions.")
        self._attach()
        stopped = self.early is not None and self.early.counter >= self.early.patience
        if first <= self.rules.epochs and not stopped:
            self.trainer.run(range(length), max_epochs=self.rules.epochs, epoch_length=length)
        self.notes += told(self.facts, self.rules.fold, self.trainer.state.epoch)
        best = read_checkpoint(self.folder / BEST) if idist.get_rank() == 0 else None
        return {"epochs": self.trainer.state.epoch, **self.facts, "network": best}

    def _go_on(self) -> int:
        """Take up the newest whole checkpoint; return the epoch that comes next."""
        state = None
        if idist.get_rank() == 0:
            remove_unfinished(self.folder)
            state, damaged = newest(self.folder)
            self.notes += damaged
            if state is not None and state["facts"] and not self._best_is_whole():
                self.notes.append(f"{self.folder / BEST}: is damaged; the fold begins again, with the same result.")
                state = None
        state = _from_first_rank(state)
        if state is None:
            # Before the first epoch, too: whenever the run is stopped there is a checkpoint to go on with.
            self.trainer.add_event_handler(Events.STARTED, self.last)
            return 1
        Checkpoint.load_objects(self._state(), state)
        return self.trainer.state.epoch + 1

    def _best_is_whole(self) -> bool:
        try:
            read_checkpoint(self.folder / BEST)
        except StrokeError:
            return False
        return True

    def _attach(self) -> None:
        trainer = self.trainer
        trainer.add_event_handler(Events.EPOCH_STARTED, self._begin_epoch)
        trainer.add_event_handler(Events.ITERATION_COMPLETED, self._after_iteration)
        trainer.add_event_handler(Events.EPOCH_COMPLETED, self._end_epoch)

    def _begin_epoch(self, engine: Engine) -> None:
        epoch = engine.state.epoch
        self.began = time.monotonic()
        self.totals.zero_()
        self.network.train()
        seed_torch(self.rules.seed, self.rules.fold, epoch, idist.get_rank())
        engine.set_data(self.parts.batches("train", epoch))

    def _step(self, engine: Engine, batch: Any) -> None:
        batch = self._moved(batch)
        self.parts.optimiser.zero_grad(set_to_none=True)
        with self._precision():
            output = self.network(**batch.x)
            loss = self.parts.loss_of(output, batch.y)
        self.scaler.scale(loss * batch.share).backward()
        if self.rules.clip is not None:
            self.scaler.unscale_(self.parts.optimiser)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.rules.clip)
        self.scaler.step(self.parts.optimiser)
        self.scaler.update()
        if self.parts.per_iteration is not None:
            self.parts.per_iteration.step()
        loss = loss.detach()
        count = len(batch.ids) if batch.share > 0 else 0
        self.totals[0] += loss * count
        self.totals[1] += count
        self.pending.append((loss, batch.ids))

    def _moved(self, batch: Any) -> Any:
        return batch.to(self.device, channels_last=True) if self.parts.channels_last else batch.to(self.device)

    def _precision(self) -> contextlib.AbstractContextManager:
        return torch.autocast(self.device.type, torch.float16) if self.half else contextlib.nullcontext()

    def _after_iteration(self, engine: Engine) -> None:
        self._require_numbers(GPU_LAG if self.device.type == "cuda" else 0)
        done = engine.state.iteration - (engine.state.epoch - 1) * engine.state.epoch_length
        self.on_iteration({"epoch": engine.state.epoch, "step": done, "steps": engine.state.epoch_length})

    def _require_numbers(self, lag: int) -> None:
        """Stop where a loss is no number, naming the batch's patients."""
        while len(self.pending) > lag:
            loss, ids = self.pending.pop(0)
            if not torch.isfinite(loss):
                patients = ", ".join(dict.fromkeys(ids))
                raise StrokeError(
                    f"fold {self.rules.fold}, epoch {self.trainer.state.epoch}: the loss is no number in the batch of "
                    f"{patients}; look at these images, or lower the rate (--set optimiser.rate=…). "
                    "The checkpoint of the epoch before stays."
                )

    def _end_epoch(self, engine: Engine) -> None:
        self._require_numbers(0)
        total, count = idist.all_reduce(self.totals).tolist()
        self.figures = {"train_loss": total / max(count, 1.0)}
        if self.rules.validate:
            found = self.validate(engine.state.epoch)
            self.figures |= {"validation_loss": found["loss"], "score": found["score"]}
            self.figures["silent"] = is_silent(found)
            remember(self.facts, engine.state.epoch, self.figures["silent"])
        if self.parts.per_epoch is not None:
            self.parts.per_epoch.step()
        if self.early is not None:
            self.early(engine)
        self._remember_best(engine.state.epoch)
        self.best(engine)
        self.last(engine)
        rate = self.parts.optimiser.param_groups[0]["lr"]
        seconds = time.monotonic() - self.began
        self.on_epoch({"epoch": engine.state.epoch, **self.figures, "rate": rate, "seconds": seconds})

    def _remember_best(self, epoch: int) -> None:
        score = self._score(self.trainer)
        if not math.isfinite(score):
            where = f"fold {self.rules.fold}, epoch {epoch}"
            raise StrokeError(f"{where}: the validation's {self.rules.monitor} is no number; lower the rate.")
        if "best_score" not in self.facts or score > self.facts["best_score"]:
            self.facts |= {"best_epoch": epoch, "best_score": score}

    def validate(self, epoch: int) -> dict[str, float]:
        """Return what `Tally.figures` says of the validation part."""
        tally = Tally(self.rules.monitor, self.rules.threshold)
        evaluator = Engine(lambda engine, batch: self._look(batch, tally))
        self.network.eval()
        _same_buffers(self.parts.network)
        batches = self.parts.batches("validation", epoch)
        if len(batches):
            evaluator.run(batches, epoch_length=len(batches))
        return tally.figures()

    def _look(self, batch: Any, tally: Tally) -> None:
        batch = self._moved(batch)
        # The bare network: ranks may have different numbers of items, and DDP would wait for buffers.
        with torch.no_grad(), self._precision():
            output = self.parts.network(**batch.x)
            loss = self.parts.loss_of(output, batch.y)
        tally.add(loss, output, batch)


class _Facts:
    """A dict that a checkpoint saves and loads in place."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts

    def state_dict(self) -> dict[str, Any]:
        return dict(self.facts)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.facts |= state


def distributed(network: nn.Module) -> nn.Module:
    """Return the network as it is trained: under torchrun, wrapped so that gradients are the mean over all ranks."""
    if idist.get_world_size() == 1:
        return network
    device = next(network.parameters()).device
    return nn.parallel.DistributedDataParallel(network, device_ids=[device.index] if device.type == "cuda" else None)


def _same_buffers(network: nn.Module) -> None:
    """Give every rank the first one's statistics of batch normalisation, which each gathers from its own items.

    The first rank's are those of the checkpoint: what is validated is what is kept.
    """
    if idist.get_world_size() == 1:
        return
    import torch.distributed as dist

    for buffer in network.buffers():
        dist.broadcast(buffer, src=0)


def _from_first_rank(state: Any) -> Any:
    if idist.get_world_size() == 1:
        return state
    import torch.distributed as dist

    content = [state]
    dist.broadcast_object_list(content, src=0)
    return content[0]
