"""Lesions counted one by one, as the ISLES challenges do (Hernandez Petzsche 2022)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .box import common_box


@dataclass(frozen=True)
class Lesions:
    """Lesions of truth and prediction: components connected over faces, edges or corners.

    Attributes
    ----------
    true, predicted : int
        Lesions in either mask.
    found : int
        True lesions that the prediction touches in at least one voxel.
    invented : int
        Predicted lesions that touch no true one.
    """

    true: int
    predicted: int
    found: int
    invented: int

    @property
    def f1(self) -> float:
        """Found / (found + (missed + invented) / 2); 1 where both masks are empty."""
        wrong = self.true - self.found + self.invented
        return self.found / (self.found + wrong / 2.0) if self.found or wrong else 1.0

    @property
    def difference(self) -> int:
        """Predicted minus true lesions."""
        return self.predicted - self.true


def count_lesions(truth: np.ndarray, prediction: np.ndarray) -> Lesions:
    """Return the lesion counts of two masks.

    Parameters
    ----------
    truth, prediction : numpy.ndarray
        bool ``(z, y, x)``.
    """
    box = common_box(truth, prediction)
    truth, prediction = truth[box], prediction[box]
    everywhere = np.ones((3,) * truth.ndim)
    labels, true = ndimage.label(truth, everywhere)
    found = _labels_in(labels, prediction)
    labels, predicted = ndimage.label(prediction, everywhere)
    return Lesions(true, predicted, found, predicted - _labels_in(labels, truth))


def _labels_in(labels: np.ndarray, mask: np.ndarray) -> int:
    """Return how many labels other than 0 occur in a mask."""
    present = np.unique(labels[mask])
    return int(np.count_nonzero(present))
