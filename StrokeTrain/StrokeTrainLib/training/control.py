"""Runs from outside: started in processes of their own, looked after, paused, stopped. Imports nothing heavy."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictLib.io.output import explain, write_text
from StrokePredictLib.worker_client import environment
from StrokePredictLib.worker_process import kill_tree

from .run_folder import RunFolder

LAUNCH, CONSOLE = "launch.json", "console.txt"
#: Which process was asked to stop, and when: one that is ended before it can say a word was stopped, not lost.
STOP = "stop.json"
#: Seconds without a sign of life after which a run on another computer counts as ended.
SILENT_S = 120.0
#: Whether this system can freeze a process.
CAN_PAUSE = os.name != "nt"
OVER = ("done", "stopped", "failed")
#: Words of which one stands in the command line of every training process.
_OURS = ("StrokeTrainLib", "StrokeCommand", "stroke", "torchrun")
#: s in which a process that was started says which one it is.
_STARTING_S = 60.0
_children: dict[Path, subprocess.Popen] = {}


@dataclass(frozen=True)
class RunState:
    """How a run is.

    Attributes
    ----------
    state : str
        ``"none"``, ``"starting"``, ``"preparing"``, ``"training"``, ``"predicting"`` …, ``"paused"``, ``"done"``,
        ``"stopped"``, ``"failed"``, or ``"lost"``: its process is gone without a word.
    alive : bool
        Whether its process works, or is paused.
    here : bool
        Whether it is on this computer, and can be stopped from here.
    pid : int or None
        Its process.
    message : str
        Why it failed.
    facts : dict
        ``status.json``.
    """

    state: str
    alive: bool = False
    here: bool = True
    pid: int | None = None
    message: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def launch(run: Path | str, job: Mapping[str, Any], python: str | None = None) -> RunState:
    """Start a run in a process of its own and return at once.

    Parameters
    ----------
    run : path-like
        The run's folder; made if missing.
    job : mapping
        ``recipe``, ``data``, ``overrides``, ``folds``, ``epochs``, ``seed``, ``device``, ``init``, ``resume``.
    python : str, optional
        Which Python runs it.

    Raises
    ------
    StrokeError
        If a run is under way or lies there already, or the folder cannot be written.
    """
    folder = RunFolder(Path(run).absolute())
    before = state_of(folder.path)
    if before.alive:
        raise StrokeError(f"{folder.path}: another process trains here; choose another folder.")
    if folder.exists and not job.get("resume"):
        raise StrokeError(f"{folder.path}: holds a run already; go on with it (Resume) or choose another folder.")
    if job.get("resume"):
        folder.read()  # says so where it is of another version
    path = folder.path / LAUNCH
    command = [python or sys.executable, "-m", "StrokeTrainLib.training.detached", str(path)]
    told = {"job": dict(job), "command": command, "host": socket.gethostname(), "begun": time.time()}
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        (folder.path / STOP).unlink(missing_ok=True)
        write_text(path, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
        with (folder.path / CONSOLE).open("ab") as console:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, env=environment(), **_detached()
            )
    except OSError as error:
        raise explain(error, folder.path, "start the run") from error
    # Which process it is, it writes itself: what was started here may be a launcher of the real one.
    _children[folder.path] = process
    return RunState("starting", True)


def _detached() -> dict[str, Any]:
    """Return what makes a process outlive this one."""
    if os.name == "nt":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        return {"creationflags": flags}
    return {"start_new_session": True}


def state_of(run: Path | str) -> RunState:
    """Return how a run is, from its files and its process alone."""
    for child in _children.values():
        child.poll()  # one that ended is a zombie until somebody asks
    found = _state(Path(run))
    # Its last words may have come between the look at its status and the look at its process.
    return _state(Path(run)) if found.state == "lost" else found


def _state(run: Path) -> RunState:
    folder = RunFolder(run)
    status, started = _read(folder.status), _read(folder.path / LAUNCH)
    if not status and not started:
        return RunState("none")
    newer = started.get("begun", 0.0) > status.get("heartbeat", 0.0)  # begun, or gone on with, since the status
    source = started if newer else status
    pid, here = source.get("pid"), source.get("host") in (None, socket.gethostname())
    beat = float(source.get("heartbeat") or source.get("begun") or 0.0)
    if newer and pid is None:
        alive = here and _is_starting(folder.path, beat)
    else:
        alive = _alive(pid) if here else time.time() - beat < SILENT_S and source.get("state") not in OVER
    state = "starting" if newer else str(status.get("state", "starting"))
    message = str(started.get("error") or "") if newer or state == "failed" else ""
    message = message or ("" if newer else str(status.get("message") or ""))
    if alive and state not in OVER:
        state = "paused" if here and _is_paused(pid) else state
    elif state not in OVER:
        alive = False
        state = "failed" if message and newer else "stopped" if _was_asked(folder.path, pid, started) else "lost"
    return RunState(state, alive, here, pid, message, status)


def stop(run: Path | str, *, now: bool = False) -> None:
    """Ask a run to stop; its last whole epoch is kept.

    Parameters
    ----------
    run : path-like
        The run's folder.
    now : bool
        End the process instead of asking it.

    Raises
    ------
    StrokeError
        If it is on another computer.
    """
    found = _mine(run)
    if not found.alive:
        return
    with contextlib.suppress(OSError, StrokeError):  # a full disk must not keep a run from being stopped
        write_text(Path(run) / STOP, json.dumps({"pid": found.pid, "time": time.time()}) + "\n")
    child = _children.get(Path(run).absolute())
    # One that has not said yet which process it is: what was started here, or its launcher, leads its own group.
    pid = found.pid if found.pid is not None else child.pid if child is not None else None
    if pid is None:
        return  # started from elsewhere just now: it looks for the file before it begins
    if os.name == "nt":
        kill_tree(pid)
    elif now:
        _signal(run, pid, signal.SIGKILL)
    elif found.pid is None:
        _signal(run, pid, signal.SIGTERM)
    else:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            _signal(run, pid, signal.SIGCONT)  # one that is paused hears it then


def stop_asked(run: Path | str) -> bool:
    """Whether a run was asked to stop since it was launched."""
    return _was_asked(Path(run), None, _read(Path(run) / LAUNCH))


def _was_asked(run: Path, pid: int | None, started: Mapping[str, Any]) -> bool:
    asked = _read(run / STOP)
    if not asked:
        return False
    if pid is not None and asked.get("pid") is not None:
        return asked["pid"] == pid
    return float(asked.get("time") or 0.0) >= float(started.get("begun") or 0.0)


def pause(run: Path | str, on: bool) -> None:
    """Freeze a run where it stands, or let it go on; it keeps its memory.

    Raises
    ------
    StrokeError
        If it is on another computer, or the system cannot.
    """
    found = _mine(run)
    if not CAN_PAUSE:
        raise StrokeError("pausing is not possible on Windows; stop the run and resume it later.")
    if found.pid is not None and found.alive:
        _signal(run, found.pid, signal.SIGSTOP if on else signal.SIGCONT)


def _signal(run: Path | str, pid: int, number: int) -> None:
    """Tell a process and its helpers; only itself where it was not started from here and shares its group."""
    with contextlib.suppress(ProcessLookupError):
        group = os.getpgid(pid)
        if (Path(run) / LAUNCH).is_file() and group != os.getpgrp():
            os.killpg(group, number)
        else:
            os.kill(pid, number)


def _mine(run: Path | str) -> RunState:
    found = state_of(run)
    if found.alive and not found.here:
        raise StrokeError(f"{run}: trains on {found.facts.get('host')}; stop it there.")
    return found


def command_line(run: Path | str, job: Mapping[str, Any], processes: int | str = "gpu") -> str:
    """Return the command that starts the same run under torchrun, on a bigger machine."""
    words = ["torchrun", f"--nproc-per-node={processes}", "-m", "StrokeCommand", "train"]
    if job.get("resume"):
        words += ["--resume"]
    else:
        words += [str(job["recipe"]), "--data", str(job["data"])]
    words += ["-o", str(run)]
    for name in ("folds", "epochs", "seed", "init"):
        if job.get(name) not in (None, "") and not job.get("resume"):
            words += [f"--{name}", str(job[name])]
    if job.get("device") not in (None, "", "auto") and not job.get("resume"):
        words += ["--device", str(job["device"])]
    for path, value in (job.get("overrides") or {}).items():
        words += ["--set", f"{path}={value}"]
    return shlex.join(words)


def _read(path: Path) -> dict[str, Any]:
    """Return a JSON file; empty where it is missing or just being replaced."""
    try:
        return read_json_object(path) if path.is_file() else {}
    except StrokeError:
        return {}


def _alive(pid: int | None) -> bool:
    if not pid:
        return False
    if os.name == "nt":
        return _alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    words = _proc(pid, "cmdline")
    return words is None or (_proc_state(pid) != "Z" and any(word in words for word in _OURS))


def _is_starting(run: Path, begun: float) -> bool:
    child = _children.get(run.absolute())
    return child.poll() is None if child is not None else time.time() - begun < _STARTING_S


def _alive_on_windows(pid: int) -> bool:
    import ctypes

    kernel = ctypes.windll.kernel32
    handle = kernel.OpenProcess(0x1000, False, pid)
    if not handle:
        return False
    code = ctypes.c_ulong()
    kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return code.value == 259  # STILL_ACTIVE


def _is_paused(pid: int | None) -> bool:
    if os.name == "nt" or not pid:
        return False
    if Path("/proc").is_dir():
        return _proc_state(pid) == "T"
    done = subprocess.run(["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip().startswith("T")


def _proc_state(pid: int) -> str:
    words = _proc(pid, "stat") or ""
    return words.rpartition(")")[2].split()[0] if ")" in words else ""


def _proc(pid: int, name: str) -> str | None:
    """Return a file of Linux's process table; None where there is none."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return None


def folds_of(run: Path | str) -> Sequence[Path]:
    """Return the folders of the folds that were begun, in order."""
    found = [path for path in Path(run).glob("fold-*") if path.name[5:].isdigit()]
    return sorted(found, key=lambda path: int(path.name[5:]))
