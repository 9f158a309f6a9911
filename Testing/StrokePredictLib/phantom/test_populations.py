"""Who comes, when, and with what."""

from dataclasses import replace

import numpy as np
import pytest

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.phantom.facts import Volumes, draw_course, patient_facts, reperfusion_rate
from StrokePredictLib.phantom.occlusion import SITES, Occlusion, draw_occlusion, draw_site
from StrokePredictLib.phantom.populations import DEBS2021, DWI, MTICI, POPULATIONS, YU2020, population_of

MANY = range(1500)


@pytest.mark.parametrize("population", POPULATIONS.values(), ids=lambda p: p.name)
def test_shares_are_what_the_population_says(population):
    assert sum(population.sites.values()) == pytest.approx(1.0, abs=0.011)
    assert set(population.sites) <= set(SITES)
    sites = [draw_site(seed, population)[1] for seed in MANY]
    for site, share in population.sites.items():
        # three standard errors of a proportion
        assert np.mean([s == site for s in sites]) == pytest.approx(share, abs=3 * np.sqrt(share * (1 - share) / 1500))
    courses = [draw_course(seed, population) for seed in MANY]
    median, spread, low, high = population.onset_min
    minutes = np.array([c.onset_to_imaging_min for c in courses])
    assert np.median(minutes) == pytest.approx(median, rel=3 * 1.2533 * spread / np.sqrt(1500))
    assert low <= minutes.min()
    assert minutes.max() <= high
    assert np.mean([not c.onset_known for c in courses]) == pytest.approx(population.onset_unknown, abs=0.035)
    assert np.mean([c.sex == "F" for c in courses]) == pytest.approx(population.female, abs=0.04)
    assert {c.mtici for c in courses} == set(MTICI)


def test_lvo_is_half_and_half():
    names = [population_of(seed).name for seed in MANY]
    assert set(names) == {YU2020.name, DEBS2021.name}
    assert np.mean([n == YU2020.name for n in names]) == pytest.approx(0.5, abs=3 * 0.5 / np.sqrt(1500))


def test_an_unknown_population_is_refused_in_one_line():
    with pytest.raises(StrokeError, match="--population mars: not simulated; choose lvo, yu2020, debs2021, dwi"):
        population_of(0, "mars")


def test_small_infarcts_are_not_treated_through_the_artery():
    for seed in MANY:
        course, (_, site) = draw_course(seed, DWI), draw_site(seed, DWI)
        if site in ("embolic", "none", "PCA", "cerebellar"):
            assert not course.thrombectomy
            assert draw_occlusion(seed, 300, DWI).collaterals in (None, "poor", "moderate", "good")


def test_branches_fare_worse_at_thrombectomy():
    grades = {True: [], False: []}
    for seed in MANY:
        course = draw_course(seed, YU2020)
        if course.thrombectomy:
            grades[draw_site(seed, YU2020)[1].startswith("M2")].append(course.mtici in ("0", "1"))
    assert np.mean(grades[True]) > np.mean(grades[False]) + 0.1


def facts(core=20.0, slow=90.0, later=90.0, fed=0.0, seed=3, population=YU2020, **course):
    given = replace(draw_course(seed, population), **{"scan_24h": True, "thrombectomy": True} | course)
    volumes = Volumes(core, slow, later, fed)
    return patient_facts(seed, given, Occlusion("left", "M1 proximal", 30.0), volumes, population)


YU = [(100, "minimal"), (80, "minimal"), (50, "partial"), (20, "major"), (0, "major")]


@pytest.mark.parametrize(("later", "name"), YU)
def test_yus_rate(later, name):
    row = facts(slow=100.0, later=later)
    assert row["reperfusion_rate"] == pytest.approx(100 - later)
    assert row["reperfusion_yu"] == name


def test_rates_nobody_can_know():
    assert facts(scan_24h=False)["reperfusion_yu"] == "unknown"
    assert reperfusion_rate(Volumes(0.0, 0.0, 0.0, 0.0)) is None
    assert facts(slow=0.0, later=0.0)["reperfusion_yu"] == "unknown"


@pytest.mark.parametrize(("mtici", "expected"), [("0", "no"), ("2a", "no"), ("2b", "yes"), ("2c", "yes"), ("3", "yes")])
def test_debs_rule_by_angiography(mtici, expected):
    row = facts(mtici=mtici, fed=0.99 if expected == "no" else 0.0)
    assert row["reperfusion_debs"] == expected
    assert row["mtici"] == mtici


@pytest.mark.parametrize(("fed", "expected"), [(0.49, "no"), (0.5, "yes")])
def test_debs_rule_by_perfusion_where_there_was_no_angiography(fed, expected):
    row = facts(mtici="3" if fed < 0.5 else "0", fed=fed, thrombectomy=False)
    assert row["reperfusion_debs"] == expected
    assert row["mtici"] is None
    assert row["imaging_to_reperfusion_min"] is None


def test_an_onset_that_nobody_saw_is_not_told():
    row = facts(onset_known=False)
    assert (row["onset_known"], row["onset_to_imaging_min"]) == ("no", None)
    assert facts(onset_known=True)["onset_to_imaging_min"] > 0


def test_deficit_grows_with_volume():
    expected = [np.mean([facts(core=0.3 * v, slow=v, seed=s)["nihss"] for s in range(60)]) for v in (0, 40, 100, 200)]
    assert np.all(np.diff(expected) > 1.0)
    assert expected[-1] < 32
