"""Where prepared patients lie, under which name, and how they get there whole."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from StrokePredictLib import __version__
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.output import explain

#: Environment variable that names another folder.
FOLDER_VARIABLE = "STROKE_CACHE"
#: Raised whenever the same files and parameters come out differently within one version of the software.
VERSION = 2


def cache_folder(given: Path | str | None = None) -> Path:
    """Return the folder of prepared patients: as given, as the environment says, or the user's own cache folder.

    It may be removed at any time; what is missing is prepared again.
    """
    if given:
        return Path(given).absolute()
    if os.environ.get(FOLDER_VARIABLE):
        return Path(os.environ[FOLDER_VARIABLE]).absolute()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path("~/AppData/Local").expanduser())
    elif sys.platform == "darwin":
        base = Path("~/Library/Caches").expanduser()
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    return base / "StrokeInfarct" / "prepared"


def key_of(parameters: Mapping[str, Any], files: Mapping[str, Path]) -> str:
    """Return a name for what these parameters make of these files as they are now.

    A file counts by path, size and time of change, so that a corrected label is never taken for the old one.

    Raises
    ------
    StrokeError
        If a file is gone.
    """
    stamps = {}
    for role, path in sorted(files.items()):
        try:
            told = path.stat()
        except OSError as error:
            raise StrokeError(f"{path}: cannot be opened ({(error.strerror or str(error)).lower()}).") from error
        stamps[role] = [str(path.absolute()), told.st_size, told.st_mtime_ns]
    content = {"version": [__version__, VERSION], "parameters": parameters, "files": stamps}
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def made_once(folder: Path, whole: str, make: Callable[[Path], None]) -> Path:
    """Return a folder of the cache, made now if it is not there.

    It is made under a temporary name beside its place and renamed, so that it is whole or absent however many
    processes try at once; the first to finish wins and the others take what it made.

    Parameters
    ----------
    folder : Path
        Its place.
    whole : str
        File in it that is there where it is whole.
    make : callable
        Fills an empty folder.

    Raises
    ------
    StrokeError
        If the disk refuses.
    """
    if (folder / whole).is_file():
        return folder
    stage: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder.parent))
        make(stage)
        _move(stage, folder, whole)
    except OSError as error:
        raise explain(error, folder, "write the cache (option --cache, or STROKE_CACHE)") from error
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)
    return folder


def _move(stage: Path, folder: Path, whole: str) -> None:
    try:
        stage.rename(folder)
    except OSError:
        if (folder / whole).is_file():  # another process was faster
            return
        shutil.rmtree(folder, ignore_errors=True)  # what an interrupted removal left
        stage.rename(folder)
