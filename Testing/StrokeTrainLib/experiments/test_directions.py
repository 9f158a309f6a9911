"""What is said of a paper's claim."""

import pytest

from StrokeTrainLib.experiments.comparing import paired
from StrokeTrainLib.experiments.directions import Direction, judge, verdict


@pytest.mark.parametrize(
    ("expected", "p", "effect", "words"),
    [
        ("higher", 0.01, 0.6, "found"),
        ("higher", 0.01, -0.6, "the opposite"),
        ("higher", 0.2, 0.6, "same direction, not significant"),
        ("higher", 0.2, -0.6, "not found (the other way, not significant)"),
        ("lower", 0.01, -0.6, "found"),
        ("lower", 0.01, 0.6, "the opposite"),
        ("none", 0.2, 0.6, "no significant difference here either"),
        ("none", 0.01, 0.6, "a difference here"),
        ("higher", 1.0, 0.0, "not found"),
        ("higher", float("nan"), float("nan"), "not assessable"),
    ],
)
def test_verdicts(expected, p, effect, words):
    assert verdict(expected, p, effect) == words


def test_a_claim_is_judged_by_the_paired_test():
    a, b = [0.9, 0.8, 0.7, 0.6, 0.9, 0.85], [0.5, 0.45, 0.3, 0.1, 0.3, 0.2]
    found = judge(Direction("a above b", "0.9 against 0.5", "higher"), paired(a, b, "dice", "all", ("a", "b")))
    # Six pairs, all in one direction: the exact two-sided P of the signed-rank test is 2 / 2⁶.
    assert found["p"] == pytest.approx(2 / 64)
    assert found["effect"] == 1
    assert found["verdict"] == "found"
    assert "n = 6" in found["found"]


def test_equal_columns_say_nothing_of_a_claim():
    for expected in ("higher", "none"):
        row = paired([0.0] * 5, [0.0] * 5, "dice", "all", ("a", "b"))
        assert judge(Direction("a above b", "", expected), row)["verdict"] == "not assessable: equal in every patient"


def test_so_few_patients_that_no_p_value_can_be_small_are_no_agreement():
    row = paired([0.1, 0.2, 0.1, 0.2, 0.3], [0.9, 0.75, 0.6, 0.55, 0.5], "dice", "all", ("a", "b"))
    assert row["p"] == pytest.approx(2 / 2**5)  # five of five in one direction
    for expected in ("none", "higher"):
        assert judge(Direction("", "", expected), row)["verdict"] == "not assessable: too few patients (n = 5)"


def test_nobody_left_is_said():
    row = paired([float("nan")] * 3, [0.1, 0.2, 0.3], "dice", "all", ("a", "b"))
    found = judge(Direction("a above b", "", "higher"), row)
    assert found["verdict"] == "not assessable"
    assert "3 of 3" in found["found"]


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        ("dice", "difference 10.000"),
        ("absolute_volume_error_ml", "mL, rank"),
        ("Predicted infarct (mL)", "mL, rank"),
        ("AUC", "difference 10.000"),
    ],
)
def test_volumes_are_told_in_ml_with_one_decimal(metric, told):
    a = [12.0, 23.0, 34.0, 45.0, 56.0, 67.0]
    found = judge(Direction("a above b", "", "higher"), paired(a, [x - 10 for x in a], metric, "all", ("a", "b")))
    assert told in found["found"]
    assert ("difference 10.0 (" in found["found"]) == ("mL" in told)
