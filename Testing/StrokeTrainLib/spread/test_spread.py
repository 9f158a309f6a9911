"""Work spread over processes: a real scheduler, real workers, one of them killed; receipts; bad ends."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib.spread.ledger import Ledger, key_of
from StrokeTrainLib.spread.work import spread

REPOSITORY = Path(__file__).resolve().parents[3]
#: What the workers call: writes one file whole, and into a journal when it began and ended.
CASES = """
import os, time
from pathlib import Path
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.output import staged_folder

def case(name, folder, seconds=0.0):
    journal = Path(folder) / "journal"
    with journal.open("a") as stream:
        stream.write(f"begin {name} {os.getpid()}\\n")
    time.sleep(seconds)
    if name == "bad":
        raise StrokeError("bad: cannot be done;\\n choose another")
    if name == "worse":
        raise ZeroDivisionError("oh")
    out = Path(folder) / name
    with staged_folder(out) as stage:
        (stage / "result.txt").write_text(name)
    with journal.open("a") as stream:
        stream.write(f"end {name} {os.getpid()}\\n")
    return {"files": [str(out / "result.txt")], "process": os.getpid()}
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Put the function where this process and its workers find it."""
    place = tmp_path / "python"
    place.mkdir()
    (place / "small_cases.py").write_text(CASES)
    monkeypatch.syspath_prepend(str(place))
    sys.modules.pop("small_cases", None)
    paths = [str(place), *(str(REPOSITORY / name) for name in ("StrokePredict", "StrokeTrain"))]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    return "small_cases:case"


def journal(folder):
    """Return the journal's lines as (word, name, process)."""
    path = folder / "journal"
    return [tuple(line.split()) for line in path.read_text().splitlines()] if path.exists() else []


def cases(folder, *names, seconds=0.0):
    return {name: {"name": name, "folder": str(folder), "seconds": seconds} for name in names}


def until(what, seconds=60.0):
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


@pytest.fixture
def scheduler(tmp_path, module):
    """Start a scheduler and two workers as processes of their own; give its address and the workers."""
    file = tmp_path / "scheduler.json"
    code = "import sys; from distributed.cli.dask_{0} import main; sys.argv[0] = 'dask'; main()"
    common = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    arguments = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    started = [subprocess.Popen([sys.executable, "-c", code.format("scheduler"), *arguments], **common)]
    try:
        until(file.exists)
        for name in ("one", "two"):
            arguments = ["--scheduler-file", str(file), "--nthreads", "1", "--no-nanny", "--no-dashboard"]
            arguments += ["--host", "127.0.0.1", "--name", name, "--local-directory", str(tmp_path / name)]
            started.append(subprocess.Popen([sys.executable, "-c", code.format("worker"), *arguments], **common))
        until(lambda: bool(file.read_text().strip()))
        yield json.loads(file.read_text())["address"], started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_one_of_two_workers_killed_half_way_every_case_is_done_and_none_twice(module, scheduler, tmp_path):
    address, workers = scheduler
    names = [f"case-{n:02d}" for n in range(8)]
    killed = []

    def kill():
        """Kill the first worker that has done a case and is at its second."""
        pids = [str(worker.pid) for worker in workers]

        def at_its_second():
            seen = journal(tmp_path)
            for pid in pids:
                begun, ended = (sum(w == word and p == pid for w, _, p in seen) for word in ("begin", "end"))
                others = any(word == "begin" and p != pid for word, _, p in seen)
                if others and ended == 1 and begun == 2:
                    killed.append(pid)
                    return True
            return False

        until(at_its_second)
        os.kill(int(killed[0]), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    ledger = tmp_path / "ledger"
    told = []
    found = spread(
        module, cases(tmp_path, *names, seconds=0.8), ledger=ledger, scheduler=address,
        progress=lambda fraction, words: told.append(fraction),
    )  # fmt: skip
    killer.join()

    assert sorted(found.done) == names
    assert (found.failed, found.skipped, found.left) == ({}, {}, [])
    seen = journal(tmp_path)
    ended = [name for word, name, _ in seen if word == "end"]
    assert sorted(ended) == names
    # The killed worker's second case, and no other, was begun again; what it had ended was not.
    begun = [name for word, name, _ in seen if word == "begin"]
    lost = [name for word, name, pid in seen if pid == killed[0] and word == "begin"][1]
    assert sorted(begun) == sorted([*names, lost])
    assert [pid for word, name, pid in seen if word == "end" and name == lost] != [killed[0]]
    assert {Path(path).read_text() for result in found.done.values() for path in result["files"]} == set(names)
    assert told[-1] == 1.0
    assert told == sorted(told)

    # Asked again, nothing is begun.
    again = spread(module, cases(tmp_path, *names, seconds=0.8), ledger=ledger, scheduler=address)
    assert sorted(again.skipped) == names
    assert journal(tmp_path) == seen


def test_local_workers_do_all_and_one_fault_ends_nothing(module, tmp_path):
    names = ("a", "bad", "b", "worse", "c/d e")
    found = spread(module, cases(tmp_path, *names), ledger=tmp_path / "ledger", workers=2)
    assert sorted(found.done) == ["a", "b", "c/d e"]
    assert found.failed == {
        "bad": "bad: cannot be done; choose another", "worse": "fault of the software: ZeroDivisionError: oh",
    }  # fmt: skip
    assert all(int(worker.split(":")[1]) != os.getpid() for worker in found.workers)
    # A failed item has no receipt: it is tried again, the others are not.
    again = spread(module, cases(tmp_path, *names), ledger=tmp_path / "ledger", workers=1)
    assert (sorted(again.skipped), sorted(again.failed)) == (["a", "b", "c/d e"], ["bad", "worse"])


def test_other_parameters_or_lost_files_are_done_again(module, tmp_path):
    def ask(seconds):
        return spread(module, cases(tmp_path, "a", seconds=seconds), ledger=tmp_path / "ledger", workers=1)

    assert list(ask(0.0).done) == ["a"]
    assert list(ask(0.0).skipped) == ["a"]
    assert list(ask(0.01).done) == ["a"]
    (tmp_path / "a" / "result.txt").unlink()
    assert list(ask(0.01).done) == ["a"]
    (tmp_path / "ledger" / "a.json").write_text("half a rec")
    assert list(ask(0.01).done) == ["a"]


def test_stopped_in_the_midst_what_is_done_stays(module, tmp_path):
    names = [f"case-{n}" for n in range(20)]
    found = spread(
        module, cases(tmp_path, *names, seconds=0.3), ledger=tmp_path / "ledger", workers=2,
        stop=lambda: sum(word == "end" for word, _, _ in journal(tmp_path)) >= 2,
    )  # fmt: skip
    assert len(found.left) >= 14
    assert sorted([*found.done, *found.left]) == sorted(names)
    for name in names:
        # Whole or absent, also what was at work when it was stopped.
        assert not list((tmp_path / name).glob("result*")) or (tmp_path / name / "result.txt").read_text() == name


def test_two_at_once_never_do_the_same_item(tmp_path):
    ledger, running, most = Ledger(tmp_path / "ledger"), [], []

    def work():
        running.append(1)
        most.append(len(running))
        time.sleep(0.05)
        running.pop()
        return {"files": []}

    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ledger.once("a", "key", work)[1])) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert sorted(answers) == [False] * 5 + [True]


def test_an_answer_that_died_with_its_worker_is_this_calls_own_work(tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    assert ledger.once("a", "key", dict, "call one")[1]
    assert ledger.once("a", "key", dict, "call one")[1]
    assert not ledger.once("a", "key", dict, "call two")[1]


def test_the_key_does_not_depend_on_the_order_of_parameters():
    assert key_of("m:f", {"a": 1, "b": 2}) == key_of("m:f", {"b": 2, "a": 1}) != key_of("m:g", {"a": 1, "b": 2})
    with pytest.raises(StrokeError, match="cannot be sent"):
        key_of("m:f", {"a": object()})


def test_what_cannot_begin_is_one_line(module, tmp_path, monkeypatch):
    monkeypatch.setattr("StrokeTrainLib.spread.cluster.PATIENCE", 1)
    items = cases(tmp_path, "a", "b")
    with pytest.raises(StrokeError, match=r"--scheduler tcp://127\.0\.0\.1:9: no scheduler answers there"):
        spread(module, items, ledger=tmp_path / "ledger", scheduler="tcp://127.0.0.1:9")
    with pytest.raises(StrokeError, match="no scheduler answers"):
        spread(module, items, ledger=tmp_path / "ledger", scheduler="file:/nowhere/scheduler.json")
    with pytest.raises(StrokeError, match="no function 'small_cases:nothing'"):
        spread("small_cases:nothing", items, ledger=tmp_path / "ledger")
    with pytest.raises(StrokeError, match="at least 1"):
        spread(module, items, ledger=tmp_path / "ledger", workers=0)
    (tmp_path / "file").write_text("")
    found = spread(module, items, ledger=tmp_path / "file" / "ledger", workers=1)
    assert set(found.failed) == {"a", "b"}
    assert "cannot write" in found.failed["a"]
    assert spread(module, {}, ledger=tmp_path / "ledger").done == {}
    assert journal(tmp_path) == []
