"""Prepared once, whole or absent, and never stale."""

import multiprocessing
import os
from pathlib import Path

import pytest

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib.data.cache import cache_folder, key_of, made_once


def test_the_key_knows_size_time_path_and_parameters(tmp_path):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(b"12345")
    stamp = path.stat().st_mtime_ns
    first = key_of({"a": 1}, {"dwi": path})
    assert key_of({"a": 1}, {"dwi": path}) == first
    assert key_of({"a": 2}, {"dwi": path}) != first
    assert key_of({"a": 1}, {"adc": path}) != first
    path.write_bytes(b"12346")  # the same size, as a corrected label has, a moment later
    os.utime(path, ns=(stamp, stamp + 1))
    assert key_of({"a": 1}, {"dwi": path}) != first
    path.write_bytes(b"123456")
    os.utime(path, ns=(stamp, stamp))
    assert key_of({"a": 1}, {"dwi": path}) != first
    with pytest.raises(StrokeError, match="cannot be opened"):
        key_of({}, {"dwi": tmp_path / "gone"})


def test_the_folder_is_the_options_the_environments_or_the_users(tmp_path, monkeypatch):
    monkeypatch.setenv("STROKE_CACHE", str(tmp_path / "environment"))
    assert cache_folder(tmp_path / "given") == tmp_path / "given"
    assert cache_folder() == tmp_path / "environment"
    monkeypatch.delenv("STROKE_CACHE")
    assert cache_folder().parts[-2:] == ("StrokeInfarct", "prepared")


def test_made_once(tmp_path):
    calls = []

    def make(stage):
        calls.append(stage)
        (stage / "whole").write_text("x")

    for _ in range(3):
        assert made_once(tmp_path / "a" / "b", "whole", make) == tmp_path / "a" / "b"
    assert len(calls) == 1
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_what_fails_leaves_nothing_and_can_be_tried_again(tmp_path):
    def fail(stage):
        (stage / "half").write_text("x")
        raise StrokeError("no")

    with pytest.raises(StrokeError, match="no"):
        made_once(tmp_path / "b", "whole", fail)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "b").mkdir()  # as an interrupted removal leaves it
    made_once(tmp_path / "b", "whole", lambda stage: (stage / "whole").write_text("x"))
    assert (tmp_path / "b" / "whole").is_file()


def test_a_disk_that_refuses_is_told_in_one_line(tmp_path):
    def full(stage):
        raise OSError(28, "No space left on device")

    with pytest.raises(StrokeError, match="disk is full"):
        made_once(tmp_path / "b", "whole", full)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StrokeError, match="STROKE_CACHE"):
        made_once(tmp_path / "file" / "b", "whole", lambda stage: None)


def _race(folder: Path, barrier, log) -> None:
    def make(stage):
        barrier.wait(20)  # nobody has finished when the last one begins
        for n in range(40):
            (stage / str(n)).write_text(f"{os.getpid()}")
        (stage / "whole").write_text("x")

    made_once(folder, "whole", make)
    log.put({path.read_text() for path in folder.iterdir() if path.name != "whole"})


def test_several_processes_at_once_see_one_whole_folder(tmp_path):
    context = multiprocessing.get_context("fork")
    barrier, log = context.Barrier(3), context.Queue()
    folder = tmp_path / "b"
    workers = [context.Process(target=_race, args=(folder, barrier, log)) for _ in range(3)]
    for worker in workers:
        worker.start()
    seen = [log.get(timeout=30) for _ in workers]
    for worker in workers:
        worker.join(20)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]) == 1  # all its files are of one maker
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
