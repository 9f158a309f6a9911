"""Outputs that are whole or absent: written aside, then moved into place."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import StrokeError

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would be larger than allowed here (disk or file-size limit)",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the disk is read-only",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EEXIST: "a file of that name is in the way",
    errno.ENAMETOOLONG: "the name is too long",
}


def explain(error: OSError, path: Path | str, action: str = "write") -> StrokeError:
    """Return the one line a user reads for an operating-system error on ``path``."""
    reason = _REASONS.get(error.errno or 0) or (error.strerror or str(error)).lower()
    return StrokeError(f"{path}: cannot {action}: {reason}; nothing was left half-written. Choose another place (-o).")


@contextlib.contextmanager
def staged_folder(
    folder: Path | str, owns: Iterable[str] = (), inputs: Iterable[Path | str] = ()
) -> Iterator[Path]:
    """Give an empty folder to write into; on success its files are moved to ``folder``, on failure nothing stays.

    The staging folder lies in the target, so that moving is a rename. Files of the same name in the target are
    replaced one by one with `os.replace`; others are left alone.

    Parameters
    ----------
    folder : path-like
        The target; made where it is missing.
    owns : iterable of str
        Name patterns (as for `fnmatch`) of what the writer leaves in the target: an earlier run's files of these names
        that are not written now would be taken for results of this one, and go.
    inputs : iterable of path-like
        What the writer reads; never overwritten or removed.

    Raises
    ------
    StrokeError
        If the target cannot be made or written, in one line.
    """
    target = Path(folder).absolute()
    made: list[Path] = []
    stage: Path | None = None
    try:
        try:
            made = _make_folders(target)
            stage = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=target))
        except OSError as error:
            raise explain(error, target, "make the output folder") from error
        try:
            yield stage
        except StrokeError as error:
            # The user chose the target; the staging folder is ours and gone when the message is read.
            raise StrokeError(str(error).replace(str(stage), str(target))) from error
        except OSError as error:
            if error.filename is None or str(error.filename).startswith(str(stage)) or error.errno in _REASONS:
                raise explain(error, target) from error
            raise
        try:
            kept = {Path(path).resolve() for path in inputs}
            _refuse_overwriting(stage, target, kept)
            stale = [path for path in _stale(stage, target, owns) if path.resolve() not in kept]
            _move_all(stage, target)
            for path in stale:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise explain(error, target) from error
        made = []
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir()


@contextlib.contextmanager
def replaced_folder(folder: Path | str) -> Iterator[Path]:
    """Give an empty folder to write into that takes the place of ``folder`` as a whole, in one step.

    For a folder that means something only whole, such as a model bundle, and that others may look at at any moment:
    they see the earlier one, or the new one, but no mixture and no staging folder in it. What was there is removed.

    Parameters
    ----------
    folder : path-like
        The target; its parent folders are made where they are missing.

    Raises
    ------
    StrokeError
        If the disk refuses, in one line; what was there stays.
    """
    target = Path(folder).absolute()
    work: Path | None = None
    try:
        _make_folders(target.parent)
        if target.exists() and not target.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(target))
        work = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=target.parent))
        new, old = work / "new", work / "old"
        new.mkdir()  # not `work` itself: mkdtemp's permissions keep everybody else out
        yield new
        if target.exists():
            target.rename(old)
        try:
            new.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    except StrokeError as error:
        raise StrokeError(str(error).replace(str(work / "new"), str(target)) if work else str(error)) from error
    except OSError as error:
        raise explain(error, target) from error
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text with LF line ends, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path | str, data: bytes) -> None:
    """Write a file under a temporary name, then move it into place."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.unfinished-{os.getpid()}")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise explain(error, path) from error


def _make_folders(folder: Path) -> list[Path]:
    """Make ``folder`` and its parents; return those that were new, outermost first."""
    missing = []
    here = folder
    while not here.exists():
        missing.append(here)
        here = here.parent
    missing.reverse()
    for path in missing:
        path.mkdir(exist_ok=True)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(folder))
    return missing


def _stale(stage: Path, target: Path, owns: Iterable[str]) -> list[Path]:
    """Return the target's own files, by name pattern, that this run did not write."""
    found = [path for pattern in owns for path in target.glob(pattern) if path.is_file()]
    return [path for path in found if not (stage / path.relative_to(target)).exists()]


def _refuse_overwriting(stage: Path, target: Path, kept: set[Path]) -> None:
    for path in stage.rglob("*"):
        place = target / path.relative_to(stage)
        if path.is_file() and place.resolve() in kept:
            raise StrokeError(f"{place}: is an input and would be overwritten; choose another folder with -o.")


def _move_all(source: Path, target: Path) -> None:
    """Move everything below ``source`` to the same place below ``target``."""
    for entry in sorted(source.rglob("*")):
        place = target / entry.relative_to(source)
        if entry.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            entry.replace(place)
