"""A patient's line changed: that line alone, whole or not at all."""

import pytest

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib.cohort.edit import save_facts

TABLE = 'participant_id\tage\tsite note\tmtici\nsub-01\t70\tä, "b"\t2b\nsub-02\tn/a\t\t\n'


@pytest.fixture
def root(tmp_path):
    (tmp_path / "participants.tsv").write_text(TABLE, encoding="utf-8")
    return tmp_path


def lines(root):
    return (root / "participants.tsv").read_text(encoding="utf-8").splitlines()


def test_the_other_cells_stay_letter_by_letter(root):
    save_facts(root, "sub-02", {"age": "55"})
    assert lines(root)[1].startswith("sub-01\t70\t")
    assert lines(root)[2] == "sub-02\t55\t\t"


def test_a_new_column_and_a_new_patient_are_added(root):
    save_facts(root, "sub-03", {"center": "Bern"})
    assert lines(root)[0] == "participant_id\tage\tsite note\tmtici\tcenter"
    assert lines(root)[3] == "sub-03\t\t\t\tBern"
    assert lines(root)[2] == "sub-02\tn/a\t\t\t"


def test_without_a_table_one_is_begun(tmp_path):
    save_facts(tmp_path, "sub-01", {"age": "70"})
    assert lines(tmp_path) == ["participant_id\tage", "sub-01\t70"]


@pytest.mark.parametrize(
    "changes", [{"age": "old"}, {"age": "300"}, {"mtici": "5"}, {"role": "boss"}, {"center": "a\tb"}]
)
def test_what_cannot_be_used_changes_nothing(root, changes):
    with pytest.raises(StrokeError, match=next(iter(changes))):
        save_facts(root, "sub-01", changes)
    assert (root / "participants.tsv").read_text(encoding="utf-8") == TABLE


def test_a_patient_who_is_listed_twice_is_not_edited(root):
    (root / "participants.tsv").write_text(TABLE + "sub-02\t50\t\t\n", encoding="utf-8")
    with pytest.raises(StrokeError, match="several times"):
        save_facts(root, "sub-02", {"age": "55"})


def test_a_column_is_found_however_it_is_spelled(tmp_path):
    (tmp_path / "participants.tsv").write_text("participant_id\tRole\nsub-01\tany\n")
    save_facts(tmp_path, "sub-01", {"role": "train-only"})
    assert (tmp_path / "participants.tsv").read_text() == "participant_id\tRole\nsub-01\ttrain-only\n"


def test_a_table_with_a_line_out_of_step_is_not_touched(tmp_path):
    text = "participant_id\tage\trole\nsub-01\t70\nsub-02\t60\tany\n"
    (tmp_path / "participants.tsv").write_text(text)
    with pytest.raises(StrokeError, match=r"sub-01: its line .* ends before its role"):
        save_facts(tmp_path, "sub-02", {"age": "61"})
    assert (tmp_path / "participants.tsv").read_text() == text


def test_a_table_without_identifiers_is_not_touched(tmp_path):
    (tmp_path / "participants.tsv").write_text("name,age\na,1\n")
    with pytest.raises(StrokeError, match="participant_id"):
        save_facts(tmp_path, "sub-01", {"age": "55"})
    assert (tmp_path / "participants.tsv").read_text() == "name,age\na,1\n"
