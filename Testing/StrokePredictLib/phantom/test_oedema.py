"""The shift of the brain by day 5 against the physics that it is made from."""

import numpy as np
import pytest

from StrokePredictLib.phantom.anatomy import build_anatomy, draw_pose
from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.oedema import _potential, shifted, swell
from StrokePredictLib.phantom.tissue import draw_person, head_of, simulate_tissue

SPACING = (4.0, 3.0, 3.0)  # z, y, x


@pytest.fixture(scope="module")
def head():
    grid = Grid(shape=(36, 72, 60), spacing=(3.0, 3.0, 4.0))
    return build_anatomy(2, grid, draw_pose(2, female=False), 66)


def ball(anatomy, centre, radius):
    return (np.linalg.norm(anatomy.mni - np.array(centre), axis=1) < radius) & anatomy.solid


def test_potential_solves_poissons_equation():
    source = np.zeros((14, 20, 24))
    source[5:8, 8:12, 9:14] = 0.2
    found = _potential(source, SPACING)
    laplace = np.zeros_like(found)
    for axis, step in enumerate(SPACING):
        padded = np.pad(found, [(1, 1) if a == axis else (0, 0) for a in range(3)], mode="edge")
        laplace += np.diff(padded, 2, axis=axis) / step**2
    assert laplace == pytest.approx(source - source.mean(), abs=1e-9)


def test_infarct_grows_by_the_gain_and_the_skull_holds(head):
    infarct = ball(head, (40, -15, 20), 26.0)
    swelling = swell(11, head, infarct)
    assert 0.05 < swelling.gain < 0.3
    grown = shifted(head, swelling, infarct.astype(np.float32)).sum() / infarct.sum()
    # The skull beside it takes some of the room.
    assert 1 + 0.5 * swelling.gain < grown < 1 + 1.2 * swelling.gain
    size = np.sqrt((swelling.shift_mm**2).sum(axis=0))
    assert size.max() < 12.0
    assert size[head.skull_mm > 3.0].max() < 0.05 * size.max()


def test_a_real_infarct_realises_about_half_of_its_gain():
    """Strokes reach the cortex, where the skull holds the brain, and their edges are smooth."""
    grid, shares = Grid(shape=(24, 64, 64), spacing=(3.6, 3.6, 6.0)), []
    for seed in (5_000_015, 5_000_017, 5_000_018, 5_000_020):
        person = draw_person(seed)
        anatomy = head_of(person, grid, draw_pose(seed, female=person.course.sex == "F"))
        tissue = simulate_tissue(person, anatomy)
        infarct, swelling = tissue.fate.happened, tissue.swelling
        assert infarct.sum() * tissue.voxel_ml > 50
        grown = shifted(anatomy, swelling, infarct.astype(np.float32)).sum() / infarct.sum() - 1
        # Gauss: what flows out through the infarct's border is the divergence inside.
        parts = zip(swelling.shift_mm, grid.spacing[::-1], strict=True)
        divergence = sum(np.gradient(part, step, axis=axis) for axis, (part, step) in enumerate(parts))
        assert grown == pytest.approx(divergence.ravel()[anatomy.inside][infarct].mean(), abs=0.15 * swelling.gain)
        outlined = tissue.infarct_day5.sum() / infarct.sum() - 1
        assert outlined == pytest.approx(grown, abs=0.04)
        shares.append(grown / swelling.gain)
    assert min(shares) > 0.4
    assert max(shares) < 0.75


def test_divergence_is_the_gain_inside_and_nothing_outside(head):
    infarct = ball(head, (34, -20, 26), 20.0)
    swelling = swell(11, head, infarct)
    divergence = sum(
        np.gradient(part, step, axis=axis)
        for axis, (part, step) in enumerate(zip(swelling.shift_mm, SPACING, strict=True))
    )
    flat, deep = divergence.ravel()[head.inside], head.depth_mm() > 18
    distance = np.linalg.norm(head.mni - np.array((34, -20, 26)), axis=1)
    assert np.median(flat[(distance < 10) & deep]) == pytest.approx(swelling.gain, rel=0.15)
    assert np.abs(np.median(flat[(distance > 45) & deep])) < 0.05 * swelling.gain


def test_the_midline_moves_away_from_the_infarct(head):
    for side in (-1.0, 1.0):
        swelling = swell(11, head, ball(head, (side * 40, -15, 20), 30.0))
        midline = (np.abs(head.mni[:, 0]) < 4) & (np.abs(head.mni[:, 1] + 15) < 20) & (head.depth_mm() > 20)
        # The grid's x axis runs to the patient's left, MNI's to the right.
        moved = -np.median(swelling.shift_mm[2].ravel()[head.inside][midline])
        assert 0.3 < -side * moved < 10


def test_no_infarct_no_shift(head):
    none = np.zeros(len(head.inside), dtype=bool)
    swelling = swell(11, head, none)
    assert not swelling.shift_mm.any()
    assert np.array_equal(shifted(head, swelling, head.grey), head.grey)


def test_the_outline_grows_as_the_tissue_does(head):
    infarct = ball(head, (36, -18, 24), 28.0)
    swelling = swell(11, head, infarct)
    drawn, tissue = shifted(head, swelling, infarct), shifted(head, swelling, infarct.astype(np.float32))
    assert drawn.sum() / infarct.sum() == pytest.approx(tissue.sum() / infarct.sum(), abs=0.05)
    assert not np.any(infarct & (tissue > 0.95) & ~drawn)
