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
        #: By patient voxels in both masks, predicted, true.
        self.overlap: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(3))
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
        else:
            self._add_overlap(lesion_probability(output), batch)

    def _add_overlap(self, probability: torch.Tensor, batch: Any) -> None:
        found = (probability >= self.threshold) & (batch.y != IGNORE)
        true = batch.y == LESION
        axes = tuple(range(1, true.ndim))
        counts = torch.stack([(found & true).sum(axes), found.sum(axes), true.sum(axes)], dim=1).cpu().numpy()
        for patient, sums in zip(batch.ids, counts, strict=True):
            self.overlap[patient] += sums

    def figures(self) -> dict[str, float]:
        """Return figures over all ranks.

        Returns
        -------
        dict
            ``loss``; ``score``, higher is better whatever the monitor; of maps ``lesions``, how many patients have a
            lesion, and ``answered``, in how many of these any voxel was predicted, rightly or not.
        """
        parts = _gathered((self.loss, self.items, dict(self.overlap), self.answers))
        loss = sum(p[0] for p in parts) / max(sum(p[1] for p in parts), 1.0)
        overlap = _of_patients([p[2] for p in parts])
        if self.monitor == "dice":
            score = _mean_dice(overlap)
        elif self.monitor == "auc":
            score = roc_area([pair for p in parts for pair in p[3]])
        else:
            score = 1.0 - loss if self.monitor == "multiclass-dice" else -loss
        found = {"loss": loss, "score": score}
        if overlap:
            predicted = [sums[1] > 0 for sums in overlap.values() if sums[2] > 0]
            found |= {"lesions": len(predicted), "answered": sum(predicted)}
        return found


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


def _of_patients(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the sums of every patient, whose sections may lie on several ranks, in the order of their names."""
    whole: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(3))
    for part in parts:
        for patient, sums in part.items():
            whole[patient] += sums
    return dict(sorted(whole.items()))


def _mean_dice(overlap: dict[str, np.ndarray]) -> float:
    """Return the mean over patients; one without lesion in which none is found counts 1."""
    values = [2 * both / (found + true) if found + true else 1.0 for both, found, true in overlap.values()]
    return float(np.mean(values)) if values else 0.0


def _gathered(content: Any) -> list[Any]:
    import torch.distributed as distributed

    if not (distributed.is_available() and distributed.is_initialized()) or distributed.get_world_size() == 1:
        return [content]
    parts: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(parts, content)
    return parts
