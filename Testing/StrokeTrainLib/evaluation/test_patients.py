"""Scoring: each patient once, again only where something changed, and readers beside the networks."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score
from support.evaluation_study import GOOD, METHOD

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image, write_image
from StrokeTrainLib.cohort.index import index_cohort
from StrokeTrainLib.cohort.table import Label, Patient
from StrokeTrainLib.evaluation.patients import evaluate_patients, has_second_reader, rules_for, rules_left_out
from StrokeTrainLib.evaluation.records import from_record, to_record
from StrokeTrainLib.evaluation.sources import Place, Source, from_run


@pytest.fixture(scope="module")
def cohort(study):
    return list(index_cohort(study.cohort))


def test_a_patient_goes_to_another_process_whole(cohort):
    for patient in cohort:
        back = from_record(json.loads(json.dumps(to_record(patient))))
        assert back == replace(patient, problems=(), notes=())


def test_what_is_done_is_not_done_again_until_a_file_changes(study, cohort, tmp_path):
    source = from_run(study.run, cohort)
    patients = [patient for patient in cohort if patient.id in GOOD[:2]]
    source = replace(source, places={name: source.places[name] for name in GOOD[:2]})
    options = {"workers": 1, "cache": study.cache, "rules": ("adc",)}
    first = evaluate_patients(patients, [source], tmp_path, **options)
    receipts = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.json")}
    assert len(receipts) == 2
    again = evaluate_patients(patients, [source], tmp_path, **options)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.json")} == receipts
    assert again.table() == first.table() or np.isnan(again.column(METHOD, "auc")).any()
    # The outline is corrected: one patient is scored anew, and the number is the new truth's.
    label = patients[0].label("final-infarct")
    volume = read_image(label.path)
    thinner = volume.with_array(volume.array * (np.arange(volume.shape[0]) % 2)[:, None, None])
    corrected = write_copy(tmp_path / "corrected.nii.gz", thinner)
    labels = tuple(replace(item, path=corrected) if item == label else item for item in patients[0].labels)
    changed = [replace(patients[0], labels=labels), patients[1]]
    third = evaluate_patients(changed, [source], tmp_path, **options)
    now = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.json")}
    assert [name for name in receipts if now[name] != receipts[name]] == [f"{GOOD[0]}.json"]
    mask = read_image(f"{source.places[GOOD[0]].folder}/mask_{METHOD}.nii.gz").array > 0.5
    assert third.column(METHOD, "dice")[0] == pytest.approx(f1_score(thinner.array.ravel() > 0.5, mask.ravel()))


def write_copy(path, volume):
    write_image(path, volume)
    return path


def test_a_second_reader_is_a_method_and_the_majority_the_truth(study, cohort, tmp_path):
    """Three reads by one reader, one by another (Alis 2020)."""
    patient = next(patient for patient in cohort if patient.id == GOOD[0])
    label = patient.label("final-infarct")
    volume = read_image(label.path)
    lesion = volume.array > 0.5
    reads = [lesion, lesion & (np.arange(lesion.shape[2]) % 2 == 0), np.roll(lesion, 1, axis=2)]
    other = np.roll(lesion, 1, axis=1)
    labels = []
    for number, (reader, mask) in enumerate([*(("A", read) for read in reads), ("B", other)]):
        path = write_copy(tmp_path / f"{number}.nii.gz", volume.with_array(mask.astype(np.float32)))
        labels.append(replace(label, path=path, reader=reader, read=number))
    source = Source("none", "none", {patient.id: Place(why="No prediction.")})
    results = evaluate_patients(
        [replace(patient, labels=tuple(labels))], [source], tmp_path / "ledger", rules=False, reader=True, workers=1,
        cache=study.cache,
    )  # fmt: skip
    majority = sum(read.astype(int) for read in reads) >= 2
    assert results.kinds["reader"] == "reader"
    assert results.column("reader", "dice")[0] == pytest.approx(f1_score(majority.ravel(), other.ravel()))
    assert results.notes("none") == {patient.id: "No prediction."}


def test_who_is_a_second_reader():
    def found(*readers):
        labels = tuple(Label("acute-core", Path(str(n)), who, read) for n, (who, read) in enumerate(readers))
        return has_second_reader([Patient("a", Path("a"), "bids", {}, labels)], "acute-core")

    assert found(("A", 1), ("A", 2), ("B", 1))
    assert found((None, None), ("B", 1))  # beside an outline of nobody
    assert not found((None, None), ("A", 1), ("A", 2))  # A's majority is the truth
    assert not found((None, None), (None, None))
    assert not found()


def test_an_unreadable_patient_costs_nobody_else(study, cohort, tmp_path):
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(b"no image")
    chosen = [patient for patient in cohort if patient.id in GOOD[:2]]
    labels = tuple(replace(label, path=broken) for label in chosen[0].labels)
    source = from_run(study.run, chosen)
    results = evaluate_patients(
        [replace(chosen[0], labels=labels), chosen[1]], [source], tmp_path / "ledger", rules=("adc",), workers=1,
        cache=study.cache,
    )  # fmt: skip
    assert np.isnan(results.column("adc", "dice")[0])
    assert "broken.nii.gz" in results.notes("adc")[GOOD[0]]
    assert results.column("adc", "dice")[1] > 0


def test_rules_that_fit_and_those_left_out_are_said(cohort):
    everything = rules_for(cohort, "final-infarct", True)
    assert everything == ["adc", "tmax-or-adc", "dwi", "dwi-or-penumbra", "rcbf"]
    assert rules_for(cohort, "acute-core", True) == ["adc", "rcbf"]
    assert rules_for(cohort, "final-infarct", False) == []
    bare = [replace(p, images={"dwi": p.images["dwi"]}, labels=()) for p in cohort]
    assert rules_for(bare, "final-infarct", True) == []
    assert len(rules_left_out(bare, "final-infarct", [])) == 5
    unoutlined = [replace(p, labels=()) for p in cohort]
    assert rules_for(unoutlined, "final-infarct", True) == ["adc", "tmax-or-adc", "rcbf"]
    assert any("outline" in said for said in rules_left_out(unoutlined, "final-infarct", ["adc"]))
    with pytest.raises(StrokeError, match="no such threshold rule"):
        rules_for(cohort, "final-infarct", ["guess"])


def test_methods_must_be_told_apart(study, cohort, tmp_path):
    source = from_run(study.run, cohort)
    for second in (source, replace(source, name="adc")):
        with pytest.raises(StrokeError, match="is the name of two methods"):
            evaluate_patients(cohort, [source, second], tmp_path)
    with pytest.raises(StrokeError, match="one target is needed"):
        evaluate_patients(cohort, [source, replace(source, name="x", target="acute-core")], tmp_path)
    with pytest.raises(StrokeError, match="is a test patient"):
        evaluate_patients([], [source], tmp_path)
