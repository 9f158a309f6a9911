"""Which axial sections show the levels that readers name, proposed through MNI space."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..errors import StrokeError
from ..volume import Volume
from .sections import Sections
from .template import fit_template

#: Heights in MNI space (mm): lentiform nucleus, internal capsule and thalamus; corona radiata above the nuclei.
BASAL_GANGLIA, SUPRAGANGLIONIC = 4.0, 26.0
#: Sizes of a head against MNI's, and heights of the lowest section in MNI space (mm), that are tried.
SIZES = np.arange(0.80, 1.11, 0.02)
#: A head's usual size against MNI152, which came out larger than the 152 brains it was made of, and what a misfit in
#: mm is worth against a size that is off by a factor of e.
USUAL_SIZE, SIZE_MM = 0.92, 20.0
HEIGHTS = np.arange(-75.0, 76.0, 1.0)
#: A brain seen over less height (mm) is a slab, whose ends mislead the template's affine.
WHOLE_MM = 95.0
_MNI = Path(__file__).resolve().parent.parent / "data" / "mni152.npz"
_STEP = 4.0


@dataclass(frozen=True)
class Levels:
    """Sections at the named levels.

    Attributes
    ----------
    sections : list of int
        Indices from the foot end, lowest first: basal ganglia, then supraganglionic.
    by : str
        How they were found.
    """

    sections: list[int]
    by: str


def find_levels(brain: Volume, sections: Sections, image: Volume | None = None, count: int = 2) -> Levels:
    """Propose the sections at the basal ganglia and above them, the better of two ways; a reader should look at them.

    Whole heads are registered with MNI152. Where that fails, of a slab, or without an image, the brain's outline tells.

    Parameters
    ----------
    brain, sections, count
        See `propose_sections`.
    image : Volume, optional
        3D, on the mask's grid.

    Raises
    ------
    StrokeError
        If the brain is not to be seen in two sections.
    """
    heights = _registered_heights(brain, sections, image) if image is not None else None
    if heights is not None:
        wanted = (BASAL_GANGLIA, SUPRAGANGLIONIC)[:count]
        found = [int(np.argmin(np.abs(heights - height))) for height in wanted]
        missed = max(abs(float(heights[n]) - height) for n, height in zip(found, wanted, strict=True))
        if len(set(found)) == count and missed <= float(sections.grid.GetSpacing()[2]):
            return Levels(found, "registration with MNI152")
    return Levels(propose_sections(brain, sections, count), "the brain's outline")


def _registered_heights(brain: Volume, sections: Sections, image: Volume) -> np.ndarray | None:
    """Return each section's height in MNI space at its middle, by an affine; None of a slab or where that failed."""
    filled = np.flatnonzero((sections.bring(brain, is_mask=True) > 0.5).any(axis=(1, 2)))
    width, height, count = sections.grid.GetSize()
    if not filled.size or (np.ptp(filled) + 1) * sections.grid.GetSpacing()[2] < WHOLE_MM:
        return None
    try:
        fit = fit_template(image, brain)
    except StrokeError:
        return None
    if fit.failure:
        return None
    middle = ((width - 1) / 2, (height - 1) / 2)
    places = [sections.grid.TransformContinuousIndexToPhysicalPoint([*middle, float(k)]) for k in range(count)]
    return fit.to_mni(np.array(places))[:, 2]


def propose_sections(brain: Volume, sections: Sections, count: int = 2) -> list[int]:
    """Propose the sections at the basal ganglia and above them by the brain's outline.

    Length and width of the brain in every section are compared with MNI152's; the height and size that fit best say
    where each section lies. Sections are taken as parallel to MNI's.

    Parameters
    ----------
    brain : Volume
        bool.
    sections : Sections
        Axial sections over it.
    count : int
        2: both levels; 1: basal ganglia.

    Returns
    -------
    list of int
        Indices from the foot end, lowest first.

    Raises
    ------
    StrokeError
        If the brain is not to be seen in two sections.
    """
    heights = section_heights(brain, sections)
    wanted = (BASAL_GANGLIA, SUPRAGANGLIONIC)[:count]
    found = [int(np.argmin(np.abs(heights - height))) for height in wanted]
    if len(set(found)) < count:  # a slab that holds but one of the levels
        low = min(found[0], len(heights) - count)
        found = list(range(low, low + count))
    return found


def section_heights(brain: Volume, sections: Sections) -> np.ndarray:
    """Return every section's height in MNI space in mm."""
    inside = sections.bring(brain, is_mask=True) > 0.5
    filled = np.flatnonzero(inside.any(axis=(1, 2)))
    if len(filled) < 2:
        raise StrokeError(f"{brain.name}: shows the brain in {len(filled)} sections; name the sections yourself.")
    spacing = sections.grid.GetSpacing()
    seen = _extents(inside[filled], spacing[1], spacing[0])
    z, model = _mni_extents()
    step = spacing[2]
    best, answer = np.inf, (1.0, 0.0)
    for size in SIZES:
        for low in HEIGHTS:
            at = low + np.arange(len(filled)) * step / size
            expected = np.stack([np.interp(at, z, extent, left=0, right=0) for extent in model.T], axis=1) * size
            misfit = float(np.mean(np.abs(expected - seen))) + SIZE_MM * abs(np.log(size / USUAL_SIZE))
            if misfit < best:
                best, answer = misfit, (size, low)
    size, low = answer
    return low + (np.arange(len(inside)) - filled[0]) * step / size


def _extents(inside: np.ndarray, spacing_y: float, spacing_x: float) -> np.ndarray:
    """Return each section's front-to-back and left-to-right extent and root of its area in mm, ``(section, 3)``."""
    length = inside.any(axis=2).sum(axis=1) * spacing_y
    width = inside.any(axis=1).sum(axis=1) * spacing_x
    area = inside.sum(axis=(1, 2)) * spacing_y * spacing_x
    return np.stack([length, width, np.sqrt(area)], axis=1)


@lru_cache(maxsize=1)
def _mni_extents() -> tuple[np.ndarray, np.ndarray]:
    """Return MNI's section heights in mm and their extents."""
    with np.load(_MNI) as data:
        inside = np.moveaxis(data["rim"] < 128, (0, 1, 2), (2, 1, 0))  # signed distance: below its zero is inside
        z = data["origin_4mm"][2] + _STEP * np.arange(inside.shape[0])
    return z, _extents(inside, _STEP, _STEP)
