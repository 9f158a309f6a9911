import numpy as np
import pandas as pd
import pytest

from StrokeTrainLib.statistics.describe import below, describe, describe_subgroups, subgroups
from StrokeTrainLib.statistics.values import Estimate, complete


def test_numbers_equal_pandas():
    values = np.random.default_rng(1).gamma(1.3, 40, 37)
    series, found = pd.Series(values), describe(values)
    assert (found.q1, found.median, found.q3) == pytest.approx(tuple(series.quantile([0.25, 0.5, 0.75])))
    assert (found.mean, found.sd) == pytest.approx((series.mean(), series.std()))
    assert (found.n, found.missing, found.note) == (37, 0, "")


def test_texts_are_written_as_in_the_papers():
    found = describe([0.31, 0.53, 0.68])
    assert found.median_iqr() == "0.53 (0.42 to 0.60)"
    assert describe([-14.2, 9.0, 29.4]).median_iqr(0) == "9 (−3 to 19)"
    assert describe([0.2, 0.4]).mean_sd() == "0.30 ± 0.14"
    assert describe([-0.001, -0.001]).mean_sd() == "0.00 ± 0.00"


def test_patients_without_a_value_are_counted_and_said():
    found = describe([1.0, np.nan, 3.0, np.inf])
    assert (found.n, found.missing, found.mean) == (2, 2, 2.0)
    assert found.note == "2 of 4 patients left out: no value."


def test_one_patient_and_none():
    one = describe([0.5])
    assert (one.median_iqr(), one.mean_sd()) == ("0.50", "0.50")
    assert "no spread" in one.note
    none = describe([])
    assert (none.n, none.median_iqr(), none.mean_sd(), none.note) == (0, "–", "–", "No patients.")
    assert "No patient has a value" in describe([np.nan]).note


def test_subgroups_keep_declared_ones_that_are_empty_and_lose_nobody():
    labels = ["major", None, "minimal", "major", float("nan"), ""]
    found = subgroups(labels, ("minimal", "partial", "major"))
    assert list(found) == ["minimal", "partial", "major", "unknown"]
    assert [int(mask.sum()) for mask in found.values()] == [1, 0, 2, 3]
    assert np.sum(list(found.values()), axis=0).tolist() == [1] * 6
    described = describe_subgroups([1, 2, 3, 4, 5, 6], labels, ("minimal", "partial", "major"))
    assert described["partial"].note == "No patients."
    assert described["major"].mean == 2.5


def test_small_and_large_lesions():
    assert below([99.9, 100.0, np.nan], 100) == ["< 100 mL", "≥ 100 mL", None]


def test_columns_of_different_lengths_are_a_fault():
    with pytest.raises(ValueError, match="different lengths"):
        complete([1, 2], [1, 2, 3])


def test_estimates_as_text():
    assert Estimate(0.744, 0.66, 0.801, 182).text() == "0.74 (0.66 to 0.80)"
    assert Estimate(-3.0, -84.0, 18.0, 32).text(0) == "−3 (−84 to 18)"
    assert Estimate(float("nan"), 0, 0, 0).text() == "–"
    assert Estimate(0.5, float("nan"), float("nan"), 1).text() == "0.50"
