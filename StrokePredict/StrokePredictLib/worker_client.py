"""The side of the worker's user: what runs, what waits, what is said when it dies. Imports nothing heavy.

The client knows no process: a transport starts one and hands lines and its end over. `worker_process` has one for plain
Python; Slicer's panels bring one made of QProcess.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .errors import StrokeError
from .progress import Progress, silent
from .worker_protocol import decode, encode, read_manifest

_HERE = Path(__file__).resolve().parent


class Transport(Protocol):
    """A process that speaks lines."""

    def write(self, line: str) -> None:
        """Send a line to its input."""

    def close(self) -> None:
        """End its input: it then ends by itself."""

    def kill(self, pid: int | None) -> None:
        """End it and all its children at once; ``pid`` is what the worker reported, None before that."""


#: Starts a process: command, environment, what to call with each line, what to call with its exit code.
Start = Callable[[list[str], dict[str, str], Callable[[str], None], Callable[[int], None]], Transport]


@dataclass
class Job:
    """A job and whom to tell.

    Attributes
    ----------
    on_progress, on_done, on_error : callable
        Told where it is; its result; or one line that says what went wrong.
    """

    identity: str
    name: str
    parameters: dict[str, Any]
    folder: Path
    on_progress: Progress = silent
    on_done: Callable[[dict[str, Any]], None] = lambda result: None
    on_error: Callable[[str], None] = lambda message: None


def command(python: str | None = None) -> list[str]:
    """Return the command that starts a worker, with this Python or another."""
    return [python or sys.executable, "-m", "StrokePredictLib.worker"]


def environment() -> dict[str, str]:
    """Return this process's environment, PYTHONPATH prefixed with both modules' folders."""
    folders = [_HERE.parent, _HERE.parent.parent / "StrokeTrain"]
    paths = [str(folder) for folder in folders if folder.is_dir()]
    before = os.environ.get("PYTHONPATH")
    search = os.pathsep.join([*paths, *([before] if before else [])])
    # Passive: threads that wait sleep. Spinning ones take the cores that Slicer, or another job, needs.
    return {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONPATH": search, "PYTHONUTF8": "1"}


@dataclass
class WorkerClient:
    """Gives jobs to a worker one at a time, starts it when needed, and again when it died.

    Attributes
    ----------
    start : Start
        Starts the process.
    python : str, optional
        Which Python runs it.
    on_log : callable
        Told what the worker logs.
    """

    start: Start
    python: str | None = None
    on_log: Callable[[str], None] = lambda message: None
    _transport: Transport | None = None
    _pid: int | None = None
    _generation: int = 0
    _count: int = 0
    _current: Job | None = None
    _waiting: list[Job] = field(default_factory=list)

    @property
    def pid(self) -> int | None:
        """The worker's process; None while there is none or it has not said so yet."""
        return self._pid

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        return self._current is not None or bool(self._waiting)

    def submit(self, name: str, parameters: dict[str, Any], folder: Path, **told: Any) -> Job:
        """Give a job to the worker; ``told`` are `Job`'s callables. Returns at once."""
        self._count += 1
        job = Job(str(self._count), name, parameters, Path(folder), **told)
        self._waiting.append(job)
        self._send_next()
        return job

    def ensure_started(self) -> None:
        """Start the worker unless it runs; it warms up by itself."""
        if self._transport is None:
            self._generation += 1
            number = self._generation
            self._transport = self.start(
                command(self.python),
                environment(),
                lambda line: self._receive(line) if number == self._generation else None,
                lambda code: self._ended(code) if number == self._generation else None,
            )

    def cancel(self) -> None:
        """End the job under way and those that wait: the process group is killed; the next job starts a new worker."""
        jobs = [*([self._current] if self._current else []), *self._waiting]
        self._current, self._waiting = None, []
        self._drop(kill=True)
        for job in jobs:
            job.on_error("cancelled; nothing was changed.")

    def stop(self) -> None:
        """End the worker, as before any installation; an idle one ends by itself, a busy one is cancelled."""
        if self.busy:
            self.cancel()
        else:
            self._drop(kill=False)

    def _drop(self, kill: bool) -> None:
        transport, pid = self._transport, self._pid
        self._transport, self._pid = None, None
        self._generation += 1  # what the old process still says is not heard
        if transport is not None:
            transport.kill(pid) if kill else transport.close()

    def _send_next(self) -> None:
        if self._current is not None or not self._waiting:
            return
        self.ensure_started()
        job = self._current = self._waiting.pop(0)
        request = {"id": job.identity, "job": job.name, "parameters": job.parameters, "folder": job.folder}
        with contextlib.suppress(OSError):  # where it just died, its end is reported in a moment
            self._transport.write(encode(request))

    def _receive(self, line: str) -> None:
        try:
            message = decode(line)
        except ValueError:
            self.on_log(line.rstrip())
            return
        event, job = message.get("event"), self._current
        if event == "ready":
            self._pid = int(message["pid"])
        elif event == "log":
            self.on_log(str(message.get("message")))
        elif job is not None and str(message.get("id")) == job.identity:
            self._of_job(job, event, message)

    def _of_job(self, job: Job, event: str | None, message: dict[str, Any]) -> None:
        if event == "progress":
            job.on_progress(float(message["fraction"]), str(message["message"]))
        elif event == "error":
            self._current = None
            fault = message.get("kind") == "fault"
            words = str(message.get("message"))
            job.on_error(f"a fault of the software, not of your data: {words}" if fault else words)
            self._send_next()
        elif event == "done":
            self._current = None
            try:
                result = read_manifest(str(message.get("manifest")), job.identity)
            except StrokeError as error:
                job.on_error(str(error))
            else:
                job.on_done(result)
            self._send_next()

    def _ended(self, code: int) -> None:
        """Report the job that the worker died on, and start another one."""
        was_ready = self._pid is not None
        job, self._current = self._current, None
        self._transport, self._pid = None, None
        if not was_ready:  # it cannot even start: another one would not either
            waiting, self._waiting = self._waiting, []
            for each in [*([job] if job else []), *waiting]:
                each.on_error(f"the worker cannot start (exit code {code}); see the log.")
            return
        if job is not None:
            self.ensure_started()
            job.on_error(f"the worker ended in mid-job ({_reason(code)}); it was started again. Try again.")
        self._send_next()


def _reason(code: int) -> str:
    """Say how a process ended."""
    if code == -9:
        return "killed; the computer's memory may be full"
    return f"signal {-code}" if code < 0 else f"exit code {code}"
