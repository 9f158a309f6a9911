"""Tissue, territory and vessels lie where anatomy has them."""

import numpy as np
import pytest

from StrokePredictLib.phantom.anatomy import _baked, build_anatomy, draw_pose
from StrokePredictLib.phantom.fields import smooth_field
from StrokePredictLib.phantom.occlusion import Occlusion, territory_depth


def baked_at(name, point):
    data, origin, size = _baked()[name]
    return data[tuple(np.rint((np.array(point) - origin) / size).astype(int))]


def test_baked_maps_have_the_right_tissue_at_known_points():
    # MNI mm: caudate head, centrum semiovale, lateral ventricle
    assert baked_at("gm", (12, 12, 10)) > 200
    assert baked_at("wm", (25, -20, 30)) > 200
    assert baked_at("gm", (6, 10, 15)) + baked_at("wm", (6, 10, 15)) < 40
    assert baked_at("skull", (0, 0, 20)) < 128 < baked_at("skull", (90, 0, 20))


def test_baked_maps_are_those_of_nilearn():
    nilearn = pytest.importorskip("nilearn.datasets", reason="nilearn, the maps' source, is not installed")
    for name, load in (("gm", nilearn.load_mni152_gm_template), ("wm", nilearn.load_mni152_wm_template)):
        image = load(resolution=1)
        full = np.asarray(image.dataobj)
        data, origin, _ = _baked()[name]
        rng = np.random.default_rng(0)
        for i, j, k in rng.integers(10, 80, (200, 3)):
            corner = np.linalg.inv(image.affine) @ [*(origin + 2.0 * np.array([i, j, k]) - 0.5), 1.0]
            x, y, z = np.rint(corner[:3]).astype(int)
            mean = full[x : x + 2, y : y + 2, z : z + 2].mean() * 255.0 / full.max()
            assert data[i, j, k] == pytest.approx(mean, abs=4.6)


def test_fractions_are_fractions(small_grid):
    anatomy = build_anatomy(1, small_grid, draw_pose(1, female=False), 70)
    total = anatomy.grey + anatomy.white + anatomy.csf
    for part in (anatomy.grey, anatomy.white, anatomy.csf):
        assert part.min() >= -1e-6
    assert total.max() <= 1 + 1e-5
    voxel_ml = 3.6 * 3.6 * 12 / 1000
    grey, white = anatomy.grey.sum() * voxel_ml, anatomy.white.sum() * voxel_ml
    assert 450 < grey < 950
    assert 350 < white < 750


def test_brains_shrink_with_age(small_grid):
    pose = draw_pose(2, female=True)
    csf = [build_anatomy(2, small_grid, pose, age).csf.sum() for age in (40, 65, 90)]
    assert csf == sorted(csf)
    assert csf[2] > 1.1 * csf[0]


def test_pose_goes_there_and_back():
    pose = draw_pose(3, female=False)
    points = np.random.default_rng(0).normal(0, 50, (20, 3))
    assert pose.to_mni(pose.to_ras(points)) == pytest.approx(points, abs=1e-9)


# MNI mm on the right
INSULA, ROLANDIC, PUTAMEN = (38, 4, 2), (50, -10, 38), (26, 4, 2)
MESIAL_FRONTAL, OCCIPITAL, THALAMUS, CEREBELLUM = (5, 35, 30), (12, -90, 5), (10, -20, 6), (30, -65, -35)
ANGULAR, BROCA = (48, -52, 26), (48, 20, 24)


def depth(site, points, side="right"):
    return territory_depth(Occlusion(side, site, 30.0), np.array(points, dtype=float))


def test_territory_of_the_trunk():
    assert np.all(depth("M1 proximal", [INSULA, ROLANDIC, PUTAMEN, ANGULAR, BROCA]) > 3)
    assert np.all(depth("M1 proximal", [MESIAL_FRONTAL, OCCIPITAL, THALAMUS, CEREBELLUM]) < 0)


@pytest.mark.parametrize("site", ["M1 distal", "M2 superior", "M2 inferior"])
def test_perforators_are_spared_behind_their_origin(site):
    assert depth(site, [PUTAMEN])[0] < 0


def test_territories_of_the_divisions():
    assert depth("M2 superior", [BROCA])[0] > 3 > 0 > depth("M2 superior", [ANGULAR])[0]
    assert depth("M2 inferior", [ANGULAR])[0] > 3 > 0 > depth("M2 inferior", [BROCA])[0]


def test_the_posterior_artery_feeds_what_the_middle_one_does_not():
    calcarine, lingual = (9, -84, 4), (12, -66, -4)
    assert np.all(depth("PCA", [calcarine, lingual]) > 3)
    assert np.all(depth("PCA", [INSULA, ROLANDIC, PUTAMEN, MESIAL_FRONTAL, CEREBELLUM, ANGULAR]) < 0)
    assert depth("cerebellar", [(28, -66, -46)])[0] > 3
    assert np.all(depth("cerebellar", [OCCIPITAL, INSULA, (28, -30, -46), (28, -66, -10)]) < 0)


def test_a_carotid_without_help_from_the_other_side_takes_the_medial_lobe_too():
    points = np.array([MESIAL_FRONTAL], dtype=float)
    with_help, alone = (Occlusion("right", "ICA", 30.0, with_anterior=alone) for alone in (False, True))
    assert territory_depth(with_help, points)[0] < 0 < territory_depth(alone, points)[0]
    assert depth("ICA", [PUTAMEN])[0] > 3


def test_territory_is_one_sided():
    left = [(-x, y, z) for x, y, z in (INSULA, ROLANDIC)]
    assert np.all(depth("M1 proximal", left) < 0)
    assert np.all(depth("M1 proximal", left, side="left") > 3)


@pytest.mark.parametrize("correlation", [12.0, 40.0])
def test_smooth_fields_have_unit_spread_and_are_smooth(correlation):
    rng = np.random.default_rng(3)
    points = rng.uniform(-80, 80, (20000, 3))
    field = np.concatenate([smooth_field(np.random.default_rng(s), points, correlation) for s in range(24)])
    assert field.mean() == pytest.approx(0, abs=0.15)
    assert field.std() == pytest.approx(1, abs=0.12)
    beside = points + np.array([0.5, 0.0, 0.0])
    here, there = (smooth_field(np.random.default_rng(0), place, correlation) for place in (points, beside))
    assert np.abs(here - there).max() < 3.0 / correlation
