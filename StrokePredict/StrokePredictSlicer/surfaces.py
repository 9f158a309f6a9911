"""Segments as surfaces in the 3D view, made one at a time when nothing else is to be done."""

from __future__ import annotations

from typing import Any

import numpy as np
import qt
import vtk
from vtk.util import numpy_support

from .core import slicer_package
from .live_volumes import ids_of, labels_time
from .scene_nodes import binary_labelmap_name

#: So long (ms) nothing must have changed before a surface is made: brushes and sliders come first.
_REST_MS = 700
#: Shown faintly, for a sense of place, and made roughly: as many voxels in a row at most.
_AROUND, _ROUGH_VOXELS, _FAINT = "brain", 96, 0.12


class Surfaces:
    """Keeps the surfaces of one segmentation's visible segments up to date, while they are wanted."""

    def __init__(self) -> None:
        self._segmentation: Any = None
        self._wanted = False
        self._made: dict[str, int] = {}
        self._tried: set[str] = set()
        self._framed = False
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._make_next)

    def watch(self, segmentation: Any) -> None:
        """Take another segmentation node; None: none."""
        if segmentation is not self._segmentation:
            self._segmentation, self._made, self._framed = segmentation, {}, False
        self.refresh()

    def show(self, wanted: bool) -> None:
        """Show the surfaces, or not."""
        self._wanted = wanted
        self.refresh()

    def refresh(self) -> None:
        """Make what is missing, once nothing changes any more."""
        node = self._segmentation
        if node is None or node.GetScene() is None or node.GetDisplayNode() is None:
            return
        display = node.GetDisplayNode()
        display.SetVisibility3D(self._wanted)
        if _AROUND in ids_of(node):
            display.SetSegmentVisibility(_AROUND, self._wanted)
            display.SetSegmentVisibility2DFill(_AROUND, False)
            display.SetSegmentVisibility2DOutline(_AROUND, False)
            display.SetSegmentOpacity3D(_AROUND, _FAINT)
        self._tried = set()
        if self._wanted:
            self._timer.start(_REST_MS)

    def _make_next(self) -> None:
        """Make one surface, and come again for the next."""
        node = self._segmentation
        if node is None or node.GetScene() is None or not self._wanted:
            return
        display, inner = node.GetDisplayNode(), node.GetSegmentation()
        for key in ids_of(node):
            segment = inner.GetSegment(key)
            stamp = labels_time(segment)
            wanted = display.GetSegmentVisibility(key) or key == _AROUND
            # A slider that writes into one segment makes Slicer forget the surfaces of all.
            lost = segment.GetRepresentation(_surface_name()) is None and key not in self._tried
            if (self._made.get(key) == stamp and not lost) or not stamp or not wanted:
                continue
            self._made[key] = stamp
            self._tried.add(key)
            segment.AddRepresentation(_surface_name(), surface_of(segment, rough=key == _AROUND))
            display.Modified()
            self._timer.start(0)
            return
        if self._made and not self._framed:
            self._framed = True
            _look_at_all()

    def close(self) -> None:
        """Let the scene go."""
        self._timer.stop()
        self._segmentation, self._made = None, {}


def _surface_name() -> str:
    return slicer_package().vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()


def _look_at_all() -> None:
    """Turn the 3D view so that all is in it, seen from the front."""
    widget = slicer_package().app.layoutManager().threeDWidget(0)
    if widget is not None:
        node = widget.mrmlViewNode()
        node.SetBoxVisible(False)  # it would be what the camera is set for
        node.SetAxisLabelsVisible(False)
        node.SetOrientationMarkerType(node.OrientationMarkerTypeHuman)
        widget.threeDView().resetFocalPoint()
        widget.threeDView().resetCamera()


def surface_of(segment: Any, *, rough: bool = False) -> Any:
    """Return a segment's smoothed surface by Slicer's own conversion, without touching the segment."""
    slicer = slicer_package()
    alone = slicer.vtkSegmentation()
    set_source = getattr(alone, "SetSourceRepresentationName", None) or alone.SetMasterRepresentationName
    set_source(binary_labelmap_name())
    copy = slicer.vtkSegment()
    labels = segment.GetRepresentation(binary_labelmap_name())
    own = slicer.vtkOrientedImageData()
    own.DeepCopy(_thinned(labels) if rough else labels)  # a conversion touches what it converts
    copy.AddRepresentation(binary_labelmap_name(), own)
    copy.SetLabelValue(segment.GetLabelValue())
    alone.AddSegment(copy, "one")
    alone.CreateRepresentation(_surface_name())
    return alone.GetSegment("one").GetRepresentation(_surface_name())


def _thinned(labels: Any) -> Any:
    """Return a labelmap with every n-th voxel of a row and column, so that a large one is as quick as a small one."""
    step = -(-max(labels.GetDimensions()[:2]) // _ROUGH_VOXELS)
    scalars = labels.GetPointData().GetScalars()
    if step < 2 or scalars is None:
        return labels
    array = numpy_support.vtk_to_numpy(scalars).reshape(labels.GetDimensions()[::-1])[:, ::step, ::step]
    thin = slicer_package().vtkOrientedImageData()
    thin.SetExtent(0, array.shape[2] - 1, 0, array.shape[1] - 1, 0, array.shape[0] - 1)
    thin.GetPointData().SetScalars(numpy_support.numpy_to_vtk(np.ascontiguousarray(array).ravel(), deep=True))
    matrix = vtk.vtkMatrix4x4()
    labels.GetImageToWorldMatrix(matrix)
    first = matrix.MultiplyPoint((*labels.GetExtent()[::2], 1.0))
    for row in range(3):
        for column in range(2):
            matrix.SetElement(row, column, step * matrix.GetElement(row, column))
        matrix.SetElement(row, 3, first[row])
    thin.SetImageToWorldMatrix(matrix)
    return thin
