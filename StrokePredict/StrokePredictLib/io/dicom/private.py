"""What makers keep in private elements where the standard's own are absent: b-values, directions, tiles, scaling."""

from __future__ import annotations

import struct
import warnings
from typing import Any

import numpy as np

#: Siemens' private image header (CSA).
CSA_TAG = (0x0029, 0x1010)
#: Who reserves a block of elements, its group, and the element of the b-value and of the gradient's direction in it.
_DIFFUSION = (
    ("SIEMENS MR HEADER", 0x0019, 0x0C, (0x0E,)),
    ("GEMS_PARM_01", 0x0043, 0x39, ()),
    ("Philips Imaging DD 001", 0x2001, 0x03, ()),
    ("GEMS_ACQU_01", 0x0019, None, (0xBB, 0xBC, 0xBD)),
    ("Philips MR Imaging DD 001", 0x2005, None, (0xB0, 0xB1, 0xB2)),
)
#: Where makers' blocks lie: the first unless something else came before.
_BLOCKS = (0x10, 0x11, 0x12, 0x13)
#: Siemens' element for the number of tiles, Philips' for the scale; blocks as above.
_TILES, _SCALE = ("SIEMENS MR HEADER", 0x0019, 0x0A), ("Philips MR Imaging DD 001", 0x2005, 0x0E, 0x0D)
#: All that `b_value`, `direction` and `tiles` read, to be kept of a header that is read in part.
WANTED = [
    CSA_TAG,
    *((group, block) for group in (0x0019, 0x0043, 0x2001, 0x2005) for block in _BLOCKS),
    *(
        (group, (block << 8) + element)
        for _, group, first, more in (*_DIFFUSION, (*_TILES, ()))
        for element in ((first, *more) if first is not None else more)
        for block in _BLOCKS
    ),
]


def b_value(dataset: Any) -> float | None:
    """Return the b-value in s/mm² that a maker keeps: Siemens, GE and Philips; None where none does."""
    for creator, group, element, _ in _DIFFUSION:
        if element is None:
            continue
        found = _numbers(dataset, creator, group, element)
        if found:
            # GE adds 10⁹ to mark that the value has moved, and writes 10⁵ and more for directions of one b-value.
            return found[0] % 1e5 if group == 0x0043 else found[0]
    told = csa_tags(dataset).get("B_value", {}).get("items") or []
    return float(told[0]) if told else None


def direction(dataset: Any) -> list[float] | None:
    """Return the gradient's direction ``[x, y, z]`` that a maker keeps, in the maker's own axes."""
    for creator, group, _, elements in _DIFFUSION:
        found = [number for element in elements for number in _numbers(dataset, creator, group, element)]
        if len(found) == 3 and np.any(found):
            return found
    told = csa_tags(dataset).get("DiffusionGradientDirection", {}).get("items") or []
    return [float(v) for v in told] if len(told) == 3 else None


def tiles(dataset: Any) -> int:
    """Return the number of sections in a Siemens mosaic: of the CSA header, or of XA's own element; 0 if untold."""
    told = csa_tags(dataset).get("NumberOfImagesInMosaic", {}).get("items") or []
    found = told or _numbers(dataset, *_TILES)
    return int(found[0]) if found else 0


def philips_scaling(dataset: Any) -> tuple[float, float] | None:
    """Return slope and intercept to Philips' floating-point values, (stored − SI) / SS; None where not told."""
    creator, group, scale, shift = _SCALE
    slope = _numbers(dataset, creator, group, scale)
    if not slope or slope[0] <= 0:
        return None
    offset = _numbers(dataset, creator, group, shift)
    return 1.0 / slope[0], -(offset[0] if offset else 0.0) / slope[0]


def csa_tags(dataset: Any) -> dict[str, Any]:
    """Return Siemens' private image header by tag; empty where there is none, or a broken one."""
    if CSA_TAG not in dataset:
        return {}
    with warnings.catch_warnings():  # nibabel calls its DICOM readers experimental; this one is checked by our tests
        warnings.simplefilter("ignore")
        from nibabel.nicom import csareader  # not in Slicer's own Python
    try:
        return csareader.read(dataset[CSA_TAG].value)["tags"]
    except Exception:  # a broken private header tells nothing
        return {}


def _numbers(dataset: Any, creator: str, group: int, element: int) -> list[float]:
    """Return a private element's numbers, wherever its maker's block lies; some archives drop the makers' names."""
    names = {block: _name(dataset, group, block) for block in _BLOCKS}
    block = next((block for block, name in names.items() if name == creator), None)
    if block is None and not names[_BLOCKS[0]]:
        block = _BLOCKS[0]
    tag = (group, ((block or 0) << 8) + element)
    if block is None or tag not in dataset:
        return []
    try:
        return _parsed(dataset[tag].value)
    except Exception:  # pydicom decodes on reading, and raises many kinds on broken values: they tell nothing
        return []


def _name(dataset: Any, group: int, block: int) -> str:
    """Return who reserved a block; empty where nobody did."""
    if (group, block) not in dataset:
        return ""
    value = dataset[group, block].value
    return (value.decode("latin-1") if isinstance(value, bytes) else str(value)).strip("\0 ")


def _parsed(value: Any) -> list[float]:
    if isinstance(value, bytes):  # a file of implicit types, or an archive that lost them
        text = value.decode("latin-1").strip("\0 ")
        if len(value) in (4, 8, 24) and not all(c in "0123456789.+-eE\\ " for c in text):
            kind = "<f" if len(value) == 4 else f"<{len(value) // 8}d"
            return [float(v) for v in struct.unpack(kind, value)]
        value = text
    parts = value.split("\\") if isinstance(value, str) else value if hasattr(value, "__iter__") else [value]
    try:
        numbers = [float(part) for part in parts]
    except (TypeError, ValueError):
        return []
    return numbers if np.all(np.isfinite(numbers)) else []
