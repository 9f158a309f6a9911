"""The locked test set: drawn once, in no split while closed, opened for a reason that stays."""

import json
from dataclasses import replace

import pytest
from support.small_cohort import write_cohort

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib import cohort_job
from StrokeTrainLib.cohort.index import index_cohort
from StrokeTrainLib.cohort.locked import NAME, kept_out, lock, open_locked, read_locked
from StrokeTrainLib.cohort.splits import make_splits


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("STROKE_CACHE", str(tmp_path / "cache"))
    return write_cohort(tmp_path / "cohort", 10)


def everybody(splits):
    return {name for fold in splits.folds for part in (fold.train, fold.validation, fold.test) for name in part}


@pytest.mark.parametrize("seed", range(4))
def test_who_is_locked_stands_in_no_split_whatever_its_seed_and_share(root, seed):
    cohort = index_cohort(root)
    made = lock(cohort, 0.3, seed, by="AB")
    assert len(made.patients) == 3
    assert read_locked(root) == made
    courses = {cohort[name].facts["mtici"] for name in made.patients}
    assert courses == {"0", "3"}  # balanced as splits are: of 5 and 5 not all three of one kind
    for scheme, other in (("2-fold", 7), ("4-fold", 8), ("3-fold", seed)):
        splits = make_splits(cohort.patients, scheme, other, locked=0.2, calibration=0.1, kept_out=kept_out(root))
        assert splits.locked == made.patients
        assert not everybody(splits) & set(made.patients)
        assert not set(splits.calibration) & set(made.patients)
    rows = cohort_job.run(root, measure=False)
    assert {row["patient"] for row in rows["rows"] if row["locked"]} == set(made.patients)
    assert rows["closed"]
    assert "3 patients locked" in rows["locked"]


def test_later_records_of_a_locked_person_stay_out_too(root):
    cohort = index_cohort(root)
    name = lock(cohort, 0.1).patients[0]
    again = replace(cohort[name], id="sub-9999", person=name)
    splits = make_splits([*cohort.patients, again], "2-fold", 0, kept_out=kept_out(root))
    assert set(splits.locked) == {name, "sub-9999"}


def test_who_may_only_train_is_not_locked_and_a_locked_one_does_not_train(root):
    cohort = index_cohort(root)
    limited = replace(cohort, patients=tuple(
        replace(patient, role="train-only") if number < 6 else patient for number, patient in enumerate(cohort)
    ))  # fmt: skip
    made = lock(limited, 0.5)
    assert len(made.patients) == 2
    assert not {f"sub-{number:04d}" for number in range(1, 7)} & set(made.patients)
    known = [*made.patients, "sub-0001"]  # a model to start from has seen them
    splits = make_splits(cohort.patients, "2-fold", 0, train_only=known, kept_out=kept_out(root))
    assert splits.train_only == ("sub-0001",)
    assert splits.locked == made.patients


def test_locked_once_and_opened_with_a_reason(root):
    cohort = index_cohort(root)
    made = lock(cohort, 0.2)
    with pytest.raises(StrokeError, match="locked once"):
        lock(cohort, 0.4, 5)
    with pytest.raises(StrokeError, match="reason"):
        open_locked(root, "  ")
    assert kept_out(root) == set(made.patients)
    opened = open_locked(root, "final test of  the paper.", by="CD")
    assert kept_out(root) == frozenset()
    assert (opened.openings[0].reason, opened.openings[0].by) == ("final test of the paper.", "CD")
    assert "opened on" in read_locked(root).words()
    assert "CD: final test of the paper." in read_locked(root).words()
    splits = make_splits(cohort.patients, "2-fold", 0, kept_out=kept_out(root))
    assert set(made.patients) <= everybody(splits)
    with pytest.raises(StrokeError, match="locked once"):
        lock(cohort, 0.2)


@pytest.mark.parametrize("share", [0.0, 0.6, -1.0, 0.01])
def test_a_share_that_locks_nobody_or_too_many_is_refused(root, share):
    with pytest.raises(StrokeError, match="share"):
        lock(index_cohort(root), share)
    assert not (root / NAME).exists()


@pytest.mark.parametrize(
    "content", ["{", "[]", json.dumps({"format": 1, "patients": ["sub-0001"]}), json.dumps({"format": 99})]
)
def test_a_damaged_file_stops_a_split_and_not_the_list(root, content):
    (root / NAME).write_text(content)
    with pytest.raises(StrokeError, match=NAME):
        kept_out(root)
    found = cohort_job.run(root, measure=False)
    assert len(found["rows"]) == 10
    assert any(NAME in note for note in found["notes"])


def test_without_a_set_there_is_nothing_to_open(root):
    with pytest.raises(StrokeError, match="no locked test set"):
        open_locked(root, "a reason")
