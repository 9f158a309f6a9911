"""How good a network is on the validation part, after every epoch and over all ranks."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import torch

LESION, IGNORE = 0, 255
#: Monitor → whether higher is better.
MONITORS = {"loss": False, "dice": True, "multiclass-dice": True, "auc": True}


class Tally:
    """Sums over batches, from which the figures of an epoch follow.

    Parameters
    ----------
    monitor : str
        ``"loss"``; ``"dice"``: lesion Dice of each patient, mean over patients; ``"multiclass-dice"``: 1 − loss, where
        the loss is that of Debs 2021; ``"auc"``: area under the ROC curve of a classifier.
    threshold : float
        Probability from which a voxel is lesion.
    """

    def __init__(self, monitor: str, threshold: float) -> None:
        self.monitor, self.threshold = monitor, threshold
        self.loss = self.items = 0.0
        self.overlap: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(2))
        self.answers: list[tuple[float, float]] = []

    def add(self, loss: torch.Tensor, output: torch.Tensor, batch: Any) -> None:
        """Take in one batch; a rank that had nothing got an item with share 0, which does not count."""
        count = len(batch.ids) if batch.share > 0 else 0
        if not count:
            return
        self.loss += float(loss) * count
        self.items += count
        if batch.y.is_floating_point():
            pairs = zip(output.float().sigmoid().flatten().tolist(), batch.y.flatten().tolist(), strict=True)
            self.answers += list(pairs)
        elif self.monitor == "dice":
            self._add_overlap(lesion_probability(output), batch)

    def _add_overlap(self, probability: torch.Tensor, batch: Any) -> None:
        found = (probability >= self.threshold) & (batch.y != IGNORE)
        true = batch.y == LESION
        axes = tuple(range(1, true.ndim))
        both = 2 * (found & true).sum(axes).cpu().numpy()
        total = (found.sum(axes) + true.sum(axes)).cpu().numpy()
        for number, patient in enumerate(batch.ids):
            self.overlap[patient] += both[number], total[number]

    def figures(self) -> dict[str, float]:
        """Return ``loss`` and ``score`` (higher is better whatever the monitor), over all ranks."""
        parts = _gathered((self.loss, self.items, dict(self.overlap), self.answers))
        loss = sum(p[0] for p in parts) / max(sum(p[1] for p in parts), 1.0)
        if self.monitor == "dice":
            score = _mean_dice([p[2] for p in parts])
        elif self.monitor == "auc":
            score = roc_area([pair for p in parts for pair in p[3]])
        else:
            score = 1.0 - loss if self.monitor == "multiclass-dice" else -loss
        return {"loss": loss, "score": score}


def lesion_probability(logits: torch.Tensor) -> torch.Tensor:
    """Return ``(batch, …, y, x)``: sigmoid of a single map, or the lesion's softmax."""
    if logits.shape[-3] == 1:
        return logits.float().squeeze(-3).sigmoid()
    return logits.float().softmax(dim=-3).select(-3, LESION)


def roc_area(answers: list[tuple[float, float]]) -> float:
    """Return the area under the ROC curve of ``(probability, class)`` pairs; 0.5 where there is but one class."""
    from scipy.stats import rankdata

    if not answers:
        return 0.5
    scores, classes = np.array(answers).T
    positive = classes > 0.5
    n1, n0 = int(positive.sum()), int((~positive).sum())
    if not n1 or not n0:
        return 0.5
    return float((rankdata(scores)[positive].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def _mean_dice(parts: list[dict[str, np.ndarray]]) -> float:
    """Return the mean over patients; one without lesion in which none is found counts 1."""
    whole: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(2))
    for part in parts:
        for patient, sums in part.items():
            whole[patient] += sums
    values = [both / total if total else 1.0 for _, (both, total) in sorted(whole.items())]
    return float(np.mean(values)) if values else 0.0


def _gathered(content: Any) -> list[Any]:
    import torch.distributed as distributed

    if not (distributed.is_available() and distributed.is_initialized()) or distributed.get_world_size() == 1:
        return [content]
    parts: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(parts, content)
    return parts
