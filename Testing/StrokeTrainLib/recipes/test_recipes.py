"""Recipes: the papers' numbers, overrides, files, and where each default comes from."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.networks import trainable_parameters
from StrokeTrainLib.build import build_network
from StrokeTrainLib.recipes import Recipe, load_recipe, names
from StrokeTrainLib.recipes.describe import changes, describe, leaves, source_of
from StrokeTrainLib.recipes.override import overridden, parse_overrides

#: From the papers' methods sections (and their appendices), not from our files.
PAPERS = {
    "debs2021": {
        "loss.name": "multiclass-dice", "loss.lesion_weight": 8, "optimiser.name": "adam", "optimiser.rate": 1e-4,
        "schedule.name": "keras-decay", "schedule.decay": 5e-4, "optimiser.l2": 2e-4, "training.batch": 12,
        "training.epochs": 500, "training.patience": 100, "training.min_delta": 0.005, "network.options.dropout": 0.5,
        "augmentation.enabled": False, "sampling.train": "lesion", "matrix": [192, 192], "split.scheme": "5-fold",
        "threshold": 0.5, "target": "final-infarct",
    },
    "yu2020": {
        "view.context": 5, "augmentation.mirror": 0.5, "augmentation.rotation_deg": 0, "split.scheme": "5-fold",
        "threshold": 0.5, "network.options.channels": 8, "target": "final-infarct",
    },
    "alis2020": {
        "loss.name": "tversky", "loss.alpha": 0.5, "loss.beta": 0.5, "optimiser.rate": 1e-5, "training.epochs": 100,
        "matrix": [224, 224], "split.scheme": "80-10-10", "network.options.channels": 2, "target": "acute-core",
    },
    "alis2020-fine-tune": {
        "optimiser.rate": 1e-6, "training.epochs": 20, "training.part": "validation", "training.init": "required",
    },
    "mittermeier2022": {
        "loss.name": "bce", "optimiser.name": "rmsprop", "training.batch": 12, "training.epochs": 500,
        "training.patience": 200, "training.monitor": "loss", "augmentation.rotation_deg": 15,
        "augmentation.shift_px": 10, "augmentation.flip": 0.5, "augmentation.mirror": 0, "view.context": 2,
        "view.times": 32, "view.interval_s": 1.5, "matrix": [128, 128], "spacing_mm": [1.5625, 1.5625],
        "split.scheme": "10-fold", "sampling.normalise_by": "batch", "final": "ensemble", "label": "cbv",
    },
}  # fmt: skip
#: Reported by the papers (Debs: 5 inputs, early fusion; Mittermeier's over frozen features) or by NETWORKS' reading.
COUNTS = {"debs2021": 1_997_851, "debs2021-early": 487_643, "yu2020": 7_865_373, "alis2020": 8_228_257}


def values_of(recipe):
    return dict(leaves(recipe.model_dump(mode="json")))


@pytest.mark.parametrize("name", PAPERS)
def test_defaults_are_the_papers(name):
    found = values_of(load_recipe(name))
    assert {path: found[path] for path in PAPERS[name]} == PAPERS[name]


@pytest.mark.parametrize("name", COUNTS)
def test_networks_have_the_papers_size(name):
    assert trainable_parameters(build_network(load_recipe(name))) == COUNTS[name]


def test_channels_are_the_papers():
    roles = {name: [channel.role for channel in load_recipe(name).channels] for name in ("debs2021", "yu2020")}
    assert roles["debs2021"] == ["dwi", "adc", "tmax", "cbv", "cbf"]
    assert sorted(roles["yu2020"][:6]) == sorted(["dwi", "adc", "tmax", "mtt", "cbf", "cbv"])
    masks = [(c.role, c.normalisation, c.scale) for c in load_recipe("yu2020").channels[6:]]
    assert masks == [("tmax", "above", 6.0), ("adc", "below", 620.0)]
    assert {c.normalisation for c in load_recipe("yu2020").channels[:6]} == {"brain-mean"}


def test_three_training_sets_early_and_late_and_both_ablations():
    assert {load_recipe(f"debs2021{s}").selection.reperfusion for s in ("", "-reperfused", "-not-reperfused")} == {
        "any", "reperfused", "not-reperfused",
    }  # fmt: skip
    assert load_recipe("debs2021-reperfused-early").network.options["fusion"] == "early"
    assert load_recipe("mittermeier2022-local").network.options["paths"] == "local"
    assert load_recipe("mittermeier2022-global").network.options["paths"] == "global"


@pytest.mark.parametrize("preset", ["paper", "small"])
@pytest.mark.parametrize("name", names())
def test_saved_and_read_back_equal_and_every_default_has_a_source(name, preset, tmp_path):
    recipe = load_recipe(name, {"preset": preset})
    path = tmp_path / "recipe.json"
    path.write_text(recipe.model_dump_json(indent=1))
    assert load_recipe(path) == recipe
    told = describe(recipe)
    for leaf in values_of(recipe):
        if leaf not in ("name", "title", "paper", "preset"):
            assert f"\n{leaf} = " in told
            assert source_of(name, leaf).split(":")[0] in ("paper", "ours", "Isensee 2021")
    assert bool(changes(recipe)) == (preset == "small")


@pytest.mark.parametrize("name", names())
def test_the_small_preset_is_smaller(name):
    paper, small = load_recipe(name), load_recipe(name, {"preset": "small"})
    assert small.matrix[0] * small.matrix[1] <= 0.55 * paper.matrix[0] * paper.matrix[1]
    assert small.training.epochs < paper.training.epochs
    # The field of view stays about the same: smaller pixels would look at another thing.
    for axis in (0, 1):
        fields = [recipe.matrix[axis] * recipe.spacing_mm[axis] for recipe in (paper, small)]
        assert fields[1] == pytest.approx(fields[0], rel=0.12)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("training.batch=0", "greater than or equal to 1"),
        ("training.batch=many", "valid integer"),
        ("optimiser.epsilon=inf", "optimiser.epsilon: input should be a finite number"),
        ("optimiser.rate=NaN", "optimiser.rate: input should be a finite number"),
        ("spacing_mm=[Infinity,1]", "finite number"),
        ("channels.0.scale=Infinity", "every number must be finite"),
        ("network.options.dropout=NaN", "every number must be finite"),
        ("matrix=[100000,100000]", "must be at most 1024"),
        ("training.bath=8", "'training' has epochs, batch, patience"),
        ("training.monitor=accuracy", "'loss', 'dice', 'multiclass-dice' or 'auc'"),
        ("loss.name=tversky", "multiclass-dice or dice-ce"),
        ("loss.name=focal", "'multiclass-dice', 'bce-dice', 'tversky'"),
        ("training.monitor=auc", "for a classifier"),
        ("channels.7.scale=2", "numbers 0 to 4"),
        ("channels.0.role=t1", "known: b0, dwi, adc"),
        ("channels.0.high=0.1", "low percentile"),
        ("segment=foo", "known: core_adc"),
        ("split.scheme=leave-one-out", "fold"),
        ('split.stratify=["age"]', "'reperfusion', 'volume', 'center' or 'vendor'"),
        ("matrix=[96]", "matrix"),
        ("matrix=[96,-96]", "above 0"),
        ("lesion_prior=0", "greater than 0"),
        ("lesion_prior=0.01", "networks that give a single map"),
        ("name=mine", "another name"),
        ("preset=tiny", "paper, small"),
        ("training.epochs.most=3", "single value"),
        ("condition={}", "fate"),
    ],
)
def test_wrong_overrides_are_told_in_one_line_with_what_is_allowed(override, told):
    with pytest.raises(StrokeError) as caught:
        load_recipe("debs2021", parse_overrides([override]))
    message = str(caught.value)
    assert told in message
    assert "\n" not in message
    assert override.split("=")[0] in message


@pytest.mark.parametrize("words", [["training.batch"], ["=3"], ["a.b=1", "a.b=2"]])
def test_overrides_that_are_none(words):
    with pytest.raises(StrokeError, match="--set"):
        parse_overrides(words)


def test_overrides_of_every_kind_reach_their_place():
    words = ["training.batch=3", "training.patience=none", "augmentation.enabled=true", "matrix=[64,80]",
             "channels.1.normalisation=fixed", "channels.1.scale=3000", "network.options.fusion=early",
             'split.stratify=["vendor"]', "title=My network"]  # fmt: skip
    recipe = load_recipe("debs2021", parse_overrides(words))
    assert (recipe.training.batch, recipe.training.patience, recipe.matrix) == (3, None, (64, 80))
    assert recipe.augmentation.enabled is True
    assert (recipe.channels[1].normalisation, recipe.channels[1].scale) == ("fixed", 3000)
    assert recipe.network.options["fusion"] == "early"
    assert (recipe.split.stratify, recipe.title) == (("vendor",), "My network")
    assert "training.batch: 12 → 3" in changes(recipe)
    assert len(changes(recipe)) == len(words)


def test_the_preset_comes_before_other_overrides_wherever_it_stands():
    recipe = load_recipe("debs2021", {"training.epochs": "7", "preset": "small"})
    assert recipe.training.epochs == 7
    assert recipe.matrix == load_recipe("debs2021", {"preset": "small"}).matrix


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(names()), st.data())
def test_setting_a_value_to_itself_changes_nothing(name, data):
    recipe = load_recipe(name)
    values = recipe.model_dump(mode="json")
    path, value = data.draw(st.sampled_from([(p, v) for p, v in leaves(values) if p not in ("name", "paper")]))
    assert Recipe.model_validate(overridden(values, {path: json.dumps(value)})) == recipe


def test_files_that_are_no_recipes(tmp_path):
    missing = tmp_path / "recipe.json"
    with pytest.raises(StrokeError, match=r"recipe\.json"):
        load_recipe(missing)
    missing.write_text("[1]")
    with pytest.raises(StrokeError, match="is no recipe"):
        load_recipe(missing)
    missing.write_text("{")
    with pytest.raises(StrokeError, match="no readable recipe"):
        load_recipe(missing)
    with pytest.raises(StrokeError, match="there are debs2021"):
        load_recipe("debs")
    missing.write_text(load_recipe("fate").model_dump_json())
    with pytest.raises(StrokeError, match="preset"):
        load_recipe(missing, {"preset": "small"})
    assert load_recipe(missing, {"training.batch": "5"}).training.batch == 5
