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


@pytest.fixture(scope="module")
def starved(small_grid):
    """Tissue, flow and course of one patient with a proximal M1 occlusion."""
    course = replace(draw_course(5), onset_to_imaging_min=200, counterfactual_reperfusion_min=120, mtici="2b")
    anatomy = build_anatomy(5, small_grid, draw_pose(5, female=True), 70)
    occlusion = Occlusion("right", "M1 proximal", 30.0)
    fall = severity(5, occlusion, anatomy.mni, anatomy.depth_mm())
    return anatomy, perfuse(5, anatomy, occlusion, fall), course


def test_threshold_rises_as_jones_found():
    # Jones et al., J Neurosurg 1981: 10 to 12 mL/100 g/min at 2 to 3 h, 17 to 18 lasting.
    assert flow_threshold(120) == pytest.approx(10, abs=0.5)
    assert flow_threshold(180) == pytest.approx(12, abs=0.5)
    assert 17 <= flow_threshold(np.inf) <= 18
    assert np.all(np.diff([flow_threshold(t) for t in range(0, 1500, 10)]) > 0)


def test_outcomes_are_nested(starved):
    fate = decide_fate(5, *starved)
    chain = [fate.core, fate.if_reperfused, fate.happened, fate.if_not_reperfused]
    sizes = [int(mask.sum()) for mask in chain]
    assert sizes[0] > 20
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
    for inner, outer in itertools.pairwise(chain):
        assert not np.any(inner & ~outer)


def test_core_grows_with_time(starved):
    anatomy, flow, course = starved
    courses = [replace(course, onset_to_imaging_min=t) for t in (60, 150, 300, 800)]
    sizes = [int(decide_fate(5, anatomy, flow, c).core.sum()) for c in courses]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 1.5 * sizes[0]


def test_dead_tissue_has_little_flow(starved):
    anatomy, flow, course = starved
    fate = decide_fate(5, anatomy, flow, course)
    grey = (anatomy.grey > 0.6) & fate.core
    # Grey matter's threshold at 200 min; the margin is the patient's own tolerance and the smoothing of the outline.
    assert np.mean(flow.cbf[grey] / anatomy.grey[grey] < 1.35 * flow_threshold(200)) > 0.9
    spared = (anatomy.grey > 0.6) & ~fate.if_not_reperfused
    assert np.mean(flow.cbf[spared] / anatomy.grey[spared] > 0.8 * 17.5) > 0.99


def test_reperfusion_decides_the_outcome(starved):
    anatomy, flow, course = starved
    full = decide_fate(5, anatomy, flow, replace(course, mtici="3"))
    none = decide_fate(5, anatomy, flow, replace(course, mtici="0"))
    assert np.array_equal(full.happened, full.if_reperfused)
    assert np.array_equal(none.happened, none.if_not_reperfused)
    assert not none.fed_again.any()
    late = decide_fate(5, anatomy, flow, replace(course, counterfactual_reperfusion_min=600))
    assert late.if_reperfused.sum() > full.if_reperfused.sum()
