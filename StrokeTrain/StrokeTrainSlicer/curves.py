"""Training curves: a small picture drawn by Qt alone, and the same in Slicer's plot view."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

_WIDTH, _HEIGHT = 480, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 48, 24, 34
LOSS, VALIDATION, SCORE = "#1f77b4", "#ff7f0e", "#2ca02c"
Points = Sequence[tuple[float, float]]
#: Attribute of the nodes that we made.
_KEY = "StrokeTrain.chart"


def draw_training(train: Points, validation: Points, score: Points, epochs: int) -> Any:
    """Return a picture: losses by the left axis, the validation score (0 to 1) by the right one.

    Parameters
    ----------
    train, validation, score : sequence of (float, float)
        Epoch and value.
    epochs : int
        Where the axis ends.
    """
    picture = qt.QPixmap(_WIDTH, _HEIGHT)
    picture.fill(qt.QColor("white"))
    painter = qt.QPainter(picture)
    painter.setRenderHint(qt.QPainter.Antialiasing)
    painter.setFont(qt.QFont("Sans", 8))
    losses = [value for _epoch, value in (*train, *validation) if math.isfinite(value)]
    low, high = _range(losses)
    last = max(2.0, float(epochs))
    frame = (_LEFT, _TOP, _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM)
    _draw_frame(painter, frame, (low, high), last)
    curves = ((train, LOSS, _("training loss"), low, high), (validation, VALIDATION, _("validation loss"), low, high),
              (score, SCORE, _("validation score"), 0.0, 1.0))  # fmt: skip
    for number, (points, colour, name, bottom, top) in enumerate(curves):
        painter.setPen(qt.QPen(qt.QColor(colour), 2))
        x = _LEFT + number * 135
        painter.drawLine(x, 12, x + 16, 12)
        placed = [_place(frame, point, (bottom, top), last) for point in points if math.isfinite(point[1])]
        for (x0, y0), (x1, y1) in pairwise(placed):
            painter.drawLine(x0, y0, x1, y1)
        for x0, y0 in placed:
            painter.drawEllipse(x0 - 2, y0 - 2, 4, 4)
        painter.setPen(qt.QColor("black"))
        painter.drawText(x + 20, 16, name)
    painter.end()
    return picture


def _range(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
    return low - margin, high + margin


def _place(
    frame: tuple[int, int, int, int], point: tuple[float, float], limits: tuple[float, float], last: float
) -> tuple[int, int]:
    left, top, wide, high = frame
    share = (point[1] - limits[0]) / (limits[1] - limits[0])
    across = (point[0] - 1) / (last - 1)
    return round(left + wide * across), round(top + high * (1 - min(max(share, 0.0), 1.0)))


def _draw_frame(painter: Any, frame: tuple[int, int, int, int], limits: tuple[float, float], last: float) -> None:
    left, top, wide, high = frame
    painter.setPen(qt.QColor("gray"))
    painter.drawRect(left, top, wide, high)
    for share in (0.0, 0.5, 1.0):
        y = round(top + high * (1 - share))
        painter.drawLine(left - 3, y, left, y)
        painter.drawLine(left + wide, y, left + wide + 3, y)
        painter.drawText(18, y + 4, f"{limits[0] + share * (limits[1] - limits[0]):.3g}")
        painter.drawText(left + wide + 6, y + 4, f"{share:g}")
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500) if (last - 1) / s <= 10), 1000)
    for epoch in range(step if step > 1 else 1, int(last) + 1, step):
        x, _y = _place(frame, (epoch, 0.0), (0.0, 1.0), last)
        painter.drawLine(x, top + high, x, top + high + 3)
        painter.drawText(x - 6, top + high + 14, str(epoch))
    painter.drawText(_WIDTH // 2 - 20, _HEIGHT - 4, _("epoch"))
    for x, words in ((12, _("loss")), (_WIDTH - 8, _("score"))):
        painter.save()
        painter.translate(x, top + high // 2 + 16)
        painter.rotate(-90)
        painter.drawText(0, 0, words)
        painter.restore()


def put_chart(
    name: str, title: str, axes: tuple[str, str], series: dict[str, tuple[Points, str, bool]], *, show: bool = True
) -> Any:
    """Put curves or points into the scene as a plot chart, filled again where it is there.

    Parameters
    ----------
    name : str
        Of the nodes.
    title : str
        Of the chart.
    axes : tuple of str
        Titles of x and y.
    series : dict of str to (points, colour, bool)
        By title; the last says whether points are joined by a line.
    show : bool
        Also put it into the plot view.

    Returns
    -------
    vtkMRMLPlotChartNode
    """
    scene = slicer.mrmlScene
    chart = _node("vtkMRMLPlotChartNode", name, name)
    chart.RemoveAllPlotSeriesNodeIDs()
    for number, (words, (points, colour, joined)) in enumerate(series.items(), 1):
        if not points:
            continue
        table = _node("vtkMRMLTableNode", f"{name} {number}", f"{name}: {words}")
        # VTK complains of a line through one point at every look at it, also where only its mark is drawn.
        _fill(table, list(points) * 2 if len(points) == 1 else points)
        plot = _node("vtkMRMLPlotSeriesNode", f"{name} {number}", words)
        plot.SetAndObserveTableNodeID(table.GetID())
        plot.SetXColumnName("x")
        plot.SetYColumnName("y")
        plot.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        solid, none = slicer.vtkMRMLPlotSeriesNode.LineStyleSolid, slicer.vtkMRMLPlotSeriesNode.LineStyleNone
        plot.SetLineStyle(solid if joined and len(points) > 1 else none)
        plot.SetLineWidth(2)
        marked, bare = slicer.vtkMRMLPlotSeriesNode.MarkerStyleCircle, slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone
        plot.SetMarkerStyle(bare if joined and len(points) > 1 else marked)
        plot.SetMarkerSize(8)
        plot.SetColor(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))
        chart.AddAndObservePlotSeriesNodeID(plot.GetID())
    chart.SetTitle(title)
    chart.SetTitleFontSize(14)
    chart.SetLegendFontSize(11)  # it lies over the curves
    chart.SetXAxisTitle(axes[0])
    chart.SetYAxisTitle(axes[1])
    if show:
        _show(scene, chart)
    return chart


def _node(kind: str, key: str, name: str) -> Any:
    """Return the scene's node of this class that we made under a key, made if it is not there; legends show its name.

    Series of two charts may have the same name; what is the user's own is never taken.
    """
    nodes = slicer.mrmlScene.GetNodesByClass(kind)
    for index in range(nodes.GetNumberOfItems()):
        if nodes.GetItemAsObject(index).GetAttribute(_KEY) == key:
            nodes.GetItemAsObject(index).SetName(name)
            return nodes.GetItemAsObject(index)
    node = slicer.mrmlScene.AddNewNodeByClass(kind, name)
    node.SetName(name)
    node.SetAttribute(_KEY, key)
    node.SetSaveWithScene(False)
    return node


def _fill(table: Any, points: Points) -> None:
    import vtk

    modified = table.StartModify()
    table.RemoveAllColumns()
    for number, name in enumerate(("x", "y")):
        column = vtk.vtkDoubleArray()
        column.SetName(name)
        for point in points:
            column.InsertNextValue(point[number])
        table.AddColumn(column)
    table.EndModify(modified)


def _show(scene: Any, chart: Any) -> None:
    """Put a chart into the plot view, where there is a desktop that has one."""
    plots = getattr(slicer.modules, "plots", None)
    if plots is not None:
        plots.logic().ShowChartInLayout(chart)
