"""What readers do by eye to a threshold mask, as steps that can be left out and are recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy import ndimage

from .errors import StrokeError
from .preprocess.midline import Midline, side_of
from .volume import Volume

#: Voxels that touch by a face, an edge or a corner are one island within a section; across sections by a face.
_NEIGHBOURS = np.array([[[0, 0, 0], [0, 1, 0], [0, 0, 0]], [[1] * 3] * 3, [[0, 0, 0], [0, 1, 0], [0, 0, 0]]])


@dataclass(frozen=True)
class CleaningOptions:
    """Which steps are done, with their parameters. ``None`` leaves a step out.

    Attributes
    ----------
    dwi_above : float
        Core is bright on DWI: voxels below this many times the brain's median DWI go. Low ADC without a bright DWI is
        an edge, air or noise.
    csf_adc : float
        Where ADC (10⁻⁶ mm²/s) is above this there is cerebrospinal fluid, no tissue.
    speckle_mm : float
        In-plane width of the majority (median) filter that takes off noise one or two voxels wide.
    smallest_island_ml : float
        Smaller islands go.
    far_island_ml : float
        Islands in the hemisphere opposite to a one-sided finding stay only from this size on.
    """

    dwi_above: float | None = None
    csf_adc: float | None = 1500.0
    speckle_mm: float | None = None
    smallest_island_ml: float | None = 1.0
    far_island_ml: float | None = 10.0


@dataclass
class CleaningRecord:
    """The steps that were done to one mask and what each took away, in mL."""

    mask: str
    steps: list[dict[str, Any]]

    voxel_ml: float

    def add(self, step: str, parameters: dict[str, float], before: np.ndarray, after: np.ndarray) -> None:
        """Note a step."""
        removed = (int(before.sum()) - int(after.sum())) * self.voxel_ml
        self.steps.append({"mask": self.mask, "step": step, "parameters": parameters, "removed_ml": round(removed, 2)})


def clean(
    mask: Volume, key: str, options: CleaningOptions, midline: Midline, images: Mapping[str, Volume] | None = None
) -> tuple[Volume, list[dict[str, Any]]]:
    """Clean a threshold mask.

    Parameters
    ----------
    mask : Volume
        bool, already inside the brain.
    key : str
        Name of the mask in the record.
    options : CleaningOptions
        What to do.
    midline : Midline
        For the far hemisphere.
    images : mapping of role to Volume, optional
        The case's volumes: a step whose image (adc in 10⁻⁶ mm²/s, dwi, brain) is missing is left out.

    Returns
    -------
    tuple of (Volume, list of dict)
        The cleaned mask, and one record a step done: mask, step, parameters, removed_ml.
    """
    record = CleaningRecord(key, [], mask.voxel_ml)
    array, images = mask.array, images or {}
    if options.dwi_above is not None and {"dwi", "brain"} <= images.keys():
        dwi = images["dwi"].array
        after = array & (dwi > options.dwi_above * np.median(dwi[images["brain"].array]))
        record.add("voxels not bright on DWI taken out", {"below_times_median": options.dwi_above}, array, after)
        array = after
    if options.csf_adc is not None and "adc" in images:
        after = array & ~(images["adc"].array > options.csf_adc)
        record.add("cerebrospinal fluid taken out", {"adc_above": options.csf_adc}, array, after)
        array = after
    if options.speckle_mm is not None:
        after = _majority(array, options.speckle_mm, mask.spacing)
        record.add("in-plane majority", {"width_mm": options.speckle_mm}, array, after)
        array = after
    if options.smallest_island_ml is not None:
        after = _without_islands(array, options.smallest_island_ml, mask.voxel_ml)
        record.add("small islands removed", {"below_ml": options.smallest_island_ml}, array, after)
        array = after
    if options.far_island_ml is not None:
        after = _without_far_islands(mask.with_array(array), options.far_island_ml, midline)
        record.add("far hemisphere's specks removed", {"below_ml": options.far_island_ml}, array, after)
        array = after
    return mask.with_array(array), record.steps


#: What a user calls the steps → the option that does them.
STEPS = {
    "dwi": "dwi_above",
    "csf": "csf_adc",
    "majority": "speckle_mm",
    "islands": "smallest_island_ml",
    "far": "far_island_ml",
}


def without(options: CleaningOptions, skip: Iterable[str]) -> CleaningOptions:
    """Return the options without some steps.

    Parameters
    ----------
    options : CleaningOptions
        Where to start.
    skip : iterable of str
        Names of `STEPS`.

    Raises
    ------
    StrokeError
        If a name is unknown.
    """
    unknown = [name for name in skip if name not in STEPS]
    if unknown:
        raise StrokeError(f"no cleaning step '{unknown[0]}'; there are {', '.join(STEPS)}.")
    return replace(options, **{STEPS[name]: None for name in skip})


def options_record(options: CleaningOptions) -> dict[str, float | None]:
    """Return the options as they go into a file."""
    return asdict(options)


def _majority(array: np.ndarray, diameter_mm: float, spacing: np.ndarray) -> np.ndarray:
    size = [1, *(2 * round(diameter_mm / 2 / float(s)) + 1 for s in (spacing[1], spacing[0]))]
    return ndimage.uniform_filter(array.astype(np.float32), size=size) > 0.5


def _without_islands(array: np.ndarray, smallest_ml: float, voxel_ml: float) -> np.ndarray:
    labels, count = ndimage.label(array, structure=_NEIGHBOURS)
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * voxel_ml
    keep = sizes >= smallest_ml
    keep[0] = False
    return keep[labels]


def _without_far_islands(mask: Volume, smallest_ml: float, midline: Midline) -> np.ndarray:
    side = side_of(mask, midline)
    if side not in ("left", "right"):
        return mask.array  # nothing, or a finding of both sides: no hemisphere is the far one
    labels, count = ndimage.label(mask.array, structure=_NEIGHBOURS)
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * mask.voxel_ml
    left = midline.distance(mask) > 0
    share_left = ndimage.mean(left, labels, index=np.arange(count + 1))
    far = share_left < 0.5 if side == "left" else share_left >= 0.5
    keep = ~(far & (sizes < smallest_ml))
    keep[0] = False
    return keep[labels]
