"""Make or finish the checkout's `.venv`: a Python environment, PyTorch in the right build, everything else."""

import contextlib
import json
import os
import re
import shutil
import ssl
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from StrokeCommand.launcher import ROOT, STAMP, VENV, VENV_PYTHON, SetupError, ask_venv, read_stamp, say, venv_version
from StrokeCommand.launcher_progress import DISK_FULL, LOG, Progress, failure, run_logged

TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
TORCH_WITHOUT_CPU_INDEX = "torch==2.13.0"
PROBE_SECONDS = 4.0

Command = Sequence[str | Path]


def set_up(wanted: list[str], listed: dict[str, list[str]], lock: int) -> None:
    """Make or finish `.venv`, so that it holds what is wanted and what was there and is still listed.

    Parameters
    ----------
    wanted
        Requirements of the command.
    listed
        All requirements of pyproject.toml, by extra.
    lock
        File descriptor of the lock, which is held.

    Raises
    ------
    SetupError, OSError
        It cannot go on. The stamp is then absent, and the next start goes on from what is there.
    """
    known = {line for lines in listed.values() for line in lines}
    stamp = read_stamp()
    wanted = sorted({*wanted, *(known & set(stamp["installed"]))})
    say(f"{'adding packages to' if stamp['python'] else 'setting up'} {VENV} (once; takes a few minutes)")
    progress = Progress(3)
    with progress.step(f"making .venv with Python {sys.version_info[0]}.{sys.version_info[1]}"):
        STAMP.unlink(missing_ok=True)
        make_environment(progress, lock)
        site = site_packages()
        forget_what_was_cut_short(site)
        pip = find_pip(progress, lock)
    with progress.step("PyTorch"):
        install_torch(pip, wanted, site, progress, lock)
    with progress.step("the other packages"):
        install(pip, wanted, "installing packages", progress, lock)
        # Relative to the .pth file, so that a moved checkout goes on working.
        folders = [os.path.relpath(ROOT / name, site) for name in ("StrokePredict", "StrokeTrain")]
        write_whole(site / "slicer-stroke-infarct.pth", "\n".join(folders) + "\n")
        write_whole(STAMP, json.dumps({"python": venv_version(), "installed": wanted}, indent=1))
    say(f"ready after {time.monotonic() - progress.begun:.0f} s")


def make_environment(progress: Progress, lock: int) -> None:
    """Make `.venv` without pip, unless one is there whose Python runs and is new enough."""
    version = venv_version()
    if version is not None and tuple(map(int, version.split("."))) >= (3, 11):
        return
    if VENV.exists():
        if not (VENV / "pyvenv.cfg").exists() and {path.name for path in VENV.iterdir()} - {LOG.name}:
            raise SetupError(f"{VENV} is there but is no Python environment: move it away, then start again")
        shutil.rmtree(VENV)
    VENV.mkdir()
    # Our own Python may be the one of the environment that was just removed.
    creator = sys._base_executable if Path(sys.prefix).resolve() == VENV else sys.executable
    code, output = run_logged([creator, "-m", "venv", "--without-pip", VENV], progress, lock)
    if code:
        raise failure(output, "making .venv")


def site_packages() -> Path:
    """Return the folder of `.venv` that takes packages; never one outside, for we write and remove there."""
    site = Path(ask_venv("import sysconfig; print(sysconfig.get_path('purelib'))") or ROOT)
    if not site.is_relative_to(VENV):
        raise SetupError(f"{VENV} is no working Python environment: remove it, then start again")
    return site


def forget_what_was_cut_short(site: Path) -> None:
    """Take the marks from packages whose installation was interrupted, so that pip installs them again."""
    for folder in site.glob("*.dist-info"):
        # pip enters its own INSTALLER file into RECORD as the last act of an installation.
        record = folder / "RECORD"
        if not record.is_file() or "/INSTALLER," not in record.read_text(encoding="utf-8", errors="replace"):
            shutil.rmtree(folder)


def find_pip(progress: Progress, lock: int) -> Command:
    """Return a command that is pip for `.venv`: its own, else (a Python without ensurepip) that of our Python."""
    own = [VENV_PYTHON, "-I", "-m", "pip"]
    ours = [sys.executable, "-m", "pip", "--python", VENV_PYTHON]
    ensure = [VENV_PYTHON, "-I", "-m", "ensurepip", "--default-pip"]
    output = ""
    for first, pip in ((None, own), (ensure, own), (None, ours)):
        if first:
            output = run_logged(first, progress, lock)[1]
        if run_logged([*pip, "--version"], progress, lock)[0] == 0:
            return pip
    if DISK_FULL.search(output):
        raise failure(output, "making .venv")
    raise SetupError(
        f"{sys.executable} has no pip: install it (Debian and Ubuntu: `apt install python3-pip python3-venv`), "
        "then run the same command again"
    )


def install(pip: Command, what: list[str], step: str, progress: Progress, lock: int) -> None:
    """Let pip install requirements, with options among them, into `.venv`."""
    code, output = run_logged([*pip, "install", "--progress-bar", "off", *what], progress, lock)
    if code:
        raise failure(output, step)


def install_torch(pip: Command, wanted: list[str], site: Path, progress: Progress, lock: int) -> None:
    """Install PyTorch alone, from the index that has the right build; its dependencies come with all the others."""
    lines = [line for line in wanted if re.match(r"torch\b(?!-)", line)]
    if not lines or any(site.glob("torch-*.dist-info")):
        return
    requirement, options, words = torch_choice(lines[0])
    progress.rename(f"PyTorch, {words}")
    install(pip, [*options, "--no-deps", requirement], "installing PyTorch", progress, lock)


def torch_choice(requirement: str) -> tuple[str, list[str], str]:
    """Choose PyTorch's build for this machine.

    Parameters
    ----------
    requirement
        What pyproject.toml asks for.

    Returns
    -------
    tuple[str, list[str], str]
        The requirement to install, pip's options, and words for the display.
    """
    index = os.environ.get("STROKE_TORCH_INDEX")
    if index:
        return requirement, ["--index-url", index], "index of STROKE_TORCH_INDEX"
    if not sys.platform.startswith("linux"):
        return requirement, [], "usual build"
    if has_nvidia_gpu():
        return requirement, [], "GPU build"
    if not os.environ.get("PIP_NO_INDEX") and answers(f"{TORCH_CPU_INDEX}/torch/"):
        return requirement, ["--index-url", TORCH_CPU_INDEX], "CPU build (no NVIDIA GPU found)"
    return TORCH_WITHOUT_CPU_INDEX, [], "usual index (CPU index silent)"


def has_nvidia_gpu() -> bool:
    """Tell whether this Linux machine shows an NVIDIA GPU, also under Windows (WSL)."""
    signs = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/nvidia0", "/usr/lib/wsl/lib/nvidia-smi")
    return shutil.which("nvidia-smi") is not None or any(Path(sign).exists() for sign in signs)


def answers(address: str) -> bool:
    """Tell whether a web address answers soon; in a thread, because the look-up of a name knows no time-out."""
    answered = threading.Event()

    def ask() -> None:
        with contextlib.suppress(OSError, ValueError), opener().open(address, timeout=PROBE_SECONDS):
            answered.set()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return answered.is_set()


def opener() -> urllib.request.OpenerDirector:
    """Return what opens web addresses through the proxy and with the certificates that pip is told to use."""
    proxy, certificates = os.environ.get("PIP_PROXY"), os.environ.get("PIP_CERT")
    handlers = [urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=certificates))]
    if proxy:
        handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
    return urllib.request.build_opener(*handlers)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is whole or absent."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
