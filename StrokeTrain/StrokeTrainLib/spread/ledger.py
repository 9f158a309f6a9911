"""Receipts on disk: what is done is done once, whichever process did it and however often it is asked for."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.output import explain, write_text


@dataclass(frozen=True)
class Ledger:
    """A folder of receipts, one an item, on a disk that all workers share.

    Attributes
    ----------
    folder : Path
        Made where it is missing.
    """

    folder: Path

    def receipt(self, item: str) -> Path:
        """Return where the receipt of an item lies; an item's name may hold what a file's may not."""
        return self.folder / f"{quote(item, safe=' ()+,=@')}.json"

    def read(self, item: str, key: str) -> dict[str, Any] | None:
        """Return the receipt of work with this key whose files are still there; None: to be done."""
        try:
            content = json.loads(self.receipt(item).read_text(encoding="utf-8"))
            whole = content["key"] == key and all(Path(name).exists() for name in content["result"].get("files", ()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return content if whole else None

    def once(
        self, item: str, key: str, work: Callable[[], dict[str, Any]], call: str = ""
    ) -> tuple[dict[str, Any], bool]:
        """Do an item's work unless its receipt is there; two processes never do it at the same time.

        The operating system frees the lock of a process that is killed, so that its item can be done again.

        Parameters
        ----------
        item, key : str
            Which work, and with what parameters (`key_of`).
        work : callable
            Writes its files whole or not at all, and returns what JSON can carry; ``"files"`` in it are looked for
            when the receipt is read.
        call : str
            Name of the call that this belongs to; kept in the receipt. The answer of a worker that died before anybody
            fetched it is asked for again, and the receipt then tells that it was this call's own work.

        Returns
        -------
        tuple of (dict, bool)
            The receipt, and whether the work was done now: in this process, or in this call.

        Raises
        ------
        StrokeError
            If the folder cannot be written; and whatever `work` raises: there is no receipt then.
        """
        from filelock import FileLock  # the training extra; not in Slicer's own Python

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.receipt(item).with_suffix(".lock"))
            lock.acquire()
        except OSError as error:
            raise explain(error, self.folder) from error
        try:
            known = self.read(item, key)
            if known is not None:
                return known, bool(call) and known.get("call") == call
            start = time.time()
            result = work()
            receipt = {
                "item": item, "key": key, "call": call, "result": result, "seconds": round(time.time() - start, 3),
                "finished": round(time.time(), 3), "host": socket.gethostname(), "process": os.getpid(),
            }  # fmt: skip
            write_text(self.receipt(item), json.dumps(receipt, indent=1, ensure_ascii=False) + "\n")
            return receipt, True
        finally:
            lock.release()


def key_of(function: str, parameters: Mapping[str, Any]) -> str:
    """Return a hash of a function's name and its parameters.

    Raises
    ------
    StrokeError
        If JSON cannot carry the parameters.
    """
    try:
        text = json.dumps([function, dict(parameters)], sort_keys=True)
    except (TypeError, ValueError) as error:
        raise StrokeError(f"{function}: its parameters cannot be sent to another machine ({error}).") from error
    return hashlib.sha256(text.encode()).hexdigest()
