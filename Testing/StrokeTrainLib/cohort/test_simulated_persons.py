"""Who a simulated patient is, whichever cohort and scanner."""

import pytest

from StrokePredictLib.case import ClinicalFacts
from StrokePredictLib.io.folder import find_files
from StrokePredictLib.phantom.cohort import write_cohort
from StrokePredictLib.phantom.grid import Grid
from StrokeTrainLib.cohort.index import index_cohort

GRID = Grid(shape=(8, 40, 40), spacing=(5.6, 5.6, 18.0))


@pytest.fixture(scope="module")
def persons(tmp_path_factory):
    def write(name, seed, **options):
        folder = tmp_path_factory.mktemp("simulated") / name
        rows = write_cohort(folder, 2, seed, perfusion=False, grid=GRID, **options)["participants"]
        return folder, rows, {patient.id: patient for patient in index_cohort(folder).patients}

    mixture = write("mixture", 1)
    drawn = mixture[1][0]["population"]
    return {
        "mixture": mixture,
        "ct": write("ct", 1, modality="CT", vendor="B"),
        "its own": write("own", 1, population=drawn),
        "other seed": write("other", 2),
        "other people": write("dwi", 1, population="dwi"),
    }


def test_the_index_takes_the_person(persons):
    for _, rows, patients in persons.values():
        assert [patients[row["participant_id"]].person for row in rows] == [row["person"] for row in rows]
        assert not any(p.problems or any("person" in said for said in p.notes) for p in patients.values())


def test_one_name_in_two_cohorts_is_not_one_person(persons):
    named = {name: patients["sub-0001"].person for name, (_, _, patients) in persons.items()}
    assert len({named["mixture"], named["other seed"], named["other people"]}) == 3
    # 1 000 003 to a cohort's seed: as the cohort says of its patients.
    assert named["other people"] == "phantom-dwi-1000003"


def test_another_scanner_sees_the_same_person(persons):
    first, again, own = (persons[name] for name in ("mixture", "ct", "its own"))
    for patient in ("sub-0001", "sub-0002"):
        assert first[2][patient].person == again[2][patient].person
    # "lvo" takes every patient from yu2020 or debs2021: the patient is that population's.
    assert first[2]["sub-0001"].person == own[2]["sub-0001"].person
    for fact in ("age", "sex", "side", "occlusion"):
        assert first[1][0][fact] == own[1][0][fact]


def test_the_case_reader_minds_no_further_column(persons):
    found = find_files(persons["mixture"][0], "sub-0001")
    assert found.row["person"].startswith("phantom-")
    assert not any("person" in note for note in found.notes)
    assert ClinicalFacts.from_row(found.row, "participants.tsv").age == persons["mixture"][1][0]["age"]
