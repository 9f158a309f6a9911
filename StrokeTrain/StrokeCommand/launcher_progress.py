"""The set-up's display and its log: numbered steps with their time, and pip run so that both can follow it."""

import contextlib
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from StrokeCommand.launcher import VENV, SetupError, clean_environment, say, venv_version

LOG = VENV / "setup.log"

NO_NETWORK = re.compile(
    "NewConnectionError|ConnectTimeout|ReadTimeout|Read timed out|ProxyError|name resolution|getaddrinfo|"
    "Connection (broken|refused|reset|aborted)|Network is unreachable|SSLError|CERTIFICATE_VERIFY_FAILED|"
    "HTTP error|Could not fetch URL|RemoteDisconnected|IncompleteRead|Failed to establish",
    re.IGNORECASE,
)
DISK_FULL = re.compile(r"No space left on device|File too large|Disk quota exceeded|\[Errno (27|28|122)\]")


class Progress:
    """Numbered steps: on a terminal one line a step that is written over, elsewhere plain lines.

    Parameters
    ----------
    total
        How many steps will be begun.
    """

    def __init__(self, total: int):
        self.total, self.number, self.text, self.detail = total, 0, "", ""
        self.begun = self.step_begun = time.monotonic()
        self.terminal = sys.stderr.isatty()

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Begin the next step, and end it with its time."""
        self.number, self.detail, self.step_begun = self.number + 1, "", time.monotonic()
        self.rename(text)
        try:
            yield
        except BaseException:
            self.end_line()
            raise
        self.detail = "done"
        self.draw()
        self.end_line() if self.terminal else say(f"      done after {self.seconds():.0f} s")

    def rename(self, text: str) -> None:
        """Say more exactly what the step does."""
        self.text = text
        self.draw() if self.terminal else say(f"[{self.number}/{self.total}] {text} ...")

    def follow(self, line: str) -> None:
        """Show what a line of pip's output tells."""
        if found := re.match(r"\s*(?:Downloading|Using cached) (\w+)-[^-]+-\S+\.whl \(([\d.]+ ([kMG])B)\)", line):
            self.detail = f"downloading {found[1]}, {found[2]}"
            self.say_detail(unless=found[3] == "k")
        elif found := re.match(r"Processing \S*?([\w.]+)-[^-/]+-[^/]+\.whl", line):
            self.detail = f"taking {found[1]}"
        elif found := re.match(r"Collecting ([\w.-]+)", line):
            self.detail = f"looking for {found[1]}"
        elif line.startswith("WARNING: Retrying"):
            self.detail = "no answer from the package index, trying again"
        elif line.startswith("Installing collected packages"):
            count = line.count(",") + 1
            self.detail = f"unpacking {count} package{'s' if count > 1 else ''}"
            self.say_detail()
        self.draw()

    def say_detail(self, unless: bool = False) -> None:
        """Write a plain line, where there is no terminal to draw on."""
        if not (self.terminal or unless):
            say(f"      {self.detail} ({self.seconds():.0f} s)")

    def draw(self) -> None:
        """Write the terminal's line anew; called every half second, so that the clock runs."""
        if self.terminal:
            line = f"stroke: [{self.number}/{self.total}] {self.text}  {self.seconds():.0f} s  {self.detail}"
            width = shutil.get_terminal_size().columns - 1
            print("\r" + line[:width].ljust(width), end="", file=sys.stderr, flush=True)

    def end_line(self) -> None:
        """Leave the terminal's line as it stands."""
        if self.terminal:
            print(file=sys.stderr, flush=True)

    def seconds(self) -> float:
        """Return the seconds since the step began."""
        return time.monotonic() - self.step_begun


def run_logged(command: Sequence[str | Path], progress: Progress, lock: int) -> tuple[int, str]:
    """Run a command of the set-up into the log, showing its progress.

    Parameters
    ----------
    command
        Program and arguments.
    progress
        Where to show what goes on.
    lock
        The lock's file descriptor; the child holds it too, so that a second start waits even if we are killed.

    Returns
    -------
    tuple[int, str]
        Exit code and output.
    """
    environment = {**clean_environment(), "PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    kept = {"pass_fds": [lock]} if os.name != "nt" else {}
    process = subprocess.Popen(
        [str(word) for word in command],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        **kept,
    )
    try:
        output = []
        with LOG.open("a", encoding="utf-8") as log:
            log.write(f"\n--- {time.strftime('%Y-%m-%d %H:%M:%S')} {' '.join(map(str, command))}\n")
            for line in lines_as_they_come(process):
                if line is None:
                    progress.draw()
                    continue
                output.append(line)
                log.write(line)
                log.flush()
                progress.follow(line)
        return process.wait(), "".join(output)
    except BaseException:
        stop(process)
        raise


def lines_as_they_come(process: subprocess.Popen) -> Iterator[str | None]:
    """Yield a process's lines, and None whenever half a second brought none."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=0.5)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line


def stop(process: subprocess.Popen) -> None:
    """End a child that most likely had Ctrl-C too: leave it time for its own clearing up first."""
    for end in (lambda: None, process.terminate, process.kill):
        end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
            return


def failure(output: str, step: str) -> SetupError:
    """Return the error for a failed command of the set-up: what is wrong and what to do, in one line."""
    again = "then run the same command again, it goes on from here"
    if DISK_FULL.search(output):
        return SetupError(f"{step} failed: the disk is full; make room (about 3 GB), {again}")
    if NO_NETWORK.search(output):
        return SetupError(f"{step} failed: no package index could be reached; check network and proxy, {again}")
    if absent := re.search(r"requirement (\S+) .*\(from versions: none\)", output):
        nothing = f"no index that pip may ask has {absent[1]} for Python {venv_version()}"
        return SetupError(f"{step} failed: {nothing}; see {LOG}, check network and proxy, {again}")
    told = [line for line in output.splitlines() if line.strip()] or ["no output"]
    last = ([line for line in told if line.startswith("ERROR:")] or told)[-1]
    return SetupError(f"{step} failed: {' '.join(last.split())[:300]} (all of it: {LOG})")
