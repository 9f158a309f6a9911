"""What is looked at before a run is begun: the network, every part's sections, and the model to start from."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from support.models import write_test_bundle
from support.small_cohort import write_cohort
from support.small_training import small_recipe

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models.bundle import open_bundle
from StrokeTrainLib.cohort.index import index_cohort
from StrokeTrainLib.cohort.splits import Splits, make_splits
from StrokeTrainLib.training import begin as begin_module
from StrokeTrainLib.training.begin import Options
from StrokeTrainLib.training.run_folder import RunFolder
from StrokeTrainLib.training.train import train


def tuned_from(folder, cohort, options, output, **more):
    changes = {"optimiser__rate": "1e-12", "optimiser__l2": "0", "split__calibration": "0"} | more
    mine = Options(data=cohort, cache=options.cache, init=str(folder), threads=1, device="cpu")
    return train(small_recipe(epochs=1, **changes), output, mine)


def test_fine_tuning_starts_from_the_weights_and_keeps_who_was_seen_out_of_tests(run, options, tmp_path):
    folder, _, _ = run
    cohort = write_cohort(tmp_path / "cohort", 12)
    tuned = tuned_from(folder / "bundle", cohort, options, tmp_path / "run")
    before, after = open_bundle(folder / "bundle").card, open_bundle(tmp_path / "run" / "bundle").card
    for fold in (1, 2):
        name = f"models/fold-{fold}.safetensors"
        a, b = load_file(folder / "bundle" / name), load_file(tmp_path / "run" / "bundle" / name)
        kernels = [key for key in a if key.endswith("weight")]
        assert kernels
        assert all(torch.allclose(a[key], b[key], atol=1e-6, rtol=0) for key in kernels)
    assert set(before.training.patient_hashes) < set(after.training.patient_hashes)
    assert after.training.salt == before.training.salt
    known = {n for f in Splits.load(folder / "splits.json").folds for n in (*f.train, *f.validation)}
    for fold in Splits.load(tmp_path / "run" / "splits.json").folds:
        assert not known & {*fold.test, *fold.validation}
    assert "starting from the model 'debs2021-early'" in after.training.data
    assert any("the model to start from knows them" in note for note in tuned["notes"])
    # The new model's card alone names its ancestors, each by every hash that an outline may have begun from.
    models = [folder / "bundle", folder / "fold-1" / "bundle", folder / "fold-2" / "bundle"]
    assert {open_bundle(place).sha256 for place in models} <= set(after.training.ancestors)


@pytest.mark.parametrize(("simulated", "people"), [(True, "seed-9"), (False, "")])
def test_fine_tuning_on_other_people_of_the_same_names_tests_everybody(run, options, tmp_path, simulated, people):
    """A cohort simulated from another seed, or imaged patients: whom the model has seen is nobody of them."""
    folder, _, _ = run
    cohort = write_cohort(tmp_path / "cohort", 8, simulated=simulated, people=people, seed=9)
    done = tuned_from(folder / "bundle", cohort, options, tmp_path / "run")
    splits = Splits.load(tmp_path / "run" / "splits.json")
    assert {name for fold in splits.folds for name in fold.test} == {f"sub-{n:04d}" for n in range(1, 9)}
    assert not any("knows them" in note for note in done["notes"])
    assert open_bundle(tmp_path / "run" / "bundle").card.demonstration  # what began on simulated patients says so


def test_the_reason_is_told_where_a_model_knows_the_names_of_everybody(run, options, tmp_path):
    folder, _, _ = run
    known = {n for f in Splits.load(folder / "splits.json").folds for n in (*f.train, *f.validation)}
    cohort = write_cohort(tmp_path / "cohort", 8, seed=9)
    for patient in {f"sub-{n:04d}" for n in range(1, 9)} - known:
        shutil.rmtree(cohort / "raw_data" / patient)
    with pytest.raises(StrokeError, match="simulated cohorts name their patients alike"):
        tuned_from(folder / "bundle", cohort, options, tmp_path / "run")


def test_an_outline_that_began_as_a_relatives_prediction_only_trains(run, place, options, tmp_path):
    """Begun from a member of the ancestor's ensemble; where the ancestor's run is out of sight, by the card alone."""
    folder, _, _ = run
    member = open_bundle(folder / "fold-2" / "bundle").sha256
    cohort = write_cohort(tmp_path / "cohort", 9, people="others", seed=9)
    started = cohort / "derivatives/sub-0004/ses-02/sub-0004_ses-02_lesion-msk.json"
    started.write_text(json.dumps({"start": "x", "start_hash": member}))
    tuned_from(folder / "bundle", cohort, options, tmp_path / "run")
    shutil.copytree(tmp_path / "run" / "bundle", tmp_path / "installed" / "model")
    for name, begun_from in (("run", folder / "bundle"), ("again", tmp_path / "installed" / "model")):
        if name == "again":
            other = write_cohort(tmp_path / "other", 9, people="third", seed=10)
            (other / started.relative_to(cohort)).write_text(started.read_text())
            tuned_from(begun_from, other, options, tmp_path / name)
        splits = Splits.load(tmp_path / name / "splits.json")
        assert all("sub-0004" in fold.train for fold in splits.folds), name
        assert len({patient for fold in splits.folds for patient in fold.test}) == 8


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "yu2020", "network__options__filters": "0"}, "layers without weights"),
        ({"name": "baseline", "network__options__levels": "-1"}, "levels is -1"),
        ({"name": "yu2020", "network__options__filters": "999999"}, "weights, too many"),
        ({"name": "fate", "network__options__levels": "-1"}, "cannot be trained with"),
        ({"matrix": "[40,40]"}, "must be multiples of"),
    ],
)
def test_a_network_that_cannot_be_is_told_before_anything_is_prepared(tmp_path, changes, words):
    mine = Options(data=tmp_path / "nowhere", device="cpu")  # the cohort is not looked at
    with pytest.raises(StrokeError, match=words) as caught:
        train(small_recipe(**changes), tmp_path / "run", mine)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run" / "run.json").exists()


def test_validation_without_a_lesion_looks_at_brain_sections_and_says_so(options, tmp_path):
    # Without strata the same patients are dealt in the same way, whatever their lesions.
    same = {"split__calibration": "0", "split__stratify": "[]", "sampling__validation": "lesion"}
    recipe = small_recipe(epochs=1, **same)
    fold = make_splits(list(index_cohort(options.data)), "2-fold", 0, stratify=()).folds[1]
    healthy = write_cohort(tmp_path / "cohort", 8, lesion=lambda n: f"sub-{n + 1:04d}" not in fold.validation)
    mine = Options(data=healthy, cache=options.cache, threads=1, device="cpu")
    done = train(recipe, tmp_path / "run", mine)
    assert any("fold 2: no section of its" in note for note in done["notes"])
    assert [found["fold"] for found in done["folds"]] == [1, 2]


def test_too_few_patients_says_who_was_left_out(options, tmp_path):
    recipe = small_recipe(selection__reperfusion="reperfused", split__calibration="0")
    mine = Options(data=write_cohort(tmp_path / "cohort", 3), cache=options.cache, threads=1, device="cpu")
    with pytest.raises(StrokeError, match=r"2-fold: too few persons .*; 2 were excluded, the first: sub-0001: course"):
        train(recipe, tmp_path / "run", mine)


def test_the_recipes_rule_and_exclusions_reach_the_selection(options, tmp_path):
    """Yu's course is told of patients 2 to 9 alone, against Debs' of the same; the first two are posterior strokes."""
    cohort = write_cohort(tmp_path / "cohort", 12)
    rows = [line.split("\t") for line in (cohort / "participants.tsv").read_text().splitlines()]
    rows[0] += ["reperfusion_yu", "circulation"]
    for number, row in enumerate(rows[1:]):
        row += ["major" if number < 10 else "minimal", "posterior" if number < 2 else "anterior"]
    (cohort / "participants.tsv").write_text("\n".join("\t".join(row) for row in rows) + "\n")
    mine = Options(data=cohort, cache=options.cache, threads=1, device="cpu")
    chosen = {"selection__reperfusion": "reperfused", "selection__rule": "yu", "selection__exclusions": "debs"}
    recipe = small_recipe(split__calibration="0", **chosen)
    (tmp_path / "run").mkdir()
    plan, _ = begin_module.begin(recipe, mine, RunFolder(tmp_path / "run"))
    assert set(plan.patients) == {f"sub-{number + 1:04d}" for number in range(2, 10)}


def test_a_training_part_that_shows_no_lesion_is_told_before_the_run_is_begun(options, tmp_path, monkeypatch):
    """Lesions that are lost on the network's grid leave labels that are not empty and sections without."""
    cohort = write_cohort(tmp_path / "cohort", 8)
    real = begin_module.prepare_all

    def lost(*places, **more):
        entries, failed = real(*places, **more)
        return {n: replace(e, lesion=(0,) * len(e.lesion)) for n, e in entries.items()}, failed

    monkeypatch.setattr(begin_module, "prepare_all", lost)
    mine = Options(data=cohort, cache=options.cache, threads=1, device="cpu")
    with pytest.raises(StrokeError, match="training part of fold 1 shows no lesion"):
        train(small_recipe(sampling__train="lesion"), tmp_path / "run", mine)
    assert not (tmp_path / "run" / "run.json").exists()


def test_a_model_of_another_network_is_no_start(options, tmp_path):
    bundle = write_test_bundle(tmp_path / "model", "yu2020")
    mine = Options(data=options.data, cache=options.cache, init=str(bundle), device="cpu")
    with pytest.raises(StrokeError) as caught:
        train(small_recipe(), tmp_path / "run", mine)
    assert "'yu2020' (filters=4)" in str(caught.value)
    assert "trains 'debs2021' (channels=5, dropout=0.5, fusion=early)" in str(caught.value)
    with pytest.raises(StrokeError, match="starts from a trained model; name it with --init"):
        train(small_recipe("alis2020-fine-tune"), tmp_path / "run", Options(data=options.data, cache=options.cache))


def test_fine_tuning_learns_from_the_validation_part_which_must_have_lesions(options, tmp_path):
    bundle = write_test_bundle(tmp_path / "model", "alis2020")
    # Without strata the same patients are dealt in the same way, whatever their lesions.
    same = {"target": "final-infarct", "split__calibration": "0", "split__stratify": "[]"}
    recipe = small_recipe("alis2020-fine-tune", epochs=1, **same)
    mine = Options(data=options.data, cache=options.cache, init=str(bundle), threads=1, device="cpu")
    train(recipe, tmp_path / "run", mine)
    splits = Splits.load(tmp_path / "run" / "splits.json")
    training = open_bundle(tmp_path / "run" / "bundle").card.training
    assert training.patients == len({name for fold in splits.folds for name in fold.validation})
    tested = {name for fold in splits.folds for name in fold.validation}
    cohort = write_cohort(tmp_path / "cohort", 8, lesion=lambda number: f"sub-{number + 1:04d}" not in tested)
    mine = Options(data=cohort, cache=options.cache, init=str(bundle), threads=1, device="cpu")
    with pytest.raises(StrokeError, match="from which this recipe learns, has a lesion"):
        train(recipe, tmp_path / "other", mine)
