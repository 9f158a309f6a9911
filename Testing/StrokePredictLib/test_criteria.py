"""Mismatch and the trials' criteria, line by line against the trials' own words."""

import math

import pytest

from StrokePredictLib.case import ClinicalFacts
from StrokePredictLib.criteria import dawn, defuse3, hypoperfusion_intensity_ratio, mismatch


def facts(hours=None, age=None, nihss=None):
    return ClinicalFacts(age=age, nihss=nihss, onset_to_imaging_min=None if hours is None else hours * 60)


def test_mismatch():
    found = mismatch(20.0, 80.0)
    assert (found.volume_ml, found.ratio, found.ratio_text) == (60.0, 4.0, 4.0)
    assert mismatch(0.0, 80.0).ratio_text == "∞"
    assert mismatch(0.0, 0.0).ratio_text == "not assessable"
    assert math.isnan(mismatch(0.0, 0.0).ratio)


def test_hir():
    assert hypoperfusion_intensity_ratio(80.0, 20.0) == 0.25
    assert hypoperfusion_intensity_ratio(0.0, 0.0) == "not assessable"


@pytest.mark.parametrize(
    ("core", "hypoperfused", "hours", "verdict"),
    [
        (30, 90, 8, "met"),
        (69.9, 126, 6, "met"),
        (70.0, 200, 8, "not met"),  # core must be below 70
        (60, 108, 16, "met"),  # ratio exactly 1.8, at the window's end
        (60, 107.9, 16, "not met"),
        (10, 24.9, 8, "not met"),  # 14.9 mL of mismatch
        (10, 25.0, 8, "met"),
        (0, 15, 8, "met"),  # no core: the ratio is infinite
        (0, 0, 8, "not met"),
        (30, 90, 5.9, "not met"),
        (30, 90, 16.1, "not met"),
        (30, 90, None, "not assessable"),
        (80, 200, None, "not met"),  # one failed item decides, the rest unknown
        (30, None, 8, "not assessable"),
        (None, None, 8, "not assessable"),
        (None, None, 20, "not met"),
    ],
)
def test_defuse3(core, hypoperfused, hours, verdict):
    assert defuse3(core, hypoperfused, facts(hours))["verdict"] == verdict


@pytest.mark.parametrize(
    ("core", "age", "nihss", "hours", "verdict"),
    [
        (20.9, 80, 10, 10, "met"),
        (21.0, 80, 10, 10, "not met"),
        (30.9, 79, 10, 10, "met"),
        (31.0, 79, 19, 10, "not met"),
        (31.0, 79, 20, 10, "met"),
        (50.9, 79, 20, 10, "met"),
        (51.0, 79, 20, 10, "not met"),
        (10, 79, 9, 10, "not met"),
        (10, 79, 12, 5.9, "not met"),
        (10, 79, 12, 24, "met"),
        (10, 79, 12, 24.1, "not met"),
        (10, 79, 12, None, "not assessable"),
        (10, None, 12, 10, "not assessable"),
        (60, None, 12, 10, "not met"),  # above every group's limit
        (10, 79, None, 10, "not assessable"),
        (40, 79, None, 10, "not assessable"),  # depends on NIHSS
        (40, 85, None, 10, "not met"),
        (None, 79, 12, 10, "not assessable"),
    ],
)
def test_dawn(core, age, nihss, hours, verdict):
    assert dawn(core, facts(hours, age, nihss))["verdict"] == verdict


def test_unknown_onset_says_last_known_well():
    item = defuse3(10, 50, ClinicalFacts(onset_to_imaging_min=600, onset_known=False))["items"][-1]
    assert item["value"] == "10.0 h since last known well"
