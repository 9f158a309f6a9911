"""A small plot of the bolus: arterial input, venous output, brain; drawn by Qt alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import qt

_WIDTH, _HEIGHT = 350, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 22, 36


@dataclass(frozen=True)
class Curve:
    """One line: its name, colour and heights, each scaled to its own peak."""

    name: str
    colour: str
    values: Sequence[float]


def draw_curves(times: Sequence[float], curves: Sequence[Curve]) -> qt.QPixmap:
    """Return a picture of concentration over time, every curve scaled to its own peak.

    Parameters
    ----------
    times : sequence of float
        s.
    curves : sequence of Curve
        As long as ``times``.
    """
    picture = qt.QPixmap(_WIDTH, _HEIGHT)
    picture.fill(qt.QColor("white"))
    painter = qt.QPainter(picture)
    painter.setRenderHint(qt.QPainter.Antialiasing)
    painter.setFont(qt.QFont("Sans", 8))
    first, last = float(times[0]), float(times[-1])
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def place(time: float, share: float) -> tuple[int, int]:
        x = _LEFT + wide * (time - first) / max(last - first, 1e-6)
        return round(x), round(_TOP + high * (1.0 - (min(max(share, -0.1), 1.05) + 0.1) / 1.15))

    _draw_axes(painter, place, first, last)
    for number, curve in enumerate(curves):
        peak = max(max(curve.values), 1e-9)
        painter.setPen(qt.QPen(qt.QColor(curve.colour), 2))
        points = [place(float(t), float(v) / peak) for t, v in zip(times, curve.values)]  # noqa: B905
        for (x0, y0), (x1, y1) in pairwise(points):
            painter.drawLine(x0, y0, x1, y1)
        x = _LEFT - 20 + number * 118
        painter.drawLine(x, 11, x + 16, 11)
        painter.setPen(qt.QColor("black"))
        painter.drawText(x + 20, 15, curve.name)
    painter.end()
    return picture


def _draw_axes(painter: qt.QPainter, place: object, first: float, last: float) -> None:
    painter.setPen(qt.QColor("gray"))
    for share, text in ((0.0, "0"), (0.5, "50 %"), (1.0, "peak")):
        x, y = place(first, share)
        painter.drawLine(x, y, _WIDTH - _RIGHT, y)
        painter.drawText(4, y + 4, text)
    base = _HEIGHT - _BOTTOM
    step = next((s for s in (5, 10, 20, 30, 60) if (last - first) / s <= 8), 120)
    time = -(-first // step) * step
    while time <= last:
        x, _ = place(time, 0.0)
        painter.drawLine(x, base, x, base + 4)
        painter.drawText(x - 8, base + 16, f"{time:g}")
        time += step
    painter.drawText(_WIDTH // 2 - 20, _HEIGHT - 4, "time, s")
