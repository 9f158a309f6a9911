"""The folder through which volumes travel to the worker and back; deleted afterwards. Imports nothing heavy."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .errors import StrokeError
from .io.images import to_itk
from .io.output import explain
from .volume import Volume


class JobFolder(contextlib.AbstractContextManager):
    """A temporary folder of one job.

    Attributes
    ----------
    path : Path
        The folder.
    result : Path
        Where the job is told to write.
    """

    def __init__(self) -> None:
        try:
            self.path = Path(tempfile.mkdtemp(prefix="stroke-job-"))
        except OSError as error:
            raise explain(error, tempfile.gettempdir(), "make the job's folder") from error
        self.result = self.path / "result"

    def put(self, volumes: Mapping[str, Volume]) -> dict[str, str]:
        """Write volumes for a job; return their paths by role, as a job's ``files``."""
        paths = {role: self.path / f"{role}.nrrd" for role in volumes}
        for role, path in paths.items():
            write_uncompressed(path, volumes[role])
        return {role: str(path) for role, path in paths.items()}

    def delete(self) -> None:
        """Delete the folder and what is in it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def __exit__(self, *_: object) -> None:
        self.delete()


def write_uncompressed(path: Path, volume: Volume) -> None:
    """Write a 3D volume as .nrrd without compression: bool as uint8, the rest as float32.

    Raises
    ------
    StrokeError
        If the disk refuses.
    """
    import SimpleITK  # not before it is needed: Slicer's panel opens without waiting for it

    array = volume.array.astype(np.uint8 if volume.array.dtype == bool else np.float32, copy=False)
    temporary = path.with_name(f"unfinished-{path.name}")
    try:
        SimpleITK.WriteImage(to_itk(volume.with_array(array)), str(temporary), useCompression=False)
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        temporary.unlink(missing_ok=True)
        raise StrokeError(f"{path}: cannot write: the disk is full or the folder refuses. Nothing was left.") from error
