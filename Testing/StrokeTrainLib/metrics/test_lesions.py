import numpy as np
import pytest

from StrokeTrainLib.metrics.lesions import count_lesions


def flood(mask):
    """Return components over faces, edges and corners as sets of voxels, by plain flooding."""
    left, found = set(map(tuple, np.argwhere(mask))), []
    steps = [np.array(step) - 1 for step in np.ndindex(3, 3, 3)]
    while left:
        component, edge = set(), [left.pop()]
        while edge:
            voxel = edge.pop()
            component.add(voxel)
            for step in steps:
                near = tuple(int(v) for v in np.array(voxel) + step)
                if near in left:
                    left.remove(near)
                    edge.append(near)
        found.append(component)
    return found


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
def test_counts_follow_the_challenge_definition(share):
    rng = np.random.default_rng(int(share * 100))
    truth, prediction = rng.random((2, 5, 14, 14)) < share
    true, predicted = flood(truth), flood(prediction)
    inside = {name: set(map(tuple, np.argwhere(mask))) for name, mask in (("t", truth), ("p", prediction))}
    tp = sum(bool(lesion & inside["p"]) for lesion in true)
    fn = len(true) - tp
    fp = sum(not lesion & inside["t"] for lesion in predicted)
    got = count_lesions(truth, prediction)
    assert (got.true, got.predicted) == (len(true), len(predicted))
    assert got.f1 == pytest.approx(tp / (tp + (fp + fn) / 2))
    assert got.difference == len(predicted) - len(true)
    assert fp > 0
    assert fn > 0


def test_corner_neighbours_are_one_lesion():
    truth = np.zeros((2, 2, 2), bool)
    truth[0, 0, 0] = truth[1, 1, 1] = True
    assert count_lesions(truth, truth).true == 1


def test_empty_masks():
    empty, one = np.zeros((2, 3, 4), bool), np.zeros((2, 3, 4), bool)
    one[0, 0, 0] = True
    assert count_lesions(empty, empty).f1 == 1
    assert count_lesions(one, empty).f1 == 0
    assert count_lesions(empty, one).f1 == 0
    assert count_lesions(empty, one).difference == 1
