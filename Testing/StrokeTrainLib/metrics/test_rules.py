import numpy as np
import pytest

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.volume import Volume
from StrokeTrainLib.metrics.auc import roc_auc
from StrokeTrainLib.metrics.rules import CERTAIN, RULES, apply_rule, debs_rule, yu_rule

AFFINE = np.diag([2.0, 2.0, 6.0, 1.0])


@pytest.fixture(scope="module")
def maps():
    rng = np.random.default_rng(11)
    shape = (4, 16, 20)
    brain = np.zeros(shape, bool)
    brain[:, 2:14, 2:18] = True
    tmax = rng.uniform(0, 3, shape)
    tmax[:, 4:12, 11:17] = rng.uniform(4, 12, (4, 8, 6))
    adc = np.where(rng.random(shape) < 0.2, rng.uniform(-100, 620, shape), rng.uniform(600, 1500, shape))
    flow = np.where(tmax > 4, rng.uniform(0, 30, shape), rng.uniform(45, 55, shape))
    arrays = {"adc": adc, "tmax": tmax, "cbf": flow, "cbv": np.full(shape, 4.0)}
    volumes = {role: Volume(array.astype(np.float32), AFFINE, role) for role, array in arrays.items()}
    lesion = np.zeros(shape, bool)
    lesion[1:3, 5:8, 11:14] = True
    return volumes | {"brain": Volume(brain, AFFINE, "brain"), "dwi_lesion": Volume(lesion, AFFINE, "lesion")}


def test_masks_follow_the_papers_limits(maps):
    adc, tmax, brain, lesion = (maps[key].array for key in ("adc", "tmax", "brain", "dwi_lesion"))
    core, late = brain & (adc > 0) & (adc < 620), brain & (tmax > 6)
    normal = brain & (tmax < 4) & np.roll(late, 0)[:, :, ::-1]
    ratio = maps["cbf"].array / maps["cbf"].array[normal].mean()
    expected = {
        "adc": core, "tmax-or-adc": core | late, "dwi": lesion, "dwi-or-penumbra": lesion | late,
        "rcbf": late & (ratio < 0.3),
    }  # fmt: skip
    assert expected.keys() == RULES.keys()
    for name, mask in expected.items():
        assert mask.any()
        np.testing.assert_array_equal(apply_rule(name, maps).mask.array, mask, err_msg=name)


@pytest.mark.parametrize("name", RULES)
def test_the_continuous_map_exceeds_1_exactly_where_the_rule_predicts(maps, name):
    found = apply_rule(name, maps)
    np.testing.assert_array_equal(found.score.array > 1, found.mask.array)
    assert found.score.array.dtype == np.float32
    assert np.isfinite(found.score.array).all()
    assert not found.score.array[~maps["brain"].array].any()


def test_the_map_of_one_limit_ranks_as_the_image_does(maps):
    rng = np.random.default_rng(2)
    inside = maps["brain"].array & (maps["adc"].array > 0)
    truth = rng.random(inside.shape) < 0.2
    score = apply_rule("adc", maps).score.array
    assert roc_auc(truth[inside], score[inside]) == pytest.approx(roc_auc(truth[inside], -maps["adc"].array[inside]))


def test_an_outline_ranks_first_and_the_penumbra_by_its_delay(maps):
    score, lesion = apply_rule("dwi-or-penumbra", maps).score.array, maps["dwi_lesion"].array
    assert (score[lesion] == CERTAIN).all()
    rest = maps["brain"].array & ~lesion
    np.testing.assert_allclose(score[rest], maps["tmax"].array[rest] / 6, rtol=1e-6)


def test_without_an_outline_the_adc_core_stands_for_it_and_this_is_said(maps):
    without = {key: volume for key, volume in maps.items() if key != "dwi_lesion"}
    found = apply_rule("dwi", without)
    np.testing.assert_array_equal(found.mask.array, apply_rule("adc", maps).mask.array)
    assert "ADC < 620 stands for it" in found.note
    assert "ADC < 620 stands for it" in apply_rule("dwi-or-penumbra", without).note


def test_a_cleaned_mask_takes_the_place_of_the_plain_cut(maps):
    clean = apply_rule("adc", maps).mask
    clean = clean.with_array(clean.array & (np.arange(20) > 10))
    found = apply_rule("adc", maps | {"core_adc": clean})
    np.testing.assert_array_equal(found.mask.array, clean.array)
    np.testing.assert_array_equal(found.score.array, apply_rule("adc", maps).score.array)


def test_reperfusion_chooses_the_rule_and_unknown_chooses_none():
    assert (debs_rule("yes"), debs_rule("no"), debs_rule("unknown"), debs_rule(None)) == (
        "dwi", "dwi-or-penumbra", None, None,
    )  # fmt: skip
    assert (yu_rule("major"), yu_rule("minimal"), yu_rule("partial"), yu_rule("unknown")) == (
        "adc", "tmax-or-adc", None, None,
    )  # fmt: skip


def test_what_is_missing_is_named(maps):
    with pytest.raises(StrokeError, match="needs tmax"):
        apply_rule("tmax-or-adc", {key: maps[key] for key in ("brain", "adc")})
    with pytest.raises(StrokeError, match="needs adc"):
        apply_rule("dwi", {"brain": maps["brain"]})
    with pytest.raises(StrokeError, match="no such threshold rule"):
        apply_rule("cbv", maps)
    with pytest.raises(StrokeError, match="does not match"):
        apply_rule("adc", maps | {"adc": Volume(maps["adc"].array, np.diag([2.0, 2.0, 5.0, 1.0]), "adc")})
