"""No person in two parts, whatever cohort: properties, and the papers' proportions."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib.cohort.splits import Fold, Splits, check_classes, make_splits
from StrokeTrainLib.cohort.table import Patient


def patient(name, *, person="", role="any", **facts):
    return Patient(name, Path("cohort"), "bids", {}, facts=facts, role=role, person=person)


def people(count, **facts):
    return [patient(f"sub-{n:04d}", **facts) for n in range(count)]


def parts_of(splits, fold):
    return {
        "train": fold.train, "validation": fold.validation, "test": fold.test,
        "locked": splits.locked, "calibration": splits.calibration,
    }  # fmt: skip


@st.composite
def cohorts(draw):
    """Return up to 40 records with roles, centres, courses, and some persons with several records."""
    count = draw(st.integers(12, 40))
    return [
        patient(
            f"p{n}",
            person=draw(st.sampled_from(["", "", "", "A", "B"])),
            role=draw(st.sampled_from(["any", "any", "any", "any", "train-only"])),
            center=draw(st.sampled_from(["Lyon", "Bern", None])),
            mtici=draw(st.sampled_from(["0", "2b", "3", None])),
        )
        for n in range(count)
    ]


SCHEMES = st.sampled_from(["2-fold", "3-fold", "5-fold", "10-fold", "80-10-10"])


@settings(max_examples=150, deadline=None)
@given(cohorts(), SCHEMES, st.integers(0, 9), st.sampled_from([0.0, 0.1, 0.25]), st.sampled_from([0.0, 0.15]))
def test_no_person_is_ever_in_two_parts(records, scheme, seed, locked, calibration):
    volumes = {p.id: float(n % 7) for n, p in enumerate(records)}
    splits, refused = None, ""
    try:
        splits = make_splits(records, scheme, seed, volumes=volumes, locked=locked, calibration=calibration)
    except StrokeError as error:
        refused = str(error)
    if splits is None:
        assert "too few" in refused
        return
    person = {p.id: p.person for p in records}
    barred = {p.person for p in records if p.role == "train-only"}
    tested = []
    for fold in splits.folds:
        parts = parts_of(splits, fold)
        owners = {name: {person[i] for i in ids} for name, ids in parts.items()}
        names = list(owners)
        for a, one in enumerate(names):
            for other in names[a + 1 :]:
                assert not owners[one] & owners[other], (one, other)
        for name in ("validation", "test", "locked", "calibration"):
            assert not owners[name] & barred
        assert {i for p in records if p.person in barred for i in [p.id]} <= set(fold.train)
        # Nobody is lost: every record is in exactly one place of every fold.
        assert sorted(i for ids in parts.values() for i in ids) == sorted(person)
        tested += fold.test
    assert len(tested) == len(set(tested))
    if scheme.endswith("-fold"):
        free = {p.id for p in records if p.person not in barred} - set(splits.locked) - set(splits.calibration)
        assert set(tested) == free


@settings(max_examples=40, deadline=None)
@given(cohorts(), SCHEMES, st.integers(0, 9), st.randoms())
def test_splits_do_not_depend_on_the_order_of_the_list(records, scheme, seed, chance):
    def made(patients):
        try:
            return make_splits(patients, scheme, seed, locked=0.1)
        except StrokeError as error:
            return str(error)

    shuffled = list(records)
    chance.shuffle(shuffled)
    assert made(records) == made(shuffled)


@pytest.mark.parametrize(
    ("scheme", "count", "sizes"),
    [("5-fold", 100, (60, 20, 20)), ("10-fold", 100, (80, 10, 10)), ("80-10-10", 100, (80, 10, 10)),
     ("4-fold", 160, (90, 30, 40)), ("2-fold", 80, (30, 10, 40))],
)  # fmt: skip
def test_the_papers_proportions(scheme, count, sizes):
    splits = make_splits(people(count), scheme, 3)
    for fold in splits.folds:
        assert (len(fold.train), len(fold.validation), len(fold.test)) == sizes
    assert len(splits.folds) == (1 if scheme == "80-10-10" else int(scheme.split("-")[0]))


def test_locked_and_calibration_have_their_shares():
    splits = make_splits(people(100), "5-fold", 0, locked=0.2, calibration=0.1)
    assert (len(splits.locked), len(splits.calibration)) == (20, 10)


def test_the_seed_decides():
    one, again, other = (make_splits(people(50), "5-fold", seed) for seed in (1, 1, 2))
    assert one == again
    assert one.folds != other.folds


def test_every_fold_gets_its_share_of_each_stratum():
    records = [patient(f"p{n}", mtici="3" if n % 3 else "0", center="Lyon" if n % 2 else "Bern") for n in range(120)]
    volumes = {p.id: float(n * 37 % 120) for n, p in enumerate(records)}
    facts = {p.id: p.facts for p in records}
    splits = make_splits(records, "5-fold", 0, volumes=volumes)
    assert splits.notes == ()
    for fold in splits.folds:
        # 40 of 120 not reperfused, 60 in Bern, 40 in each tertile: 8, 12 and 8 of 24. Dealt stratum after stratum, so
        # the finest level may be off by one at each of its borders.
        assert abs(sum(facts[i]["mtici"] == "0" for i in fold.test) - 8) <= 1
        assert abs(sum(facts[i]["center"] == "Bern" for i in fold.test) - 12) <= 3
        assert abs(sum(volumes[i] < 40 for i in fold.test) - 8) <= 2
        assert len(fold.test) == 24


def test_tiny_strata_fall_back_to_coarser_ones_and_are_told():
    # 25 centres of 2 patients each: centre cannot be balanced, reperfusion still is.
    records = [patient(f"p{n:02d}", mtici="3" if n < 25 else "0", center=f"c{n % 25}") for n in range(50)]
    splits = make_splits(records, "5-fold", 0)
    reperfused = {p.id for p in records if p.facts["mtici"] == "3"}
    assert [len(reperfused & set(fold.test)) for fold in splits.folds] == [5] * 5
    assert any("strata" in note and "fewer patients" in note for note in splits.notes)


def test_records_of_one_person_stay_together():
    records = [patient(f"p{n}", person=f"person {n // 2}") for n in range(40)]
    splits = make_splits(records, "5-fold", 0)
    for n in range(0, 40, 2):
        assert splits.fold_of_test(f"p{n}") == splits.fold_of_test(f"p{n + 1}") is not None
    assert splits.persons["p3"] == "person 1"


def test_whom_a_model_has_seen_is_never_tested():
    splits = make_splits(people(30), "5-fold", 0, train_only=["sub-0003"])
    assert splits.fold_of_test("sub-0003") is None
    assert all("sub-0003" in fold.train for fold in splits.folds)


def test_json_brings_back_the_same(tmp_path):
    records = [*people(30), patient("x1", person="x"), patient("x2", person="x"), patient("t", role="train-only")]
    splits = make_splits(records, "5-fold", 4, locked=0.1, calibration=0.1)
    splits.save(tmp_path / "splits.json")
    assert Splits.load(tmp_path / "splits.json") == splits
    assert Splits.from_json(splits.to_json()) == splits


def test_a_leak_written_into_the_file_is_refused(tmp_path):
    splits = make_splits(people(20), "5-fold", 0)
    content = json.loads(splits.to_json())
    stranger = content["folds"][0]["test"][0]
    content["folds"][0]["train"].append(stranger)
    (tmp_path / "splits.json").write_text(json.dumps(content))
    with pytest.raises(StrokeError, match=f"{stranger}: stands in the part 'test' and in 'train'"):
        Splits.load(tmp_path / "splits.json")
    (tmp_path / "splits.json").write_text('{"folds": 3}')
    with pytest.raises(StrokeError, match="holds no splits"):
        Splits.load(tmp_path / "splits.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"locked": ("a",)}, "a: stands in the part 'locked' and in 'train'"),
        ({"calibration": ("c",)}, "c: stands in the part 'calibration' and in 'test'"),
        ({"locked": ("x",), "calibration": ("x",)}, "x: stands in the part 'locked' and in 'calibration'"),
        ({"train_only": ("c",)}, "c: has the role train-only"),
        ({"persons": {"a": "one", "c": "one"}}, "as a, the same person"),
        (
            {"folds": (Fold(("a",), ("b",), ("c",)), Fold(("a",), ("b",), ("c",)))},
            "test of fold 2' and in 'test of fold 1'",
        ),
        ({"folds": ()}, "without folds"),
    ],
)
def test_constructors_refuse_leaks(change, said):
    good = Splits("1", 0, (Fold(("a",), ("b",), ("c",)),))
    with pytest.raises(StrokeError, match=said):
        replace(good, **change)


@pytest.mark.parametrize("count", range(2, 10))
@pytest.mark.parametrize("seed", range(5))
def test_the_advice_where_persons_are_too_few_can_be_followed(count, seed):
    for scheme, words in (("80-10-10", "--folds 2"), ("10-fold", "choose fewer folds")):
        with pytest.raises(StrokeError, match="too few persons") as told:
            make_splits(people(count), scheme, seed)
        if words in str(told.value):
            assert make_splits(people(count), "2-fold", seed).folds[1].validation
        else:
            assert "more patients are needed" in str(told.value)
            with pytest.raises(StrokeError):
                make_splits(people(count), "2-fold", seed)


@pytest.mark.parametrize("parts", [(("a",), ("a",), ("b",)), (("a",), ("b",), ("a",)), (("a", "a"), ("b",), ("c",))])
def test_a_fold_refuses_a_patient_twice(parts):
    with pytest.raises(StrokeError, match="a: stands"):
        Fold(*parts)


@pytest.mark.parametrize(
    ("records", "scheme", "options", "said"),
    [
        (people(3), "5-fold", {}, "too few persons may be tested, 3 where 5 are needed"),
        (people(3), "5-fold", {"excluded": ["a: no DWI.", "b: x"]}, "2 were excluded, the first: a: no DWI"),
        (people(2), "2-fold", {"excluded": ["a: no DWI."]}, "a part would be empty; more patients are needed; 1 was"),
        (people(20), "7 folds", {}, "unknown split"),
        (people(20), "1-fold", {}, "unknown split"),
        (people(20), "5-fold", {"locked": 1.0}, "locked share"),
        (people(20), "5-fold", {"locked": 0.6, "calibration": 0.5}, "below 1 together"),
        (people(20), "5-fold", {"stratify": ("weather",)}, "cannot stratify by 'weather'"),
        ([patient("a"), patient("a")], "2-fold", {}, "a: stands twice"),
        ([patient(f"p{n}", role="train-only") for n in range(9)], "2-fold", {}, "9 train only"),
    ],
)
def test_what_cannot_be_split_is_one_line(records, scheme, options, said):
    with pytest.raises(StrokeError, match=said) as caught:
        make_splits(records, scheme, 0, **options)
    assert "\n" not in str(caught.value)


def test_one_class_only_and_folds_without_positives():
    splits = make_splits(people(10), "5-fold", 0)
    names = [f"sub-{n:04d}" for n in range(10)]
    with pytest.raises(StrokeError, match="one class only"):
        check_classes(splits, dict.fromkeys(names, False))
    assert check_classes(splits, dict.fromkeys(names, True)) == []
    # One patient with a lesion: the folds that test or choose by it have none to train on.
    alone = splits.folds[0].train[0]
    with pytest.raises(StrokeError, match="none of the 6 patients of its train part has a lesion"):
        check_classes(splits, {name: name == alone for name in names})
    pair = [splits.folds[0].test[0], splits.folds[2].test[0]]
    told = check_classes(splits, {name: name in pair for name in names})
    assert any(sentence.startswith("fold 2: none of the 2 patients of its test part") for sentence in told)
