"""A whole run on small made-up patients, and what a user may get wrong."""

import hashlib
import json
import shutil

import nibabel
import numpy as np
import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file
from support.small_cohort import write_cohort
from support.small_training import NAME, read, small_recipe

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.folder import find_files
from StrokePredictLib.models.bundle import open_bundle
from StrokePredictLib.predict_job import run as run_predict
from StrokeTrainLib.cohort.splits import Splits
from StrokeTrainLib.recipes import load_recipe
from StrokeTrainLib.training.begin import Options
from StrokeTrainLib.training.fold import run_fold
from StrokeTrainLib.training.status import read_log
from StrokeTrainLib.training.train import recipe_for, train


def test_the_run_folder_says_what_was_done(run, place):
    folder, result, told = run
    facts = read(folder / "run.json")
    assert facts["seed"] == 0
    assert facts["threads"] == 1
    assert facts["device"] == "cpu"
    assert {"torch", "monai", "pytorch-ignite"} <= facts["provenance"]["packages"].keys()
    assert facts["simulated"] is True
    assert load_recipe(folder / "recipe.json") == small_recipe(optimiser__rate="0.01", training__patience="50")
    status = read(folder / "status.json")
    assert status["state"] == "done"
    assert {"pid", "host", "heartbeat", "fold", "epoch", "time_left_s", "train_loss"} <= status.keys()
    events = [line["event"] for line in read_log(folder / "log.jsonl")]
    # Notes: that after two epochs a network predicts nothing yet.
    assert [event for event in events if event != "note"] == ["begun", "fold", "fold", "done"]
    assert [(facts["fold"], facts["epoch"]) for facts in told] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    for fold in (1, 2):
        epochs = read_log(folder / f"fold-{fold}" / "log.jsonl")
        assert [line["epoch"] for line in epochs] == [1, 2]
        assert list((folder / f"fold-{fold}" / "tensorboard").glob("events.*"))
        assert {"last.pt", "previous.pt", "best.pt"} <= {path.name for path in (folder / f"fold-{fold}").iterdir()}
    assert read(folder / "summary.json")["sha256"] == result["sha256"]


def test_whoever_looks_at_the_run_meanwhile_sees_no_model_or_the_finished_one(run, seen):
    folder, _, _ = run
    assert set(seen) <= {(folder / "bundle" / "SHA256SUMS").read_text()}
    assert open_bundle(folder / "bundle").card.calibration is not None  # so that there were two to be seen


def test_every_patient_is_predicted_by_the_fold_that_has_not_seen_them(run, place, tmp_path):
    folder, result, _ = run
    splits = Splits.load(folder / "splits.json")
    dices = []
    for number, fold in enumerate(splits.folds, 1):
        scores = read(folder / f"fold-{number}" / "scores.json")["patients"]
        assert set(scores) == set(fold.test)
        assert {path.name for path in (folder / f"fold-{number}" / "predictions").iterdir()} == set(fold.test)
        for patient in fold.test:
            made = folder / f"fold-{number}" / "predictions" / patient
            mask, prob = (nibabel.load(made / f"{kind}_{NAME}.nii.gz") for kind in ("mask", "prob"))
            truth = nibabel.load(
                place / f"cohort/derivatives/{patient}/ses-02/{patient}_ses-02_lesion-msk.nii.gz"
            )
            assert np.abs(mask.affine - truth.affine).max() < 1e-6
            found, true = mask.get_fdata() > 0, truth.get_fdata() > 0
            assert np.array_equal(found, prob.get_fdata(dtype=np.float32) >= 0.5)
            expected = 2 * (found & true).sum() / (found.sum() + true.sum())
            assert scores[patient]["dice"] == pytest.approx(expected, abs=1e-4)
            assert scores[patient]["true_ml"] == pytest.approx(true.sum() * 6 * 6 * 8 / 1000, abs=1e-3)
            dices.append(expected)
    assert result["scores"]["median Dice"] == pytest.approx(np.median(dices), abs=1e-3)
    patient, model = splits.folds[0].test[0], folder / "fold-1" / "bundle"
    run_predict(tmp_path, folder=place / "cohort", patient=patient, models=[str(model)], device="cpu")
    one, other = (
        nibabel.load(path / f"prob_{NAME}.nii.gz").get_fdata()
        for path in (tmp_path, folder / "fold-1" / "predictions" / patient)
    )
    assert np.array_equal(one, other)


def test_the_bundle_is_the_ensemble_and_says_on_whom(run):
    folder, result, _ = run
    bundle, splits = open_bundle(folder / "bundle"), Splits.load(folder / "splits.json")
    card = bundle.card
    assert card.weights == ["models/fold-1.safetensors", "models/fold-2.safetensors"]
    for fold in (1, 2):
        ours = load_file(folder / "bundle" / card.weights[fold - 1])
        best = torch.load(folder / f"fold-{fold}" / "best.pt", weights_only=True)
        assert ours.keys() == best.keys()
        assert all(torch.equal(ours[key], best[key]) for key in ours)
    assert card.demonstration
    assert card.training.simulated
    salt = card.training.salt
    used = {name for fold in splits.folds for name in (*fold.train, *fold.validation)}
    assert set(card.training.patient_hashes) == {
        hashlib.sha256(f"{salt}:simulated {name}".encode()).hexdigest()[:16] for name in used
    }
    assert not used & set(splits.calibration)
    assert card.scores["median Dice"] == result["scores"]["median Dice"]


def test_the_volume_interval_comes_from_patients_used_for_nothing_else(run, place, tmp_path):
    folder, _, _ = run
    splits, card = Splits.load(folder / "splits.json"), open_bundle(folder / "bundle").card
    assert len(splits.calibration) >= 1
    expected = []
    for patient in splits.calibration:
        made = run_predict(tmp_path / patient, folder=place / "cohort", patient=patient,
                           models=[str(folder / "bundle")], device="cpu")  # fmt: skip
        truth = nibabel.load(place / f"cohort/derivatives/{patient}/ses-02/{patient}_ses-02_lesion-msk.nii.gz")
        true_ml = (truth.get_fdata() > 0).sum() * 6 * 6 * 8 / 1000
        (model,) = made["prediction"]["models"]
        assert model["passes"] == 2
        expected.append(abs(np.cbrt(true_ml) - np.cbrt(model["volume_ml"])))
    assert card.calibration.scale == "cube-root"
    assert card.calibration.errors == pytest.approx(expected, abs=2e-3)


def test_a_finished_run_is_not_trained_again(run, options):
    folder, result, _ = run
    before = {path: path.stat().st_mtime_ns for path in folder.glob("fold-*/*.pt")}
    again = train(recipe_for(None, folder, resume=True), folder, Options(), resume=True)
    assert again["sha256"] == result["sha256"]
    assert before == {path: path.stat().st_mtime_ns for path in folder.glob("fold-*/*.pt")}


def test_one_fold_can_be_taken_up_anywhere(run, tmp_path):
    folder, _, _ = run
    copy = tmp_path / "run"
    shutil.copytree(folder, copy)
    whole = read(copy / "fold-2" / "scores.json")
    for name in ("scores.json", "last.pt", "best.pt"):
        (copy / "fold-2" / name).unlink()
    shutil.rmtree(copy / "fold-2" / "bundle")
    shutil.rmtree(copy / "fold-2" / "predictions")
    found = run_fold(str(copy), 2)
    assert found["patients"] == whole["patients"]
    assert found["best_score"] == whole["best_score"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"resume": False}, "holds a run already; go on with it (--resume)"),
        ({"epochs": 5}, "was begun with training.epochs = 2, now it is 5"),
        ({"seed": 4}, "was begun with seed 0; leave --seed out"),
        ({"recipe": "yu2020"}, "trains recipe 'debs2021-early', not 'yu2020'"),
        ({"device": "cuda"}, "was begun with device cpu"),
    ],
)
def test_another_run_in_the_same_folder_is_refused(run, options, change, words):
    folder, _, _ = run
    status = (folder / "status.json").read_bytes()
    resume = change.get("resume", True)
    chosen = Options(data=options.data, seed=change.get("seed"), device=change.get("device", "auto"))

    def attempt():
        recipe = recipe_for(change.get("recipe", NAME), folder, resume=resume, epochs=change.get("epochs"))
        train(recipe, folder, chosen, resume=resume)

    with pytest.raises(StrokeError) as caught:
        attempt()
    assert words in str(caught.value)
    assert (folder / "status.json").read_bytes() == status


def test_two_processes_cannot_train_in_one_folder(run, options):
    folder, _, _ = run
    with FileLock(folder / "lock"), pytest.raises(StrokeError, match=r"another process trains here \(process \d+ on"):
        train(recipe_for(None, folder, resume=True), folder, Options(), resume=True)


@pytest.mark.parametrize(("version", "word"), [(0, "an older"), (2, "a newer")])
def test_a_folder_of_another_version_is_refused(run, tmp_path, version, word):
    folder, _, _ = run
    shutil.copytree(folder, tmp_path / "run")
    facts = read(tmp_path / "run" / "run.json") | {"format": version}
    (tmp_path / "run" / "run.json").write_text(json.dumps(facts))
    with pytest.raises(StrokeError, match=f"was written by {word} version of the software"):
        recipe_for(None, tmp_path / "run", resume=True)


def test_a_label_corrected_meanwhile_is_noticed(place, run, tmp_path):
    folder, _, _ = run
    shutil.copytree(folder, tmp_path / "run")
    shutil.copytree(place / "cohort", tmp_path / "cohort")
    facts = read(tmp_path / "run" / "run.json") | {"data": str(tmp_path / "cohort")}
    (tmp_path / "run" / "run.json").write_text(json.dumps(facts))
    path = tmp_path / "cohort/derivatives/sub-0003/ses-02/sub-0003_ses-02_lesion-msk.nii.gz"
    image = nibabel.load(path)
    nibabel.save(nibabel.Nifti1Image(1 - np.asarray(image.dataobj), image.affine), path)
    with pytest.raises(StrokeError, match=r"sub-0003 was changed since the run began \(final-infarct"):
        train(recipe_for(None, tmp_path / "run", resume=True), tmp_path / "run", Options(), resume=True)


def test_who_cannot_be_used_is_left_out_with_the_reason(place, options, tmp_path):
    cohort = write_cohort(tmp_path / "cohort", 9, lesion=lambda number: number != 4)
    (cohort / "derivatives/sub-0001/ses-02/sub-0001_ses-02_lesion-msk.nii.gz").unlink()
    path = cohort / "derivatives/sub-0002/ses-02/sub-0002_ses-02_lesion-msk.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.ones((5, 5, 5), np.uint8), np.eye(4)), path)
    recipe = small_recipe(epochs=1)
    result = train(recipe, tmp_path / "run", Options(data=cohort, cache=place / "cache", threads=1, device="cpu"))
    reasons = {item["patient"]: item["reason"] for item in result["excluded"]}
    assert set(reasons) == {"sub-0001", "sub-0002"}
    assert "without label" in reasons["sub-0001"]
    assert "another grid" in reasons["sub-0002"]
    assert any("empty label" in note and "sub-0005" in note for note in result["notes"])
    assert len(find_files(cohort, "sub-0001").roles) > 3  # nothing of the cohort is touched


def test_one_class_only_and_nobody_left_are_told(options, tmp_path):
    cohort = write_cohort(tmp_path / "cohort", 6, lesion=False)
    mine = Options(data=cohort, cache=options.cache, threads=1, device="cpu")
    with pytest.raises(StrokeError, match="one class only, nothing can be learnt"):
        train(small_recipe(), tmp_path / "new" / "run", mine)
    assert not (tmp_path / "new").exists()  # nothing that a corrected attempt would stumble over
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("mine")
    with pytest.raises(StrokeError, match="one class only"):
        train(small_recipe(), tmp_path / "run", mine)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["mine.txt"]
    mine = Options(data=write_cohort(tmp_path / "few", 4, roles=("dwi", "adc", "b0")), cache=options.cache)
    with pytest.raises(StrokeError, match=r"none of 4 patients can be used.*Tmax, CBV, CBF missing"):
        train(small_recipe(), tmp_path / "other", mine)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("loss", ["damaged", "gone"])
def test_a_finished_fold_whose_checkpoint_is_damaged_is_taken_from_its_bundle(run, tmp_path, loss):
    folder, result, _ = run
    copy = tmp_path / "run"
    shutil.copytree(folder, copy)
    (copy / "summary.json").unlink()
    shutil.rmtree(copy / "bundle")
    best = copy / "fold-1" / "best.pt"
    best.unlink() if loss == "gone" else best.write_bytes(b"x")
    again = train(recipe_for(None, copy, resume=True), copy, Options(), resume=True)
    assert again["sha256"] == result["sha256"]
    assert any("best.pt: cannot be used; the same weights were taken from" in note for note in again["notes"])


def test_another_start_or_cache_is_refused_when_a_run_is_gone_on_with(run, place, options, tmp_path):
    folder, _, _ = run
    for more, words in (({"init": str(folder / "bundle")}, "was begun without --init"),
                        ({"cache": tmp_path / "elsewhere"}, "was begun with --cache")):  # fmt: skip
        with pytest.raises(StrokeError, match=words):
            train(recipe_for(None, folder, resume=True), folder, Options(**more), resume=True)
    same = Options(cache=options.cache)
    assert train(recipe_for(None, folder, resume=True), folder, same, resume=True)["scores"]


@pytest.mark.parametrize("name", ["ses-02/{0}_ses-02_flair.nii.gz", "ses-01/{0}_ses-01_dwi.json"])
def test_a_file_beside_that_changed_meanwhile_is_noticed(place, run, tmp_path, name):
    """A follow-up image, and an image's sidecar."""
    folder, _, _ = run
    shutil.copytree(folder, tmp_path / "run")
    shutil.copytree(place / "cohort", tmp_path / "cohort")
    path = tmp_path / "cohort" / "raw_data" / "sub-0003" / name.format("sub-0003")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}") if path.suffix == ".json" else nibabel.save(
        nibabel.Nifti1Image(np.ones((4, 4, 4), np.float32), np.eye(4)), path
    )
    facts = read(tmp_path / "run" / "run.json") | {"data": str(tmp_path / "cohort")}
    (tmp_path / "run" / "run.json").write_text(json.dumps(facts))
    with pytest.raises(StrokeError, match="sub-0003 was changed since the run began"):
        train(recipe_for(None, tmp_path / "run", resume=True), tmp_path / "run", Options(), resume=True)
