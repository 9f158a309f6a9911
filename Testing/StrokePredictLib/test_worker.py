"""The worker as a process: its protocol, cancel, death, and one path through the jobs."""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.models import make_case, write_test_bundle

import StrokePredictLib
from StrokePredictLib import jobs
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image
from StrokePredictLib.job_folder import JobFolder
from StrokePredictLib.worker_client import environment
from StrokePredictLib.worker_process import WorkerProcess
from StrokePredictLib.worker_protocol import MANIFEST, encode, manifest, read_manifest

HERE = Path(StrokePredictLib.__file__).parent
posix = pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX's; Windows ends trees with taskkill")

#: Jobs of the tests' own, offered to the worker through a sitecustomize module.
TEST_JOBS = '''
import os, subprocess, sys, time
from pathlib import Path

def chatter(output, progress, words="hello"):
    print("this goes to stderr and breaks no protocol")
    os.system("echo a child prints too")
    import warnings
    warnings.warn("look out")
    progress(0.5, words)
    Path(output).mkdir(exist_ok=True)
    path = Path(output) / "answer.txt"
    path.write_text(words)
    return {"files": [str(path)], "pid": os.getpid(), "group": os.getpgrp(), "words": words}

def linger(output, progress):
    Path(output).mkdir(exist_ok=True)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (Path(output) / "child.txt").write_text(str(child.pid))
    (Path(output) / "half.nrrd").write_text("half")
    progress(0.1, "lingering")
    time.sleep(600)

def fault(progress):
    raise KeyError("ours")

def full(output, progress):
    raise OSError(28, "No space left on device")
'''
CUSTOMIZE = """
import sys
from StrokePredictLib import jobs
for name in ("chatter", "linger", "fault", "full"):
    jobs.JOBS[name] = "worker_test_jobs:" + name
"""


@pytest.fixture(scope="module")
def with_test_jobs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    (folder / "worker_test_jobs.py").write_text(TEST_JOBS)
    (folder / "sitecustomize.py").write_text(CUSTOMIZE)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), *([before] if before else [])])
    os.environ["OMP_NUM_THREADS"] = "1"
    yield
    os.environ["PYTHONPATH"] = before or ""


@pytest.fixture(scope="module")
def worker(with_test_jobs):
    with WorkerProcess() as process:
        yield process


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(OSError):  # a zombie is dead
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


@pytest.mark.parametrize("command", [["-m", "StrokePredictLib.worker"], [str(HERE / "worker.py")]])
def test_started_by_name_or_by_path_it_reports_and_ends_with_its_input(with_test_jobs, command, tmp_path):
    request = {"id": "7", "job": "chatter", "parameters": {"output": str(tmp_path / "out")}, "folder": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, *command], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    process.stdin.write(encode(request))
    process.stdin.flush()
    events = []
    while not events or events[-1]["event"] not in ("done", "error"):
        events.append(json.loads(process.stdout.readline()))
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert rest == ""
    ready, done = events[0], events[-1]
    assert (ready["event"], ready["pid"], ready["protocol"]) == ("ready", process.pid, 1)
    assert {"event": "progress", "id": "7", "fraction": 0.5, "message": "hello"} in events
    assert any(event["event"] == "log" and "look out" in event["message"] for event in events)
    assert done == {"event": "done", "id": "7", "manifest": str(tmp_path / MANIFEST)}
    assert "this goes to stderr" in errors
    assert "a child prints too" in errors
    assert read_manifest(tmp_path / MANIFEST, "7")["words"] == "hello"


@posix
def test_it_leads_a_process_group_of_its_own(worker, tmp_path):
    result = worker.run("chatter", {"output": str(tmp_path / "o")}, tmp_path)
    assert result["group"] == result["pid"] == worker.client.pid
    assert result["group"] != os.getpgrp()


def test_it_stays_warm(worker, tmp_path):
    pids = {worker.run("chatter", {"output": str(tmp_path / "o")}, tmp_path)["pid"] for _ in range(3)}
    assert len(pids) == 1


def test_nonsense_lines_do_not_end_it(with_test_jobs, tmp_path):
    request = {"id": "1", "job": "chatter", "parameters": {"output": str(tmp_path / "o")}, "folder": str(tmp_path)}
    lines = ["nonsense\n", "[1]\n", '{"id": 1}\n', encode(request)]
    process = subprocess.Popen(
        [sys.executable, "-m", "StrokePredictLib.worker"], env=environment(), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8",
    )  # fmt: skip
    process.stdin.write("".join(lines))
    process.stdin.flush()
    events = []
    while not events or events[-1]["event"] != "done":
        events.append(json.loads(process.stdout.readline()))
    process.communicate(timeout=60)
    assert sum(event["event"] == "error" and "not a job" in event["message"] for event in events) == 3


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ("fault", "a fault of the software, not of your data: KeyError: 'ours'"),
        ("full", "a fault of the software.*No space left"),
        ("nothing", "^no job 'nothing'"),
    ],
)
def test_errors_in_one_line_and_the_worker_lives_on(worker, tmp_path, job, words):
    parameters = {"output": str(tmp_path / "o")} if job == "full" else {}
    with pytest.raises(StrokeError, match=words) as caught:
        worker.run(job, parameters, tmp_path)
    assert "\n" not in str(caught.value)
    assert worker.run("chatter", {"output": str(tmp_path / "o")}, tmp_path)["words"] == "hello"


def test_a_manifest_that_cannot_be_written_is_no_success(worker, tmp_path):
    with pytest.raises(StrokeError, match="cannot write"):
        worker.run("chatter", {"output": str(tmp_path / "o")}, tmp_path / "absent")


def test_done_counts_only_with_a_whole_manifest(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("12345")
    place = tmp_path / MANIFEST
    place.write_text(encode(manifest("1", "j", {"files": [str(path)], "x": 2})))
    assert read_manifest(place, "1")["x"] == 2
    with pytest.raises(StrokeError, match="not whole"):
        read_manifest(place, "2")  # of another job
    path.write_text("123")
    with pytest.raises(StrokeError, match="not whole"):
        read_manifest(place, "1")
    path.unlink()
    with pytest.raises(StrokeError, match="not whole"):
        read_manifest(place, "1")
    place.write_text('{"id": "1"')
    with pytest.raises(StrokeError, match="not whole"):
        read_manifest(place, "1")


@posix
def test_cancel_ends_the_whole_group_within_two_seconds_and_leaves_nothing(worker):
    with JobFolder() as folder:
        out = folder.result
        started, failures = [], []
        worker.client.submit(
            "linger", {"output": str(out)}, folder.path, on_progress=lambda f, w: started.append(w),
            on_error=failures.append,
        )  # fmt: skip
        worker.pump(lambda: bool(started))
        pid, child = worker.client.pid, int((out / "child.txt").read_text())
        assert alive(pid)
        assert alive(child)
        begin = time.monotonic()
        worker.cancel()
        while alive(pid) or alive(child):
            assert time.monotonic() - begin < 2
            time.sleep(0.01)
        assert failures == ["cancelled; nothing was changed."]
        assert not (folder.path / MANIFEST).exists()
    assert not folder.path.exists()


def test_after_a_cancel_the_next_job_starts_a_new_worker(worker, tmp_path):
    before = worker.client.pid
    result = worker.run("chatter", {"output": str(tmp_path / "o")}, tmp_path)
    assert result["pid"] != before


@posix
def test_a_killed_worker_is_reported_and_started_again(worker, tmp_path):
    started, failures, answers = [], [], []
    out = tmp_path / "o"
    worker.client.submit(
        "linger", {"output": str(out)}, tmp_path, on_progress=lambda f, w: started.append(w), on_error=failures.append
    )
    worker.client.submit("chatter", {"output": str(out)}, tmp_path, on_done=answers.append)
    worker.pump(lambda: bool(started))
    pid, child = worker.client.pid, int((out / "child.txt").read_text())
    os.kill(pid, 9)
    os.kill(child, 9)
    worker.pump(lambda: bool(answers))
    assert len(failures) == 1
    assert "ended in mid-job (killed" in failures[0]
    assert answers[0]["pid"] == worker.client.pid != pid  # the job that waited ran in the new one


@posix
def test_when_whoever_asked_dies_the_worker_goes_too_and_clears_up(with_test_jobs, tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    request = {"id": "1", "job": "linger", "parameters": {"output": str(folder / "o")}, "folder": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-m", "StrokePredictLib.worker"], env=environment(), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8",
    )  # fmt: skip
    process.stdin.write(encode(request))
    process.stdin.flush()
    while json.loads(process.stdout.readline())["event"] != "progress":
        pass
    child = int((folder / "o" / "child.txt").read_text())
    process.stdin.close()
    assert process.wait(timeout=10) == 1
    assert not folder.exists()
    os.kill(child, 9)


def test_a_python_that_cannot_run_it_is_reported_once(tmp_path):
    with WorkerProcess() as process:
        start = process.client.start
        process.client.start = lambda command, *rest: start([command[0], "-c", "raise SystemExit(3)"], *rest)
        with pytest.raises(StrokeError, match=r"the worker cannot start \(exit code 3\)"):
            process.run("check", {}, tmp_path)


def test_stop_ends_an_idle_worker(with_test_jobs, tmp_path):
    process = WorkerProcess()
    pid = process.run("chatter", {"output": str(tmp_path / "o")}, tmp_path)["pid"]
    process.client.stop()
    assert not alive(pid)
    assert process.client.pid is None


def test_the_client_s_side_imports_nothing_heavy():
    code = (
        "import sys\nfrom StrokePredictLib import job_folder, worker_client, worker_process\n"
        "print([m for m in ('torch', 'monai', 'pandas', 'pydantic', 'matplotlib', 'nibabel') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def models(tmp_path, monkeypatch):
    return write_test_bundle(tmp_path / "models" / "m", "debs2021", "m")


def test_the_worker_s_prediction_is_the_command_line_s(worker, models, tmp_path):
    """One path through the jobs; volumes travel as uncompressed .nrrd and come back on their grid."""
    case = make_case(roles=("dwi", "adc"))
    with JobFolder() as folder:
        files = folder.put(case.volumes)
        assert {Path(path).name for path in files.values()} == {"dwi.nrrd", "adc.nrrd", "brain.nrrd"}
        for path in files.values():
            assert b"encoding: raw" in Path(path).read_bytes()[:1000]
        common = {"files": files, "models": [str(models)], "device": "cpu", "form": ".nrrd"}
        result = worker.run("predict", {"output": str(folder.result), **common}, folder.path)
        here = jobs.run("predict", output=tmp_path / "here", **common)
        for path in result["files"]:
            other = tmp_path / "here" / Path(path).name
            if path.endswith(".nrrd"):
                assert b"encoding: raw" in Path(path).read_bytes()[:1000]
                found, expected = (read_image(p, may_be_empty=True) for p in (path, other))
                assert np.abs(found.array - expected.array).max() < 1e-5
                assert found.same_grid(case.reference)
        assert result["prediction"]["models"][0]["volume_ml"] == here["prediction"]["models"][0]["volume_ml"]
    assert not folder.path.exists()


def test_a_missing_package_is_named_and_is_no_fault(tmp_path, monkeypatch):
    """A fresh Slicer lacks the worker's packages: the reader is told which, and where to get them."""
    import io
    import json

    from StrokePredictLib import jobs
    from StrokePredictLib.worker import Worker

    monkeypatch.setitem(jobs.JOBS, "lacking", "no_such_package_anywhere:run")
    channel = io.StringIO()
    request = {"id": "1", "job": "lacking", "parameters": {}, "folder": str(tmp_path)}
    Worker(io.StringIO(), channel)._handle(json.dumps(request))
    said = json.loads(channel.getvalue().splitlines()[-1])
    assert said["kind"] == "mistake"
    assert "no_such_package_anywhere" in said["message"]
    assert "Environment" in said["message"]
