"""The papers' losses on what the networks give and the batches hold."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from .data.batch import IGNORE, LESION
from .recipes.parts import Loss
from .recipes.schema import Recipe

#: Weight of each deeper output against the one above it.
_DEEPER = 0.5


def build_loss(recipe: Recipe) -> nn.Module:
    """Return the recipe's loss: a module called with the network's output and the batch's ``y``."""
    how = recipe.loss
    if how.name == "bce":
        return ClassifierLoss(how.lesion_weight)
    if how.name == "multiclass-dice" or recipe.network.name == "debs2021":
        return ClassesLoss(how)
    return MapLoss(how)


class ClassesLoss(nn.Module):
    """Multi-class Dice of Milletari et al. 2016 over softmax probabilities, each class with its weight.

    1 − Σ w·D / Σ w with D = 2·Σp·g / (Σp² + Σg²), sums over all voxels of the batch; the lesion weighs
    ``lesion_weight``, every other class 1. ``"dice-ce"`` adds cross-entropy, equally weighted.
    """

    def __init__(self, how: Loss) -> None:
        super().__init__()
        from monai.losses import DiceLoss

        self.how = how
        self.weights = [how.lesion_weight, 1.0, 1.0]
        mean = sum(self.weights) / len(self.weights)
        self.dice = DiceLoss(
            softmax=True, to_onehot_y=True, batch=True, squared_pred=True,
            weight=torch.tensor([weight / mean for weight in self.weights]),
        )  # fmt: skip

    def forward(self, output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the loss of logits ``(batch, 3, y, x)`` for classes ``(batch, y, x)``."""
        output = output.float()
        loss = self.dice(output, y[:, None].long())
        if self.how.name == "dice-ce":
            loss = loss + functional.cross_entropy(output, y.long(), output.new_tensor(self.weights))
        return loss


class MapLoss(nn.Module):
    """A loss of one map: ``"bce-dice"``, ``"dice-ce"`` or ``"tversky"``.

    The first two are binary cross-entropy plus soft Dice, 1 − 2·Σp·g / (Σp + Σg), over all voxels of the batch.
    Tversky's is 1 − Σp·g / (Σp·g + α·Σp·(1 − g) + β·Σ(1 − p)·g) over each patient, then the mean: halves of a batch
    average to the whole. Sections that only fill up a batch count nowhere. Of several outputs, the deeper ones count
    half as much each, and all together 1.
    """

    def __init__(self, how: Loss) -> None:
        super().__init__()
        from monai.losses import DiceLoss, TverskyLoss

        self.how = how
        # MONAI names by predictor: its alpha weighs false positives, its beta false negatives.
        self.tversky = TverskyLoss(alpha=how.alpha, beta=how.beta)
        self.dice = DiceLoss(batch=True)

    def forward(self, output: torch.Tensor | list[torch.Tensor], y: torch.Tensor) -> torch.Tensor:
        """Return the loss of logits ``(batch, 1, y, x)`` or ``(batch, section, 1, y, x)``, or of a list of such."""
        if isinstance(output, torch.Tensor):
            return self._one(output, y)
        weights = [_DEEPER**level for level in range(len(output))]
        return sum(w * self._one(part, y) for w, part in zip(weights, output, strict=True)) / sum(weights)

    def _one(self, output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        logits = output.float().squeeze(-3)
        lesion = (y == LESION).to(logits.dtype)
        counts = None
        if self.how.name == "tversky" or y.ndim == 4:
            counts = y != IGNORE
            logits = logits.masked_fill(~counts, -torch.inf) if self.how.name == "tversky" else logits
        if self.how.name == "tversky":
            return self.tversky(logits.sigmoid()[:, None], lesion[:, None])
        loss = self._cross_entropy(logits, lesion, counts)
        probability = logits.sigmoid() if counts is None else logits.sigmoid() * counts
        return loss + self.dice(probability[:, None], lesion[:, None])

    def _cross_entropy(self, logits: torch.Tensor, lesion: torch.Tensor, counts: torch.Tensor | None) -> torch.Tensor:
        weight = logits.new_tensor(self.how.lesion_weight)
        if counts is None:
            return functional.binary_cross_entropy_with_logits(logits, lesion, pos_weight=weight)
        each = functional.binary_cross_entropy_with_logits(logits, lesion, pos_weight=weight, reduction="none")
        return (each * counts).sum() / counts.sum().clamp(min=1)


class ClassifierLoss(nn.Module):
    """Binary cross-entropy of one logit a patient."""

    def __init__(self, large_weight: float = 1.0) -> None:
        super().__init__()
        self.large_weight = large_weight

    def forward(self, output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the loss of logits ``(batch, 1)`` for ``(batch, 1)``."""
        output = output.float()
        weight = output.new_tensor(self.large_weight)
        return functional.binary_cross_entropy_with_logits(output, y, pos_weight=weight)
