"""Whole experiments on small made-up patients: stopped and gone on with, leakage refused, fine-tuning, what-if."""

import csv
import json

import nibabel
import numpy as np
import pytest
import torch
from support.small_cohort import write_cohort

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib.cohort.parts import Fold, Splits
from StrokeTrainLib.evaluation.records import to_record
from StrokeTrainLib.experiments import runs
from StrokeTrainLib.experiments.alis_vendors import read_thrice
from StrokeTrainLib.experiments.catalogue import experiment_of
from StrokeTrainLib.experiments.experiment import Finished
from StrokeTrainLib.experiments.ground import prepare_ground
from StrokeTrainLib.experiments.run import run_experiment
from StrokeTrainLib.experiments.setting import Setting
from StrokeTrainLib.training import fold as folds

VALUES = {
    "matrix": "[32, 32]", "spacing_mm": "[6.5, 6.5]", "training.epochs": "1", "training.batch": "6",
    "optimiser.rate": "0.01",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


#: Patients of the small cohort; in the larger one each vendor has enough for a tenth.
FEW = 10


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """A few patients, every second reperfused."""
    return write(tmp_path_factory.mktemp("cohort"), FEW)


@pytest.fixture(scope="module")
def vendors(tmp_path_factory):
    """Patients of either vendor, ten of each with a core, some without."""
    return write(tmp_path_factory.mktemp("vendors"), 28)


def write(root, patients):
    """Write patients of two vendors, cores drawn thrice by one reader, once by another."""
    write_cohort(root, patients)
    rows = (root / "participants.tsv").read_text().splitlines()
    made = ["participant_id\tmtici\tvendor"]
    for number, row in enumerate(rows[1:]):
        name = row.split("\t")[0]
        made.append(f"{name}\t{'3' if number % 2 else '0'}\t{'AB'[(number // 2) % 2]}")
        folder = root / "derivatives" / name / "ses-01"
        mask = nibabel.load(folder / f"{name}_ses-01_core-msk.nii.gz")
        drawn = np.asarray(mask.dataobj).astype(np.uint8)
        for reader, read, shift in (("1", 1, 0), ("1", 2, 1), ("1", 3, 0), ("2", 1, 2)):
            path = folder / f"{name}_ses-01_rater-{reader}_read-{read}_core-msk.nii.gz"
            nibabel.save(nibabel.Nifti1Image(np.roll(drawn, shift, axis=0), mask.affine), path)
    (root / "participants.tsv").write_text("\n".join(made) + "\n")
    return root


@pytest.fixture(scope="module")
def setting(cohort, tmp_path_factory):
    def make(name, data=cohort, **more):
        place = tmp_path_factory.mktemp(name)
        given = {"folds": 2, "workers": 1, "device": "cpu", "values": VALUES, "cache": cohort.parent / "cache"} | more
        return Setting(data, place / "out", **given)

    return make


@pytest.fixture(scope="module")
def stopped(setting):
    """An experiment that was stopped in its fourth fold, and what had been trained by then."""
    chosen, done = setting("debs"), []
    whole = folds.run_fold

    def until_the_fourth(run, fold):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append((run, fold))
        return whole(run, fold)

    folds.run_fold = until_the_fourth
    try:
        with pytest.raises(KeyboardInterrupt):
            run_experiment("debs-table2", chosen)
    finally:
        folds.run_fold = whole
    assert not (chosen.output / "table.md").exists()
    return chosen, done


@pytest.fixture(scope="module")
def finished(stopped):
    """The same, gone on with to its end; which folds were trained then."""
    chosen, _ = stopped
    whole, done = folds.run_fold, []
    folds.run_fold = lambda run, fold: (done.append((run, fold)), whole(run, fold))[1]
    try:
        result = run_experiment("debs-table2", chosen)
    finally:
        folds.run_fold = whole
    return chosen, result, done


def test_what_was_done_before_it_was_stopped_is_not_done_again(stopped, finished):
    later, before = finished[2], stopped[1]
    assert len(before) == 3
    assert len(later) == 3  # three networks of two folds
    assert not set(before) & set(later)


def test_a_third_call_trains_and_scores_nothing(finished, monkeypatch):
    chosen, result, _ = finished
    monkeypatch.setattr(folds, "run_fold", lambda run, fold: pytest.fail("trained again"))
    monkeypatch.setattr("StrokeTrainLib.evaluation.patient.score_one", lambda **item: pytest.fail("scored again"))
    again = run_experiment("debs-table2", chosen)
    assert again["tables"] == result["tables"]
    assert again["directions"] == result["directions"]


def test_the_files_hold_table_command_seeds_and_patients(finished):
    chosen = finished[0]
    record = json.loads((chosen.output / "experiment.json").read_text())
    assert record["state"] == "done"
    assert record["simulated"] is True
    assert record["asked"]["seed"] == 0
    assert len(record["patients"]) == FEW
    assert {name: sum(fold["test"] for fold in sizes) for name, sizes in record["folds"].items()} == dict.fromkeys(
        ("general", "reperfused", "not-reperfused"), FEW
    )
    page = (chosen.output / "table.md").read_text()
    assert "--seed 0 --folds 2 --set 'matrix=[32, 32]'" in page
    assert f"{FEW} simulated patients took part" in page
    with (chosen.output / "table.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["n"] for row in rows if row["source"] == "ours"} == {"5"}
    assert str(chosen.data.parent) not in page  # no folder of this machine


def test_claims_are_judged_only_if_every_network_learnt_something(finished, cohort):
    chosen, result, _ = finished
    medians = {}
    for arm, at_home in (("general", (0, 1)), ("reperfused", (1,)), ("not-reperfused", (0,))):
        found = []
        for number in range(FEW):
            if number % 2 in at_home:
                name = f"sub-{number + 1:04d}"
                outline = cohort / "derivatives" / name / "ses-02" / f"{name}_ses-02_lesion-msk.nii.gz"
                place = next(runs.run_of(chosen, arm).glob(f"fold-*/predictions/{name}"))
                mask = nibabel.load(next(place.glob("mask_*"))).get_fdata() > 0.5
                true = nibabel.load(outline).get_fdata() > 0.5
                total = mask.sum() + true.sum()
                found.append(2 * (mask & true).sum() / total if total else 1.0)
        medians[arm] = np.median(found)
    refused = [d["verdict"].startswith("not assessable: not learnt by ") for d in result["directions"]]
    assert refused == [min(medians.values()) < 0.1] * len(refused), medians
    assert len(refused) == 6


def test_models_learn_from_their_own_patients_and_test_everybody(finished, cohort):
    chosen = finished[0]
    reperfused = {f"sub-{number + 1:04d}" for number in range(FEW) if number % 2}
    parts = {}
    for arm in ("general", "reperfused", "not-reperfused"):
        splits = parts[arm] = Splits.load(runs.run_of(chosen, arm) / "splits.json")
        assert sorted(name for fold in splits.folds for name in fold.test) == sorted(
            f"sub-{number + 1:04d}" for number in range(FEW)
        )
    for fold, other in zip(parts["reperfused"].folds, parts["not-reperfused"].folds, strict=True):
        assert {*fold.train, *fold.validation} <= reperfused
        assert not {*other.train, *other.validation} & reperfused
        assert fold.test == other.test
    assert [fold.test for fold in parts["general"].folds] == [fold.test for fold in parts["reperfused"].folds]


def test_a_model_is_refused_on_patients_that_it_has_seen(finished):
    """Folds swapped behind its back: every patient would be scored by the network that learnt from them."""
    chosen = finished[0]
    experiment = experiment_of("debs-table2")
    ground = prepare_ground(experiment.arms[0], chosen, experiment.scheme(chosen))
    done = Finished(experiment, chosen, ground, experiment.deal(ground, chosen)[0])
    assert all(place.why == "" for place in done.source("general").places.values())
    path = runs.run_of(chosen, "general") / "splits.json"
    kept = path.read_text()
    splits = json.loads(kept)
    splits["folds"].reverse()
    path.write_text(json.dumps(splits))
    try:
        whys = [place.why for place in done.source("general").places.values()]
        with pytest.raises(StrokeError, match="holds another run"):
            run_experiment("debs-table2", chosen)
    finally:
        path.write_text(kept)
    assert len(whys) == FEW
    assert all(why.startswith("Refused: model 'debs2021' was trained on this patient") for why in whys)


def test_another_seed_or_experiment_in_the_same_folder_is_refused(finished, cohort):
    chosen = finished[0]
    with pytest.raises(StrokeError, match=r"begun with seed = 0, now it is 1; choose another folder"):
        run_experiment("debs-table2", Setting(cohort, chosen.output, folds=2, seed=1, workers=1, values=VALUES))
    with pytest.raises(StrokeError, match="begun with experiment = debs-table2"):
        run_experiment("debs-table3", chosen)


def test_too_few_patients_of_a_kind_are_said_with_counts(cohort, setting):
    chosen = setting("few", folds=6)
    with pytest.raises(StrokeError, match=r"at least 6 patients of each are needed \(reperfused: 5, not"):
        run_experiment("debs-table2", chosen)
    assert not (chosen.output / "experiment.json").exists()  # a corrected command may take the same folder


def test_both_vendors_are_tested_at_home_away_and_fine_tuned(setting, vendors):
    chosen = setting("alis", vendors, folds=None)
    result = run_experiment("alis-vendors", chosen)
    lines = {line["label"]: line for line in result["tables"][0]["lines"] if line["source"] == "ours"}
    assert set(lines) == {"A → A", "B → B", "A → B", "B → A", "A, fine-tuned → B", "B, fine-tuned → A"}
    assert all("–" not in line["cells"][0] for line in lines.values())
    for v in "AB":
        native, tuned = (Splits.load(runs.run_of(chosen, arm) / "splits.json").folds[0] for arm in (v, f"{v}-tuned"))
        facts = json.loads((runs.run_of(chosen, f"{v}-tuned") / "run.json").read_text())
        assert facts["init"]["folder"].endswith(f"runs/{v}/fold-1/bundle")
        assert set(tuned.test) < set(native.test)
        assert not set(tuned.validation) & {*native.train, *native.validation, *native.test}
    assert any("one reader's reads" in note for note in result["notes"])
    assert any(note.endswith("patients without a core take no part, as in the paper.") for note in result["notes"])
    assert lines["A → A"]["cells"][1] == lines["B → A"]["cells"][1]  # the same reader on the same patients


def test_what_a_training_noted_is_told_with_the_network_it_belongs_to(setting):
    chosen = setting("noted")
    for fold, notes in ((1, ["fold 1: the network collapsed."]), (2, [])):
        folder = runs.run_of(chosen, "A") / f"fold-{fold}"
        folder.mkdir(parents=True)
        (folder / folds.SCORES).write_text(json.dumps({"fold": fold, "notes": notes}))
    arm = experiment_of("alis-vendors").arms[0]
    both = Splits("2-fold", 0, (Fold((), (), ()),) * 2)
    assert runs.notes_of_trainings([arm], {"A": both}, chosen) == ["Model A, fold 1: the network collapsed."]


def test_the_truth_of_a_test_patient_is_the_majority_of_three_reads(cohort):
    from StrokeTrainLib.cohort.index import index_cohort
    from StrokeTrainLib.cohort.votes import second_reader, truth

    patient = index_cohort(cohort)["sub-0002"]
    chosen = read_thrice(patient)
    for who in (patient, chosen):  # networks learn from the majority too, not from the nameless outline
        found = truth(who, "acute-core")
        assert (found.reader, found.reads) == ("1", 3)
    assert second_reader(chosen, "acute-core").reader == "2"
    assert chosen.labels_of("final-infarct") == patient.labels_of("final-infarct")
    assert to_record(chosen)["id"] == "sub-0002"


def test_one_conditioned_network_and_one_for_each_course(setting, cohort):
    for number in range(FEW):  # what a simulated patient's truth says of both courses
        name = f"sub-{number + 1:04d}"
        folder = cohort / "derivatives" / name / "truth"
        folder.mkdir(exist_ok=True)
        told = {"infarct": 10.0, "infarct_day5": 12.0, "infarct_reperfused": 10.0, "infarct_not_reperfused": 30.0}
        (folder / f"{name}_volumes.json").write_text(json.dumps(told))
    result = run_experiment(
        "fate-conditioning",
        setting("fate", values=VALUES | {"network.options.filters": "4", "augmentation.enabled": "false"}),
    )
    assert set(result["folds"]) == {"conditioned", "only-none", "only-complete"}
    assert any(note.startswith("Partial reperfusion: 0 patients are too few") for note in result["notes"])
    courses = result["numbers"]["patients"]
    assert len(courses) == FEW
    both = [(row["conditioned"]["none"], row["conditioned"]["complete"]) for row in courses.values()]
    share = result["numbers"]["conditioned"]["complete_not_larger"]
    assert share == sum(none >= complete for none, complete in both)
    # Both true courses swell by 12 / 10: true ΔV is 1.2 · (30 − 10) mL.
    errors = [abs(none - complete - 24.0) for none, complete in both]
    assert result["numbers"]["conditioned"]["median_absolute_error_ml"] == pytest.approx(np.median(errors))


def test_an_unknown_experiment_is_refused_with_those_that_there_are():
    with pytest.raises(StrokeError, match="no experiment 'x'; there are yu-table2, debs-table2"):
        experiment_of("x")
