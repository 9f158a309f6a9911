"""A demonstration model made in miniature, by the path that made those that come with the software."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from support.small_cohort import write_cohort

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.inference import predict
from StrokePredictLib.io.load import load_case
from StrokePredictLib.models.bundle import open_bundle
from StrokeTrainLib.cohort.index import index_cohort
from StrokeTrainLib.demonstration import commands, make
from StrokeTrainLib.demonstration_models import COHORTS, MODELS
from StrokeTrainLib.evaluation.sources import from_model
from StrokeTrainLib.training.identity import calibrated_on, seen

PHANTOM = "f" * 64


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("demonstration")
    for name, people, count, seed in (("train", "one", 28, 3), ("unseen", "other", 4, 4)):
        folder = write_cohort(place / name, count, people=people, seed=seed)
        said = json.loads((folder / "dataset_description.json").read_text())
        (folder / "dataset_description.json").write_text(json.dumps(said | {"PhantomFingerprint": PHANTOM}))
        for number in range(count if name == "unseen" else 0):
            truth = folder / f"derivatives/sub-{number + 1:04d}/truth/sub-{number + 1:04d}_volumes.json"
            truth.parent.mkdir()
            told = {"infarct": 10, "infarct_day5": 20, "infarct_reperfused": 10, "infarct_not_reperfused": 30}
            truth.write_text(json.dumps(told))
    tiny = {"training.epochs": "1", "split.calibration": "0.15", "matrix": "[32,32]", "spacing_mm": "[6.5,6.5]"}
    model = MODELS["infarct-reperfused"]
    model = replace(model, values={**model.values, **tiny})
    bundle = make(
        model, place / "train", place / "unseen", place / "small", run=place / "run", cache=place / "cache", threads=1
    )
    return place, model, bundle


def test_the_card_says_what_it_is_and_how_it_was_made(made):
    _, model, bundle = made
    card = bundle.card
    assert (card.name, card.title) == (model.name, model.title)
    assert card.demonstration
    assert "Trained on simulated patients only; not for clinical use." in card.intended_use
    assert "4 filters at the first level instead of 8" in card.intended_use
    assert "network.options.filters: none → 4" in card.training.data
    assert card.training.phantom == PHANTOM
    assert card.training.commands == commands(model)
    readme = (bundle.folder / "docs" / "README.md").read_text(encoding="utf-8")
    for word in (PHANTOM, *commands(model), *map(str, card.scores.values())):
        assert word in readme


def test_weights_are_halves_and_statistics_are_not(made):
    place, _, bundle = made
    state = load_file(bundle.folder / bundle.card.weights[0])
    trained = open_bundle(place / "run" / "bundle").load().state_dict()
    assert set(state) == set(trained)
    for name, tensor in state.items():
        if name.endswith(("running_mean", "running_var")):
            assert tensor.dtype == torch.float32
            assert torch.equal(tensor, trained[name])
        elif tensor.is_floating_point():
            assert tensor.dtype == torch.float16
            assert torch.equal(tensor, trained[name].half())


def test_who_calibrated_and_who_trained_may_not_test(made):
    place, _, bundle = made
    patients = list(index_cohort(place / "train"))
    trained, calibrated = seen(bundle.card, patients), calibrated_on(bundle.card, patients)
    splits = json.loads((place / "run" / "splits.json").read_text())
    assert [patient.id for patient in calibrated] == splits["calibration"]
    assert len(calibrated) == len(bundle.card.calibration.errors) > 0
    assert not {p.id for p in trained} & {p.id for p in calibrated}
    with pytest.raises(StrokeError, match="volume interval of model 'infarct-reperfused' was calibrated"):
        from_model(bundle, place / "nowhere", calibrated)
    with pytest.raises(StrokeError, match="was trained on this patient"):
        from_model(bundle, place / "nowhere", trained)


def test_the_interval_and_the_scores_are_the_stored_models(made):
    place, _, bundle = made
    patients = list(index_cohort(place / "train"))
    errors = []
    for patient in calibrated_on(bundle.card, patients):
        case = load_case(**patient.load_arguments)
        true = _outline(place / "train", patient.id)
        volume = predict(case, bundle, device="cpu").mask.array.sum() * 6 * 6 * 8 / 1000
        errors.append(abs((true.sum() * 6 * 6 * 8 / 1000) ** (1 / 3) - volume ** (1 / 3)))
    assert sorted(bundle.card.calibration.errors) == pytest.approx(sorted(errors), abs=1e-3)
    dices, off = [], []
    for patient in index_cohort(place / "unseen"):
        found = predict(load_case(**patient.load_arguments), bundle, device="cpu").mask.array
        off.append(abs(found.sum() * 6 * 6 * 8 / 1000 - 20.0))  # outcome if reperfused × swelling
        if patient.facts["reperfusion_debs"] == "yes":
            true = _outline(place / "unseen", patient.id)
            dices.append(2 * (found & true).sum() / (found.sum() + true.sum()))
    assert bundle.card.scores["median Dice"] == pytest.approx(np.median(dices), abs=2e-3)
    assert f"median absolute error {np.median(off):.1f} mL" in bundle.card.scores["volume if so, everybody"]
    assert bundle.card.scores["patients tested"].startswith("2 of 4 unseen simulated patients who reperfused")


def _outline(data, name):
    import nibabel

    path = data / f"derivatives/{name}/ses-02/{name}_ses-02_lesion-msk.nii.gz"
    return nibabel.load(path).get_fdata().T > 0


def test_nobody_is_in_two_cohorts():
    from StrokePredictLib.phantom.cohort import cohort_seed

    people = [
        (cohort.population if cohort.population != "lvo" else population, cohort_seed(cohort.seed, n))
        for cohort in COHORTS.values()
        for population in (("yu2020", "debs2021") if cohort.population == "lvo" else ("",))
        for n in range(cohort.cases)
    ]
    assert len(set(people)) == len(people)
