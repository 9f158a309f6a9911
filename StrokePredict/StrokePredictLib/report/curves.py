"""The arterial and venous curves as points of a small SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 640, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 12, 34


@dataclass(frozen=True)
class CurvePlot:
    """What the report's SVG draws.

    Attributes
    ----------
    lines : list of tuple
        Name, colour and SVG points of each curve.
    x_ticks, y_ticks : list of tuple
        Position in the picture and label.
    """

    lines: list[tuple[str, str, str]]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = HEIGHT - _BOTTOM


def curve_plot(perfusion: dict[str, Any]) -> CurvePlot | None:
    """Return the plot of the arterial input and venous output, or None where there is none.

    Parameters
    ----------
    perfusion : dict
        What ``perfusion.json`` holds: ``times`` in s (or ``times.times_s``), ``aif`` and ``vof`` with ``curve``.
    """
    curves = []
    for key, name, colour in (("aif", "Arterial input (AIF)", "#c0143c"), ("vof", "Venous output (VOF)", "#1f5fa8")):
        curve = (perfusion.get(key) or {}).get("curve")
        if curve and all(isinstance(v, (int, float)) and math.isfinite(v) for v in curve):
            curves.append((name, colour, [float(v) for v in curve]))
    times = perfusion.get("times")
    if isinstance(times, dict):
        times = times.get("times_s")
    if not curves or not isinstance(times, (list, tuple)) or len(times) < 2:
        return None
    start, end = float(times[0]), float(times[-1])
    low = min(0.0, *(min(curve) for _, _, curve in curves))
    high = max(max(curve) for _, _, curve in curves)
    if end <= start or high <= low:
        return None

    def x(time: float) -> float:
        return round(_LEFT + (time - start) / (end - start) * (WIDTH - _LEFT - _RIGHT), 1)

    def y(value: float) -> float:
        return round(HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM), 1)

    lines = [
        (name, colour, " ".join(f"{x(float(t))},{y(v)}" for t, v in zip(times, curve, strict=False)))
        for name, colour, curve in curves
    ]
    x_ticks = [(x(value), f"{value:g}") for value in _ticks(start, end)]
    return CurvePlot(lines, x_ticks, [(y(value), f"{value:g}") for value in _ticks(low, high, 4)])


def _ticks(low: float, high: float, wanted: int = 6) -> list[float]:
    """Return round values from ``low`` to ``high``."""
    raw = (high - low) / wanted
    scale = 10 ** math.floor(math.log10(raw))
    step = next(m * scale for m in (1, 2, 5, 10) if m * scale >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 10) for i in range(first, math.floor(high / step + 1e-9) + 1)]
