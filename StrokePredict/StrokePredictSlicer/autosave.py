"""Corrections that were drawn and not yet accepted, kept on this computer: they survive a crash."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import qt

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.output import write_bytes
from StrokePredictLib.volume import Volume

from .patient_node import PatientNode
from .patient_scene import reference_node
from .volumes_in import volume_of

#: Setting that names another folder than the usual one.
FOLDER_SETTING = "StrokePredict/AutosaveFolder"
#: Images by which a patient is known again: those that no analysis changes.
_KNOWN_BY = ("dwi", "b0", "ncct", "adc", "flair")


@dataclass(frozen=True)
class Kept:
    """A correction that was found.

    Attributes
    ----------
    key : str
        Segment id.
    name : str
        What the reader called it.
    when : str
        Date and time, to the minute.
    mask : Volume
        bool.
    start : Volume or None
        bool; what it began with.
    story : dict
        What it began with, by name, and the hash of the model that made that.
    """

    key: str
    name: str
    when: str
    mask: Volume
    start: Volume | None
    story: dict[str, Any]


def autosave_folder() -> Path:
    """Return where corrections are kept; it need not exist."""
    given = str(qt.QSettings().value(FOLDER_SETTING) or "")
    if given:
        return Path(given)
    base = qt.QStandardPaths.writableLocation(qt.QStandardPaths.AppLocalDataLocation)
    return Path(str(base)) / "StrokeInfarct" / "autosave"


def folder_of(patient: PatientNode) -> Path | None:
    """Return where a patient's corrections are kept: known by the images, not by a name that another may bear."""
    images = patient.images()
    node = next((images[role] for role in _KNOWN_BY if role in images), None)
    digest = hashlib.blake2b(digest_size=12)
    try:
        if node is not None:
            image = volume_of(node)
            digest.update(np.ascontiguousarray(image.array))
        else:
            image = volume_of(reference_node(patient))
            digest.update(json.dumps([patient.name, patient.source], sort_keys=True).encode())
    except (StrokeError, AttributeError):
        return None
    digest.update(np.round(image.affine, 3).tobytes())
    return autosave_folder() / digest.hexdigest()


def keep(folder: Path, key: str, name: str, mask: Volume, start: Volume | None, story: dict[str, Any]) -> None:
    """Write a correction, whole or not at all.

    Parameters
    ----------
    folder : Path
        From `folder_of`.
    key, name, mask, start, story
        See `Kept`.

    Raises
    ------
    StrokeError
        If the disk refuses.
    """
    told = {"key": key, "name": name, "when": datetime.now().strftime("%Y-%m-%d %H:%M"), "story": story}
    arrays = {"mask": np.packbits(mask.array > 0)}
    if start is not None:
        arrays["start"] = np.packbits(start.array > 0)
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, told=np.array(json.dumps(told)), shape=np.array(mask.shape), affine=mask.affine, **arrays
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StrokeError(f"{folder}: corrections cannot be kept there ({error.strerror}).") from error
    write_bytes(_file(folder, key), buffer.getvalue())


def found(folder: Path | None) -> list[Kept]:
    """Return the corrections of a patient that were kept; one that cannot be read is left out."""
    kept = []
    for path in sorted(folder.glob("*.npz")) if folder is not None and folder.is_dir() else []:
        with suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            kept.append(_read(path))
    return kept


def forget(folder: Path | None, key: str) -> None:
    """Delete a correction that was accepted, or is not wanted."""
    if folder is not None:
        with suppress(OSError):
            _file(folder, key).unlink()
        with suppress(OSError):
            folder.rmdir()  # only where it is empty


def _file(folder: Path, key: str) -> Path:
    return folder / f"{''.join(c if c.isalnum() or c in '-_' else '_' for c in key)}.npz"


def _read(path: Path) -> Kept:
    with np.load(path, allow_pickle=False) as read:
        told = json.loads(str(read["told"]))
        shape, affine = tuple(int(n) for n in read["shape"]), read["affine"]
        masks = {
            name: Volume(np.unpackbits(read[name], count=int(np.prod(shape))).reshape(shape) > 0, affine)
            for name in ("mask", "start")
            if name in read
        }
    return Kept(told["key"], told["name"], told["when"], masks["mask"], masks.get("start"), told["story"])
