"""What is said of a paper's claim."""

from math import comb

import pytest

from StrokeTrainLib.experiments.comparing import paired, row_of
from StrokeTrainLib.experiments.directions import Direction, judge, verdict
from StrokeTrainLib.statistics.compare import mann_whitney


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
        verdict = judge(Direction("", "", expected), row)["verdict"]
        assert verdict == "not assessable: too few differ (n = 5, smallest possible P .06)"


@pytest.mark.parametrize(("differing", "assessable"), [(5, False), (6, True)])
def test_pairs_without_a_difference_are_no_patients_of_the_test(differing, assessable):
    a = [0.5 + 0.01 * k * k for k in range(1, differing + 1)] + [0.5] * 10
    row = paired(a, [0.5] * len(a), "dice", "all", ("a", "b"))
    assert row["least_p"] == pytest.approx(2 / 2**differing)
    found = judge(Direction("", "", "higher"), row)["verdict"]
    too_few = f"not assessable: too few differ (n = {len(a)}, smallest possible P .06)"
    assert found == ("found" if assessable else too_few)


@pytest.mark.parametrize(("sizes", "assessable"), [((3, 3), False), ((2, 7), False), ((2, 8), True), ((4, 4), True)])
def test_two_small_samples_are_assessable_by_the_number_of_their_orders(sizes, assessable):
    a, b = [0.9 + 0.001 * k for k in range(sizes[0])], [0.1 + 0.001 * k for k in range(sizes[1])]
    row = row_of(mann_whitney(a, b), "dice", "all", "a", "b")
    least = 2 / comb(sum(sizes), sizes[0])  # every a above every b: the first of so many orders, or the last
    assert row["least_p"] == pytest.approx(least)
    assert (least < 0.05) == assessable
    found = judge(Direction("", "", "higher"), row)["verdict"]
    assert (found == "found") == assessable
    assert found.startswith("not assessable: too few differ") != assessable


def test_a_test_that_does_not_say_how_small_its_p_could_be_needs_six_patients():
    row = {"metric": "AUC", "n": 5, "p": 0.2, "effect": 0.1, "shift": 0.1, "shift_low": -0.1, "shift_high": 0.3}
    assert judge(Direction("", "", "none"), row)["verdict"] == "not assessable: too few patients (n = 5)"
    assert judge(Direction("", "", "none"), row | {"n": 6})["verdict"].startswith("no significant difference")


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
