"""What a fold's training is made of, and by what rules it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass
class Parts:
    """What is trained, and on what.

    Attributes
    ----------
    network : torch.nn.Module
        On its device.
    optimiser : torch.optim.Optimizer
        Of its parameters.
    per_iteration, per_epoch : learning-rate schedules, or None
        Stepped after every iteration, after every epoch.
    loss_of : callable
        ``loss_of(output, y)``, the mean over the batch's items.
    batches : callable
        ``batches(part, epoch)`` gives the batches of ``"train"`` or ``"validation"``: an iterable with a length that is
        the same in every epoch.
    channels_last : bool
        Keep images and kernels with the channels last in memory: on a CPU a third faster for networks of sections.
    """

    network: nn.Module
    optimiser: torch.optim.Optimizer
    loss_of: Callable[[Any, torch.Tensor], torch.Tensor]
    batches: Callable[[str, int], Any]
    per_iteration: Any = None
    per_epoch: Any = None
    channels_last: bool = False


@dataclass(frozen=True)
class Rules:
    """How long and by what rule.

    Attributes
    ----------
    epochs : int
        At most.
    patience : int, optional
        Epochs without improvement by more than ``min_delta`` after which it stops; None: never.
    min_delta : float
        See above; counted from the last improvement that was large enough, as Keras does.
    monitor, threshold
        See `StrokeTrainLib.training.validation.Tally`.
    amp : bool
        Mixed precision where the device is a GPU.
    seed, fold : int
        Of all randomness.
    clip : float, optional
        Largest norm of the gradient.
    validate : bool
        Whether there is a validation part; without one, the last epoch's weights are the result.
    """

    epochs: int
    patience: int | None = None
    min_delta: float = 0.0
    monitor: str = "loss"
    threshold: float = 0.5
    amp: bool = True
    seed: int = 0
    fold: int = 1
    clip: float | None = None
    validate: bool = True
