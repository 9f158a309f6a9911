import json

import pytest
import torch
from support.training import SmallBatches, Tiny, lesion_loss, small_parts

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib.training.checkpoints import BEST, LAST, PREVIOUS, read_checkpoint
from StrokeTrainLib.training.engine import FoldTraining
from StrokeTrainLib.training.parts import Rules
from StrokeTrainLib.training.seeds import seed_torch


def train(folder, parts=None, **rules):
    training = FoldTraining(parts or small_parts(), Rules(**({"epochs": 3, "monitor": "dice"} | rules)), folder)
    return training, training.run()


def same(a, b):
    assert a.keys() == b.keys()
    return all(torch.equal(a[key], b[key]) for key in a)


def test_it_takes_the_steps_of_a_bare_loop(tmp_path):
    _, found = train(tmp_path, epochs=2, monitor="loss")
    parts = small_parts()
    network, weights = parts.network, []
    for epoch in (1, 2):
        network.train()
        seed_torch(0, 1, epoch, 0)
        for batch in SmallBatches("train", epoch):
            parts.optimiser.zero_grad()
            lesion_loss(network(**batch.x), batch.y).backward()
            parts.optimiser.step()
            parts.per_iteration.step()
        weights.append({key: value.clone() for key, value in network.state_dict().items()})
    assert same(found["network"], weights[found["best_epoch"] - 1])
    assert not same(weights[0], weights[1])


def test_the_best_epoch_is_kept_and_the_dice_is_that_of_patients(tmp_path):
    seen = []
    parts = small_parts(rate=0.05)
    training = FoldTraining(parts, Rules(epochs=6, monitor="dice"), tmp_path, on_epoch=seen.append)
    found = training.run()
    scores = [facts["score"] for facts in seen]
    assert found["best_score"] == max(scores)
    assert found["best_epoch"] == scores.index(max(scores)) + 1
    network = Tiny()
    network.load_state_dict(found["network"])
    network.eval()
    sums = {}
    for batch in SmallBatches("validation", found["best_epoch"]):
        truth = batch.y == 0
        answer = network(**batch.x)[:, 0].sigmoid() >= 0.5
        for i, patient in enumerate(batch.ids):
            sums[patient] = 2 * (answer & truth)[i].sum() / (answer[i].sum() + truth[i].sum())
    assert found["best_score"] == pytest.approx(float(sum(sums.values())) / len(sums), abs=1e-6)


def test_early_stopping_counts_from_the_last_improvement_that_was_large_enough(tmp_path):
    rules = {"epochs": 50, "patience": 3, "min_delta": 5.0, "monitor": "loss"}
    _, found = train(tmp_path, **rules)
    assert found["epochs"] == 4  # the first sets the mark, three do not beat it by 5
    _, again = train(tmp_path, **rules)  # what has stopped early is not gone on with
    assert again["epochs"] == 4
    assert same(found["network"], again["network"])


class Stop(BaseException):
    pass


@pytest.mark.parametrize("at", [(1, 2), (2, 1), (3, 3), (4, 1)])
def test_stopped_and_resumed_gives_the_same_weights(tmp_path, at):
    _, whole = train(tmp_path / "whole", epochs=4)

    def stop(facts):
        if (facts["epoch"], facts["step"]) == at:
            raise Stop

    with pytest.raises(Stop):
        FoldTraining(small_parts(), Rules(epochs=4, monitor="dice"), tmp_path / "cut", on_iteration=stop).run()
    _, resumed = train(tmp_path / "cut", epochs=4)
    assert resumed["epochs"] == whole["epochs"] == 4
    assert resumed["best_score"] == whole["best_score"]
    assert same(whole["network"], resumed["network"])
    a, b = (read_checkpoint(tmp_path / name / LAST) for name in ("whole", "cut"))
    assert same(a["network"], b["network"])
    for key, state in a["optimiser"]["state"].items():
        assert same(state, b["optimiser"]["state"][key])


@pytest.mark.parametrize("damage", ["cut short", "one byte", "empty", "no checkpoint"])
def test_a_damaged_last_checkpoint_gives_way_to_the_one_before(tmp_path, damage):
    _, whole = train(tmp_path / "whole", epochs=4)
    train(tmp_path / "cut", epochs=3)
    path = tmp_path / "cut" / LAST
    content = bytearray(path.read_bytes())
    if damage == "one byte":
        content[len(content) // 2] ^= 0xFF
    path.write_bytes({"cut short": content[: len(content) // 2], "one byte": content, "empty": b"",
                      "no checkpoint": json.dumps({"a": 1}).encode()}[damage])  # fmt: skip
    training, resumed = train(tmp_path / "cut", epochs=4)
    assert len(training.notes) == 1
    assert "last.pt: the checkpoint is damaged" in training.notes[0]
    assert same(whole["network"], resumed["network"])


def test_all_checkpoints_damaged_begins_the_fold_again(tmp_path):
    _, whole = train(tmp_path / "whole")
    train(tmp_path / "cut")
    for name in (LAST, PREVIOUS):
        (tmp_path / "cut" / name).write_bytes(b"x")
    training, again = train(tmp_path / "cut")
    assert len(training.notes) == 2
    assert same(whole["network"], again["network"])
    (tmp_path / "cut" / BEST).write_bytes(b"x")
    training, again = train(tmp_path / "cut")
    assert "best.pt" in training.notes[0]
    assert same(whole["network"], again["network"])


def test_a_loss_that_is_no_number_names_the_patients(tmp_path):
    parts = small_parts()
    good = parts.loss_of

    def bad(output, y):
        bad.calls += 1
        return good(output, y) * (float("nan") if bad.calls == 5 else 1.0)

    bad.calls = 0
    parts.loss_of = bad
    with pytest.raises(StrokeError, match=r"fold 1, epoch 2: the loss is no number in the batch of sub-10, sub-11"):
        FoldTraining(parts, Rules(epochs=3, validate=False), tmp_path).run()
    assert read_checkpoint(tmp_path / LAST)["trainer"]["iteration"] == 3  # the end of epoch 1


def test_without_a_validation_part_the_last_epoch_counts(tmp_path):
    _, found = train(tmp_path, validate=False)
    assert found["best_epoch"] == 3
    assert same(found["network"], read_checkpoint(tmp_path / LAST)["network"])
