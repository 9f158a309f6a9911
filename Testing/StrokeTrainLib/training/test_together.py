"""Several processes as torchrun starts them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from support.training import SmallBatches, Tiny, lesion_loss, small_alis

from StrokeTrainLib.losses import build_loss
from StrokeTrainLib.recipes import load_recipe

#: Three steps of alis2020, four patients a step over all processes; the first process writes the weights.
SCRIPT = """
import sys, torch
from pathlib import Path
torch.set_num_threads(1)
from support.training import SmallBatches, small_alis
from StrokeTrainLib.losses import build_loss
from StrokeTrainLib.recipes import load_recipe
from StrokeTrainLib.training.engine import FoldTraining
from StrokeTrainLib.training.parts import Parts, Rules
from StrokeTrainLib.training.ranks import rank, together, world_size
folder = Path(sys.argv[1])
network = small_alis()
with together(torch.device("cpu")):
    def batches(part, epoch):
        return SmallBatches(part, epoch, steps=3, batch=4, size=16, sections=3, rank=rank(), world=world_size())
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, eps=1e-4)
    parts = Parts(network, optimiser, build_loss(load_recipe("alis2020")), batches)
    found = FoldTraining(parts, Rules(epochs=1, monitor="dice"), folder).run()
    torch.save({"network": network.state_dict(), "score": found["best_score"]}, folder / f"rank-{rank()}.done")
"""

#: A network with batch normalisation, whose running statistics are each process's own.
NORMALISED = """
import sys, torch
from pathlib import Path
torch.set_num_threads(1)
from support.training import SmallBatches, small_parts
from StrokeTrainLib.training.engine import FoldTraining
from StrokeTrainLib.training.parts import Rules
from StrokeTrainLib.training.ranks import rank, together, world_size
with together(torch.device("cpu")):
    parts = small_parts(rank=rank(), world=world_size())
    found = FoldTraining(parts, Rules(epochs=2, monitor="loss"), Path(sys.argv[1])).run()
    if rank() == 0:
        torch.save({"network": found["network"], "score": found["best_score"], "epoch": found["best_epoch"]},
                   Path(sys.argv[1], "done"))
"""


def run_torchrun(stroke_environment, *words, processes=2):
    paths = stroke_environment["PYTHONPATH"] + os.pathsep + str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}",
         *map(str, words)],
        env={**stroke_environment, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def test_two_processes_with_half_batches_equal_one(tmp_path, stroke_environment):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    run_torchrun(stroke_environment, script, tmp_path)
    a, b = (torch.load(tmp_path / f"rank-{rank}.done", weights_only=True) for rank in (0, 1))
    assert a["score"] == b["score"]
    network = small_alis()
    start = {key: value.clone() for key, value in network.state_dict().items()}
    loss_of = build_loss(load_recipe("alis2020"))
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, eps=1e-4)
    for batch in SmallBatches("train", 1, steps=3, batch=4, size=16, sections=3):
        optimiser.zero_grad()
        loss_of(network(**batch.x), batch.y).backward()
        optimiser.step()
    moved = 0.0
    for key, value in network.state_dict().items():
        assert torch.allclose(a["network"][key], value, atol=1e-5, rtol=0), key
        assert torch.equal(a["network"][key], b["network"][key])
        moved = max(moved, float((value - start[key]).abs().max()))
    assert moved > 1e-3  # three steps of 1e-3 have gone somewhere


def test_with_batch_normalisation_every_process_validates_the_network_that_is_kept(tmp_path, stroke_environment):
    script = tmp_path / "script.py"
    script.write_text(NORMALISED)
    run_torchrun(stroke_environment, script, tmp_path)
    done = torch.load(tmp_path / "done", weights_only=True)
    network = Tiny()
    network.load_state_dict(done["network"])
    network.eval()
    with torch.no_grad():
        losses = [lesion_loss(network(**b.x), b.y).item() for b in SmallBatches("validation", done["epoch"])]
    assert done["score"] == pytest.approx(-sum(losses) / len(losses), abs=1e-6)
