"""Saving is whole or absent, and trouble is told in one line."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support.studies import make_study

pytest.importorskip("slicer", reason="slicer-core is not installed")

from StrokePredictLib.errors import StrokeError
from StrokePredictSlicer.scene import build_scene, open_scene, save_scene

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def scene():
    return build_scene(make_study())


def test_nothing_but_the_scene_is_left_beside_it(scene, tmp_path):
    save_scene(scene, tmp_path / "scene.mrb")
    assert [p.name for p in tmp_path.iterdir()] == ["scene.mrb"]
    with zipfile.ZipFile(tmp_path / "scene.mrb") as archive:
        assert archive.testzip() is None


def test_saving_over_an_old_scene_replaces_it(scene, tmp_path):
    path = tmp_path / "scene.mrb"
    path.write_bytes(b"old")
    save_scene(scene, path)
    assert zipfile.is_zipfile(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on file size")
@pytest.mark.parametrize("kilobytes", [0, 4, 100, 500, 800])
def test_a_full_disk_is_one_line_and_leaves_the_old_file(tmp_path, kilobytes):
    """A limit on file size stands in for a full disk; a process of its own, as the limit holds for all of it."""
    path = tmp_path / "scene.mrb"
    path.write_bytes(b"old")
    script = f"""
import resource, sys
sys.path[:0] = {[str(ROOT / "StrokePredict"), str(ROOT / "Testing")]!r}
from support.studies import make_study
from StrokePredictLib.errors import StrokeError
from StrokePredictSlicer.scene import build_scene, save_scene
scene = build_scene(make_study("oblique"))
resource.setrlimit(resource.RLIMIT_FSIZE, ({kilobytes * 1024}, resource.RLIM_INFINITY))
try:
    save_scene(scene, {str(path)!r})
except StrokeError as error:
    print(error)
    sys.exit(2)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stdout.count("\n") == 1
    assert str(path) in done.stdout
    assert "disk" in done.stdout
    assert "Traceback" not in done.stderr
    assert "ERR" not in done.stderr
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["scene.mrb"]


def test_a_folder_that_is_missing_is_named(scene, tmp_path):
    with pytest.raises(StrokeError, match="does not exist"):
        save_scene(scene, tmp_path / "nowhere" / "scene.mrb")


def test_another_ending_is_refused(scene, tmp_path):
    with pytest.raises(StrokeError, match=r"\.mrb"):
        save_scene(scene, tmp_path / "scene.zip")
    assert not list(tmp_path.iterdir())


def test_a_missing_scene_and_a_broken_one_are_told_apart(tmp_path):
    with pytest.raises(StrokeError, match="no such file"):
        open_scene(tmp_path / "scene.mrb")
    broken = tmp_path / "broken.mrb"
    broken.write_bytes(b"no zip at all")
    with pytest.raises(StrokeError, match="no Slicer scene"):
        open_scene(broken)
    with zipfile.ZipFile(tmp_path / "empty.mrb", "w") as archive:
        archive.writestr("empty/readme.txt", "nothing")
    with pytest.raises(StrokeError, match="cannot be opened"):
        open_scene(tmp_path / "empty.mrb")
