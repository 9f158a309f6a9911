"""Real processes, killed for real."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support.small_cohort import SMALL, write_cohort
from support.training import small_parts

from StrokeTrainLib.training.begin import Options
from StrokeTrainLib.training.checkpoints import BEST, LAST, PREVIOUS, read_checkpoint
from StrokeTrainLib.training.engine import FoldTraining
from StrokeTrainLib.training.parts import Rules
from StrokeTrainLib.training.train import recipe_for, train

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")

#: Trains the tiny network; says each epoch and each step on stdout.
CHILD = """
import sys, time, torch
from pathlib import Path
torch.set_num_threads(1)
from support.training import small_parts
from StrokeTrainLib.training import checkpoints
from StrokeTrainLib.training.engine import FoldTraining
from StrokeTrainLib.training.parts import Rules
from StrokeTrainLib.training.stop import stoppable
folder, pause, how = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
if how == "slow disk":
    save = torch.save
    def slowly(content, file, **more):
        save(content, file, **more)
        print("writing", flush=True)
        time.sleep(0.3)
    torch.save = slowly
if how == "full":
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), int(sys.argv[4])))
parts = small_parts(pause=pause)
if how == "long step":
    import hashlib, threading
    loss = parts.loss_of
    def long_loss(output, y):
        # Said from beside, so that the step is under way by then: before it, Python would hear the signal itself.
        threading.Timer(0.5, lambda: print("long", flush=True)).start()
        hashlib.pbkdf2_hmac("sha256", b"", b"", 2 * 10**8)  # minutes in which Python hears nothing
        return loss(output, y)
    parts.loss_of = long_loss
say = lambda facts: print("step", facts["epoch"], facts["step"], flush=True)
done = lambda facts: print("epoch", facts["epoch"], flush=True)
with stoppable(lambda: print("last words", flush=True)):
    FoldTraining(parts, Rules(epochs=5, monitor="dice"), folder, on_iteration=say, on_epoch=done).run()
"""


def child(stroke_environment, *words):
    paths = stroke_environment["PYTHONPATH"] + os.pathsep + str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**stroke_environment, "PYTHONPATH": paths},
    )  # fmt: skip


def wait_for(process, *lines):
    """Read until one of the lines comes."""
    for line in process.stdout:
        if line.strip() in lines:
            return
    raise AssertionError(process.stderr.read())


@pytest.fixture(scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, one_thread):
    return FoldTraining(small_parts(), Rules(epochs=5, monitor="dice"), tmp_path_factory.mktemp("whole")).run()


def gone_on(folder):
    training = FoldTraining(small_parts(), Rules(epochs=5, monitor="dice"), folder)
    return training, training.run()


def assert_same(found, whole):
    assert found["epochs"] == whole["epochs"]
    for key, value in whole["network"].items():
        assert torch.equal(value, found["network"][key]), key


def test_killed_while_a_checkpoint_is_written(tmp_path, stroke_environment, uninterrupted):
    process = child(stroke_environment, tmp_path, 0, "slow disk")
    wait_for(process, "epoch 2")
    wait_for(process, "writing")
    process.kill()
    process.wait()
    left = sorted(path.name for path in tmp_path.iterdir())
    assert any(name.startswith("tmp") for name in left), left  # half-written
    training, found = gone_on(tmp_path)
    assert training.notes == []
    assert_same(found, uninterrupted)
    assert not list(tmp_path.glob("tmp*"))


def test_a_disk_that_is_full_is_told_and_the_checkpoint_before_stays(tmp_path, stroke_environment, uninterrupted):
    FoldTraining(small_parts(), Rules(epochs=2, monitor="dice"), tmp_path).run()
    size = (tmp_path / LAST).stat().st_size
    before = read_checkpoint(tmp_path / LAST)
    process = child(stroke_environment, tmp_path, 0, "full", size // 2)
    _, said = process.communicate(timeout=100)
    assert process.returncode != 0
    last = said.strip().splitlines()[-1]
    assert "StrokeError" in last
    assert "file-size limit" in last or "disk is full" in last
    assert "The checkpoint before stays" in last
    assert not list(tmp_path.glob("tmp*"))
    assert read_checkpoint(tmp_path / LAST)["trainer"] == before["trainer"]
    assert (tmp_path / PREVIOUS).exists()
    assert read_checkpoint(tmp_path / BEST)
    _, found = gone_on(tmp_path)
    assert_same(found, uninterrupted)


def test_asked_to_stop_in_the_midst_of_a_step_it_ends_within_five_seconds(tmp_path, stroke_environment, uninterrupted):
    process = child(stroke_environment, tmp_path, 0, "long step")
    wait_for(process, "long")
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert time.monotonic() - begin < 5
    assert process.returncode == 130
    assert "last words" in said
    assert read_checkpoint(tmp_path / LAST)["trainer"]["iteration"] == 0
    _, found = gone_on(tmp_path)
    assert_same(found, uninterrupted)


def test_a_whole_run_killed_and_gone_on_with_gives_the_same_bytes(tmp_path, stroke_environment, one_thread):
    cohort, cache = write_cohort(tmp_path / "cohort"), tmp_path / "cache"
    recipe = recipe_for("debs2021-early", tmp_path / "whole", overrides=SMALL, folds=2, epochs=3)
    options = Options(data=cohort, cache=cache, threads=1, device="cpu", seed=7)
    whole = train(recipe, tmp_path / "whole", options)
    cut = tmp_path / "cut"
    words = [f"--set={path}={value}" for path, value in SMALL.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "StrokeCommand", "train", "debs2021-early", "--data", cohort, "-o", cut, "--folds", "2",
         "--epochs", "3", "--seed", "7", "--threads", "1", "--device", "cpu", "--cache", cache, *words],
        env=stroke_environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    for line in process.stderr:
        if "fold 2/2  epoch 1/3" in line:
            break
    process.kill()
    process.wait()
    assert not (cut / "bundle").exists()
    assert (cut / "fold-1" / "scores.json").exists()
    resumed = train(recipe_for(None, cut, resume=True), cut, Options(), resume=True)
    assert resumed["sha256"] == whole["sha256"]
    for fold in (1, 2):
        name = Path("bundle", "models", f"fold-{fold}.safetensors")
        assert (cut / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
        assert load_file(cut / name).keys() == load_file(cut / f"fold-{fold}/bundle/models/model.safetensors").keys()
