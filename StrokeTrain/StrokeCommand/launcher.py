"""What `./stroke` does before the command itself: see that the checkout's `.venv` holds what is needed, then hand over.

Standard library only, for it runs on a Python that has nothing else. Nothing outside `.venv` is changed. pip's own
variables and settings (proxy, index, certificates) hold as usual; STROKE_TORCH_INDEX names another package index for
PyTorch alone. A start that finds everything there costs about 0.1 s.
"""

import contextlib
import errno
import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "stroke-stamp.json"

# What a command needs beyond project.dependencies; an extra once installed stays.
EXTRAS = {
    "test": ("slicer", "dicom", "train", "dev"),
    "train": ("slicer", "train"),
    "cohort": ("slicer", "train"),
    "evaluate": ("slicer", "train"),
    "experiment": ("slicer", "train"),
}
OTHER_EXTRAS = ("slicer",)


class SetupError(Exception):
    """What keeps the set-up from going on, told in one line."""


def say(text: object) -> None:
    """Write one line for the user; on stderr, for stdout belongs to the command."""
    print(f"stroke: {text}", file=sys.stderr, flush=True)


def clean_environment() -> dict[str, str]:
    """Return the environment without what would mix another Python's packages into `.venv`."""
    dropped = ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "__PYVENV_LAUNCHER__")
    return {name: value for name, value in os.environ.items() if name not in dropped}


def listed_requirements() -> dict[str, list[str]]:
    """Return pyproject.toml's requirements by extra; those of every command stand under the empty name."""
    path = ROOT / "pyproject.toml"
    try:
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    except FileNotFoundError:
        raise SetupError(f"{ROOT} is no whole checkout (no pyproject.toml): clone the repository again") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError) as fault:
        raise SetupError(f"{path} cannot be read ({fault}): restore it from the repository") from None
    return {"": project.get("dependencies", []), **project.get("optional-dependencies", {})}


def wanted_requirements(arguments: list[str], listed: dict[str, list[str]]) -> list[str]:
    """Return the requirements of the command that stands in `arguments`."""
    command = next((word for word in arguments if not word.startswith("-")), "")
    return [line for extra in ("", *EXTRAS.get(command, OTHER_EXTRAS)) for line in listed.get(extra, [])]


def read_stamp() -> dict:
    """Return what the last whole set-up left: `python` ("3.12") and `installed`, a list of requirements."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        return {"python": str(stamp["python"]), "installed": list(stamp["installed"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"python": "", "installed": []}


def ask_venv(code: str) -> str | None:
    """Return what a line of Python prints in `.venv`, or None where its Python does not run."""
    try:
        # No -S: without the site module a Python does not know that it is in an environment, and answers for its base.
        asked = subprocess.run([VENV_PYTHON, "-I", "-c", code], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None


def venv_version() -> str | None:
    """Return the version of the Python in `.venv` as "3.12", or None where it does not run."""
    return ask_venv("import sys; print('%d.%d' % sys.version_info[:2])")


def is_ready(wanted: list[str]) -> bool:
    """Tell whether `.venv` holds all that is wanted; this is all that a later start costs."""
    stamp = read_stamp()
    return bool(stamp["python"]) and set(wanted) <= set(stamp["installed"]) and venv_version() == stamp["python"]


@contextlib.contextmanager
def setup_lock() -> Iterator[int]:
    """Hold the lock beside `.venv`; yields its file descriptor. A second start waits, and says so."""
    with (ROOT / ".venv.lock").open("a") as handle:
        told = False
        while not try_lock(handle.fileno()):
            if not told:
                say("another start is setting up this folder; waiting for it ...")
                told = True
            time.sleep(0.2)
        yield handle.fileno()


def try_lock(descriptor: int) -> bool:
    """Take the lock if it is free; the system gives it back when the last holder ends, however that ends."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        # Anything else: a file system without locks, where going on is better than never starting.
        return fault.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


def prepare(arguments: list[str]) -> None:
    """See to it that `.venv` holds what the command needs.

    Raises
    ------
    SetupError, OSError
        The set-up cannot go on; what is there stays, and the next start goes on from it.
    """
    listed = listed_requirements()
    wanted = wanted_requirements(arguments, listed)
    if is_ready(wanted):
        return
    from StrokeCommand import launcher_setup

    with setup_lock() as lock:
        if not is_ready(wanted):  # another start may have done it while this one waited
            launcher_setup.set_up(wanted, listed, lock)


def hand_over(arguments: list[str]) -> int:
    """Become the command line (POSIX), or run it and return its exit code (Windows)."""
    # -P: a file of the user's in the working folder must not stand in for a package.
    command = [str(VENV_PYTHON), "-P", "-m", "StrokeCommand", *arguments]
    if os.name != "nt":
        os.execve(command[0], command, clean_environment())
    process = subprocess.Popen(command, env=clean_environment())
    while True:
        with contextlib.suppress(KeyboardInterrupt):  # the command had it too, and decides
            return process.wait()


def one_line(fault: OSError) -> str:
    """Return what a fault of the file system means for the user."""
    where = fault.filename or ROOT
    if fault.errno in (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", None)):
        return f"the disk is full ({where}): make room (about 3 GB), then run the same command again"
    if fault.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where} cannot be written, but the set-up makes .venv there: copy the checkout to a folder of yours"
    return f"{where}: {fault.strerror or fault}"


def main(arguments: list[str]) -> int:
    """Run the launcher; 2: cannot go on (one line says why), 130: stopped by Ctrl-C, else the command's own code."""
    try:
        prepare(arguments)
    except SetupError as fault:
        say(fault)
        return 2
    except OSError as fault:
        say(one_line(fault))
        return 2
    except KeyboardInterrupt:
        say("stopped; the next start goes on from here")
        return 130
    return hand_over(arguments)
