"""Image files to `Volume` and back, with the geometry of the file kept to the last bit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import StrokeError
from ..volume import Volume
from .output import explain

if TYPE_CHECKING:
    import SimpleITK  # imported where it is used: Slicer's panel opens without waiting for it

NIFTI = (".nii", ".nii.gz")
#: What ITK reads for us besides NIfTI.
OTHERS = (".nrrd", ".nhdr", ".mha", ".mhd")
#: From NIfTI's RAS to ITK's LPS.
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def is_image_name(path: Path | str) -> bool:
    """Whether the file's ending is one that `read_image` takes."""
    return str(path).lower().endswith(NIFTI + OTHERS)


def read_image(path: Path | str, *, series: bool | None = None, may_be_empty: bool = False) -> Volume:
    """Read an image file.

    Parameters
    ----------
    path : path-like
        NIfTI, NRRD or MetaImage.
    series : bool, optional
        True: a 4D file is needed; False: a 3D file; None: either.
    may_be_empty : bool
        Whether an image of zeros is an answer (a mask without lesion) and not a fault.

    Returns
    -------
    Volume
        float32, ``(z, y, x)`` or ``(t, z, y, x)``. Voxels that are not numbers are set to 0, counted in
        ``meta["nonfinite_voxels"]`` and marked in ``meta["nonfinite"]`` (bool, shape of the array).

    Raises
    ------
    StrokeError
        If the file is missing, no image, of the wrong dimension, or holds nothing.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise StrokeError(f"{path}: is a folder; an image file is needed here.")
        if not path.is_file():
            raise StrokeError(f"{path}: no such file; check the name.")
    except OSError as error:  # no permission, or a name that is too long
        raise StrokeError(f"{path}: cannot be opened ({(error.strerror or str(error)).lower()}).") from error
    try:
        volume = _read_nifti(path) if str(path).lower().endswith(NIFTI) else _read_itk(path)
    except StrokeError:
        raise
    except Exception as error:  # the readers raise a dozen kinds for a broken file
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise StrokeError(f"{path}: is no readable image ({reason}); export it again as NIfTI or NRRD.") from error
    if series is True and not volume.is_series:
        raise StrokeError(f"{path}: is a 3D image; a 4D series (x, y, z, time) is needed here.")
    if series is False and volume.is_series:
        raise StrokeError(f"{path}: is a 4D series of {volume.array.shape[0]} frames; one 3D image is needed here.")
    return _without_nonfinite(volume, may_be_empty)


def write_image(path: Path | str, volume: Volume, dtype: np.dtype | type | None = None) -> None:
    """Write an image with the geometry, and the geometry codes, of the file its grid came from.

    Parameters
    ----------
    path : path-like
        Its ending chooses the format. Written under a temporary name and moved into place.
    volume : Volume
        What to write.
    dtype : numpy dtype, optional
        uint8 for masks; float32 if left out, bool arrays become uint8.

    Raises
    ------
    StrokeError
        If the disk refuses.
    """
    path = Path(path)
    array = volume.array
    array = array.astype(dtype or (np.uint8 if array.dtype == bool else np.float32), copy=False)
    lower = path.name.lower()
    ending = next((e for e in NIFTI[::-1] + OTHERS if lower.endswith(e)), None)
    if ending is None:
        raise StrokeError(f"{path}: unknown image format; name it .nii.gz or .nrrd.")
    temporary = path.with_name(f".unfinished-{os.getpid()}-{path.name}")
    try:
        if ending in NIFTI:
            _write_nifti(temporary, array, volume)
        else:
            import SimpleITK

            SimpleITK.WriteImage(to_itk(volume.with_array(array)), str(temporary), useCompression=True)
        temporary.replace(path)
    except OSError as error:
        raise explain(error, path) from error
    except RuntimeError as error:
        raise StrokeError(f"{path}: cannot write: the disk is full or the folder refuses. Nothing was left.") from error
    finally:
        temporary.unlink(missing_ok=True)


def to_itk(volume: Volume) -> SimpleITK.Image:
    """Return a SimpleITK image of a 3D volume (bool becomes uint8), or a 4D one of a series."""
    import SimpleITK

    array = volume.array
    if array.dtype == bool:
        array = array.astype(np.uint8)
    image = SimpleITK.GetImageFromArray(array, isVector=False)
    n = array.ndim
    direction = np.eye(n)
    direction[:3, :3] = volume.direction
    image.SetSpacing([*volume.spacing.tolist(), *[1.0] * (n - 3)])
    image.SetOrigin([*volume.origin.tolist(), *[0.0] * (n - 3)])
    image.SetDirection(direction.ravel().tolist())
    return image


def from_itk(image: SimpleITK.Image, name: str = "image", header: object = None) -> Volume:
    """Return a `Volume` of a 3D or 4D SimpleITK image."""
    import SimpleITK

    n = image.GetDimension()
    direction = np.array(image.GetDirection()).reshape(n, n)[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = direction * np.array(image.GetSpacing()[:3])
    affine[:3, 3] = image.GetOrigin()[:3]
    return Volume(SimpleITK.GetArrayFromImage(image), affine, name=name, header=header)


def _read_nifti(path: Path) -> Volume:
    import nibabel  # not in Slicer's own Python: needed in the worker and on the command line alone

    image = nibabel.load(path)
    data = np.asarray(image.dataobj)
    while data.ndim > 3 and data.shape[-1] == 1:
        data = data[..., 0]
    if data.dtype.names is not None or np.iscomplexobj(data):
        raise StrokeError(f"{path}: is a colour or complex image; a grey-level image is needed.")
    affine = RAS_TO_LPS @ image.affine
    _require_orthogonal(affine, path)
    with np.errstate(over="ignore"):  # beyond float32: becomes infinite, and is counted as no number
        array = np.ascontiguousarray(data.T, dtype=np.float32)
    return Volume(array, affine, name=str(path), header=image.header.copy())


def _read_itk(path: Path) -> Volume:
    import SimpleITK

    image = SimpleITK.ReadImage(str(path))
    if image.GetNumberOfComponentsPerPixel() > 1:
        # An NRRD whose first axis is time, as Slicer writes its sequences: one component a frame.
        frames = np.moveaxis(SimpleITK.GetArrayFromImage(image), -1, 0)
        first = from_itk(SimpleITK.VectorIndexSelectionCast(image, 0), name=str(path))
        return first.with_array(np.ascontiguousarray(frames, dtype=np.float32))
    return from_itk(SimpleITK.Cast(image, SimpleITK.sitkFloat32), name=str(path))


def _require_orthogonal(affine: np.ndarray, path: Path) -> None:
    axes = affine[:3, :3] / np.maximum(np.linalg.norm(affine[:3, :3], axis=0), 1e-12)
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-3:
        raise StrokeError(f"{path}: its voxel axes are not at right angles (a sheared header); resample it first.")


def _write_nifti(path: Path, array: np.ndarray, volume: Volume) -> None:
    import nibabel

    data = array.T
    header = volume.header.copy() if isinstance(volume.header, nibabel.Nifti1Header) else None
    affine = RAS_TO_LPS @ volume.affine
    if header is not None and not np.allclose(header.get_best_affine(), affine, rtol=0, atol=1e-6):
        header = None  # the array was moved to another grid: the old header would lie about its place
    if header is None:
        image = nibabel.Nifti1Image(data, affine)
        image.header.set_xyzt_units("mm", "sec")
    else:
        time_step = header.get_zooms()[3] if len(header.get_zooms()) > 3 else 1.0
        header.extensions.clear()
        header.set_data_dtype(data.dtype)
        for name, value in (("cal_min", 0), ("cal_max", 0), ("descrip", b""), ("aux_file", b""), ("intent_code", 0)):
            header[name] = value
        # nibabel leaves the codes alone where the affine it is given is the header's own.
        image = nibabel.Nifti1Image(data, header.get_best_affine(), header=header)
        if data.ndim == 4:
            image.header.set_zooms([*image.header.get_zooms()[:3], time_step])
    image.header.set_slope_inter(1, 0)
    nibabel.save(image, path)


def _without_nonfinite(volume: Volume, may_be_empty: bool) -> Volume:
    array = volume.array
    finite = np.isfinite(array)
    bad = int(array.size - np.count_nonzero(finite))
    if bad == array.size:
        raise StrokeError(f"{volume.name}: holds no numbers (every voxel is NaN or infinite); export it again.")
    if bad:
        array = np.where(finite, array, np.float32(0))
        volume = volume.with_array(array)
        volume.meta["nonfinite_voxels"] = bad
        volume.meta["nonfinite"] = ~finite
    if not may_be_empty and not array.any():
        raise StrokeError(f"{volume.name}: is empty (every voxel is zero); export it again.")
    return volume
