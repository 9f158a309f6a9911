"""On which grid a label lies, told from headers alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import NIFTI, RAS_TO_LPS
from StrokePredictLib.volume import GRID_TOLERANCE_MM

from .table import Label

#: Size ``(x, y, z)`` and the eight corners' LPS positions in mm.
Grid = tuple[tuple[int, int, int], np.ndarray]


def grid_of(path: Path) -> Grid:
    """Return the grid of an image file without reading a voxel.

    Raises
    ------
    StrokeError
        If the header cannot be read.
    """
    try:
        shape, affine = _nifti(path) if path.name.lower().endswith(NIFTI) else _itk(path)
    except Exception as error:  # the readers raise a dozen kinds for a broken file
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise StrokeError(f"{path}: is no readable image ({reason}); export it again.") from error
    ends = [(i, j, k, 1.0) for i in (0, shape[0] - 1) for j in (0, shape[1] - 1) for k in (0, shape[2] - 1)]
    return shape, (affine @ np.array(ends).T).T[:, :3]


def same(one: Grid, other: Grid) -> bool:
    """Whether both have the same size and no corner lies further apart than `GRID_TOLERANCE_MM`."""
    if one[0] != other[0]:
        return False
    return bool(np.linalg.norm(one[1] - other[1], axis=1).max() <= GRID_TOLERANCE_MM)


def place_label(label: Label, baseline: Iterable[Path], later: Iterable[Path]) -> tuple[Label, str | None]:
    """Return the label with its `Label.grid`, and a sentence where it cannot be used.

    Parameters
    ----------
    label : Label
        As found.
    baseline, later : iterable of Path
        Images of the baseline, and of the follow-up; looked at in this order until one fits.
    """
    try:
        own = grid_of(label.path)
    except StrokeError as error:
        return replace(label, grid="other"), str(error)
    for kind, paths in (("baseline", baseline), ("follow-up", later)):
        if kind == "follow-up" and label.target != "final-infarct":
            break
        for path in paths:
            try:
                if same(own, grid_of(path)):
                    return replace(label, grid=kind), None
            except StrokeError:  # told where that image is read
                continue
    size = "×".join(str(n) for n in own[0])
    told = f"{label.path}: label on another grid ({size}) than every image of the patient; not used. Resample it."
    return replace(label, grid="other"), told


def _nifti(path: Path) -> tuple[tuple[int, int, int], np.ndarray]:
    import nibabel  # not in Slicer's own Python

    image = nibabel.load(path)
    shape = (*image.shape[:3], 1, 1)[:3]
    return tuple(int(n) for n in shape), RAS_TO_LPS @ image.affine


def _itk(path: Path) -> tuple[tuple[int, int, int], np.ndarray]:
    import SimpleITK

    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    n = reader.GetDimension()
    direction = np.array(reader.GetDirection()).reshape(n, n)[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = direction * np.array(reader.GetSpacing()[:3])
    affine[:3, 3] = reader.GetOrigin()[:3]
    return tuple(int(x) for x in reader.GetSize()[:3]), affine
