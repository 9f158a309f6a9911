"""A line in every view that shows a simulated patient, or what a model says that learnt from simulated patients."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import qt
import vtk

from .core import slicer_package
from .marks_in_view import lines_in_3d, lines_in_slice
from .scene_views import composite_of

#: Amber on a dark ground: readable on an image, on the black beside it and in the 3D view; not a segment's colour.
_COLOUR, _GROUND, _GROUND_OPACITY = (1.0, 0.72, 0.30), (0.0, 0.0, 0.0), 0.5
_POINTS = 12
#: Pixels from the view's edges, as Slicer's own corner texts stand, and from those.
_MARGIN, _GAP = 5, 4
_NAME = "StrokeWatermark"
#: Changes come in dozens; the views are looked at once after them.
_REST_MS = 50
_WATCHED = ("vtkMRMLSliceCompositeNode", "vtkMRMLSegmentationDisplayNode", "vtkMRMLLayoutNode")


@dataclass
class View:
    """A view as the watermark needs it.

    Attributes
    ----------
    name : str
        Of its own.
    node : vtkMRMLSliceNode or vtkMRMLViewNode
        The view in the scene.
    window : vtkRenderWindow
        Where it draws.
    corner : vtkCornerAnnotation
        Slicer's own texts in its corners.
    redraw : callable
        Draws it soon.
    """

    name: str
    node: Any
    window: Any
    corner: Any
    redraw: Callable[[], None]

    @property
    def renderer(self) -> Any:
        """The renderer of the corner texts: what it draws lies over the image."""
        renderers = self.window.GetRenderers()
        found = [renderers.GetItemAsObject(index) for index in range(renderers.GetNumberOfItems())]
        return next((each for each in found if each.HasViewProp(self.corner)), found[0])


class Watermark:
    """Keeps the lines of all views right, whatever hand changes what they show.

    Parameters
    ----------
    scene : vtkMRMLScene
        The scene.
    views : callable
        Returns the `View` of now.

    Notes
    -----
    The corner texts themselves are Slicer's: Data Probe writes them anew with every slice. So the line is an actor of
    its own, above what stands in the lower left corner, where no brain reaches.
    """

    def __init__(self, scene: Any, views: Callable[[], Iterable[View]]) -> None:
        self._scene, self._views = scene, views
        self._lines: dict[str, _Line] = {}
        self._watched: dict[str, tuple[Any, int]] = {}
        self._awaited = False
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST_MS)
        self._timer.timeout.connect(self.update)
        events = (
            scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndBatchProcessEvent, scene.EndCloseEvent,
            scene.EndImportEvent,
        )  # fmt: skip
        self._tags = [scene.AddObserver(event, self._changed) for event in events]
        self._changed()

    def _changed(self, *_: Any) -> None:
        """Look at the views soon."""
        if not self._awaited:
            self._awaited = True
            self._timer.start()

    def update(self) -> None:
        """Say in each view what it has to say."""
        self._awaited = False
        if self._scene.IsBatchProcessing() or self._scene.IsClosing():
            return  # the event of its end comes
        self._watch_nodes()
        views = {view.name: view for view in self._views()}
        for name in set(self._lines) - set(views):
            self._lines.pop(name).remove()
        for name, view in views.items():
            line = self._lines.get(name)
            if line is None or line.view.window is not view.window:
                if line is not None:
                    line.remove()
                line = self._lines[name] = _Line(view)
            line.say("\n".join(self._words(view)))

    def _words(self, view: View) -> list[str]:
        if view.node.IsA("vtkMRMLSliceNode"):
            return lines_in_slice(self._scene, view.node, composite_of(self._scene, view.node.GetLayoutName()))
        return lines_in_3d(self._scene, view.node)

    def _watch_nodes(self) -> None:
        """Watch what decides on what is shown."""
        there = {}
        for kind in _WATCHED:
            for number in range(self._scene.GetNumberOfNodesByClass(kind)):
                node = self._scene.GetNthNodeByClass(number, kind)
                there[node.GetID()] = node
        for key, (node, tag) in list(self._watched.items()):
            if there.get(key) is not node:
                node.RemoveObserver(tag)
                del self._watched[key]
        for key in there.keys() - self._watched.keys():
            self._watched[key] = (there[key], there[key].AddObserver(vtk.vtkCommand.ModifiedEvent, self._changed))

    def words(self) -> dict[str, str]:
        """Return what each view says, by its name; empty where nothing."""
        return {name: line.words for name, line in self._lines.items()}

    def close(self) -> None:
        """Take the lines away and watch no longer."""
        self._timer.stop()
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        for node, tag in self._watched.values():
            node.RemoveObserver(tag)
        for line in self._lines.values():
            line.remove()
        self._tags, self._watched, self._lines = [], {}, {}


class _Line:
    """The text of one view."""

    def __init__(self, view: View) -> None:
        self.view, self.words = view, ""
        self._renderer = view.renderer
        self._actor = vtk.vtkTextActor()
        self._actor.SetVisibility(False)
        self._actor.SetPickable(False)
        style = self._actor.GetTextProperty()
        style.SetFontFamilyToArial()
        style.SetFontSize(_POINTS)
        style.SetColor(_COLOUR)
        style.SetBackgroundColor(_GROUND)
        style.SetBackgroundOpacity(_GROUND_OPACITY)
        self._renderer.AddViewProp(self._actor)
        self._tag = view.corner.AddObserver(vtk.vtkCommand.ModifiedEvent, self._place)

    def say(self, words: str) -> None:
        """Show words, or nothing."""
        if words == self.words:
            return
        self.words = words
        self._actor.SetInput(words)
        self._actor.SetVisibility(bool(words))
        self._place()
        self.view.redraw()

    def _place(self, *_: Any) -> None:
        """Stand above what is written in the lower left corner."""
        height = _height_of_corner(self.view)
        self._actor.SetPosition(_MARGIN, _MARGIN + (height + _GAP if height else 0))

    def remove(self) -> None:
        """Take the text away."""
        self.view.corner.RemoveObserver(self._tag)
        self._renderer.RemoveViewProp(self._actor)


def _height_of_corner(view: View) -> int:
    """Return the height, pixels, of the text in the lower left corner, empty lines at its end included."""
    text = view.corner.GetText(view.corner.LowerLeft) or ""
    if not text.strip():
        return 0
    style = vtk.vtkTextProperty()
    style.ShallowCopy(view.corner.GetTextProperty())
    style.SetFontSize(view.corner.GetMaximumFontSize())
    one, two = (_height(style, words, view.window.GetDPI()) for words in ("Bg", "Bg\nBg"))
    return one + text.count("\n") * (two - one)


def _height(style: Any, words: str, dpi: int) -> int:
    box = [0, 0, 0, 0]
    vtk.vtkTextRenderer.GetInstance().GetBoundingBox(style, words, box, dpi)
    return box[3] - box[2] + 1


def views_of_slicer() -> list[View]:
    """Return the slice and 3D views of Slicer's window."""
    layouts = slicer_package().app.layoutManager()
    found = []
    for name in layouts.sliceViewNames():
        widget = layouts.sliceWidget(name)
        if widget is not None:
            found.append(_view(f"slice {name}", widget.mrmlSliceNode(), widget.sliceView()))
    for number in range(layouts.threeDViewCount):
        widget = layouts.threeDWidget(number)
        node = widget.mrmlViewNode() if widget is not None else None
        if node is not None:
            found.append(_view(f"3D {node.GetLayoutName()}", node, widget.threeDView()))
    return [view for view in found if view.node is not None]


def _view(name: str, node: Any, widget: Any) -> View:
    return View(name, node, widget.renderWindow(), widget.cornerAnnotation(), widget.scheduleRender)


def start() -> Watermark | None:
    """Begin to watch Slicer's views, once; None where Slicer has no window."""
    slicer = slicer_package()
    if slicer.app.layoutManager() is None:
        return None
    # With Slicer's modules, not with this file: however often this package is loaded anew, there is one.
    if getattr(slicer.modules, _NAME, None) is None:
        setattr(slicer.modules, _NAME, Watermark(slicer.mrmlScene, views_of_slicer))
    return getattr(slicer.modules, _NAME)


def stop() -> None:
    """Take the lines away."""
    modules = slicer_package().modules
    there = getattr(modules, _NAME, None)
    if there is not None:
        there.close()
        setattr(modules, _NAME, None)
