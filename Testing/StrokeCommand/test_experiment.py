"""`stroke experiment` on the command line."""

import json
import sys

import pytest
from support.small_cohort import SMALL, write_cohort

from StrokeCommand.main import run


@pytest.fixture
def stroke(tmp_path, monkeypatch, capsys):
    """Run the command line in this process, as `stroke` does."""
    monkeypatch.setenv("STROKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def command(*words, code=0):
        monkeypatch.setattr(sys, "argv", ["stroke", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            run()
        said = capsys.readouterr()
        assert (ended.value.code or 0) == code, said.err
        return said

    return command


def test_all_experiments_are_listed_with_what_they_need(stroke):
    found = json.loads(stroke("experiment", "list", "--json").out)
    assert {item["name"] for item in found} == {
        "yu-table2", "debs-table2", "debs-table3", "debs-ablation", "debs-fusion", "debs-responder", "alis-vendors",
        "mittermeier-cv", "fate-conditioning",
    }  # fmt: skip
    assert all(item["title"] and item["needs"] for item in found)
    assert "debs-table2" in stroke("experiment", "list").out


def test_what_a_user_may_get_wrong_is_said_in_one_line(stroke, tmp_path):
    cohort = write_cohort(tmp_path / "cohort", 4)
    for words, told in (
        (("nothing",), "no experiment 'nothing'; there are yu-table2"),
        (("debs-table2",), "name the cohort's folder (--data DIR)"),
        (("debs-table2", "--data", tmp_path / "absent", "-o", tmp_path / "a"), "absent"),
        (("debs-table2", "--data", cohort, "-o", tmp_path / "b", "--set", "training.epoch=1"), "training.epoch"),
    ):
        said = stroke("experiment", *words, code=2)
        lines = [line for line in said.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1
        assert told in lines[0]
        assert "Traceback" not in said.err
    assert {path.name for path in tmp_path.iterdir()} <= {"cache", "cohort"}


def test_too_small_a_cohort_ends_with_its_counts(stroke, tmp_path):
    cohort = write_cohort(tmp_path / "cohort", 8)
    values = [f"--set={path}={value}" for path, value in SMALL.items() if not path.startswith("split")]
    said = stroke("experiment", "debs-table2", "--data", cohort, "-o", tmp_path / "out", *values, code=2)
    assert "at least 5 patients of each are needed (reperfused: 4, not reperfused: 4)" in said.err
    assert not (tmp_path / "out").exists()
