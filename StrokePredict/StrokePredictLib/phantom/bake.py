"""Bake the MNI152 tissue maps of nilearn's package into ``data/mni152.npz``. Run once, by hand.

``python -m StrokePredictLib.phantom.bake`` with nilearn installed and ``StrokePredict`` on the path.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from scipy import ndimage

TARGET = Path(__file__).resolve().parent.parent / "data" / "mni152.npz"
#: Grey levels are rounded to this step: finer ones are noise to the simulation and double the file.
LEVEL_STEP = 8
#: Distances are stored in half millimetres around this zero.
DISTANCE_ZERO = 128
#: Concavities of the brain narrower than twice this radius (mm) lie inside the skull.
CLOSING_MM = 24.0


def bake(target: Path = TARGET) -> None:
    """Write grey and white matter, T1 (2 mm) and the signed distances to inner skull and brain surface (4 mm), uint8.

    Parameters
    ----------
    target : pathlib.Path
        The .npz to write.
    """
    maps, affine = _load_nilearn()
    arrays = {name: _quantised(_blocks(data, 2)) for name, data in maps.items()}
    brain = _blocks(maps["t1"] > 0, 4) >= 0.5
    for name, surface in (("skull", _closed(brain, 4.0)), ("rim", brain)):
        stored = np.round(_signed_distance(surface, 4.0) * 2) + DISTANCE_ZERO
        arrays[name] = np.clip(stored, 0, 255).astype(np.uint8)
    origin = affine[:3, 3]
    arrays["origin_2mm"] = origin + 0.5
    arrays["origin_4mm"] = origin + 1.5
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    target.write_bytes(buffer.getvalue())


def _load_nilearn() -> tuple[dict[str, np.ndarray], np.ndarray]:
    import nibabel
    import nilearn

    folder = Path(nilearn.__file__).parent / "datasets" / "data"
    maps, affine = {}, np.eye(4)
    for name in ("gm", "wm", "t1"):
        image = nibabel.load(folder / f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz")
        maps[name], affine = np.asarray(image.dataobj, dtype=np.float32), image.affine
    return maps, affine


def _blocks(data: np.ndarray, size: int) -> np.ndarray:
    """Return the mean over cubes of ``size`` voxels."""
    nx, ny, nz = (n // size for n in data.shape)
    cut = data[: nx * size, : ny * size, : nz * size].astype(np.float32)
    return cut.reshape(nx, size, ny, size, nz, size).mean(axis=(1, 3, 5))


def _quantised(data: np.ndarray) -> np.ndarray:
    return np.clip(np.round(data / LEVEL_STEP) * LEVEL_STEP, 0, 255).astype(np.uint8)


def _closed(brain: np.ndarray, size_mm: float) -> np.ndarray:
    """Return the brain with its concavities filled: what lies within the inner skull, roughly."""
    margin = int(np.ceil(CLOSING_MM / size_mm)) + 1
    padded = np.pad(brain, margin)
    grown = ndimage.distance_transform_edt(~padded) * size_mm <= CLOSING_MM
    closed = ndimage.distance_transform_edt(grown) * size_mm > CLOSING_MM
    return (closed | padded)[margin:-margin, margin:-margin, margin:-margin]


def _signed_distance(mask: np.ndarray, size_mm: float) -> np.ndarray:
    """Return mm from the mask's surface, positive outside."""
    outside = ndimage.distance_transform_edt(~mask) * size_mm
    inside = ndimage.distance_transform_edt(mask) * size_mm
    return np.where(mask, size_mm / 2 - inside, outside - size_mm / 2)


if __name__ == "__main__":
    bake()
