"""The launcher where something is wrong: half-made environments, no network, Ctrl-C, no room, no rights, no pip."""

import contextlib
import ctypes
import http.server
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path

import pytest
from support.launcher_project import (
    FRESH_PYTHON,
    environment_with_index,
    offline_environment,
    start,
    the_one_line,
    told,
    write_project,
)

from StrokeCommand import launcher_setup

posix = pytest.mark.skipif(os.name == "nt", reason="signals, limits and rights are POSIX's here")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    project = write_project(tmp_path_factory.mktemp("made") / "checkout")
    told(start(project, "demo"))
    return project


@pytest.fixture
def project(tmp_path):
    return write_project(tmp_path / "checkout")


def spoil_stamp(venv):
    (venv / "stroke-stamp.json").write_text("{")


def lose_python(venv):
    for python in (venv / ("Scripts" if os.name == "nt" else "bin")).glob("python*"):
        python.unlink()


def leave_empty(venv):
    shutil.rmtree(venv)
    venv.mkdir()


def cut_a_package_short(venv):
    (venv / "stroke-stamp.json").unlink()
    (module,) = venv.rglob("tinybase.py")
    module.unlink()
    (record,) = venv.glob("**/tinybase-1.0.dist-info/RECORD")
    record.write_text("tinybase.py,,\n")


def cut_pip_short(venv):
    (venv / "stroke-stamp.json").unlink()
    (record,) = venv.glob("**/site-packages/pip-*.dist-info/RECORD")
    record.unlink()
    shutil.rmtree(record.parents[1] / "pip" / "_internal")


@pytest.mark.parametrize("spoil", [spoil_stamp, lose_python, leave_empty, cut_a_package_short, cut_pip_short])
def test_a_half_made_environment_is_finished(made, tmp_path, spoil):
    project = tmp_path / "checkout"
    shutil.copytree(made, project, symlinks=True)
    spoil(project / ".venv")
    assert told(start(project, "demo"))["packages"] == {"tinybase": "1.0", "tinyslicer": "1.0"}
    assert start(project, "demo").stderr == ""


def test_a_folder_of_the_users_is_not_removed(project):
    (project / ".venv").mkdir()
    (project / ".venv" / "thesis.txt").write_text("mine")
    assert "move it away" in the_one_line(start(project, "demo"))
    assert (project / ".venv" / "thesis.txt").read_text() == "mine"


def test_two_starts_at_once_install_once(project):
    env = offline_environment(project)
    command = [FRESH_PYTHON, str(project / "stroke"), "demo"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, env=env, **pipes) for _ in range(2)]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted("waiting for it" in text for text in said) == [False, True]
    assert sorted("ready after" in text for text in said) == [False, True]


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_no_network_is_one_line_and_the_next_start_finishes(project):
    env = environment_with_index(project, f"http://127.0.0.1:{free_port()}/simple")
    assert "no package index could be reached" in the_one_line(start(project, "demo", env=env))
    told(start(project, "demo"))


def test_a_package_that_does_not_exist_is_named(project):
    (project / "wheels" / "tinybase-1.0-py3-none-any.whl").unlink()
    line = the_one_line(start(project, "demo"))
    assert "tinybase" in line
    assert str(project / ".venv" / "setup.log") in line


@pytest.fixture
def silent_server():
    """A server that takes every call and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_an_index_that_does_not_answer_costs_little_time(silent_server, monkeypatch):
    monkeypatch.setattr(launcher_setup, "PROBE_SECONDS", 0.5)
    begun = time.monotonic()
    assert not launcher_setup.answers(silent_server + "/torch/")
    assert time.monotonic() - begun < 5


def test_an_index_is_asked_through_pips_proxy(monkeypatch):
    asked = []
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PIP_PROXY", f"http://127.0.0.1:{server.server_port}")
        assert launcher_setup.answers("http://index.invalid/whl/torch/")
        server.shutdown()
    assert asked == ["http://index.invalid/whl/torch/"]


def test_an_index_that_answers_is_seen(monkeypatch):
    monkeypatch.delenv("PIP_PROXY", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert launcher_setup.answers(f"http://127.0.0.1:{server.server_port}/")
        assert not launcher_setup.answers(f"http://127.0.0.1:{server.server_port}/not-there")
        server.shutdown()


@contextlib.contextmanager
def start_stuck_in_pip(project, index):
    """Start the launcher against an index that never answers, up to its last step; ends what is left of it."""
    env = environment_with_index(project, index)
    command = [FRESH_PYTHON, str(project / "stroke"), "demo"]
    # Ctrl-C is heard as at a terminal, also where the tests themselves run in a shell's background.
    process = subprocess.Popen(
        command, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        said = ""
        while "[3/3]" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        time.sleep(0.5)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@posix
def test_ctrl_c_leaves_what_the_next_start_finishes(project, silent_server):
    with start_stuck_in_pip(project, silent_server) as process:
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "stopped" in said.splitlines()[-1]
    told(start(project, "demo"))


@posix
def test_a_killed_start_keeps_the_lock_until_its_pip_has_ended(project, silent_server):
    with start_stuck_in_pip(project, silent_server) as process:
        process.kill()
        process.wait()
        done = start(project, "demo")
    told(done)
    assert "waiting for it" in done.stderr


@posix
def test_a_full_disk_is_one_line_and_the_next_start_finishes(project):
    import resource

    def small_files_only():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    line = the_one_line(start(project, "demo", preexec_fn=small_files_only))
    assert "the disk is full" in line
    told(start(project, "demo"))


@linux
def test_a_folder_without_write_permission_is_one_line(project):
    def without_roots_rights():
        # root may write everywhere: drop CAP_DAC_OVERRIDE (1) and CAP_DAC_READ_SEARCH (2) for what is started.
        for capability in (1, 2):
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)

    project.chmod(0o555)
    try:
        line = the_one_line(start(project, "demo", preexec_fn=without_roots_rights))
    finally:
        project.chmod(0o755)
    assert "cannot be written" in line
    assert str(project) in line


def python_without_ensurepip(folder: Path) -> Path:
    """Lay out this very Python anew, by links, with pip and without ensurepip, as Debian ships it."""
    standard = Path(sysconfig.get_path("stdlib"))
    home = folder / "lib" / standard.name
    (home / "site-packages").mkdir(parents=True)
    for entry in standard.iterdir():
        if entry.name not in ("ensurepip", "site-packages", "dist-packages", "__pycache__"):
            (home / entry.name).symlink_to(entry)
    pip = importlib.util.find_spec("pip")
    if pip is None:
        pytest.skip("no pip at hand to give to the Python without ensurepip")
    (home / "site-packages" / "pip").symlink_to(Path(pip.origin).parent)
    (folder / "bin").mkdir()
    python = folder / "bin" / f"python3.{sys.version_info[1]}"
    shutil.copy(Path(FRESH_PYTHON).resolve(), python)
    return python


@linux
def test_a_python_without_ensurepip_does(project, tmp_path):
    python = python_without_ensurepip(tmp_path / "python")
    asked = subprocess.run([python, "-m", "ensurepip"], capture_output=True, text=True, check=False)
    assert "No module named ensurepip" in asked.stderr
    told(start(project, "demo", python=python))
    assert not list((project / ".venv").glob("**/site-packages/pip"))


@linux
def test_a_python_without_any_pip_is_one_line(project, tmp_path):
    python = python_without_ensurepip(tmp_path / "python")
    (tmp_path / "python" / "lib" / f"python3.{sys.version_info[1]}" / "site-packages" / "pip").unlink()
    assert "has no pip" in the_one_line(start(project, "demo", python=python))
