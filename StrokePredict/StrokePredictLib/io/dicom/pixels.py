"""Pixels of a sorted image to a `Volume`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from ...errors import StrokeError
from ...volume import Volume
from .mosaic import untile
from .private import philips_scaling
from .series import DicomImage


def read_volume(image: DicomImage) -> Volume:
    """Return an image with its rescaled values.

    Parameters
    ----------
    image : DicomImage
        From `sort_images`.

    Returns
    -------
    Volume
        float32 ``(z, y, x)``, or ``(t, z, y, x)``; ``meta`` holds ``times``, ``echo_time_s`` and ``b_value``
        where known.

    Raises
    ------
    StrokeError
        If a file cannot be decoded.
    """
    rows, columns = image.grid[0][0].size
    array = np.empty((len(image.grid), len(image.grid[0]), rows, columns), dtype=np.float32)
    wanted: dict[Path, list[tuple[int, int, int]]] = {}
    for t, row in enumerate(image.grid):
        for z, frame in enumerate(row):
            wanted.setdefault(frame.path, []).append((t, z, frame.index))
    for path, places in wanted.items():
        frames = _frames(path, image.headers[path].tiles)
        for t, z, index in places:
            array[t, z] = frames[index]
    if image.tilt.any():
        _upright(array, image)
    values = _mean(array) if image.averaged else array if len(image.grid) > 1 else array[0]
    meta = {} if image.times is None else {"times": image.times}
    if image.b_value is not None:
        meta["b_value"] = image.b_value
    echo = image.grid[0][0].echo
    if echo:
        meta["echo_time_s"] = echo / 1000.0
    return Volume(values, image.affine, name=image.name, header=_header(values, image), meta=meta)


def _upright(array: np.ndarray, image: DicomImage) -> None:
    """Shift the sections of a tilted stack onto its upright grid, in place, by linear interpolation."""
    frame = image.grid[0][0]
    along_x, along_y = (image.tilt @ axis / size for axis, size in zip(frame.axes, frame.spacing, strict=True))
    middle = (array.shape[1] - 1) / 2
    for volume in array:
        outside = float(volume.min())
        for z, section in enumerate(volume):
            move = ((z - middle) * along_y, (z - middle) * along_x)
            volume[z] = ndimage.shift(section, move, order=1, mode="constant", cval=outside)


def _mean(array: np.ndarray) -> np.ndarray:
    """Return the geometric mean over gradient directions: the trace-weighted image."""
    if len(array) == 1:
        return array[0]
    return np.exp(np.log(np.maximum(array, 1e-3)).mean(axis=0)).astype(np.float32)


def _frames(path: Path, tiles: int) -> np.ndarray:
    """Return the rescaled pixels of a file, ``(frame, rows, columns)``."""
    import pydicom

    try:
        dataset = pydicom.dcmread(path)
        pixels = dataset.pixel_array
    except Exception as error:  # decoders raise a dozen kinds
        reason = " ".join(str(error).split())[:140] or type(error).__name__
        raise StrokeError(f"{path}: its pixels cannot be read ({reason}); export the series again.") from error
    if tiles:
        pixels = untile(pixels, tiles)
    elif pixels.ndim == 2:
        pixels = pixels[None]
    slope, intercept = _rescale(dataset, len(pixels))
    return (pixels * slope[:, None, None] + intercept[:, None, None]).astype(np.float32)


def _rescale(dataset: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return slope and intercept of each frame."""
    slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
    if slope is None:
        slope, intercept = philips_scaling(dataset) or (None, intercept)
    pairs = np.tile([1.0 if slope is None else float(slope), float(intercept or 0.0)], (count, 1))
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [None])[0]
    for index, own in enumerate(dataset.get("PerFrameFunctionalGroupsSequence") or []):
        for group in (own, shared):
            items = group.get("PixelValueTransformationSequence") if group is not None else None
            if items:
                pairs[index] = float(items[0].RescaleSlope), float(items[0].RescaleIntercept)
                break
    return pairs[:, 0], pairs[:, 1]


def _header(values: np.ndarray, image: DicomImage) -> object:
    """Return a NIfTI header with the scanner's geometry codes, and the time step where it is even."""
    import nibabel

    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.float32)
    header.set_data_shape(values.shape[::-1])
    header.set_xyzt_units("mm", "sec")
    header.set_qform(ras, code="scanner")
    header.set_sform(ras, code="scanner")
    if values.ndim == 4 and image.times is not None:
        step = float(np.median(np.diff(image.times, axis=0)))
        header.set_zooms((*header.get_zooms()[:3], step))
    return header
