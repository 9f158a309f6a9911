"""Who is kept and why the others are not: votes, selection, the papers' rules, the flow diagram."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from support.cohorts import SHAPE, bids_patient, lesion, save, write_table

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib.cohort.flow import Flow
from StrokeTrainLib.cohort.index import index_cohort
from StrokeTrainLib.cohort.reperfusion import Reperfusion, from_table
from StrokeTrainLib.cohort.select import select
from StrokeTrainLib.cohort.votes import majority, second_reader, truth, truth_reader

VOXEL_ML = 2 * 2 * 5 / 1000


@pytest.fixture
def cohort(tmp_path):
    """Return seven: 1 and 2 good, 3 lesion-free, 4 without label, 5 on another grid, 6 listed twice, 7 without ADC."""
    for n, voxels in enumerate((5, 8, 0, None, 5, 5, 5), start=1):
        bids_patient(tmp_path, f"sub-000{n}", seed=n, voxels=voxels, maps=())
        save(tmp_path / f"raw_data/sub-000{n}/ses-01/sub-000{n}_ses-01_pwi.nii.gz", seed=n)
    save(tmp_path / "derivatives/sub-0005/ses-02/sub-0005_ses-02_lesion-msk.nii.gz", 1, shape=(9, 9, 3))
    for role in ("adc", "b0"):
        (tmp_path / f"raw_data/sub-0007/ses-01/sub-0007_ses-01_{role}.nii.gz").unlink()
    grades = ("3", "0", "2b", "3", "3", "3", "3")
    rows = [{"participant_id": f"sub-000{n}", "mtici": g, "nihss": 8} for n, g in enumerate(grades, start=1)]
    write_table(tmp_path, *rows, {"participant_id": "sub-0006", "mtici": "1", "nihss": 8})
    return tmp_path


def test_everybody_is_kept_or_told_why_not(cohort):
    found = select(index_cohort(cohort), ("adc", "tmax"), "final-infarct")
    assert [p.id for p in found.kept] == ["sub-0001", "sub-0002", "sub-0003"]
    why = {patient.id: reason for patient, reason in found.excluded}
    assert set(why) == {"sub-0004", "sub-0005", "sub-0006", "sub-0007"}
    assert "a patient without label (final-infarct)" in why["sub-0004"]
    assert "label on another grid (9×9×3)" in why["sub-0005"]
    assert "lists it 2 times" in why["sub-0006"]
    assert "ADC missing" in why["sub-0007"]
    for name, reason in why.items():
        assert reason.startswith(name)
        assert "\n" not in reason
    assert found.volumes == {
        "sub-0001": pytest.approx(5 * VOXEL_ML), "sub-0002": pytest.approx(8 * VOXEL_ML), "sub-0003": 0.0,
    }  # fmt: skip
    assert any("1 patients without lesion (empty label): sub-0003" in note for note in found.notes)
    assert found.flow.assessed == 7
    assert dict(found.flow.excluded) == {"Unusable records": 1, "Images missing": 1, "No usable label": 2}
    assert found.flow.included == 3


def test_a_course_by_debs_rule(cohort):
    indexed = index_cohort(cohort)
    assert [p.id for p in select(indexed, (), "final-infarct", course="not-reperfused").kept] == ["sub-0002"]
    kept = select(indexed, (), "final-infarct", course="reperfused", rules="debs")
    assert [p.id for p in kept.kept] == ["sub-0001", "sub-0003", "sub-0007"]
    assert kept.flow.groups == {"reperfused": 3}


def test_yus_rules(tmp_path):
    facts = {
        1: {}, 2: {"circulation": "posterior"}, 3: {"stroke_confirmed": "no"}, 4: {"perfusion_quality": "poor"},
        5: {"followup_days": 8}, 6: {"followup_days": 7}, 7: {"hypoperfusion_ml": 0}, 8: {}, 9: {},
    }  # fmt: skip
    columns = ("circulation", "stroke_confirmed", "perfusion_quality", "followup_days", "hypoperfusion_ml")
    for n in facts:
        bids_patient(tmp_path, f"sub-{n}", seed=n, maps=())
        if n != 8:
            save(tmp_path / f"raw_data/sub-{n}/ses-01/sub-{n}_ses-01_pwi.nii.gz", seed=n)
    (tmp_path / "raw_data/sub-9/ses-02/sub-9_ses-02_flair.nii.gz").unlink()
    rows = [{"participant_id": f"sub-{n}", **dict.fromkeys(columns, "n/a"), **known} for n, known in facts.items()]
    write_table(tmp_path, *rows)
    found = select(index_cohort(tmp_path), (), "final-infarct", rules="yu")
    assert [p.id for p in found.kept] == ["sub-1", "sub-6"]
    why = {p.id: reason.split(": ", 1)[1] for p, reason in found.excluded}
    assert why == {
        "sub-2": "posterior circulation",
        "sub-3": "no stroke on the follow-up DWI",
        "sub-4": "PWI of poor quality",
        "sub-5": "follow-up at 8 days",
        "sub-7": "no tissue with Tmax > 6 s at baseline",
        "sub-8": "no PWI at baseline",
        "sub-9": "no follow-up FLAIR",
    }
    assert [count for _, count in found.flow.excluded] == [0, 0, 0, 2, 2, 2, 1]
    # What nobody measured is said.
    assert any("not known of 2 patients" in note and "sub-1, sub-6" in note for note in found.notes)
    assert len(select(index_cohort(tmp_path), (), "final-infarct").kept) == 9


def test_nobody_left_is_one_line_with_the_counts(cohort):
    with pytest.raises(StrokeError, match=r"none of 7 patients can be used\. Unusable records: 1; Images missing: 6"):
        select(index_cohort(cohort), ("ctp",), None)
    assert select(index_cohort(cohort), ("ctp",), None, may_be_empty=True).kept == ()
    with pytest.raises(StrokeError, match="unknown image role"):
        select(index_cohort(cohort), ("xray",), None)
    with pytest.raises(StrokeError, match="unknown choice 'me'"):
        select(index_cohort(cohort), (), None, rules="me")


def test_an_unreadable_label_excludes_its_patient_alone(cohort):
    path = cohort / "derivatives/sub-0002/ses-02/sub-0002_ses-02_lesion-msk.nii.gz"
    path.write_bytes(path.read_bytes()[:-30])
    found = select(index_cohort(cohort), (), "final-infarct")
    why = {p.id: reason for p, reason in found.excluded}
    assert str(path) in why["sub-0002"]
    assert "sub-0001" in [p.id for p in found.kept]


# Votes ---------------------------------------------------------------------------------------------------------------


def test_majority_is_two_of_three_and_both_of_two():
    reads = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]], dtype=bool)
    assert majority(list(reads)).tolist() == [True, True, False, False]
    assert majority(list(reads[:2])).tolist() == [True, True, False, False]
    assert majority(list(reads[:1])).tolist() == [True, True, True, False]
    with pytest.raises(ValueError, match="one shape"):
        majority([reads[0], reads[0][:2]])


def test_truth_is_the_vote_of_who_read_most_and_another_reader_is_the_human(cohort):
    place = cohort / "derivatives/sub-0001/ses-01"
    for read, voxels in enumerate((2, 4, 9), start=1):
        save(place / f"sub-0001_ses-01_rater-N_read-{read}_core-msk.nii.gz", lesion(voxels))
    save(place / "sub-0001_ses-01_rater-A_core-msk.nii.gz", lesion(6))
    patient = index_cohort(cohort)["sub-0001"]
    assert truth_reader(patient, "acute-core") == "N"
    found = truth(patient, "acute-core")
    assert (found.reads, found.reader) == (3, "N")
    assert found.ml == pytest.approx(4 * VOXEL_ML)  # nested masks: the median one
    assert second_reader(patient, "acute-core").ml == pytest.approx(6 * VOXEL_ML)
    assert truth(patient, "acute-core", reader="A").reads == 1
    assert second_reader(patient, "final-infarct") is None
    with pytest.raises(StrokeError, match="no usable label"):
        truth(index_cohort(cohort)["sub-0004"], "final-infarct")


def test_reads_without_a_readers_name_are_voted(cohort):
    place = cohort / "derivatives/sub-0001/ses-01"
    for read, voxels in enumerate((2, 9, 4), start=1):
        save(place / f"sub-0001_ses-01_read-{read}_core-msk.nii.gz", lesion(voxels))
    patient = index_cohort(cohort)["sub-0001"]
    found = truth(patient, "acute-core")
    assert (found.reads, found.reader, found.ml) == (3, None, pytest.approx(4 * VOXEL_ML))
    assert second_reader(patient, "acute-core") is None


def test_two_outlines_of_nobody_are_refused_and_exclude_their_patient(cohort):
    save(cohort / "derivatives/sub-0001/ses-02/sub-0001_ses-02_infarct-msk.nii.gz", lesion(2))
    chosen = select(index_cohort(cohort), (), "final-infarct")
    why = {p.id: reason for p, reason in chosen.excluded}
    assert "2 outlines (final-infarct) without reader or read number" in why["sub-0001"]


def test_a_readers_majority_is_truth_before_an_outline_of_nobody(cohort):
    """As in the phantom: three reads by one reader, one by another, and an outline without a name."""
    place = cohort / "derivatives/sub-0001/ses-01"
    save(place / "sub-0001_ses-01_core-msk.nii.gz", lesion(20))
    save(place / "sub-0001_ses-01_rater-0_read-1_core-msk.nii.gz", lesion(6))
    assert truth(index_cohort(cohort)["sub-0001"], "acute-core").reader is None  # nobody read twice
    for read, voxels in enumerate((2, 4, 9), start=1):
        save(place / f"sub-0001_ses-01_rater-1_read-{read}_core-msk.nii.gz", lesion(voxels))
    for read in (1, 2):
        save(place / f"sub-0001_ses-01_rater-00_read-{read}_core-msk.nii.gz", lesion(7))
    patient = index_cohort(cohort)["sub-0001"]
    assert truth(patient, "acute-core").ml == pytest.approx(4 * VOXEL_ML)
    assert second_reader(patient, "acute-core").reader == "0"  # read once; 00 read twice


# The course ----------------------------------------------------------------------------------------------------------


def test_the_course_is_by_the_rule_asked_for(cohort):
    table = [
        {"participant_id": "sub-0001", "reperfusion_rate": 90, "mtici": "0"},
        {"participant_id": "sub-0002", "reperfusion_rate": 10, "mtici": "3"},
        {"participant_id": "sub-0003", "reperfusion_rate": 50, "mtici": "3"},
    ]
    write_table(cohort, *table)
    found = index_cohort(cohort)

    def kept(course, rule):
        return [p.id for p in select(found, (), "final-infarct", course=course, course_rule=rule).kept]

    assert kept("reperfused", "yu") == ["sub-0001"]
    assert kept("not-reperfused", "yu") == ["sub-0002"]
    assert kept("reperfused", "debs") == ["sub-0002", "sub-0003"]
    assert kept("not-reperfused", "debs") == ["sub-0001"]


def test_an_unknown_course_is_measured_where_it_decides(cohort, monkeypatch):
    """The measurement itself is tested in test_reperfusion."""
    asked = []

    def measured(patient, *, baseline):
        asked.append((patient.id, baseline))
        return Reperfusion(yu="minimal", rate=12.0)

    monkeypatch.setattr("StrokeTrainLib.cohort.select.assess", measured)
    write_table(cohort, {"participant_id": "sub-0001"})
    found = index_cohort(cohort)
    assert asked == [] == [p for p in select(found, (), "final-infarct").kept if from_table(p).yu != "unknown"]
    for options in ({"course": "not-reperfused", "course_rule": "yu"}, {"measure_course": True}):
        asked.clear()
        chosen = select(found, (), "final-infarct", **options)
        assert ("sub-0001", False) in asked
        assert from_table(chosen.kept[0]) == Reperfusion(yu="minimal", rate=12.0)
        assert chosen.record()["reperfusion"]["sub-0001"] == {"yu": "minimal", "debs": "unknown", "rate": 12.0}


def test_doubts_about_the_table_and_the_kept_are_told(cohort):
    write_table(cohort, {"participant_id": "sub-0001", "age": 700}, {"participant_id": "", "age": 70})
    notes = select(index_cohort(cohort), (), "final-infarct").notes
    assert any("1 lines without participant_id" in note for note in notes)
    assert any("age is '700'" in note for note in notes)
    (shared,) = [note for note in notes if "has no line for" in note]  # said once, not for everybody
    assert "sub-0002" in shared
    assert "So of 3 more: sub-0003, sub-0006, sub-0007." in shared


def test_an_empty_label_is_an_answer(cohort):
    found = truth(index_cohort(cohort)["sub-0003"], "final-infarct")
    assert found.ml == 0
    assert found.mask.shape == SHAPE[::-1]


# Flow ----------------------------------------------------------------------------------------------------------------


def test_flow_adds_up_or_is_refused():
    flow = Flow(268, (("No stroke", 40), ("No <PWI> & DWI", 46), ("Nobody", 0)), {"minimal": 32, "other": 150})
    assert flow.included == 182
    assert flow.text().splitlines() == [
        "Patients assessed: 268", "  − No stroke: 40", "  − No <PWI> & DWI: 46", "Patients included: 182",
        "  minimal: 32", "  other: 150",
    ]  # fmt: skip
    words = "".join(ElementTree.fromstring(flow.svg()).itertext()).replace("\N{NO-BREAK SPACE}", " ")
    for text in (
        "assessed (n = 268)",
        "Excluded (n = 86)",
        "No <PWI> & DWI (n = 46)",
        "included (n = 182)",
        "(n = 32)",
    ):
        assert text in words
    assert "Nobody" not in words
    with pytest.raises(ValueError, match="more patients leave"):
        Flow(3, (("a", 4),))
    with pytest.raises(ValueError, match="groups sum up to 1"):
        Flow(3, (), {"a": 1})
