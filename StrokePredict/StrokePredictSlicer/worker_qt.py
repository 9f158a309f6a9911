"""The worker behind a QProcess: its lines arrive through Qt's event loop, so that Slicer's window stays alive."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import qt

from StrokePredictLib.worker_client import WorkerClient
from StrokePredictLib.worker_process import kill_tree

#: Setting that names another Python for the worker than Slicer's own.
PYTHON_SETTING = "StrokePredict/WorkerPython"
_NEVER_STARTED = 127


class QtTransport:
    """A process that speaks lines, as `StrokePredictLib.worker_client.Transport` wants it.

    Parameters
    ----------
    command : list of str
        Program and arguments.
    environment : dict
        The whole environment.
    on_line, on_end, on_log : callable
        Told each line of its output, its exit code, and each line of its error output.
    """

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        on_line: Callable[[str], None],
        on_end: Callable[[int], None],
        on_log: Callable[[str], None],
    ) -> None:
        self._on_line, self._on_end, self._on_log = on_line, on_end, on_log
        self._rest = {"out": b"", "err": b""}
        self._over = False
        self._process = qt.QProcess()
        surroundings = qt.QProcessEnvironment()
        for name, value in environment.items():
            surroundings.insert(name, value)
        self._process.setProcessEnvironment(surroundings)
        self._process.readyReadStandardOutput.connect(self._read_output)
        self._process.readyReadStandardError.connect(self._read_errors)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._failed)
        self._process.start(command[0], command[1:])

    def write(self, line: str) -> None:
        """Send a line to its input."""
        self._process.write(line.encode("utf-8"))

    def close(self) -> None:
        """End its input: it then ends by itself."""
        self._process.closeWriteChannel()
        if not self._process.waitForFinished(3000):
            self._process.kill()

    def kill(self, pid: int | None) -> None:
        """End it and all its children at once."""
        with contextlib.suppress(OSError):
            own = int(self._process.processId())
            if pid or own:
                kill_tree(pid or own)
        self._process.kill()
        self._process.waitForFinished(1000)

    def _read_output(self) -> None:
        for line in self._lines("out", self._process.readAllStandardOutput()):
            self._on_line(line)

    def _read_errors(self) -> None:
        for line in self._lines("err", self._process.readAllStandardError()):
            self._on_log(line)

    def _lines(self, name: str, data: object) -> list[str]:
        *whole, self._rest[name] = (self._rest[name] + bytes(data.data())).split(b"\n")
        return [line.decode("utf-8", errors="replace") for line in whole]

    def _finished(self, *said: object) -> None:
        if not self._over:
            self._over = True
            self._read_output()
            crashed = self._process.exitStatus() == qt.QProcess.CrashExit
            self._on_end(-9 if crashed else int(self._process.exitCode()))

    def _failed(self, *_: object) -> None:
        """Report a process that never began; one that ends later reports itself by `_finished`."""
        if not self._over and self._process.error() == qt.QProcess.FailedToStart:
            self._over = True
            self._on_end(_NEVER_STARTED)


def make_client(on_log: Callable[[str], None]) -> WorkerClient:
    """Return a client whose worker runs the Python of the settings, or else Slicer's own."""
    python = str(qt.QSettings().value(PYTHON_SETTING) or "") or None
    return WorkerClient(lambda *words: QtTransport(*words, on_log), python=python, on_log=on_log)
