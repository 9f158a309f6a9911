"""Runs looked after from outside, by their files and processes."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib.training import control

SLEEPER = [sys.executable, "-c", "import time; 'StrokeTrainLib'; time.sleep(60)"]


@pytest.fixture
def process():
    started = subprocess.Popen(SLEEPER, start_new_session=True)
    yield started
    started.kill()
    started.wait()


def write(run, name, **facts):
    run.mkdir(exist_ok=True)
    (run / name).write_text(json.dumps(facts))


def status(run, pid, state="training", host=None, beat=None):
    host, beat = host or socket.gethostname(), time.time() if beat is None else beat
    write(run, "status.json", pid=pid, host=host, state=state, heartbeat=beat, epoch=3)


def wait(until, seconds=10.0):
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        time.sleep(0.02)
    return until()


def test_nothing_there(tmp_path):
    assert control.state_of(tmp_path).state == "none"


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_a_run_lives_is_paused_goes_on_and_is_stopped(tmp_path, process):
    run = tmp_path / "run"
    status(run, process.pid)
    write(run, "launch.json", job={}, host=socket.gethostname(), begun=1.0, pid=process.pid)
    found = control.state_of(run)
    assert (found.state, found.alive, found.here, found.pid) == ("training", True, True, process.pid)
    control.pause(run, True)
    assert wait(lambda: control.state_of(run).state == "paused")
    control.pause(run, False)
    assert wait(lambda: control.state_of(run).state == "training")
    control.stop(run)
    assert process.wait(10) == -signal.SIGTERM
    found = control.state_of(run)
    assert (found.state, found.alive) == ("stopped", False)  # it was asked, though it could not say a word


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_one_that_nobody_asked_is_lost_also_after_an_earlier_stop(tmp_path, process):
    run = tmp_path / "run"
    status(run, process.pid)
    write(run, "stop.json", pid=process.pid + 1, time=time.time())  # of the process before this one
    process.kill()
    process.wait()
    assert control.state_of(run).state == "lost"


def test_stopped_right_after_its_start(tmp_path):
    run = tmp_path / "run"
    control.launch(run, {"recipe": "baseline", "data": str(tmp_path), "seed": 0})
    begun = time.monotonic()
    control.stop(run)
    assert wait(lambda: not control.state_of(run).alive, 10)
    assert time.monotonic() - begun < 5
    assert control.state_of(run).state == "stopped"


def test_one_that_was_asked_before_it_began_does_not_begin(tmp_path):
    from StrokeTrainLib.training import detached

    begun = time.time()
    write(tmp_path, "launch.json", job={"recipe": "no-such-recipe"}, host=socket.gethostname(), begun=begun)
    write(tmp_path, "stop.json", pid=None, time=begun + 1)
    assert detached.main([str(tmp_path / "launch.json")]) == 130
    assert "error" not in json.loads((tmp_path / "launch.json").read_text())


@pytest.mark.parametrize("state", ["done", "failed", "stopped"])
def test_what_is_over_is_over(tmp_path, process, state):
    run = tmp_path / "run"
    status(run, 2**22 + 1, state)
    assert control.state_of(run).state == state
    assert not control.state_of(run).alive


def test_another_computers_run_lives_as_long_as_it_tells(tmp_path):
    run = tmp_path / "run"
    status(run, 1, host="elsewhere")
    found = control.state_of(run)
    assert (found.alive, found.here) == (True, False)
    with pytest.raises(StrokeError, match="elsewhere"):
        control.stop(run)
    status(run, 1, host="elsewhere", beat=time.time() - 2 * control.SILENT_S)
    assert control.state_of(run).state == "lost"


def test_another_program_that_got_the_number_is_not_the_run(tmp_path):
    if not Path("/proc/1").is_dir():
        pytest.skip("only Linux shows what a process is")
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], cwd="/")
    try:
        status(tmp_path, other.pid)
        assert control.state_of(tmp_path).state == "lost"
    finally:
        other.kill()
        other.wait()


def test_what_goes_wrong_at_the_start_is_told(tmp_path):
    run = tmp_path / "run"
    job = {"recipe": "no-such-recipe", "data": str(tmp_path), "seed": 0}
    assert control.launch(run, job).state == "starting"
    assert wait(lambda: not control.state_of(run).alive, 300)
    found = control.state_of(run)
    assert found.state == "failed"
    assert "no-such-recipe" in found.message
    assert not (run / "run.json").exists()


def test_a_refusal_of_a_run_that_a_panel_started_stays_where_the_panel_looks(tmp_path):
    from StrokeTrainLib.training import detached

    run = tmp_path / "run"
    job = {"recipe": "baseline", "data": str(tmp_path / "nowhere"), "seed": 0, "device": "cpu", "threads": 1}
    write(run, "launch.json", job=job, host=socket.gethostname(), begun=time.time())
    assert detached.main([str(run / "launch.json")]) == 2
    assert [path.name for path in run.iterdir()] == ["launch.json"]
    told = json.loads((run / "launch.json").read_text())
    write(run, "launch.json", **told | {"pid": 2**22 + 1})  # its process is gone
    found = control.state_of(run)
    assert (found.state, found.alive) == ("failed", False)
    assert "nowhere" in found.message


def test_a_second_run_in_one_folder_is_refused(tmp_path, process):
    run = tmp_path / "run"
    status(run, process.pid)
    with pytest.raises(StrokeError, match="another process"):
        control.launch(run, {"recipe": "baseline"})
    process.kill()
    process.wait()
    write(run, "run.json", format=1)
    with pytest.raises(StrokeError, match="holds a run already"):
        control.launch(run, {"recipe": "baseline"})
    write(run, "run.json", format=0)
    with pytest.raises(StrokeError, match="older version"):
        control.launch(run, {"resume": True})


def test_the_command_for_a_bigger_machine_is_what_stroke_train_takes(tmp_path):
    import typer.testing

    from StrokeCommand.main import app

    job = {"recipe": "no-such", "data": "/a b", "folds": 2, "seed": 3, "overrides": {"preset": "small"}}
    words = shlex.split(control.command_line(tmp_path / "run", job))
    assert words[:5] == ["torchrun", "--nproc-per-node=gpu", "-m", "StrokeCommand", "train"]
    answer = typer.testing.CliRunner().invoke(app, words[4:])
    assert "no recipe 'no-such'" in str(answer.exception) + answer.output
