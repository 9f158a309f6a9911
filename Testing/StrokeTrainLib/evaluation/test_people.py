"""Records and persons, what a training noted, and one patient alone: what an evaluation must say of them."""

import html
import json
from types import SimpleNamespace

import numpy as np
import pytest
from support.small_cohort import write_cohort
from support.small_run import write_model, write_run

from StrokeTrainLib.cohort.index import index_cohort
from StrokeTrainLib.evaluation.evaluate import Options, evaluate
from StrokeTrainLib.evaluation.methods_text import classifier_text, persons_note
from StrokeTrainLib.recipes import load_recipe

COLLAPSED = "fold 2: the network collapsed in epoch 3."


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """A run on eight records, two of every person; one fold noted something, and so did the run at its end."""
    base = tmp_path_factory.mktemp("pairs")
    write_cohort(base / "cohort", 8, people="who")
    table = base / "cohort" / "participants.tsv"
    head, *rows = table.read_text().splitlines()
    assert head.endswith("person")
    cells = [[*row.split("\t")[:-1], f"who-{number // 2}"] for number, row in enumerate(rows)]
    table.write_text("\n".join([head, *("\t".join(row) for row in cells)]) + "\n")
    write_run(base / "run", base / "cohort")
    scores = base / "run" / "fold-2" / "scores.json"
    scores.write_text(json.dumps(json.loads(scores.read_text()) | {"notes": [COLLAPSED]}))
    run = base / "run" / "run.json"
    run.write_text(json.dumps(json.loads(run.read_text()) | {"notes": ["Begun with a word."]}))
    (base / "run" / "summary.json").write_text(json.dumps({"notes": [COLLAPSED, "fold 1: weights restored."]}))
    options = Options(workers=1, cache=base / "cache", resamples=50, rules=("adc",), subgroups=())
    result = evaluate(base / "cohort", base / "out", run=base / "run", options=options)
    summary = json.loads((base / "out" / "summary.json").read_text())
    page = html.unescape((base / "out" / "report.html").read_text())
    return SimpleNamespace(result=result, summary=summary, page=page)


def test_that_records_are_not_persons_is_said_with_both_numbers(pairs):
    assert (pairs.summary["patients"], pairs.summary["persons"]) == (8, 4)
    (note,) = (note for note in pairs.summary["notes"] if "persons" in note)
    assert note.startswith("8 records of 4 persons were tested.")
    assert note in pairs.page
    assert note in pairs.result["notes"]
    assert "(records of 4 persons)" in pairs.page
    said = pairs.summary["methods_text"]
    assert "The record was the unit of every statistic (8 records of 4 persons)" in said
    assert "The patient was the unit" not in said


def test_where_every_record_is_of_another_person_nothing_is_noted(study):
    assert study.summary["persons"] == 8
    assert not any("persons" in note for note in study.summary["notes"])
    assert "The patient was the unit of every statistic." in study.summary["methods_text"]


def test_a_classifiers_text_tells_of_records_and_persons_too():
    assert "The record was the unit of every statistic (10 records of 5 persons)" in classifier_text(
        0, 0.5, "cbv", (10, 5)
    )[-1]  # fmt: skip
    assert classifier_text(0, 0.5, "cbv", (10, 10))[-1].startswith("The patient was the unit of every statistic.")
    assert persons_note(10, 10) == []


def test_what_a_training_noted_is_to_be_known_of_its_evaluation(pairs):
    for note in ("Begun with a word.", COLLAPSED, "fold 1: weights restored."):
        assert pairs.summary["notes"].count(note) == 1
        assert note in pairs.page
        assert note in pairs.result["notes"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A model that has seen one of two patients, on both of them."""
    base = tmp_path_factory.mktemp("alone")
    write_cohort(base / "cohort", 2)
    recipe = load_recipe("debs2021-early", {"matrix": "[32,32]", "spacing_mm": "[6.5,6.5]"})
    bundle = write_model(base / "bundle", recipe, list(index_cohort(base / "cohort"))[:1])
    options = Options(workers=1, cache=base / "cache", resamples=50, rules=("adc", "rcbf"))
    evaluate(base / "cohort", base / "out", model=str(bundle.folder), options=options)
    return base / "out"


def test_of_one_patient_there_is_no_spread_no_interval_and_no_test(alone):
    summary = json.loads((alone / "summary.json").read_text())
    assert summary["tested"] == 1
    described = [found["metrics"] for found in summary["methods"].values()]
    tests = list(summary["comparisons"])
    for subgroup in summary["subgroups"].values():
        for level in subgroup["levels"].values():
            described += list(level["methods"].values())
            tests += level["comparisons"]
    assert max(found["n"] for metrics in described for found in metrics.values()) == 1
    ends = ("q1", "q3", "sd", "median_low", "median_high", "mean_low", "mean_high")
    for metrics in described:
        assert all(found.get(key) is None for found in metrics.values() for key in ends)
    assert max(row["n"] for row in tests) == 1
    none = ("p", "p_holm", "p_bonferroni", "effect", "shift_low", "shift_high", "dz", "shapiro_p")
    assert [row for row in tests if any(row[key] is not None for key in none) or row["better"]] == []
    assert any(row["shift"] is not None and "One patient: no test." in row["note"] for row in tests)
    ends = ("concordance_low", "bias_low", "bias_high", "limit_low_ml", "limit_high_ml", "sd_ml", "slope_p")
    for volumes in summary["volumes"].values():
        assert (volumes["n"], [volumes[key] for key in ends]) == (1, [None] * len(ends))
    for table in (alone / "tables").glob("*.csv"):
        assert " to " not in table.read_text(), table.name
    row = next(row for row in tests if row["metric"] == "dice" and row["second"] == "adc")
    medians = [summary["methods"][row[who]]["metrics"]["dice"]["median"] for who in ("first", "second")]
    assert row["shift"] == pytest.approx(np.subtract(*medians))
