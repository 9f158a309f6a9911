"""Colour tables and usual ranges of the maps, the same in pictures and in Slicer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..case import ROLES
from ..volume import Volume

#: Steps of a colour table.
STEPS = 256

# Lightness rises all along both scales, so that high reads as high for colour-blind readers and in grey print;
# the hues keep what readers know: cold is low, hot is high.
_FLOW = [
    (0.00, "#000000"), (0.08, "#1c1064"), (0.20, "#20409f"), (0.32, "#1577b5"), (0.44, "#16a098"),
    (0.58, "#4fbf58"), (0.74, "#b9d334"), (0.88, "#fbe26b"), (1.00, "#ffffff"),
]  # fmt: skip
_DELAY = [
    (0.00, "#000000"), (0.14, "#23105a"), (0.28, "#541a82"), (0.42, "#8f2480"), (0.54, "#c43a63"),
    (0.66, "#e9603f"), (0.78, "#fa8f22"), (0.90, "#fcc83c"), (1.00, "#fcfda8"),
]  # fmt: skip


@dataclass(frozen=True)
class MapStyle:
    """How a map is shown.

    Attributes
    ----------
    role : str
        As in `case.ROLES`, or ``"probability"``.
    title, unit : str
        What stands beside it.
    low, high : float
        Ends of the colour scale, in ``unit``.
    table : numpy.ndarray
        ``(256, 3)`` RGB, 0 to 1, from ``low`` to ``high``.
    """

    role: str
    title: str
    unit: str
    low: float
    high: float
    table: np.ndarray

    def colours(self, values: np.ndarray) -> np.ndarray:
        """Return RGB (last axis 3, 0 to 1) of values of any shape; beyond the ends the end's colour."""
        fraction = (np.asarray(values, dtype=np.float64) - self.low) / (self.high - self.low)
        index = np.clip(np.nan_to_num(fraction) * (STEPS - 1), 0, STEPS - 1).round().astype(int)
        return self.table[index]


def interpolated(stops: list[tuple[float, str]]) -> np.ndarray:
    """Return a ``(256, 3)`` table of RGB through the given ``(position, "#rrggbb")`` stops."""
    positions = [position for position, _ in stops]
    channels = np.array([[int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)] for _, text in stops])
    at = np.linspace(0, 1, STEPS)
    return np.stack([np.interp(at, positions, channels[:, c]) for c in range(3)], axis=1)


def grey() -> np.ndarray:
    """Return the ``(256, 3)`` grey table, black to white."""
    return np.repeat(np.linspace(0, 1, STEPS)[:, None], 3, axis=1)


_RANGES = {
    "tmax": (0.0, 12.0, _DELAY),
    "mtt": (0.0, 15.0, _DELAY),
    "ttp": (0.0, 40.0, _DELAY),
    "cbf": (0.0, 80.0, _FLOW),
    "cbv": (0.0, 6.0, _FLOW),
    "probability": (0.0, 1.0, _DELAY),
}

#: Maps in colour, with their usual ranges.
COLOUR_MAPS: dict[str, MapStyle] = {
    role: MapStyle(role, *ROLES.get(role, ("Probability", "")), low, high, interpolated(stops))
    for role, (low, high, stops) in _RANGES.items()
}

#: Maps whose absolute scale perfusion MRI does not know: tissue's and blood's relaxivity differ.
_UNCALIBRATED = ("cbf", "cbv")
_ROUND = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def style_for(role: str, volume: Volume | None, inside: np.ndarray | None = None) -> MapStyle:
    """Return how a volume is shown: its role's colours, or grey between sensible ends.

    Parameters
    ----------
    role : str
        As in `case.ROLES`.
    volume : Volume or None
        3D; None where the role's usual range is wanted.
    inside : numpy.ndarray, optional
        bool ``(z, y, x)``, the brain; grey levels are chosen from it.
    """
    if role in _UNCALIBRATED and volume is not None:
        return _widened(COLOUR_MAPS[role], volume.array, inside)
    if role in COLOUR_MAPS:
        return COLOUR_MAPS[role]
    title, unit = ROLES.get(role, (role, ""))
    if role == "adc":
        return MapStyle(role, title, unit, 200.0, 1600.0, grey())
    if role == "ncct":
        return MapStyle(role, title, unit, 0.0, 80.0, grey())
    low, high = _grey_range(volume.array, inside)
    return MapStyle(role, title, unit, low, high, grey())


def _widened(style: MapStyle, array: np.ndarray, inside: np.ndarray | None) -> MapStyle:
    """Return the usual scale, or a wider one where half of the brain would lie in its upper half or beyond it."""
    values = array[inside] if inside is not None and inside.shape == array.shape and inside.any() else array
    values = values[values > 0]
    wanted = 2.0 * float(np.median(values)) if values.size else 0.0
    if wanted <= 1.2 * style.high:
        return style
    decade = 10.0 ** np.floor(np.log10(wanted))
    high = next(step for step in _ROUND if step * decade >= wanted * (1 - 1e-9)) * decade
    return replace(style, high=float(high))


def _grey_range(array: np.ndarray, inside: np.ndarray | None) -> tuple[float, float]:
    """Return ends that keep the brain readable and a bright acute lesion below saturation."""
    values = array[inside] if inside is not None and inside.any() else array[array > 0]
    if values.size == 0:
        return 0.0, 1.0
    high = float(np.percentile(values, 99.7)) * 1.05
    return 0.0, high if high > 0 else 1.0
