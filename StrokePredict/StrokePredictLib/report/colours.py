"""Colour tables and usual ranges of the maps, the same in pictures and in Slicer."""

from __future__ import annotations

from dataclasses import dataclass

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


def style_for(role: str, volume: Volume, inside: np.ndarray | None = None) -> MapStyle:
    """Return how a volume is shown: its role's colours, or grey between sensible ends.

    Parameters
    ----------
    role : str
        As in `case.ROLES`.
    volume : Volume
        3D; only needed where the range follows the image.
    inside : numpy.ndarray, optional
        bool ``(z, y, x)``, the brain; grey levels are chosen from it.
    """
    if role in COLOUR_MAPS:
        return COLOUR_MAPS[role]
    title, unit = ROLES.get(role, (role, ""))
    if role == "adc":
        return MapStyle(role, title, unit, 200.0, 1600.0, grey())
    if role == "ncct":
        return MapStyle(role, title, unit, 0.0, 80.0, grey())
    low, high = _grey_range(volume.array, inside)
    return MapStyle(role, title, unit, low, high, grey())


def _grey_range(array: np.ndarray, inside: np.ndarray | None) -> tuple[float, float]:
    """Return ends that keep the brain readable and a bright acute lesion below saturation."""
    values = array[inside] if inside is not None and inside.any() else array[array > 0]
    if values.size == 0:
        return 0.0, 1.0
    high = float(np.percentile(values, 99.7)) * 1.05
    return 0.0, high if high > 0 else 1.0
