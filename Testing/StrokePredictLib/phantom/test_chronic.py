"""White-matter lesions and old infarcts: how many, how large, where."""

import numpy as np
import pytest

from StrokePredictLib.phantom.anatomy import build_anatomy, draw_pose
from StrokePredictLib.phantom.chronic import old_infarct_chance, old_infarcts, ventricle_distance
from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.haemodynamics import perfuse
from StrokePredictLib.phantom.occlusion import Occlusion

GRID = Grid(shape=(24, 64, 64), spacing=(3.6, 3.6, 6.0))
VOXEL_ML = 3.6 * 3.6 * 6 / 1000


@pytest.fixture(scope="module")
def heads():
    return {age: [build_anatomy(s, GRID, draw_pose(s, s % 2 == 0), age) for s in range(8)] for age in (45, 80)}


def test_old_infarcts_become_commoner_with_age():
    rng = np.random.default_rng(0)
    points, solid = rng.uniform(-60, 60, (4000, 3)), np.ones(4000, dtype=np.float32)
    for age in (50, 82):
        found = np.mean([old_infarcts(seed, age, points, solid).max() > 0.5 for seed in range(300)])
        # a small scar may lie between the points
        assert found == pytest.approx(old_infarct_chance(age), abs=0.08)
    assert 0.05 < old_infarct_chance(45) < 0.12 < 0.25 < old_infarct_chance(80) < 0.35


def test_white_matter_lesions_grow_with_age(heads):
    young, old = ([h.wm_lesion.sum() * VOXEL_ML for h in heads[age]] for age in (45, 80))
    assert np.median(young) < 4 < 8 < np.median(old) < 45
    for a, b in zip(young, old, strict=True):
        assert a < b


def test_lesions_lie_in_white_matter_beside_the_ventricles(heads):
    for head in heads[80]:
        lesion = head.wm_lesion > 0.5
        assert np.all(head.white[lesion] > 0.5)
        places = np.stack([head.on_grid(head.mni[:, k], 999.0) for k in range(3)], axis=-1)
        gap = ventricle_distance(head.on_grid(head.csf), places, head.skull_mm, GRID.spacing[::-1]).ravel()[head.inside]
        assert np.median(gap[lesion]) < 0.6 * np.median(gap[head.white > 0.55])


def test_fractions_fit_into_the_voxel(heads):
    for head in [*heads[45], *heads[80]]:
        assert head.wm_lesion.min() >= 0
        assert np.all(head.wm_lesion <= head.white + 1e-5)
        assert np.all(head.old_infarct <= head.grey + head.white + 1e-5)


def test_scars_have_little_flow_and_cannot_die_again(heads):
    scarred = [h for h in [*heads[45], *heads[80]] if (h.old_infarct > 0.9).sum() > 5]
    assert scarred, "none of the heads has an old infarct"
    head = scarred[0]
    healthy = perfuse(1, head, Occlusion("left", "none", 40.0), np.zeros(len(head.inside), dtype=np.float32))
    scar = head.old_infarct > 0.9
    normal = 60 * head.grey + 22 * head.white
    assert np.median(healthy.cbf[scar] / normal[scar]) == pytest.approx(0.15, rel=0.3)
    assert not head.solid[scar].any()
