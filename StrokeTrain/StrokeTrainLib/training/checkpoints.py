"""Checkpoints that are whole or absent, and the newest one that can be used."""

from __future__ import annotations

import contextlib
import errno
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import torch
from ignite.handlers import DiskSaver

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.output import explain

LAST, PREVIOUS, NEXT, BEST = "last.pt", "previous.pt", "next.pt", "best.pt"


class Saver(DiskSaver):
    """Writes a checkpoint beside the one before and puts it in its place when it is whole.

    At every moment two whole checkpoints lie in the folder (one before the second epoch ended), whenever the process is
    killed.

    Parameters
    ----------
    folder : Path
        Of the fold.
    keep : bool
        Whether the one before stays as ``previous.pt``.
    """

    def __init__(self, folder: Path, *, keep: bool) -> None:
        super().__init__(folder, atomic=True, create_dir=True, require_empty=False)
        self.keep = keep

    def __call__(self, checkpoint: Mapping, filename: str, metadata: Mapping | None = None) -> None:
        """Write; `StrokeError` where the disk does not take it, and what was there before stays."""
        if idist.get_rank() != self.save_on_rank:
            return
        place, fresh = self.dirname / filename, self.dirname / (NEXT if self.keep else f"next-{filename}")
        try:
            super().__call__(checkpoint, fresh.name, metadata)
            with fresh.open("rb") as stream:
                os.fsync(stream.fileno())
            if self.keep and place.exists():
                place.replace(self.dirname / PREVIOUS)
            fresh.replace(place)
        except OSError as error:
            self._give_up(place, error)
        except RuntimeError as error:
            # torch's own writer does not say why the system refused.
            if "writ" not in str(error) and "unexpected pos" not in str(error):
                raise
            self._give_up(place, OSError(errno.ENOSPC, "no space", str(place)))

    def remove(self, filename: str) -> None:
        """Leave the file: the next one takes its place when it is whole."""

    def _give_up(self, place: Path, error: OSError) -> None:
        remove_unfinished(self.dirname)
        reason = str(explain(error, place)).split(" Choose another place")[0]
        raise StrokeError(
            f"{reason} The checkpoint before stays; make room and go on with --resume."
        ) from error


def remove_unfinished(folder: Path) -> None:
    """Remove what a kill, or a full disk, left half-written: temporary files of `DiskSaver`."""
    for path in folder.glob("tmp*"):
        with contextlib.suppress(OSError):
            path.unlink()


def newest(folder: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the newest whole checkpoint of a fold, None where there is none, and sentences about damaged ones."""
    damaged = []
    for name in (NEXT, LAST, PREVIOUS):
        path = folder / name
        if not path.exists():
            continue
        try:
            return read_checkpoint(path), damaged
        except StrokeError as error:
            damaged.append(str(error))
    return None, damaged


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return a checkpoint's content, on the CPU; nothing in it is run.

    Raises
    ------
    StrokeError
        If the file is cut short, was altered (every part's checksum is verified), or is no checkpoint.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
        if bad is not None:
            raise ValueError(f"{bad} was altered")
        content = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(content, dict):
            raise ValueError("it holds no checkpoint")
    except Exception as error:  # zipfile and torch raise many kinds on a damaged file
        reason = " ".join(str(error).split())[:120]
        raise StrokeError(f"{path}: the checkpoint is damaged ({reason}).") from error
    return content
