"""Optimisers and schedules as the papers' frameworks have them."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from .recipes.parts import Schedule
from .recipes.schema import Recipe

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def build_optimiser(
    recipe: Recipe, network: nn.Module
) -> tuple[torch.optim.Optimizer, LambdaLR | None, LambdaLR | None]:
    """Return the optimiser, what to step after every iteration, and what to step after every epoch.

    Parameters
    ----------
    recipe : Recipe
        Optimiser, schedule and number of epochs.
    network : torch.nn.Module
        Its trainable parameters are taken, in their order.
    """
    how = recipe.optimiser
    groups = parameter_groups(network, how.l2, how.weight_decay if how.name == "adamw" else 0.0)
    if how.name == "rmsprop":
        optimiser: torch.optim.Optimizer = torch.optim.RMSprop(groups, lr=how.rate, alpha=how.rho, eps=how.epsilon)
    elif how.name == "sgd":
        optimiser = torch.optim.SGD(groups, lr=how.rate, momentum=0.99, nesterov=True)
    elif how.name == "adamw":
        optimiser = torch.optim.AdamW(groups, lr=how.rate, eps=how.epsilon)
    else:
        optimiser = torch.optim.Adam(groups, lr=how.rate, eps=how.epsilon)
    if recipe.schedule.name == "keras-decay":
        return optimiser, LambdaLR(optimiser, partial(keras_decay, recipe.schedule)), None
    if recipe.schedule.name == "cosine":
        return optimiser, None, LambdaLR(optimiser, partial(cosine, recipe.training.epochs))
    return optimiser, None, None


def parameter_groups(network: nn.Module, l2: float, weight_decay: float) -> list[dict[str, object]]:
    """Return the trainable parameters in two groups: kernels that are penalised, and the rest.

    Parameters
    ----------
    network : torch.nn.Module
        Any.
    l2 : float
        λ of Keras' penalty λ‖w‖² on convolution kernels. Its gradient is 2λw, which is what torch's coupled
        ``weight_decay`` of 2λ adds.
    weight_decay : float
        Decoupled, on every parameter of more than one axis; used instead of ``l2`` where above 0.
    """
    kernels = {id(module.weight) for module in network.modules() if isinstance(module, _CONVOLUTIONS)}
    trainable = [p for p in network.parameters() if p.requires_grad]
    if weight_decay:
        penalised = [p for p in trainable if p.ndim > 1]
    else:
        penalised = [p for p in trainable if id(p) in kernels] if l2 else []
    taken = {id(p) for p in penalised}
    rest = [p for p in trainable if id(p) not in taken]
    groups = [
        {"params": penalised, "weight_decay": weight_decay or 2 * l2},
        {"params": rest, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def keras_decay(schedule: Schedule, iteration: int) -> float:
    """Return the factor of Keras' ``decay`` after so many iterations: 1 / (1 + decay × iteration)."""
    return 1.0 / (1.0 + schedule.decay * iteration)


def cosine(epochs: int, epoch: int) -> float:
    """Return the factor of half a cosine from 1 to 0 over the epochs."""
    return 0.5 * (1.0 + math.cos(math.pi * min(epoch, epochs) / epochs))
