"""A worker behind plain pipes: for tests, benches and scripts. Slicer has one of QProcess instead."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from .errors import StrokeError
from .progress import Progress, silent
from .worker_client import WorkerClient


class PipeTransport:
    """A process whose lines are put into a queue, to be handed over in the thread that asks for them."""

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        on_line: Callable[[str], None],
        on_end: Callable[[int], None],
        inbox: queue.Queue[Callable[[], None]],
        log: TextIO | None,
    ) -> None:
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
            stderr=log if log is not None else subprocess.DEVNULL,
        )  # fmt: skip
        self._inbox = inbox
        threading.Thread(target=self._read, args=(on_line, on_end), daemon=True).start()

    def write(self, line: str) -> None:
        """Send a line to its input."""
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def close(self) -> None:
        """End its input and wait for its end."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()

    def kill(self, pid: int | None) -> None:
        """End it and all its children at once."""
        kill_tree(pid or self._process.pid)
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def _read(self, on_line: Callable[[str], None], on_end: Callable[[int], None]) -> None:
        for line in self._process.stdout:
            self._inbox.put(lambda line=line: on_line(line))
        code = self._process.wait()
        self._inbox.put(lambda: on_end(code))


def kill_tree(pid: int) -> None:
    """End a process and its children: its process group, or on Windows its tree."""
    if os.name == "nt":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(pid)], capture_output=True, check=False)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpgid(pid) == pid:  # before `setsid` its group is ours
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)


class WorkerProcess(contextlib.AbstractContextManager):
    """A worker to be asked one thing after the other, each answer awaited.

    Parameters
    ----------
    python : str, optional
        Which Python runs it.
    log : text file, optional
        Where its stderr goes.
    """

    def __init__(self, python: str | None = None, log: TextIO | None = None) -> None:
        self._inbox: queue.Queue[Callable[[], None]] = queue.Queue()
        self.messages: list[str] = []
        self.client = WorkerClient(
            lambda *words: PipeTransport(*words, self._inbox, log), python=python, on_log=self.messages.append
        )

    def run(
        self, name: str, parameters: dict[str, Any], folder: Path, *, progress: Progress = silent, timeout: float = 600
    ) -> dict[str, Any]:
        """Run a job and return its result.

        Raises
        ------
        StrokeError
            If the job says so, is cancelled, or the worker died on it.
        """
        answer: list[dict[str, Any] | StrokeError] = []
        self.client.submit(
            name, parameters, folder, on_progress=progress,
            on_done=answer.append, on_error=lambda words: answer.append(StrokeError(words)),
        )  # fmt: skip
        self.pump(lambda: bool(answer), timeout)
        if isinstance(answer[0], StrokeError):
            raise answer[0]
        return answer[0]

    def pump(self, until: Callable[[], bool], timeout: float = 60) -> None:
        """Hand over what the worker says until something is so.

        Raises
        ------
        TimeoutError
            If it does not become so in time.
        """
        end = time.monotonic() + timeout
        while not until():
            try:
                self._inbox.get(timeout=max(0.01, min(0.2, end - time.monotonic())))()
            except queue.Empty:
                if time.monotonic() > end:
                    raise TimeoutError("the worker did not answer in time") from None

    def cancel(self) -> None:
        """End the job under way; call it between two pumps, or from ``progress``."""
        self.client.cancel()

    def __exit__(self, *_: object) -> None:
        self.client.stop()
