"""The launcher on a small checkout, run for real: first start, later starts, other folders, more packages."""

import ast
import io
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.launcher_project import (
    FRESH_PYTHON,
    PYPROJECT,
    ROOT,
    offline_environment,
    start,
    told,
    write_project,
    write_wheel,
)

from StrokeCommand import launcher, launcher_progress, launcher_setup

VENV_PYTHON = launcher.VENV_PYTHON.relative_to(launcher.VENV)


def files_of(python):
    """Return every path in the folder that takes a Python's packages, compiled files apart."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.strip())
    return {str(path.relative_to(site)) for path in site.rglob("*") if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """One checkout after its first start, what the Python that ran it held before, and what that start printed."""
    project = write_project(tmp_path_factory.mktemp("first") / "checkout")
    before = files_of(FRESH_PYTHON)
    return project, before, start(project, "demo", "-o", "out")


@pytest.fixture
def ready(first, tmp_path):
    """A checkout of one's own, after its first start: a copy, so every test also stands for a moved checkout."""
    shutil.copytree(first[0], tmp_path / "checkout", symlinks=True)
    return tmp_path / "checkout"


def test_first_start_installs_says_so_and_hands_over(first):
    project, _, done = first
    answer = told(done)
    assert answer["arguments"] == ["demo", "-o", "out"]
    assert Path(answer["prefix"]) == project / ".venv"
    assert answer["packages"] == {"tinybase": "1.0", "tinyslicer": "1.0"}
    assert Path(answer["from_predict"]) == project / "StrokePredict" / "from_predict.py"
    for number in (1, 2, 3):
        assert f"[{number}/3]" in done.stderr
    assert "tinybase" in (project / ".venv" / "setup.log").read_text()


def test_first_start_leaves_the_python_that_ran_it_alone(first):
    project, before, done = first
    told(done)
    assert files_of(FRESH_PYTHON) == before
    assert any(path.endswith(".pth") for path in files_of(project / ".venv" / VENV_PYTHON))


def test_a_later_start_is_quick_and_starts_no_pip(ready):
    log = (ready / ".venv" / "setup.log").read_bytes()
    seconds = []
    for _ in range(3):
        begun = time.monotonic()
        done = start(ready, "demo")
        seconds.append(time.monotonic() - begun)
        told(done)
        assert done.stderr == ""
    assert min(seconds) < 1.0
    assert (ready / ".venv" / "setup.log").read_bytes() == log


def test_the_commands_exit_code_is_the_launchers(ready):
    assert start(ready, "fail").returncode == 7


def test_from_another_folder_and_through_a_link(ready, tmp_path):
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    (elsewhere / "tinybase.py").write_text("raise SystemExit('the wrong tinybase')")
    link = elsewhere / "link"
    try:
        link.symlink_to(ready / "stroke")
    except OSError:
        pytest.skip("this system allows no symbolic links")
    for called in (ready / "stroke", link):
        answer = told(start(ready, "demo", "a file.nii.gz", cwd=elsewhere, launcher=called))
        assert answer["arguments"] == ["demo", "a file.nii.gz"]
        assert Path(answer["folder"]) == elsewhere
        assert Path(answer["tinybase"]).is_relative_to(ready / ".venv")


def test_another_pythons_packages_stay_out(ready, tmp_path):
    (tmp_path / "tinybase.py").write_text("raise SystemExit('the wrong tinybase')")
    told(start(ready, "demo", env=offline_environment(ready, PYTHONPATH=str(tmp_path))))


def test_the_test_command_adds_its_packages_which_then_stay(ready):
    expected = {"tinybase": "1.0", "tinyslicer": "1.0", "tinydev": "1.0"}
    assert told(start(ready, "test", "--slow"))["packages"] == expected
    done = start(ready, "demo")
    assert told(done)["packages"] == expected
    assert done.stderr == ""


def test_a_changed_list_of_packages_is_followed(ready):
    (ready / "pyproject.toml").write_text(PYPROJECT.replace('"tinybase>=1"', '"tinybase>=1", "tinynew"'))
    assert "tinynew" in told(start(ready, "demo"))["packages"]


def test_an_environment_of_another_python_version_is_not_trusted(ready):
    stamp = ready / ".venv" / "stroke-stamp.json"
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "python": "3.9"}))
    done = start(ready, "demo")
    told(done)
    assert "ready after" in done.stderr
    assert json.loads(stamp.read_text())["python"] == f"{sys.version_info[0]}.{sys.version_info[1]}"


# PyTorch's build ------------------------------------------------------------------------------------------------------

REQUIREMENT = "torch>=2.4"


@pytest.mark.parametrize(
    ("platform", "gpu", "answers", "named", "expected"),
    [
        ("linux", False, True, "", (REQUIREMENT, ["--index-url", launcher_setup.TORCH_CPU_INDEX])),
        ("linux", False, False, "", ("torch==2.13.0", [])),
        ("linux", True, True, "", (REQUIREMENT, [])),
        ("darwin", False, True, "", (REQUIREMENT, [])),
        ("win32", False, True, "", (REQUIREMENT, [])),
        (
            "linux",
            True,
            True,
            "https://index.example/simple",
            (REQUIREMENT, ["--index-url", "https://index.example/simple"]),
        ),
    ],
)
def test_choice_of_pytorch(monkeypatch, platform, gpu, answers, named, expected):
    monkeypatch.delenv("PIP_NO_INDEX", raising=False)
    monkeypatch.setenv("STROKE_TORCH_INDEX", named)
    monkeypatch.setattr(launcher_setup.sys, "platform", platform)
    monkeypatch.setattr(launcher_setup, "has_nvidia_gpu", lambda: gpu)
    monkeypatch.setattr(launcher_setup, "answers", lambda address: answers)
    assert launcher_setup.torch_choice(REQUIREMENT)[:2] == expected


def test_pytorch_comes_from_the_index_that_the_variable_names(ready):
    (ready / "pyproject.toml").write_text(PYPROJECT.replace('"tinybase>=1"', '"tinybase>=1", "torch>=2.4"'))
    write_wheel(ready / "wheels", "torch", "2.13.0")
    simple = ready / "index" / "torch"
    wheel = write_wheel(simple, "torch", "2.12.0")
    (simple / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    env = offline_environment(ready, STROKE_TORCH_INDEX=simple.parent.as_uri())
    del env["PIP_NO_INDEX"], env["PIP_FIND_LINKS"]
    # Only PyTorch is missing, so that pip needs no other index for it.
    assert (
        told(start(ready, "demo", env={**env, "PIP_INDEX_URL": simple.parent.as_uri()}))["packages"]["torch"]
        == "2.12.0"
    )


@pytest.mark.skipif(launcher_setup.has_nvidia_gpu(), reason="this machine has a GPU: another build is right here")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the CPU build is chosen on Linux alone")
def test_without_gpu_and_index_the_known_pytorch_is_installed(ready):
    (ready / "pyproject.toml").write_text(PYPROJECT.replace('"tinybase>=1"', '"tinybase>=1", "torch>=2.4"'))
    for version in ("2.13.0", "2.99.0"):
        write_wheel(ready / "wheels", "torch", version)
    done = start(ready, "demo")
    assert told(done)["packages"]["torch"] == "2.13.0"
    assert "CPU index silent" in done.stderr


# Display and readability ----------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_a_step_is_one_line_written_over(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = launcher_progress.Progress(2)
    with progress.step("installing"):
        progress.follow("  Downloading scipy-1.17.1-cp311-cp311-linux_x86_64.whl (35.2 MB)\n")
        progress.follow("Installing collected packages: numpy, scipy\n")
    shown = sys.stderr.getvalue()
    assert shown.count("\n") == 1
    assert [
        words in shown for words in ("[1/2] installing", "downloading scipy, 35.2 MB", "unpacking 2 packages", "done")
    ]
    assert all(len(part) < shutil.get_terminal_size().columns for part in shown.replace("\n", "").split("\r"))


def test_an_old_python_is_told_off_in_one_line():
    source = (ROOT / "stroke").read_text()
    ast.parse(source, feature_version=(3, 6))
    pretend = "import sys; sys.version_info = (3, 9, 0, 'final', 0); sys.argv = ['stroke']; exec(sys.stdin.read())"
    done = subprocess.run([FRESH_PYTHON, "-c", pretend], input=source, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Python 3.11 or newer is needed, this is 3.9" in done.stderr


def test_a_lone_copy_of_the_launcher_is_told_off_in_one_line(tmp_path):
    shutil.copy(ROOT / "stroke", tmp_path)
    done = start(tmp_path, "demo")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no whole checkout" in done.stderr
