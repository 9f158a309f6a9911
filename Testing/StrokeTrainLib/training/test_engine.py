import json

import numpy as np
import pytest
import torch
from support.training import SmallBatches, Tiny, lesion_loss, small_parts

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib.build import build_network
from StrokeTrainLib.data import Entry, build_batches
from StrokeTrainLib.data.entry import CLASSES, INPUTS
from StrokeTrainLib.losses import build_loss
from StrokeTrainLib.optimisers import build_optimiser
from StrokeTrainLib.recipes import load_recipe
from StrokeTrainLib.training.checkpoints import BEST, LAST, PREVIOUS, read_checkpoint
from StrokeTrainLib.training.engine import FoldTraining
from StrokeTrainLib.training.parts import Parts, Rules
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


def silent_parts():
    """Parts whose network says nothing but its last bias, at first −1."""
    parts = small_parts(rate=0.0)
    last = parts.network.layers[-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.fill_(-1.0)
    return parts


def spoken(folder, biases, parts):
    """A training whose network has these last biases when its epochs are validated."""
    left, seen = list(biases), []

    def speak(facts):
        if facts["step"] == facts["steps"]:
            if not left:
                raise Stop
            with torch.no_grad():
                parts.network.layers[-1].bias.fill_(left.pop(0))

    training = FoldTraining(
        parts, Rules(epochs=3, monitor="dice"), folder, on_iteration=speak,
        on_epoch=lambda facts: seen.append(facts["silent"]),
    )  # fmt: skip
    return training, seen


def test_a_network_that_stops_predicting_is_called_collapsed(tmp_path):
    training, seen = spoken(tmp_path / "whole", (1.0, -1.0, -1.0), silent_parts())
    training.run()
    assert seen == [False, True, True]
    assert len(training.notes) == 1
    assert "fold 1: the network collapsed: from epoch 2 to its last, 3," in training.notes[0]
    assert "the weights of epoch 1 are kept" in training.notes[0]
    cut, _ = spoken(tmp_path / "cut", (1.0, -1.0), silent_parts())
    with pytest.raises(Stop):  # stopped at the end of the third epoch
        cut.run()
    again, seen = spoken(tmp_path / "cut", (-1.0,), silent_parts())
    again.run()
    assert seen == [True]
    assert again.notes == training.notes  # since when it was silent is in the checkpoint


def test_a_network_that_has_not_begun_to_predict_is_told_to_learn_on(tmp_path):
    training, seen = spoken(tmp_path, (-1.0, -1.0, -1.0), silent_parts())
    training.run()
    assert seen == [True] * 3
    assert len(training.notes) == 1
    assert "after 3 epochs the network still predicts nothing" in training.notes[0]
    assert "--epochs" in training.notes[0]


def test_a_network_that_finds_its_voice_again_is_not(tmp_path):
    training, seen = spoken(tmp_path, (1.0, -1.0, 1.0), silent_parts())
    training.run()
    assert seen == [False, True, False]
    assert training.notes == []


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


def whole_parts(name):
    """Parts with a schedule that steps by epochs and augmented batches, as `make_parts` puts them together."""
    small = {"matrix": "[32,32]", "training.batch": "4", "training.epochs": "6", "schedule.name": "cosine"}
    if name == "baseline":
        small |= {"network.options.filters": "4", "network.options.levels": "3"}
    recipe = load_recipe(name, small | {"augmentation.enabled": "true", "augmentation.rotation_deg": "15"})
    network = build_network(recipe, 3)
    optimiser, per_iteration, per_epoch = build_optimiser(recipe, network)
    assert per_epoch is not None
    generator = np.random.default_rng(5)
    entries = whole_parts.entries or [made_up_entry(whole_parts.folder, name, generator) for name in "abc"]
    whole_parts.entries = entries

    def batches(part, epoch):
        return build_batches(entries, recipe, part=part, seed=0, fold=1, epoch=epoch)

    return Parts(network, optimiser, build_loss(recipe), batches, per_iteration, per_epoch, channels_last=True)


def made_up_entry(folder, name, generator):
    """A prepared patient of four sections: five channels of noise, a disc of lesion."""
    place = folder / name
    place.mkdir()
    inputs = generator.normal(0.3, 0.1, (4, 5, 32, 32)).astype(np.float32)
    row, column = np.ogrid[:32, :32]
    disc = np.hypot(row - 16, column - generator.uniform(8, 24)) < 6
    inputs[:, :, disc] += 0.5
    classes = np.where(disc, 0, 1).astype(np.uint8)[None].repeat(4, axis=0)
    np.save(place / INPUTS, inputs)
    np.save(place / CLASSES, classes)
    return Entry(
        id=name, folder=place, shape=inputs.shape, lesion=(int(disc.sum()),) * 4, brain=(1024,) * 4, lesion_ml=1.0,
        present=("dwi",), modality="MR",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["debs2021-early", "baseline"])
def test_patience_schedule_and_augmentation_go_on_where_they_were(tmp_path, name):
    """Stopped in the midst of the third epoch, when patience has counted one epoch without enough of a gain."""
    whole_parts.entries, whole_parts.folder = None, tmp_path
    rules = Rules(epochs=6, patience=3, min_delta=100.0, monitor="loss")
    first = FoldTraining(whole_parts(name), rules, tmp_path / "whole")
    whole = first.run()
    assert whole["epochs"] == 4

    def stop(facts):
        if (facts["epoch"], facts["step"]) == (3, 1):
            raise Stop

    with pytest.raises(Stop):
        FoldTraining(whole_parts(name), rules, tmp_path / "cut", on_iteration=stop).run()
    assert read_checkpoint(tmp_path / "cut" / LAST)["early"]["counter"] == 1
    second = FoldTraining(whole_parts(name), rules, tmp_path / "cut")
    resumed = second.run()
    assert resumed["epochs"] == 4
    assert same(whole["network"], resumed["network"])
    # Half a cosine over 6 epochs, 4 of them done.
    rate = load_recipe(name).optimiser.rate * 0.5 * (1 + np.cos(np.pi * 4 / 6))
    for training in (first, second):
        assert training.parts.optimiser.param_groups[0]["lr"] == pytest.approx(rate)


def test_early_stopping_says_nothing_on_the_terminal(tmp_path, capfd):
    train(tmp_path, epochs=50, patience=1, min_delta=5.0, monitor="loss")
    assert "".join(capfd.readouterr()) == ""


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
