"""The process that does the heavy work for Slicer: ``python -m StrokePredictLib.worker``, or by its path.

See `StrokePredictLib.worker_protocol` for what it reads and writes.
"""

import sys

if not __package__:  # run by path: its own folder must not stand for the standard library's names (io)
    sys.path[0] = sys.path[0].rpartition("StrokePredictLib")[0] or "."
    __package__ = "StrokePredictLib"
    import StrokePredictLib  # noqa: F401  the package of the relative imports below

import contextlib
import logging
import os
import platform
import queue
import shutil
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from . import __version__, jobs, threads
from .errors import StrokeError
from .io.output import write_text
from .worker_protocol import MANIFEST, VERSION, decode, encode, manifest

#: Imported while nothing else is to do, so that the first job does not wait for them.
WARM = ("torch", "SimpleITK", "safetensors.torch", "StrokePredictLib.predict_job", "StrokePredictLib.what_if_job")


class Worker:
    """Takes jobs from one stream, one after the other, and answers on another.

    Parameters
    ----------
    source, channel : text streams
        Where jobs come from and events go to.
    """

    def __init__(self, source: TextIO, channel: TextIO) -> None:
        self._source, self._channel = source, channel
        self._lock = threading.Lock()
        self._waiting: queue.Queue[str | None] = queue.Queue()
        self._folder: str | None = None
        self._job: str | None = None

    def serve(self) -> None:
        """Work until the input ends."""
        self.say("ready", pid=os.getpid(), protocol=VERSION, version=__version__, python=platform.python_version())
        threading.Thread(target=self._listen, daemon=True).start()
        self._warm_up()
        while (line := self._waiting.get()) is not None:
            self._handle(line)

    def say(self, event: str, **facts: Any) -> None:
        """Send an event."""
        with self._lock, contextlib.suppress(BrokenPipeError):
            self._channel.write(encode({"event": event, **facts}))
            self._channel.flush()

    def _listen(self) -> None:
        for line in self._source:
            if line.strip():
                self._waiting.put(line)
        # Whoever asked is gone. A job under way answers nobody: leave at once, and no half of a result.
        if self._job is not None:
            if self._folder:
                shutil.rmtree(self._folder, ignore_errors=True)
            os._exit(1)
        self._waiting.put(None)

    def _warm_up(self) -> None:
        from importlib import import_module

        for name in WARM:
            if not self._waiting.empty():
                return
            with contextlib.suppress(ImportError):  # a job that needs it will say so
                import_module(name)
        count = threads.limit_threads()
        self.say("warm", threads=count)

    def _handle(self, line: str) -> None:
        try:
            request = decode(line)
            identity, name = str(request["id"]), str(request["job"])
            parameters, folder = dict(request.get("parameters") or {}), Path(request["folder"])
        except (ValueError, KeyError, TypeError) as error:
            self.say("error", id=None, kind="fault", message=f"not a job: {error}")
            return
        self._job, self._folder = identity, str(folder)
        event, facts = self._outcome(identity, name, parameters, folder)
        self._job = self._folder = None  # before it is said: whoever hears of the end may end the input at once
        self.say(event, id=identity, **facts)

    def _outcome(self, identity: str, name: str, parameters: dict, folder: Path) -> tuple[str, dict[str, Any]]:
        """Run a job; return the event that ends it, with its facts."""
        try:
            threads.limit_threads()
            result = jobs.run(name, progress=self._progress(identity), **parameters)
            write_text(folder / MANIFEST, encode(manifest(identity, name, result)))
        except StrokeError as error:
            return "error", {"kind": "mistake", "message": " ".join(str(error).split())}
        except ModuleNotFoundError as error:
            traceback.print_exc()
            missing = (error.name or str(error)).split(".")[0]
            if missing.startswith("Stroke"):
                return "error", {"kind": "fault", "message": str(error)}
            words = f"the package {missing} is missing in {sys.executable}; install it (panel: section Environment)."
            return "error", {"kind": "mistake", "message": words}
        except Exception as error:  # ours, not the user's: the trace goes to the log
            traceback.print_exc()
            return "error", {"kind": "fault", "message": " ".join(f"{type(error).__name__}: {error}".split())}
        return "done", {"manifest": str(folder / MANIFEST)}

    def _progress(self, identity: str):
        def tell(fraction: float, words: str) -> None:
            self.say("progress", id=identity, fraction=round(float(fraction), 4), message=words)

        return tell

    @property
    def job(self) -> str | None:
        """The job under way."""
        return self._job


class _ToChannel(logging.Handler):
    """Warnings of any library become log events."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(logging.WARNING)
        self._worker = worker

    def emit(self, record: logging.LogRecord) -> None:
        message = " ".join(record.getMessage().split())
        self._worker.say("log", id=self._worker.job, level=record.levelname.lower(), message=message)


@contextlib.contextmanager
def protocol_channel() -> Iterator[TextIO]:
    """Keep a copy of stdout for the protocol; from now on everything that prints prints to stderr."""
    kept = os.dup(sys.stdout.fileno())
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with os.fdopen(kept, "w", encoding="utf-8", newline="\n") as channel:
        yield channel


def main() -> None:
    """Run the worker on this process's own streams."""
    if hasattr(os, "setsid"):
        with contextlib.suppress(PermissionError):  # is the leader of a group already
            os.setsid()
    sys.stdin.reconfigure(encoding="utf-8")
    with protocol_channel() as channel:
        worker = Worker(sys.stdin, channel)
        logging.captureWarnings(True)
        logging.getLogger().addHandler(_ToChannel(worker))
        worker.serve()


if __name__ == "__main__":
    main()
