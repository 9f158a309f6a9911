"""A segment that follows a slider: a limit on a map, applied at once, without the cleaning that takes longer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import vtk
from vtk.util import numpy_support

from StrokePredictLib.volume import Volume

from .core import slicer_package
from .patient_scene import put_mask
from .scene_nodes import binary_labelmap_name


class LiveMask:
    """One segment and the rule that fills it.

    Parameters
    ----------
    segmentation : vtkMRMLSegmentationNode
        Where the segment is, or is made.
    key : str
        Segment id.
    image : Volume
        The map.
    inside : numpy.ndarray or None
        bool ``(z, y, x)``; the mask never leaves it.
    rule : callable
        ``rule(values, limit)`` → bool array.

    Notes
    -----
    A step writes into the segment's own image in place: one comparison and one copy, about 10 ms at 256×256×40.
    """

    def __init__(
        self,
        segmentation: Any,
        key: str,
        image: Volume,
        inside: np.ndarray | None,
        rule: Callable[[np.ndarray, float], np.ndarray],
    ) -> None:
        self._segmentation, self._key, self._rule = segmentation, key, rule
        self._image, self._inside = image, inside
        put_mask(segmentation, key, image.with_array(np.zeros(image.shape, dtype=bool)))
        segment = segmentation.GetSegmentation().GetSegment(key)
        self._labels = segment.GetRepresentation(binary_labelmap_name())
        self._array = numpy_support.vtk_to_numpy(self._labels.GetPointData().GetScalars()).reshape(image.shape)
        converter = slicer_package().vtkSegmentationConverter
        self._surface = converter.GetSegmentationClosedSurfaceRepresentationName()

    def show(self, limit: float) -> float:
        """Fill the segment by the rule at ``limit``; return its volume in mL."""
        mask = self._rule(self._image.array, limit)
        if self._inside is not None:
            mask &= self._inside
        np.copyto(self._array, mask, casting="unsafe")
        inner = self._segmentation.GetSegmentation()
        inner.GetSegment(self._key).RemoveRepresentation(self._surface)
        self._labels.GetPointData().GetScalars().Modified()
        self._labels.Modified()
        source = getattr(slicer_package().vtkSegmentation, "SourceRepresentationModified", None)
        inner.InvokeEvent(source if source is not None else vtk.vtkCommand.ModifiedEvent, self._key)
        return float(np.count_nonzero(mask)) * self._image.voxel_ml


def below(values: np.ndarray, limit: float) -> np.ndarray:
    """Return where 0 < value < limit: zero and less is no measurement."""
    return (values > 0) & (values < limit)


def above(values: np.ndarray, limit: float) -> np.ndarray:
    """Return where value > limit."""
    return values > limit


def at_least(values: np.ndarray, limit: float) -> np.ndarray:
    """Return where value ≥ limit, as probabilities are cut."""
    return values >= limit
