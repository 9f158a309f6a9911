"""Segments as surfaces in the 3D view, made one at a time when nothing else is to be done."""

from __future__ import annotations

from typing import Any

import qt

from .core import slicer_package
from .live_volumes import ids_of, labels_time
from .scene_nodes import binary_labelmap_name

#: So long (ms) nothing must have changed before a surface is made: brushes and sliders come first.
_REST_MS = 700
#: Made though it is not shown, and roughly: Slicer looks at the first segment to see whether there are surfaces.
_ROUGH = ("brain",)


class Surfaces:
    """Keeps the surfaces of one segmentation's visible segments up to date, while they are wanted."""

    def __init__(self) -> None:
        self._segmentation: Any = None
        self._wanted = False
        self._made: dict[str, int] = {}
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
        node.GetDisplayNode().SetVisibility3D(self._wanted)
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
            wanted = display.GetSegmentVisibility(key) or key in _ROUGH
            if self._made.get(key) == stamp or not stamp or not wanted:
                continue
            self._made[key] = stamp
            segment.AddRepresentation(_surface_name(), surface_of(segment, smooth=key not in _ROUGH))
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


def surface_of(segment: Any, *, smooth: bool = True) -> Any:
    """Return a segment's surface by Slicer's own conversion, without touching the segment."""
    slicer = slicer_package()
    alone = slicer.vtkSegmentation()
    set_source = getattr(alone, "SetSourceRepresentationName", None) or alone.SetMasterRepresentationName
    set_source(binary_labelmap_name())
    alone.SetConversionParameter("Smoothing factor", "0.5" if smooth else "0.0")
    copy = slicer.vtkSegment()
    copy.DeepCopy(segment)
    copy.RemoveRepresentation(_surface_name())
    alone.AddSegment(copy, "one")
    alone.CreateRepresentation(_surface_name())
    return alone.GetSegment("one").GetRepresentation(_surface_name())
