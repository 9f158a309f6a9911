"""Outputs are whole or absent."""

import subprocess
import sys

import pytest

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.output import replaced_folder, staged_folder, write_bytes, write_text


def write_and_break(folder, way=staged_folder):
    with way(folder) as stage:
        (stage / "x").write_text("new")
        raise ValueError("broken")


def test_files_arrive_together_and_others_stay(tmp_path):
    target = tmp_path / "new" / "out"
    target.mkdir(parents=True)
    (target / "old.txt").write_text("kept")
    with staged_folder(target) as stage:
        (stage / "sub").mkdir()
        (stage / "sub" / "a.txt").write_text("a")
        assert not (target / "sub").exists()
    assert (target / "sub" / "a.txt").read_text() == "a"
    assert sorted(p.name for p in target.iterdir()) == ["old.txt", "sub"]


def test_a_failure_leaves_nothing_not_even_the_folder(tmp_path):
    with pytest.raises(ValueError, match="broken"):
        write_and_break(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_what_was_there(tmp_path):
    (tmp_path / "x").write_text("old")
    with pytest.raises(ValueError, match="broken"):
        write_and_break(tmp_path)
    assert (tmp_path / "x").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_own_files_of_an_earlier_run_do_not_pass_for_this_ones(tmp_path):
    for name in ("mask_a.nii.gz", "mask_b.nii.gz", "notes.txt"):
        (tmp_path / name).write_text("old")
    with staged_folder(tmp_path, owns=["mask_*.nii.gz"]) as stage:
        (stage / "mask_a.nii.gz").write_text("new")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"mask_a.nii.gz": "new", "notes.txt": "old"}


def test_a_failed_run_keeps_the_earlier_one(tmp_path):
    (tmp_path / "x").write_text("old")
    with pytest.raises(ValueError, match="broken"), staged_folder(tmp_path, owns=["x"]):
        raise ValueError("broken")
    assert (tmp_path / "x").read_text() == "old"


def test_a_message_names_the_folder_that_the_user_chose(tmp_path):
    with pytest.raises(StrokeError) as caught, staged_folder(tmp_path / "out") as stage:
        write_bytes(stage / "no" / "a.txt", b"x")
    assert str(tmp_path / "out" / "no" / "a.txt") in str(caught.value)
    assert "unfinished" not in str(caught.value)


def test_a_file_in_the_way_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    for target in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StrokeError, match="file"), staged_folder(target):
            pass
    assert (tmp_path / "file").read_text() == "x"


def look(folder):
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_a_folder_is_replaced_as_a_whole_and_nobody_sees_it_half_written(tmp_path):
    target = tmp_path / "run" / "bundle"
    for number in ("1", "2"):
        before = look(target) if target.exists() else None
        with replaced_folder(target) as stage:
            (stage / "models").mkdir()
            (stage / "models" / number).write_text(number)
            assert (look(target) if target.exists() else None) == before
        assert look(target) == {f"models/{number}": number}
    assert [p.name for p in target.parent.iterdir()] == ["bundle"]
    assert target.stat().st_mode & 0o777 == target.parent.stat().st_mode & 0o777


def test_a_replacement_that_fails_leaves_what_was_there(tmp_path):
    target = tmp_path / "bundle"
    target.mkdir()
    (target / "x").write_text("old")
    with pytest.raises(ValueError, match="broken"):
        write_and_break(target, replaced_folder)
    with pytest.raises(StrokeError) as caught, replaced_folder(target) as stage:
        write_bytes(stage / "no" / "a.txt", b"x")
    assert str(target / "no" / "a.txt") in str(caught.value)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StrokeError, match="file"), replaced_folder(tmp_path / "file"):
        pass
    assert look(tmp_path) == {"bundle/x": "old", "file": "x"}


def test_write_text_uses_lf_and_replaces(tmp_path):
    write_text(tmp_path / "a", "one\n")
    write_text(tmp_path / "a", "two\n")
    assert (tmp_path / "a").read_bytes() == b"two\n"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_full_disk_is_one_line_and_leaves_the_old_file(tmp_path, stroke_environment):
    (tmp_path / "a").write_bytes(b"old")
    code = (
        "import resource, sys; from StrokePredictLib.io.output import write_bytes\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_bytes(sys.argv[1], b'x' * 5000)\n"
        "except Exception as e: print(type(e).__name__, e)"
    )
    command = [sys.executable, "-c", code, tmp_path / "a"]
    done = subprocess.run(command, capture_output=True, text=True, env=stroke_environment, check=True)
    assert done.stdout.startswith("StrokeError")
    assert "larger than allowed" in done.stdout
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_write_bytes_into_a_missing_folder(tmp_path):
    with pytest.raises(StrokeError, match="cannot write"):
        write_bytes(tmp_path / "no" / "a", b"x")
