"""No model is tested on patients it has seen, nor on outlines that began as its own prediction."""

import json
from dataclasses import replace

import pytest
from support.small_cohort import write_cohort
from support.small_run import write_model, write_run

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models.bundle import open_bundle
from StrokeTrainLib.cohort.index import index_cohort
from StrokeTrainLib.evaluation.evaluate import evaluate
from StrokeTrainLib.evaluation.lineage import lineage, refusal
from StrokeTrainLib.evaluation.sources import from_model, from_run
from StrokeTrainLib.recipes import load_recipe

TARGET = "final-infarct"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run with patients kept for calibration, and its cohort."""
    base = tmp_path_factory.mktemp("refusals")
    write_cohort(base / "cohort", 10)
    splits = write_run(base / "run", base / "cohort", calibration=0.2)
    return base, list(index_cohort(base / "cohort")), splits


def started_from(patient, digest):
    labels = tuple(replace(label, start="a model", start_hash=digest) for label in patient.labels)
    return replace(patient, labels=labels)


def test_each_fold_tests_only_whom_it_has_not_seen(made):
    base, patients, splits = made
    source = from_run(base / "run", patients)
    assert sorted(source.places) == sorted(name for fold in splits.folds for name in fold.test)
    assert not any(place.why for place in source.places.values())
    for number, fold in enumerate(splits.folds, 1):
        bundle = open_bundle(base / "run" / f"fold-{number}" / "bundle")
        for patient in patients:
            said = refusal(bundle, lineage(bundle), patient, TARGET)
            assert bool(said) == (patient.id in (*fold.train, *fold.validation)), patient.id


def test_other_people_of_the_same_name_may_be_stated(made):
    base, patients, splits = made
    bundle = open_bundle(base / "run" / "fold-1" / "bundle")
    known = next(patient for patient in patients if patient.id in splits.folds[0].train)
    assert "was trained on this patient" in refusal(bundle, lineage(bundle), known, TARGET)
    assert refusal(bundle, lineage(bundle), known, TARGET, distinct=True) == ""
    # Nobody is simulated and imaged.
    assert refusal(bundle, lineage(bundle), replace(known, simulated=False), TARGET) == ""
    # Another record of the same person is the same person.
    second = replace(known, id="sub-0999", person=known.id)
    assert "was trained on this patient" in refusal(bundle, lineage(bundle), second, TARGET)


def test_an_outline_that_began_as_a_prediction_tests_no_relative(made, tmp_path):
    base, patients, splits = made
    run = base / "run"
    bundle = open_bundle(run / "fold-1" / "bundle")
    unseen = next(patient for patient in patients if patient.id in splits.folds[0].test)
    other_fold = open_bundle(run / "fold-2" / "bundle").sha256
    for digest in (bundle.sha256, bundle.sha256[:16], other_fold):
        for distinct in (False, True):
            said = refusal(bundle, lineage(bundle), started_from(unseen, digest), TARGET, distinct=distinct)
            assert "began as a prediction" in said
    for digest in ("f" * 64, None, bundle.sha256[:4]):
        assert refusal(bundle, lineage(bundle), started_from(unseen, digest), TARGET) == ""


def test_a_descendant_is_not_tested_either(made, tmp_path):
    """A fine-tuned model's ancestors are found through its run, and through its card alone."""
    base, patients, splits = made
    ancestor = open_bundle(base / "run" / "fold-1" / "bundle")
    unseen = started_from(next(p for p in patients if p.id in splits.folds[0].test), ancestor.sha256)
    write_run(tmp_path / "tuned", base / "cohort", seed=9)
    facts = json.loads((tmp_path / "tuned" / "run.json").read_text())
    facts["init"] = {"name": "x", "folder": str(ancestor.folder), "sha256": ancestor.sha256, "patient_hashes": []}
    (tmp_path / "tuned" / "run.json").write_text(json.dumps(facts))
    tuned = write_model(tmp_path / "tuned" / "bundle", load_recipe("debs2021-early"), seed=30)
    assert "began as a prediction" in refusal(tuned, lineage(tuned), unseen, TARGET)
    told = ancestor.card.training.model_copy(update={"data": f"starting from 'x' ({ancestor.sha256[:16]}…)."})
    installed = replace(tuned, folder=tmp_path, card=tuned.card.model_copy(update={"training": told}))
    assert "began as a prediction" in refusal(installed, lineage(installed), unseen, TARGET)


def test_calibration_patients_do_not_test_the_interval_that_they_made(made, tmp_path):
    base, patients, splits = made
    calibration = {"errors": [0.5, 0.6], "scale": "cube-root"}
    recipe = load_recipe("debs2021-early")
    bundle = write_model(base / "run" / "bundle", recipe, seed=40, calibration=calibration)
    for patient in patients:
        said = refusal(bundle, lineage(bundle), patient, TARGET)
        assert ("calibrated on this patient" in said) == (patient.id in splits.calibration)


def test_a_model_that_knows_everybody_is_refused_as_a_whole(made, tmp_path):
    _, patients, _ = made
    bundle = write_model(tmp_path / "bundle", load_recipe("debs2021-early"), patients)
    with pytest.raises(StrokeError, match=r"may test none of the 10 patients.*trained on this patient"):
        from_model(bundle, tmp_path / "predictions", patients)


def test_a_run_is_not_evaluated_on_another_cohort(made, tmp_path):
    base, _, _ = made
    write_cohort(tmp_path / "other", 10, seed=8)
    with pytest.raises(StrokeError, match=r"is not the image that the run was trained on.*--model RUN/bundle"):
        evaluate(tmp_path / "other", tmp_path / "out", run=base / "run")
    write_cohort(tmp_path / "third", 2, first=70)
    with pytest.raises(StrokeError, match="none of the run's patients is in this cohort"):
        evaluate(tmp_path / "third", tmp_path / "out", run=base / "run")
    assert not (tmp_path / "out").exists()


def test_what_to_evaluate_must_be_named_once(made, tmp_path):
    base, _, _ = made
    for both in ({}, {"run": base / "run", "model": "x"}):
        with pytest.raises(StrokeError, match="one of both"):
            evaluate(base / "cohort", tmp_path / "out", **both)
    with pytest.raises(StrokeError, match="no training run here") as told:
        evaluate(base / "cohort", tmp_path / "out", run=base / "cohort")
    assert "--resume" not in str(told.value)  # advice for who trains
