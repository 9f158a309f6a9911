"""Volumes of the segments as they are now, counted again shortly after each stroke of a brush."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import qt
from vtk.util import numpy_support

from .core import slicer_package
from .scene_nodes import binary_labelmap_name

#: At the latest so long after a change (ms) the volumes are counted; changes in between are counted together.
_WAIT_MS = 250
_EVENTS = (
    "SourceRepresentationModified", "MasterRepresentationModified", "RepresentationModified", "SegmentAdded",
    "SegmentRemoved", "SegmentModified",
)  # fmt: skip


class LiveVolumes:
    """Watches one segmentation.

    Parameters
    ----------
    told : callable
        Called with mL by segment id, and the ids of the segments that changed since the last call.

    Notes
    -----
    Only what changed is counted: about 2 ms a segment at 256×256×40.
    """

    def __init__(self, told: Callable[[dict[str, float], set[str]], None]) -> None:
        self._told = told
        self._segmentation: Any = None
        self._observed: tuple[Any, list[int]] | None = None
        self._known: dict[str, tuple[int, float]] = {}
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_WAIT_MS)
        self._timer.timeout.connect(self.count)

    def watch(self, segmentation: Any) -> None:
        """Watch a segmentation node from now on, instead of the one before; None: nothing."""
        if segmentation is not None and segmentation is self._segmentation:
            self._changed()
            return
        self.close()
        self._segmentation = segmentation
        if segmentation is None:
            return
        inner = segmentation.GetSegmentation()
        kind = slicer_package().vtkSegmentation
        events = {getattr(kind, name) for name in _EVENTS if hasattr(kind, name)}
        self._observed = inner, [inner.AddObserver(event, self._changed) for event in events]
        self._timer.start()

    def _changed(self, *_: Any) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def count(self) -> None:
        """Count what changed, and tell."""
        node = self._segmentation
        if node is None or node.GetScene() is None:
            return
        inner = node.GetSegmentation()
        volumes, changed = {}, set()
        before, self._known = self._known, {}
        for key in ids_of(node):
            segment = inner.GetSegment(key)
            stamp = labels_time(segment)
            if key in before and before[key][0] == stamp:
                volumes[key] = before[key][1]
            else:
                volumes[key] = segment_ml(segment)
                changed.add(key)
            self._known[key] = stamp, volumes[key]
        self._told(volumes, changed)

    def close(self) -> None:
        """Watch no longer."""
        self._timer.stop()
        if self._observed is not None:
            inner, tags = self._observed
            for tag in tags:
                inner.RemoveObserver(tag)
        self._segmentation, self._observed, self._known = None, None, {}


def ids_of(segmentation: Any) -> list[str]:
    """Return the ids of a segmentation node's segments, in their order."""
    inner = segmentation.GetSegmentation()
    return [inner.GetNthSegmentID(index) for index in range(inner.GetNumberOfSegments())]


def labels_time(segment: Any) -> int:
    """Return when a segment's voxels last changed, in VTK's count; 0 where it has none."""
    labels = segment.GetRepresentation(binary_labelmap_name())
    return int(labels.GetMTime()) if labels is not None else 0


def segment_ml(segment: Any) -> float:
    """Return a segment's volume in mL by its own voxels; several segments may share one image."""
    labels = segment.GetRepresentation(binary_labelmap_name())
    scalars = labels.GetPointData().GetScalars() if labels is not None else None
    if scalars is None:
        return 0.0
    array = numpy_support.vtk_to_numpy(scalars)
    return float(np.count_nonzero(array == segment.GetLabelValue()) * np.prod(labels.GetSpacing()) / 1000.0)
