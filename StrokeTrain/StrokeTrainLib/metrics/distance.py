"""Hausdorff distances between two masks in mm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from .box import common_box


@dataclass(frozen=True)
class Distances:
    """Distances between two masks.

    Attributes
    ----------
    hausdorff : float
        mm; NaN where either mask is empty. Debs 2021, equation 5: over all voxels of both masks.
    hausdorff_95 : float
        mm; the larger of both directions' 95th percentiles over surface voxels (MONAI's definition). Where a prediction
        is scattered inside the truth its surface lies far from the truth's although its voxels do not, and this may
        exceed `hausdorff`.
    """

    hausdorff: float
    hausdorff_95: float


def distances(truth: np.ndarray, prediction: np.ndarray, spacing: Sequence[float]) -> Distances:
    """Return the Hausdorff distance and its 95 % variant.

    Parameters
    ----------
    truth, prediction : numpy.ndarray
        bool ``(z, y, x)``.
    spacing : sequence of float
        Voxel size in mm **along (z, y, x)**, the array's order.
    """
    if not truth.any() or not prediction.any():
        return Distances(float("nan"), float("nan"))
    box = common_box(truth, prediction)
    # One voxel of room, so that a mask that fills the box still has a surface.
    truth, prediction = (np.pad(mask[box], 1) for mask in (truth, prediction))
    edges = _surface(truth), _surface(prediction)
    to_truth, to_prediction = (_distance_to(edge, spacing) for edge in edges)
    # From outside a mask the nearest voxel of it always lies on its surface: one distance map serves both measures.
    farthest = max(_largest(to_prediction, truth & ~prediction), _largest(to_truth, prediction & ~truth))
    percentiles = np.percentile(to_prediction[edges[0]], 95), np.percentile(to_truth[edges[1]], 95)
    return Distances(farthest, float(max(percentiles)))


def _surface(mask: np.ndarray) -> np.ndarray:
    """Return the voxels of a mask with a face neighbour outside it."""
    return mask & ~ndimage.binary_erosion(mask)


def _distance_to(surface: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return every voxel's distance to the nearest surface voxel; Maurer's filter is 3 times faster than scipy's."""
    image = sitk.GetImageFromArray(surface.astype(np.uint8))
    image.SetSpacing([float(size) for size in reversed(spacing)])
    distance = sitk.SignedMaurerDistanceMap(image, squaredDistance=False, useImageSpacing=True)
    return np.maximum(sitk.GetArrayFromImage(distance), 0.0)


def _largest(distance: np.ndarray, where: np.ndarray) -> float:
    return float(distance[where].max()) if where.any() else 0.0
