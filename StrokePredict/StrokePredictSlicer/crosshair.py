"""A click in any slice view as a place in the patient, through the crosshair that Slicer keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import vtk

from .core import slicer_package


class CrosshairPick:
    """Watches the views for one click.

    Parameters
    ----------
    scene : vtkMRMLScene
        Whose crosshair.
    picked : callable
        Called with RAS mm of the click.

    Notes
    -----
    Slicer moves the crosshair's cursor with the mouse; the click itself is an event of the slice view's interactor.
    """

    def __init__(self, scene: Any, picked: Callable[[tuple[float, float, float]], None]) -> None:
        self._scene, self._picked = scene, picked
        self._watched: list[tuple[Any, int]] = []

    def start(self) -> None:
        """Watch from now on."""
        self.stop()
        layouts = slicer_package().app.layoutManager()
        for name in layouts.sliceViewNames():
            widget = layouts.sliceWidget(name)
            if widget is not None:
                interactor = widget.sliceView().interactor()
                tag = interactor.AddObserver(vtk.vtkCommand.LeftButtonPressEvent, self.on_click, 10.0)
                self._watched.append((interactor, tag))

    def stop(self) -> None:
        """Watch no longer."""
        for interactor, tag in self._watched:
            interactor.RemoveObserver(tag)
        self._watched = []

    def on_click(self, *_: Any) -> None:
        """Tell where the cursor is."""
        crosshair = self._scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        place = [0.0, 0.0, 0.0]
        if crosshair is not None and crosshair.GetCursorPositionRAS(place):
            self.stop()
            self._picked((place[0], place[1], place[2]))
