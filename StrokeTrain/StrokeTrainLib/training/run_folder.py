"""A run's folder: what it was started with, and that only one process trains in it."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictLib.io.output import explain, write_text

#: Of the folder's layout; a run of another one is refused.
FORMAT = 1
_ADVICE = "start a new run in another folder"


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run.

    Attributes
    ----------
    path : Path
        ``RUN``.
    """

    path: Path

    @property
    def run(self) -> Path:
        """``run.json``: versions, seed, device, threads, workers, data and the cohort's files."""
        return self.path / "run.json"

    @property
    def recipe(self) -> Path:
        """``recipe.json``: every value that was trained with."""
        return self.path / "recipe.json"

    @property
    def splits(self) -> Path:
        """``splits.json``: who is in which part of which fold."""
        return self.path / "splits.json"

    @property
    def status(self) -> Path:
        """``status.json``: where the run is; a panel follows it."""
        return self.path / "status.json"

    @property
    def log(self) -> Path:
        """``log.jsonl``: what happened."""
        return self.path / "log.jsonl"

    @property
    def bundle(self) -> Path:
        """The finished model."""
        return self.path / "bundle"

    def fold(self, number: int) -> Path:
        """Return a fold's folder; folds count from 1."""
        return self.path / f"fold-{number}"

    @property
    def exists(self) -> bool:
        """Whether a run was begun here."""
        return self.run.exists()

    def read(self) -> dict[str, Any]:
        """Return ``run.json``.

        Raises
        ------
        StrokeError
            If there is none, or it is of another version of the format.
        """
        if not self.exists:
            raise StrokeError(f"{self.path}: no training run here (run.json is missing); name a run's folder.")
        content = read_json_object(self.run, _ADVICE)
        found = content.get("format")
        if found != FORMAT:
            age = "a newer" if isinstance(found, int) and found > FORMAT else "an older"
            raise StrokeError(
                f"{self.run}: was written by {age} version of the software (format {found}, this one reads {FORMAT}); "
                f"{_ADVICE}."
            )
        return content

    def write(self, content: dict[str, Any], recipe: str, splits: str) -> None:
        """Write recipe and splits and, last, ``run.json``, whose presence says that the run was begun."""
        write_text(self.recipe, recipe + "\n")
        write_text(self.splits, splits + "\n")
        write_text(self.run, json.dumps({"format": FORMAT, **content}, indent=1, ensure_ascii=False) + "\n")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process out for a while; the system frees the lock when a process dies.

        A run that is refused before it was begun leaves nothing behind that was not there.

        Raises
        ------
        StrokeError
            If another process trains here, or the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        before = Before(self.path)
        refused = False
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / "lock")
            lock.acquire(timeout=0)
        except Timeout:
            who = self._who()
            raise StrokeError(f"{self.path}: another process trains here{who}; choose another folder.") from None
        except OSError as error:
            raise explain(error, self.path, "make the run folder") from error
        try:
            yield
        except StrokeError:
            refused = not self.exists
            if refused:
                before.restore(but="lock")  # the lock itself goes last: nobody else may begin here meanwhile
            raise
        finally:
            lock.release()
            if refused:
                before.remove("lock")
                before.remove_folders()

    def _who(self) -> str:
        with contextlib.suppress(StrokeError):
            status = read_json_object(self.status)
            return f" (process {status['pid']} on {status['host']})"
        return ""


class Before:
    """What a folder held at a moment, so that work that is refused can leave it as it was.

    Parameters
    ----------
    folder : Path
        It need not be there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self._names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
            self._missing = [path for path in (folder, *folder.parents) if not path.exists()]
            self._known = True
        except OSError:
            self._known = False  # what cannot be looked at is left alone

    def restore(self, but: str = "") -> None:
        """Remove what came since, except one name; a disk that refuses must not hide why the work ends."""
        if not (self._known and self.folder.is_dir()):
            return
        for path in list(self.folder.iterdir()):
            if path.name != but:
                self.remove(path.name)

    def remove(self, name: str) -> None:
        """Remove one thing if it came since."""
        path = self.folder / name
        if not self._known or name in self._names:
            return
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def remove_folders(self) -> None:
        """Remove the folder and its parents that were not there, where they are empty."""
        for path in self._missing if self._known else ():
            with contextlib.suppress(OSError):
                path.rmdir()
