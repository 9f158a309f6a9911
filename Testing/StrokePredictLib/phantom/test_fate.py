"""Who dies when."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from StrokePredictLib.phantom.anatomy import build_anatomy, draw_pose
from StrokePredictLib.phantom.facts import draw_course
from StrokePredictLib.phantom.fate import decide_fate, flow_threshold
from StrokePredictLib.phantom.haemodynamics import perfuse
from StrokePredictLib.phantom.occlusion import Occlusion, severity

#: A patient whose need of flow is an average one.
SEED = 8


@pytest.fixture(scope="module")
def starved(small_grid):
    """Tissue, flow and course of one patient with a proximal M1 occlusion."""
    course = replace(draw_course(SEED), onset_to_imaging_min=200, counterfactual_reperfusion_min=120, mtici="2b")
    anatomy = build_anatomy(SEED, small_grid, draw_pose(SEED, female=True), 70)
    occlusion = Occlusion("right", "M1 proximal", 26.0)
    fall = severity(SEED, occlusion, anatomy.mni, anatomy.depth_mm())
    return anatomy, perfuse(SEED, anatomy, occlusion, fall), course


def test_threshold_rises_as_jones_found():
    # Jones et al., J Neurosurg 1981: 10 to 12 mL/100 g/min at 2 to 3 h, 17 to 18 lasting.
    assert flow_threshold(120) == pytest.approx(10, abs=0.5)
    assert flow_threshold(180) == pytest.approx(12, abs=0.5)
    assert 17 <= flow_threshold(np.inf) <= 18
    assert np.all(np.diff([flow_threshold(t) for t in range(0, 1500, 10)]) > 0)


def outcomes(starved, **changes):
    anatomy, flow, course = starved
    return decide_fate(SEED, anatomy, flow, replace(course, **changes))


def test_outcomes_are_nested(starved):
    fate = outcomes(starved)
    assert fate.core.sum() > 20
    for inner, outer in itertools.pairwise([fate.if_reperfused, fate.happened, fate.if_not_reperfused]):
        assert inner.sum() < outer.sum()
        assert not np.any(inner & ~outer)
    assert not np.any(fate.core & ~fate.if_not_reperfused)
    # What is restricted and does not die is what has recovered, and only where blood came back.
    assert np.array_equal(fate.recovered, fate.core & ~fate.happened)
    assert not outcomes(starved, mtici="0").recovered.any()


def test_restricted_diffusion_recovers_in_a_few_after_early_reperfusion(starved, monkeypatch):
    monkeypatch.setattr("StrokePredictLib.phantom.fate.REVERSAL_PATIENTS", 1.0)
    monkeypatch.setattr("StrokePredictLib.phantom.fate.REVERSAL_MARGIN", (0.5, 0.5))
    monkeypatch.setattr("StrokePredictLib.phantom.fate.NO_REFLOW_PATIENTS", 0.0)
    early, late = (outcomes(starved, mtici="3", counterfactual_reperfusion_min=t) for t in (15, 240))
    assert 0.02 < early.recovered.sum() / early.core.sum() < 0.6
    assert late.recovered.sum() < early.recovered.sum()
    monkeypatch.setattr("StrokePredictLib.phantom.fate.REVERSAL_PATIENTS", 0.0)
    assert not outcomes(starved, mtici="3", counterfactual_reperfusion_min=15).recovered.any()


def test_vessels_that_stay_shut_cost_tissue(starved, monkeypatch):
    monkeypatch.setattr("StrokePredictLib.phantom.fate.NO_REFLOW_PATIENTS", 0.0)
    none = outcomes(starved, mtici="3")
    monkeypatch.setattr("StrokePredictLib.phantom.fate.NO_REFLOW_PATIENTS", 1.0)
    some = outcomes(starved, mtici="3")
    assert not none.no_reflow.any()
    assert not (some.fed_again & some.no_reflow).any()
    assert some.if_reperfused.sum() > none.if_reperfused.sum()
    assert np.array_equal(some.if_not_reperfused, none.if_not_reperfused)


@pytest.mark.parametrize(("grade", "low", "high"), [("1", 0, 0.2), ("2a", 0.1, 0.5), ("2b", 0.5, 0.9), ("2c", 0.88, 1)])
def test_the_grade_says_how_much_is_fed_again(starved, monkeypatch, grade, low, high):
    # Zaidat et al., Stroke 2013: 2a less than half of the territory, 2b half or more, 2c nearly all.
    monkeypatch.setattr("StrokePredictLib.phantom.fate.NO_REFLOW_PATIENTS", 0.0)
    anatomy, flow, _ = starved
    starving = anatomy.solid & (flow.flow_share < 0.8)
    assert low <= outcomes(starved, mtici=grade).fed_again[starving].mean() <= high


def test_branches_reopen_in_pieces_that_hang_together(starved):
    anatomy, flow, _ = starved
    fed = anatomy.on_grid(outcomes(starved, mtici="2b").fed_again)
    starving = anatomy.on_grid(anatomy.solid & (flow.flow_share < 0.8))
    same = both = 0
    for axis in (0, 1, 2):
        pair = [np.take(starving, range(k, starving.shape[axis] - 1 + k), axis) for k in (0, 1)]
        there = [np.take(fed, range(k, fed.shape[axis] - 1 + k), axis) for k in (0, 1)]
        both += (pair[0] & pair[1]).sum()
        same += (pair[0] & pair[1] & (there[0] == there[1])).sum()
    share = fed[starving].mean()
    # Were voxels to reopen by chance, neighbours would agree with p² + (1 − p)².
    assert same / both > 0.5 * (1 + share**2 + (1 - share) ** 2)


def test_white_matter_bears_less_flow_than_grey(starved):
    anatomy, flow, _ = starved
    fate = outcomes(starved, onset_to_imaging_min=600)
    near = anatomy.solid & (fate.depth > 0.9) & (fate.depth < 1.1)
    parts = np.stack([anatomy.grey[near], anatomy.white[near]], axis=1)
    grey, white = np.linalg.lstsq(parts, flow.cbf[near], rcond=None)[0]
    # Bristow et al., JCBFM 2005: death at 20.0 mL/100 g/min in grey and 12.3 in white matter.
    assert white / grey == pytest.approx(12.3 / 20.0, rel=0.12)
    assert 12 < grey < 23


def test_fate_is_no_function_of_flow_alone(starved):
    anatomy, flow, _ = starved
    fate = outcomes(starved, mtici="2b")
    grey = (anatomy.grey > 0.7) & (flow.cbf > 11) & (flow.cbf < 15)
    assert grey.sum() > 40
    assert 0.1 < fate.happened[grey].mean() < 0.95


def test_core_grows_with_time(starved):
    anatomy, flow, course = starved
    courses = [replace(course, onset_to_imaging_min=t) for t in (60, 150, 300, 800)]
    sizes = [int(decide_fate(SEED, anatomy, flow, c).core.sum()) for c in courses]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 1.5 * sizes[0]


def test_dead_tissue_has_little_flow(starved):
    anatomy, flow, course = starved
    fate = decide_fate(SEED, anatomy, flow, course)
    grey = (anatomy.grey > 0.6) & fate.core
    # Grey matter's threshold at 200 min; the margin is the patient's own tolerance and the smoothing of the outline.
    assert np.mean(flow.cbf[grey] / anatomy.grey[grey] < 1.35 * flow_threshold(200)) > 0.9
    spared = (anatomy.grey > 0.6) & ~fate.if_not_reperfused
    assert np.mean(flow.cbf[spared] / anatomy.grey[spared] > 0.8 * 17.5) > 0.99


def test_reperfusion_decides_the_outcome(starved):
    anatomy, flow, course = starved
    full = decide_fate(SEED, anatomy, flow, replace(course, mtici="3"))
    none = decide_fate(SEED, anatomy, flow, replace(course, mtici="0"))
    assert np.array_equal(full.happened, full.if_reperfused)
    assert full.fed_again.any()
    assert np.array_equal(none.happened, none.if_not_reperfused)
    assert not none.fed_again.any()
    late = decide_fate(SEED, anatomy, flow, replace(course, counterfactual_reperfusion_min=600))
    assert late.if_reperfused.sum() > full.if_reperfused.sum()
