"""One pass of one network over a case's sections, and the mean and spread of several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..errors import StrokeError
from ..models.card import Card
from .devices import Runner, batch_size

if TYPE_CHECKING:
    import torch
    from torch import nn


def one_pass(
    network: nn.Module,
    inputs: np.ndarray,
    card: Card,
    runner: Runner,
    told: Callable[[float], None],
    course: list[float] | None = None,
) -> np.ndarray:
    """Return the lesion's probability on every section.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode.
    inputs : numpy.ndarray
        float32 ``(section, channel, y, x)`` as `prepare` gives them.
    card : Card
        Says what the network sees at once.
    runner : Runner
        Where it runs.
    told : callable
        Gets the fraction done.
    course : list of float, optional
        What a conditioned network is told (`Course.vector`).

    Returns
    -------
    numpy.ndarray
        float32 ``(section, y, x)``. Sections without brain are 0 and not computed, except in a sequence, whose network
        saw whole stacks.
    """
    import torch

    result = np.zeros((inputs.shape[0], *inputs.shape[2:]), dtype=np.float32)
    if card.arrangement == "sequence":
        found = runner.run(network, (torch.from_numpy(inputs)[None],), told, call=_mapped(network, card), size=_one)[0]
        return _numbers(found.numpy(), card)
    filled = np.flatnonzero(inputs.any(axis=(1, 2, 3)))
    if filled.size == 0:
        return result
    wanted = slice(int(filled[0]), int(filled[-1]) + 1)
    views = windows(inputs, card.sections)[wanted]
    parts = (views,) if course is None else (views, told_all(course, len(views)))
    found = runner.run(network, parts, told, call=_mapped(network, card), size=lambda: _fits(network, parts, runner))
    result[wanted] = found.numpy()
    return _numbers(result, card)


def windows(inputs: np.ndarray, count: int) -> torch.Tensor:
    """Return every section with its neighbours, ``(section, channel, y, x, count)``, without copying them.

    Beyond the ends of the image the neighbours are empty.
    """
    import torch

    half = count // 2
    padded = np.pad(inputs, ((half, half), (0, 0), (0, 0), (0, 0))) if half else inputs
    return torch.from_numpy(padded).unfold(0, count, 1)


def stacked(windows: torch.Tensor) -> torch.Tensor:
    """Return ``(section, count × channel, y, x)``: all channels of the lowest section first."""
    return windows.permute(0, 4, 1, 2, 3).flatten(1, 2)


def told_all(course: list[float], count: int) -> torch.Tensor:
    """Return one course of events for every section."""
    import torch

    return torch.tensor([course], dtype=torch.float32).expand(count, -1)


def lesion_probability(logits: torch.Tensor, card: Card) -> torch.Tensor:
    """Return ``(batch, …, y, x)`` probabilities: softmax over classes, or sigmoid of a single map."""
    logits = logits.float()
    if logits.shape[-3] == 1:
        return logits.squeeze(-3).sigmoid()
    return logits.softmax(dim=-3).select(-3, card.network.lesion_class)


@dataclass
class Spread:
    """Mean and standard deviation over passes, without keeping them."""

    passes: int = 0
    mean: np.ndarray = field(default_factory=lambda: np.zeros(()))
    squares: np.ndarray = field(default_factory=lambda: np.zeros(()))
    volumes: list[float] = field(default_factory=list)

    def add(self, probability: np.ndarray, volume_ml: float) -> None:
        """Take in one pass (Welford's update)."""
        self.passes += 1
        if self.passes == 1:
            self.mean, self.squares = probability.copy(), np.zeros_like(probability)
        else:
            off = probability - self.mean
            self.mean += off / np.float32(self.passes)
            self.squares += off * (probability - self.mean)
        self.volumes.append(volume_ml)

    @property
    def deviation(self) -> np.ndarray | None:
        """Standard deviation of the passes (of the population); None where there was but one."""
        return np.sqrt(self.squares / np.float32(self.passes)) if self.passes > 1 else None


def _mapped(network: nn.Module, card: Card) -> Callable[..., torch.Tensor]:
    """Return the network with the arrangement before it and the probability behind it, so that little is kept."""

    def call(x: torch.Tensor, *course: torch.Tensor) -> torch.Tensor:
        if card.arrangement == "sequence":
            return lesion_probability(network(x), card)
        return lesion_probability(network(_laid_out(stacked(x)), *course), card)

    return call


def _laid_out(x: torch.Tensor) -> torch.Tensor:
    import torch

    return x.contiguous(memory_format=torch.channels_last if x.device.type == "cpu" else torch.contiguous_format)


def _fits(network: nn.Module, parts: tuple[torch.Tensor, ...], runner: Runner) -> int:
    item = (stacked(parts[0][:1]), *(part[:1] for part in parts[1:]))
    return batch_size(network, item, runner.device)


def _one() -> int:
    return 1


def _numbers(found: np.ndarray, card: Card) -> np.ndarray:
    if not np.isfinite(found).all():
        raise StrokeError(f"model '{card.name}' gave values that are no numbers; its weights are damaged or untrained.")
    return found
