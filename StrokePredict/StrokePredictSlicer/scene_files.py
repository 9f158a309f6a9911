"""Whether a disk takes a scene, and whether a saved scene is whole: VTK's writers tell neither."""

from __future__ import annotations

import math
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

_CHUNK = 1 << 20
#: Texts, tables, colours and the scene's own description, in bytes; generous.
_SMALL_FILES = 256 * 1024
_BYTES = {"char": 1, "signed char": 1, "unsigned char": 1, "uint8": 1, "uchar": 1, "int8": 1,
          "short": 2, "unsigned short": 2, "int16": 2, "uint16": 2, "int": 4, "unsigned int": 4, "int32": 4,
          "uint32": 4, "float": 4, "double": 8}  # fmt: skip


def require_room(scene: Any, *folders: Path | str) -> None:
    """Write and delete a file as large as the scene's largest image in each folder.

    The core's NRRD writer crashes the process on a full disk, so the disk is asked before it is called.

    Parameters
    ----------
    scene : vtkMRMLScene
        What is about to be saved.
    *folders : path-like
        Where it will be written.

    Raises
    ------
    OSError
        As the disk gives it.
    """
    size = _largest_image(scene) + _SMALL_FILES
    zeros = bytes(_CHUNK)
    for folder in folders:
        with tempfile.TemporaryFile(dir=folder, prefix=".unfinished-") as probe:
            for start in range(0, size, _CHUNK):
                probe.write(zeros[: min(_CHUNK, size - start)])
            probe.flush()


def _largest_image(scene: Any) -> int:
    """Return bytes of the largest image, as if nothing could be compressed."""
    largest = 0
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode")):
        image = scene.GetNthNodeByClass(index, "vtkMRMLVolumeNode").GetImageData()
        if image is not None:
            largest = max(largest, image.GetActualMemorySize() * 1024)
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")):
        segmentation = scene.GetNthNodeByClass(index, "vtkMRMLSegmentationNode").GetSegmentation()
        voxels = 0
        for key in segmentation.GetSegmentIDs():
            labelmap = segmentation.GetSegment(key).GetRepresentation("Binary labelmap")
            voxels += 0 if labelmap is None else labelmap.GetActualMemorySize() * 1024
        largest = max(largest, voxels)
    return largest


def is_whole(bundle: Path) -> bool:
    """Whether a .mrb holds one scene, and every image in it all of its voxels.

    Parameters
    ----------
    bundle : Path
        The .mrb file.
    """
    try:
        with zipfile.ZipFile(bundle) as archive:
            files = [item for item in archive.infolist() if not item.is_dir()]
            scenes = [item for item in files if item.filename.endswith(".mrml")]
            if len(scenes) != 1 or any(item.file_size == 0 for item in files):
                return False
            return all(_reads_whole(archive, item) for item in files)
    except (OSError, zipfile.BadZipFile, zlib.error, ValueError, KeyError):
        return False


def _reads_whole(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> bool:
    data = archive.read(item)  # checks the CRC
    if item.filename.endswith(".mrml"):
        return data.rstrip().endswith(b"</MRML>")
    return _nrrd_is_whole(data) if item.filename.endswith(".nrrd") else True


def _nrrd_is_whole(data: bytes) -> bool:
    """Whether an attached-data NRRD holds as many bytes as its header announces."""
    head, _, payload = data.partition(b"\n\n")
    fields = {}
    for line in head.decode("utf-8", "replace").splitlines():
        key, colon, value = line.partition(": ")
        if colon and not line.startswith("#"):
            fields[key] = value.strip()
    expected = math.prod(int(n) for n in fields["sizes"].split()) * _BYTES[fields["type"]]
    if fields["encoding"] in ("gzip", "gz"):
        reader = zlib.decompressobj(wbits=31)
        payload = reader.decompress(payload)
        if not reader.eof:
            return False
    return len(payload) == expected
