"""A study's maps and masks as strips of slices, ready to draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..study import Study
from ..volume import Volume
from .colours import MapStyle, style_for
from .orientation import for_display

#: Masks that say where to look, most telling first.
_LESIONS = ("hypoperfused_tmax", "core_adc", "core_cbf", "core_network", "infarct_predicted", "ground_truth")
#: Room around the brain inside a tile, in mm.
_MARGIN_MM = 6.0


@dataclass(frozen=True)
class Mosaic:
    """The chosen slices of a study, cropped to the brain.

    Attributes
    ----------
    study : Study
        What is shown.
    slices : list of int
        Slice indices from caudal to cranial, in display orientation.
    rows, columns : slice
        The crop in display orientation.
    pixel : tuple of float
        Width and height of a pixel in mm.
    count : int
        Number of slices of the whole image.
    brain : numpy.ndarray or None
        bool, display orientation; what lies outside is shown black.
    """

    study: Study
    slices: list[int]
    rows: slice
    columns: slice
    pixel: tuple[float, float]
    count: int
    brain: np.ndarray | None

    @property
    def tile_mm(self) -> tuple[float, float]:
        """Width and height of one tile in mm."""
        columns, rows = self.columns.stop - self.columns.start, self.rows.stop - self.rows.start
        return columns * self.pixel[0], rows * self.pixel[1]

    def strip(self, array: np.ndarray) -> np.ndarray:
        """Return the chosen slices of an array in display orientation side by side, ``(rows, n·columns, …)``."""
        return np.concatenate([array[k, self.rows, self.columns] for k in self.slices], axis=1)

    def picture(self, role: str, volume: Volume) -> tuple[np.ndarray, MapStyle]:
        """Return a map's strip in RGB, black outside the brain, and how it is coloured."""
        shown = for_display(volume).array
        style = style_for(role, volume.with_array(volume.array), self._inside(volume))
        colours = style.colours(self.strip(shown))
        if self.brain is not None:
            colours[~self.strip(self.brain)] = 0.0
        return colours, style

    def mask(self, key: str) -> np.ndarray | None:
        """Return a mask's strip, bool, or None where the study has no such mask or it is empty there."""
        volume = self.study.masks.get(key)
        if volume is None:
            return None
        strip = self.strip(for_display(volume).array > 0)
        return strip if strip.any() else None

    def _inside(self, volume: Volume) -> np.ndarray | None:
        brain = brain_of(self.study)
        return brain.array > 0 if brain is not None and brain.shape == volume.shape else None


def brain_of(study: Study) -> Volume | None:
    """Return the study's brain mask: found by us, else given with the case."""
    return study.masks.get("brain") or study.case.volumes.get("brain")


def make_mosaic(study: Study, tiles: int = 8) -> Mosaic:
    """Choose slices through the lesion and a crop around the brain.

    Parameters
    ----------
    study : Study
        What to show.
    tiles : int
        The most slices to show.
    """
    reference = for_display(study.case.reference)
    brain = brain_of(study)
    shown = for_display(brain).array > 0 if brain is not None and brain.array.any() else None
    extent = shown if shown is not None else np.ones(reference.shape, bool)
    lesion = np.zeros(reference.shape, bool)
    for key in _LESIONS:
        if key in study.masks:
            lesion |= for_display(study.masks[key]).array > 0
    spacing = reference.spacing
    rows = _crop(extent.any(axis=(0, 2)), spacing[1])
    columns = _crop(extent.any(axis=(0, 1)), spacing[0])
    slices = choose_slices(lesion.any(axis=(1, 2)), extent.any(axis=(1, 2)), tiles)
    return Mosaic(study, slices, rows, columns, (spacing[0], spacing[1]), reference.shape[0], shown)


def choose_slices(lesion: np.ndarray, brain: np.ndarray, tiles: int) -> list[int]:
    """Return at most ``tiles`` slices from caudal to cranial, evenly over the lesion, filled up from its surroundings.

    Parameters
    ----------
    lesion, brain : numpy.ndarray
        bool, one value a slice.
    tiles : int
        The most slices to choose.
    """
    inside = np.flatnonzero(brain) if brain.any() else np.arange(brain.size)
    where = np.flatnonzero(lesion)
    low, high = (where[0], where[-1]) if where.size else (inside[0], inside[-1])
    first, last = min(inside[0], low), max(inside[-1], high)
    while high - low + 1 < tiles and (low > first or high < last):
        low, high = max(low - 1, first), min(high + 1, last)
    return sorted({int(k) for k in np.linspace(low, high, min(tiles, high - low + 1)).round()})


def _crop(present: np.ndarray, spacing: float) -> slice:
    where = np.flatnonzero(present)
    margin = int(np.ceil(_MARGIN_MM / spacing))
    return slice(max(int(where[0]) - margin, 0), min(int(where[-1]) + margin + 1, present.size))
