"""A small checkout with a copy of the launcher and packages of a few bytes, to run the launcher for real, offline."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAUNCHER_FILES = ("stroke", *(f"StrokeTrain/StrokeCommand/launcher{part}.py" for part in ("", "_progress", "_setup")))
# The Python of a fresh machine: not the environment in which the tests run.
FRESH_PYTHON = getattr(sys, "_base_executable", None) or sys.executable

PYPROJECT = """[project]
name = "small"
version = "1"
dependencies = ["tinybase>=1"]
[project.optional-dependencies]
slicer = ["tinyslicer"]
dev = ["tinydev"]
"""

# The stand-in for the command line tells how it was started.
COMMAND = """import json, os, sys, importlib.metadata as metadata
found = {}
for name in ("tinybase", "tinyslicer", "tinydev", "tinynew", "torch"):
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
import tinybase, from_predict
print(json.dumps({"arguments": sys.argv[1:], "folder": os.getcwd(), "prefix": sys.prefix, "packages": found,
                  "tinybase": tinybase.__file__, "from_predict": from_predict.__file__}))
sys.exit(7 if "fail" in sys.argv else 0)
"""


def write_wheel(folder: Path, name: str, version: str, source: str = "") -> Path:
    """Write a wheel with one module, by the wheel format's specification."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text.encode())}")
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel


def write_project(folder: Path) -> Path:
    """Write the small checkout with its wheels; returns its folder."""
    for name in LAUNCHER_FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "StrokeTrain/StrokeCommand/__init__.py").touch()
    (folder / "StrokeTrain/StrokeCommand/__main__.py").write_text(COMMAND)
    (folder / "StrokePredict").mkdir()
    (folder / "StrokePredict/from_predict.py").touch()
    for name in ("tinybase", "tinyslicer", "tinydev", "tinynew"):
        write_wheel(folder / "wheels", name, "1.0")
    return folder


def offline_environment(project: Path, **more: str) -> dict[str, str]:
    """Return an environment in which pip sees the project's wheels and nothing else."""
    kept = {k: v for k, v in os.environ.items() if not k.upper().startswith(("PIP_", "STROKE_", "PYTHON"))}
    wheels = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(project / "wheels"), "PIP_CONFIG_FILE": os.devnull}
    return {**kept, **wheels, **more}


def environment_with_index(project: Path, address: str) -> dict[str, str]:
    """Return an environment in which pip knows one index, and soon gives up asking it."""
    environment = offline_environment(project, PIP_INDEX_URL=address, PIP_RETRIES="1", PIP_DEFAULT_TIMEOUT="2")
    del environment["PIP_NO_INDEX"], environment["PIP_FIND_LINKS"]
    return environment


def start(project: Path, *arguments: str, python: str | Path = FRESH_PYTHON, env=None, launcher=None, **more):
    """Run the launcher to its end; returns the completed process with its output as text."""
    command = [str(python), str(launcher or project / "stroke"), *arguments]
    env = env or offline_environment(project)
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False, **more)


def told(done) -> dict:
    """Return what the stand-in for the command line printed, after a start that must have succeeded."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def the_one_line(done) -> str:
    """Return the line that says why a start could not go on; fails if there is more than that line."""
    assert done.returncode == 2, (done.returncode, done.stderr)
    progress = ("stroke: [", "stroke:       ", "stroke: setting up ", "stroke: adding packages ")
    lines = [line for line in done.stderr.splitlines() if not line.startswith(progress)]
    assert len(lines) == 1, done.stderr
    assert not done.stdout
    return lines[0]
