"""The library as pip installs it, without a checkout: every file of the packages, found from where they lie."""

import importlib.util
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from support.cmake_lists import MODULES, RESOURCES, ROOT, SCRIPTS, present_files


def package_files() -> set[str]:
    """Return every file of the packages, as it must lie in a wheel."""
    files = {path for module in MODULES for kind in (SCRIPTS, RESOURCES) for path in present_files(ROOT / module, kind)}
    return {path for path in files if "/" in path and not path.startswith("Resources/")}


def packages_there() -> set[str]:
    """Return the dotted name of every folder that is a package."""
    return {str(Path(path).parent).replace(os.sep, ".") for path in package_files() if path.endswith("/__init__.py")}


def test_pyproject_lists_every_package():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert set(pyproject["tool"]["setuptools"]["packages"]) == packages_there()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    if importlib.util.find_spec("setuptools") is None or importlib.util.find_spec("pip") is None:
        pytest.skip("needs pip and setuptools here, to build a wheel without a network")
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"
    copy.mkdir()
    # From a copy, because setuptools leaves a build folder in its source.
    for name in package_files():
        module = next(module for module in MODULES if (ROOT / module / name).is_file())
        (copy / module / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / module / name).write_bytes((ROOT / module / name).read_bytes())
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-q",
        "-w",
        str(folder),
        str(copy),
    ]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_every_file_of_the_packages(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == package_files()


def test_installed_copy_imports_and_finds_its_data(wheel, tmp_path):
    site = tmp_path / "site"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-index",
        "-q",
        "--target",
        str(site),
        str(wheel),
    ]
    assert subprocess.run(install, capture_output=True, check=False).returncode == 0
    code = """
import pathlib, StrokePredictLib
from StrokePredictLib.phantom import anatomy
from StrokePredictLib import jobs
here = pathlib.Path(StrokePredictLib.__file__).parent
print(here)
print(sorted(path.name for path in (here / "data").iterdir()))
"""
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == str(site / "StrokePredictLib")
    for path in (ROOT / "StrokePredict" / "StrokePredictLib" / "data").iterdir():
        assert path.name in done.stdout
