"""Batches: the same whoever makes them, of the sections that the recipe asks for, laid out as in use."""

import threading

import numpy as np
import pytest
import torch
from support.entries import make_entries, make_entry

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.inference.passes import stacked, windows
from StrokePredictLib.networks.course import IMAGES, KNOWN, PRESENT, Course
from StrokeTrainLib.data import IGNORE, LESION, build_batches, label_limit
from StrokeTrainLib.data import samples as samples_module
from StrokeTrainLib.recipes import load_recipe

SIZE = {"matrix": "[48,48]", "spacing_mm": "[4,4]", "training.batch": "4"}


def recipe_of(name, **overrides):
    return load_recipe(name, SIZE | overrides)


@pytest.fixture
def entries(tmp_path):
    return make_entries(tmp_path)


def shown(batches):
    return [(name, section) for batch in batches for name, section in zip(batch.ids, batch.sections, strict=True)]


def same(one, two):
    return one.ids == two.ids and torch.equal(one.y, two.y) and all(torch.equal(one.x[k], two.x[k]) for k in one.x)


def test_debs_shows_every_section_with_lesion_once_and_no_other(entries):
    batches = build_batches(entries, recipe_of("debs2021"))
    wanted = {(entry.id, n) for entry in entries for n, here in enumerate(entry.has_lesion) if here}
    assert sorted(shown(batches)) == sorted(wanted)
    assert len(batches) == -(-len(wanted) // 4)
    for batch in batches:
        for n, (name, section) in enumerate(zip(batch.ids, batch.sections, strict=True)):
            entry = next(entry for entry in entries if entry.id == name)
            assert np.array_equal(batch.x["x"][n], entry.inputs()[section])
            assert np.array_equal(batch.y[n], entry.classes()[section])


def test_the_order_is_new_every_epoch_fold_and_seed_and_else_the_same(entries):
    def order(**which):
        return shown(build_batches(entries, recipe_of("debs2021"), **which))

    first = order(seed=1, fold=0, epoch=0)
    assert order(seed=1, fold=0, epoch=0) == first
    for other in ({"epoch": 1}, {"fold": 1}, {"seed": 2}):
        assert order(**({"seed": 1, "fold": 0, "epoch": 0} | other)) != first
    assert order(part="validation", epoch=3) == order(part="validation", epoch=4, seed=9) == sorted(first)


def test_healthy_sections_are_drawn_anew_every_epoch(entries):
    recipe = recipe_of("debs2021", **{"sampling.healthy": "0.5"})
    lesion = {(entry.id, n) for entry in entries for n, here in enumerate(entry.has_lesion) if here}
    drawn = [set(shown(build_batches(entries, recipe, epoch=epoch))) - lesion for epoch in range(3)]
    assert [len(others) for others in drawn] == [len(lesion) // 2] * 3
    assert len(set(map(frozenset, drawn))) == 3
    assert len(shown(build_batches(entries, recipe))) == len(lesion) * 1.5


def test_neighbours_lie_as_they_do_in_use(tmp_path):
    """Against the code that cuts a patient's sections for a prediction."""
    entry = make_entry(tmp_path, "sub-1", channels=8)
    recipe = recipe_of("yu2020", **{"training.batch": "100"})
    (batch,) = build_batches([entry], recipe, part="validation")
    expected = stacked(windows(np.array(entry.inputs()), 5))
    assert torch.equal(batch.x["x"], expected[batch.sections])
    assert np.array_equal(batch.y, entry.classes()[batch.sections])


def test_whole_stacks_are_filled_up_and_say_so(tmp_path):
    entries = make_entries(tmp_path, 3, channels=2)
    recipe = recipe_of("alis2020", **{"augmentation.enabled": "false", "training.batch": "3"})
    (batch,) = build_batches(entries, recipe, part="validation")
    assert batch.x["x"].shape == (3, 7, 2, 48, 48)
    for n, entry in enumerate(entries):
        length = entry.sections
        assert np.array_equal(batch.x["x"][n, :length], entry.inputs())
        assert np.array_equal(batch.y[n, :length], entry.classes())
        assert not batch.x["x"][n, length:].any()
        assert (batch.y[n, length:] == IGNORE).all()
        assert batch.x["present"][n].tolist() == [True] * length + [False] * (7 - length)


@pytest.mark.parametrize("name", ["baseline", "alis2020"])
def test_threads_and_worker_processes_change_nothing(tmp_path, name):
    entries = make_entries(tmp_path, 3, channels=2 if name == "alis2020" else 5)
    recipe = recipe_of(name, **{"training.batch": "2"})
    plain = list(build_batches(entries, recipe, epoch=2, prefetch=False))
    assert all(map(same, plain, build_batches(entries, recipe, epoch=2)))
    batches = build_batches(entries, recipe, epoch=2, workers=2)
    assert all(map(same, plain, batches))
    assert len(batches) == len(plain)
    assert same(batches[1], plain[1])
    rest = list(build_batches(entries, recipe, epoch=2, first=1))
    assert len(rest) == len(plain) - 1
    assert all(map(same, plain[1:], rest))


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("name", ["baseline", "fate", "alis2020"])
def test_ranks_share_the_batches_of_one_process(tmp_path, name, world):
    channels = {"baseline": 5, "fate": 6, "alis2020": 2}[name]
    entries = make_entries(tmp_path, 5, channels=channels, present=list(IMAGES))
    recipe = recipe_of(name)
    alone = list(build_batches(entries, recipe, seed=3))
    ranks = [list(build_batches(entries, recipe, seed=3, rank=rank, world=world)) for rank in range(world)]
    for number, whole in enumerate(alone):
        parts = [rank[number] for rank in ranks]
        kept = [part for part in parts if part.share]
        assert [name for part in kept for name in part.ids] == whole.ids
        for key in whole.x:
            assert torch.equal(torch.cat([part.x[key] for part in kept]), whole.x[key])
        assert torch.equal(torch.cat([part.y for part in kept]), whole.y)
        # A mean over items, weighed by share and averaged over ranks, is the mean over the whole batch.
        values = {(n, s): hash((n, s)) % 97 for n, s in zip(whole.ids, whole.sections, strict=True)}
        means = [
            part.share * np.mean([values[key] for key in zip(part.ids, part.sections, strict=True)]) for part in parts
        ]
        assert np.mean(means) == pytest.approx(np.mean(list(values.values())))
        assert all(len(part) for part in parts)


def test_augmentation_is_for_training_alone(tmp_path):
    entries = make_entries(tmp_path, 2)
    recipe = recipe_of("baseline", **{"sampling.train": "brain", "sampling.healthy": "0"})

    def by_section(part):
        batches = build_batches(entries, recipe, part=part)
        return {key: batch.x["x"][n] for batch in batches
                for n, key in enumerate(zip(batch.ids, batch.sections, strict=True))}  # fmt: skip

    training, validation = by_section("train"), by_section("validation")
    assert training.keys() == validation.keys()
    assert not any(torch.equal(training[key], validation[key]) for key in training)
    half = recipe.view.context // 2
    for (name, section), x in validation.items():
        entry = next(entry for entry in entries if entry.id == name)
        assert np.array_equal(x.unflatten(0, (-1, 5))[half], entry.inputs()[section])


def test_a_conditioned_network_is_told_what_happened_and_at_times_less(tmp_path):
    entry = make_entry(tmp_path, "sub-1", channels=6, sections=40, present=["dwi", "adc", "tmax"],
                       course=Course("complete", 240.0))  # fmt: skip
    recipe = recipe_of(
        "fate", **{"training.batch": "40", "condition.image_missing": "0.3", "augmentation.enabled": "false"}
    )
    truth = torch.tensor(Course("complete", 240.0).vector(["dwi", "adc", "tmax"]))
    (validation,) = build_batches([entry], recipe, part="validation")
    assert torch.equal(validation.x["told"], truth.expand(40, -1))
    told = torch.cat([batch.x["told"] for epoch in range(25) for batch in build_batches([entry], recipe, epoch=epoch)])
    withheld = (told[:, KNOWN + 3] == 1).float().mean()
    assert withheld == pytest.approx(0.25, abs=0.05)  # of 1,000, binomial: ± 3.6 standard deviations
    assert (told[:, KNOWN + 2] == 1).float().mean() == pytest.approx(0.75, abs=0.05)
    assert (told[:, -1] == 0).float().mean() == pytest.approx(0.1, abs=0.035)
    present = told[:, PRESENT]
    assert not present[:, 3:].any()  # an image that is not there is never said to be
    assert present.any(dim=1).all()
    assert present[:, 0].mean() == pytest.approx(0.7, abs=0.06)


def series_entries(tmp_path, volumes=(5.0, 20.0, 40.0, 60.0)):
    return [
        make_entry(tmp_path, f"sub-{n}", sections=2, channels=32, lesion=(), lesion_ml=volume, seed=n)
        for n, volume in enumerate(volumes)
    ]


def test_series_are_normalised_by_batch_in_training_and_by_patient_otherwise(tmp_path):
    entries = series_entries(tmp_path)
    recipe = recipe_of("mittermeier2022", **{"augmentation.enabled": "false"})
    (batch,) = build_batches(entries, recipe, label_above=30.0)
    raw = np.stack([next(e for e in entries if e.id == name).inputs() for name in batch.ids])
    assert np.allclose(batch.x["x"], (raw - raw.mean()) / raw.std(), atol=1e-4)
    (validation,) = build_batches(entries, recipe, part="validation", label_above=30.0)
    for x, entry in zip(validation.x["x"], entries, strict=True):
        alone = np.array(entry.inputs())
        assert np.allclose(x, (alone - alone.mean()) / alone.std(), atol=1e-4)
    shares = [build_batches(entries, recipe, label_above=30.0, rank=rank, world=2)[0].x["x"] for rank in range(2)]
    assert torch.equal(torch.cat(shares), batch.x["x"])


def test_large_is_above_the_median_of_the_training_patients(tmp_path):
    entries = series_entries(tmp_path)
    recipe = recipe_of("mittermeier2022")
    assert label_limit(entries, recipe) == 30.0
    assert label_limit(entries, recipe_of("debs2021")) is None
    (batch,) = build_batches(entries, recipe, part="validation", label_above=30.0)
    assert batch.y.tolist() == [[0.0], [0.0], [1.0], [1.0]]
    with pytest.raises(StrokeError, match="one class only"):
        label_limit(series_entries(tmp_path / "alike", (7.0, 7.0, 7.0)), recipe)
    with pytest.raises(StrokeError, match="label_above"):
        build_batches(entries, recipe)


def test_nothing_to_show_is_told(tmp_path):
    healthy = make_entries(tmp_path, 2, lesion=())
    with pytest.raises(StrokeError, match=r"training part of fold 3 shows no lesion.*sampling\.train=brain"):
        build_batches(healthy, recipe_of("debs2021"), fold=3)
    # Validation without any lesion looks at every section with brain.
    recipe = recipe_of("debs2021", **{"sampling.validation": "lesion"})
    brain = sum(count > 0 for entry in healthy for count in entry.brain)
    assert len(shown(build_batches(healthy, recipe, part="validation"))) == brain == 11
    with pytest.raises(StrokeError, match="has no patient"):
        build_batches([], recipe_of("yu2020"))
    assert len(shown(build_batches(healthy, recipe_of("baseline", **{"sampling.train": "brain"})))) == 11


def test_no_more_files_are_open_than_a_few_however_many_patients(tmp_path):
    entries = [make_entry(tmp_path, f"s{n}", sections=2, size=(32, 32), lesion=(0,)) for n in range(40)]
    samples_module._open.cache_clear()
    recipe = recipe_of("debs2021", matrix="[32,32]")
    assert len(shown(build_batches(entries, recipe))) == 40
    information = samples_module._open.cache_info()
    assert information.misses == 80
    assert information.currsize <= information.maxsize == 32


def test_an_abandoned_epoch_ends_its_thread_and_a_fault_in_it_is_raised(entries):
    def threads():
        return [thread for thread in threading.enumerate() if thread.name == "batches"]

    iterator = iter(build_batches(entries, recipe_of("debs2021", **{"training.batch": "1"})))
    next(iterator)
    assert threads()
    iterator.close()
    assert not threads()
    (entries[0].folder / "inputs.npy").unlink()
    samples_module._open.cache_clear()
    with pytest.raises(FileNotFoundError):
        list(build_batches(entries, recipe_of("debs2021")))
    assert not threads()


def test_a_batch_moves_whole(entries):
    batch = build_batches(entries, recipe_of("debs2021"))[0]
    moved = batch.to("cpu", channels_last=True)
    assert moved.x["x"].is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(moved.x["x"], batch.x["x"])
    assert (batch.y == LESION).any()
    assert len(moved) == 4
