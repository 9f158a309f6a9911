"""Siemens mosaics: the sections of a volume as tiles of one picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .private import csa_tags, tiles

if TYPE_CHECKING:
    from .header import Frame


def mosaic_frames(whole: Frame, kind: tuple[str, ...], dataset: Any) -> tuple[int, list[Frame]]:
    """Return the number of tiles and the frames of a mosaic; 0 and none for other pictures.

    The header's position is that of a section as large as the whole mosaic with the same centre; the tiles lie beside
    each other from the first section on (Siemens' layout, as dcm2niix and nibabel describe it).

    Raises
    ------
    Unusable
        If it is a mosaic whose private header is missing or unreadable.
    """
    if "MOSAIC" not in kind:
        return 0, []
    from .header import Unusable

    tags = csa_tags(dataset)
    count = tiles(dataset)
    gap = float(dataset.get("SpacingBetweenSlices") or dataset.get("SliceThickness") or 0)
    if count < 1 or gap <= 0:
        raise Unusable("a mosaic without Siemens' private header: the number of its sections is unknown")
    across = int(np.ceil(np.sqrt(count)))
    rows, columns = whole.size[0] // across, whole.size[1] // across
    step = np.array([whole.axes[0] * whole.spacing[0], whole.axes[1] * whole.spacing[1]])
    corner = whole.position + ((whole.size[1] - columns) / 2) * step[0] + ((whole.size[0] - rows) / 2) * step[1]
    normal = np.cross(*whole.axes)
    told = tags.get("SliceNormalVector", {}).get("items") or []
    if len(told) == 3 and float(np.dot([float(v) for v in told], normal)) < 0:
        normal = -normal
    frame = replace(whole, size=(rows, columns))
    return count, [replace(frame, index=n, position=corner + n * gap * normal) for n in range(count)]


def untile(picture: np.ndarray, count: int) -> np.ndarray:
    """Return the sections ``(count, rows, columns)`` of a mosaic ``(y, x)``."""
    across = int(np.ceil(np.sqrt(count)))
    rows, columns = picture.shape[0] // across, picture.shape[1] // across
    tiles = picture[: rows * across, : columns * across].reshape(across, rows, across, columns).swapaxes(1, 2)
    return tiles.reshape(across * across, rows, columns)[:count]
