"""What readers draw, against the truth and against each other."""

import numpy as np
import pytest

from StrokePredictLib.phantom.anatomy import build_anatomy, draw_pose
from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.readers import READERS, READS, _missed, majority, read_lesion

GRID = Grid(shape=(24, 128, 128), spacing=(1.8, 1.8, 6.0))


@pytest.fixture(scope="module")
def head():
    return build_anatomy(4, GRID, draw_pose(4, female=True), 68)


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def ball(head, centre, radius):
    return (np.linalg.norm(head.mni - np.array(centre), axis=1) < radius) & head.solid


@pytest.fixture(scope="module")
def reads(head):
    lesion = ball(head, (32, -20, 26), 15.0)
    return lesion, [{read: read_lesion(seed, head, lesion, *read) for read in READS} for seed in range(8)]


def test_one_read_is_always_the_same(head, reads):
    lesion, found = reads
    assert np.array_equal(read_lesion(3, head, lesion, "1", 2), found[3]["1", 2])


def test_nobody_draws_the_truth_nor_the_same_twice(reads):
    lesion, found = reads
    for each in found:
        drawn = list(each.values())
        assert all(0.75 < dice(lesion, d) < 1.0 for d in drawn)
        assert not np.array_equal(drawn[0], drawn[1])


def test_a_reader_agrees_more_with_himself_than_with_another(reads):
    _, found = reads
    within = np.mean([dice(each["1", 1], each["1", 2]) for each in found])
    between = np.mean([dice(each["1", 1], each["2", 1]) for each in found])
    assert between + 0.01 < within < 0.97


def test_the_second_reader_draws_more_generously(reads):
    _, found = reads
    ratio = np.mean([each["2", 1].sum() / each["1", 1].sum() for each in found])
    # A disc's area grows by 2·d/r for a line moved outwards by d.
    shift = READERS["2"].bias_mm - READERS["1"].bias_mm
    assert ratio == pytest.approx(1 + 2 * shift / 12.0, abs=0.07)


def test_small_parts_are_missed_and_large_ones_are_not(head):
    small, large = ball(head, (32, -20, 26), 3.6), ball(head, (-30, -20, 26), 14.0)
    assert 1 <= small.sum() < 20
    missed = []
    for seed in range(60):
        drawn = read_lesion(seed, head, small | large, "2", 1)
        assert dice(drawn & (head.mni[:, 0] < 0), large) > 0.75
        missed.append(not (drawn & (head.mni[:, 0] > 10)).any())
    assert 0 < np.mean(missed) < chance("2", small.sum() * voxel_ml(GRID)) + 0.25


def voxel_ml(grid):
    return float(np.prod(grid.spacing)) / 1000.0


def chance(reader, ml):
    """P(0.7 U + 0.3 W < t): a triangle below t = 0.3, then a strip."""
    t = READERS[reader].overlooks * np.exp(-2 * ml / READERS[reader].missed_ml)
    return t**2 / 0.42 if t < 0.3 else (t - 0.15) / 0.7


def many_parts(reader, ml, slips, parts=4000):
    """Return which of many separate one-voxel parts each read misses."""
    lesion = np.zeros((20, 40, 40), dtype=bool)
    lesion[::2, ::2, ::2] = True
    assert lesion.sum() == parts
    return [
        _missed(lesion, ml, READERS[reader], np.random.default_rng(1), np.random.default_rng(k))[lesion] for k in slips
    ]


@pytest.mark.parametrize(
    ("reader", "ml", "stated"),
    [("1", 0.0, 0.286), ("2", 0.0, 0.5), ("1", 0.35, 0.0053), ("2", 0.6, 0.011), ("1", 0.1, None), ("2", 0.1, None)],
)
def test_how_often_a_part_is_missed(reader, ml, stated):
    expected = chance(reader, ml)
    assert stated is None or expected == pytest.approx(stated, rel=0.03)  # the page and the reader's docstring
    found = np.mean(many_parts(reader, ml, (2,)))
    assert found == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 4000))


def test_a_part_missed_once_is_mostly_missed_again():
    first, second = many_parts("1", 0.0, (2, 3))
    # Two reads share U: P(both) is the mean over U of P(0.3 W < t - 0.7 U) squared.
    u = (np.arange(100_000) + 0.5) / 100_000
    both = np.mean(np.clip((0.35 - 0.7 * u) / 0.3, 0, 1) ** 2)
    assert np.mean(second[first]) == pytest.approx(both / chance("1", 0.0), abs=0.05)
    assert both / chance("1", 0.0) > 0.7


def test_nothing_to_see_nothing_drawn(head):
    none = np.zeros(len(head.inside), dtype=bool)
    assert not any(read_lesion(1, head, none, *read).any() for read in READS)


def test_majority_of_three():
    reads = [np.array(bits, dtype=bool) for bits in ((1, 1, 0, 0), (1, 0, 1, 0), (1, 1, 0, 0))]
    assert majority(reads).tolist() == [True, True, False, False]
