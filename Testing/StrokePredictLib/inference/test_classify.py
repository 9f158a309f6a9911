"""The classifier: what it is shown of a series, and that it draws nothing."""

import numpy as np
import pytest
import torch
from support.models import MadeBundle, function_bundle, make_card, make_case, make_network, make_series

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.inference import predict
from StrokePredictLib.inference.classify import classify, prepare_series
from StrokePredictLib.preprocess.sections import Sections

CARD = make_card("mittermeier2022")


@pytest.fixture(scope="module")
def case():
    case = make_case(roles=())
    case.volumes["ctp"], case.times = make_series(case)
    return case


def test_its_answer_is_the_bare_networks(case, tmp_path):
    found = classify(case, MadeBundle(tmp_path, CARD, "0" * 64), levels=[2, 4], times=case.times, device="cpu")
    sections = Sections.around(case.volumes["brain"], CARD.spacing_mm, CARD.matrix)
    x = prepare_series(case.volumes["ctp"], CARD, sections, [2, 4], case.times)
    with torch.no_grad():
        expected = float(make_network("mittermeier2022")(torch.from_numpy(x)[None]).sigmoid())
    assert found.probability == pytest.approx(expected, abs=1e-5)
    assert found.record["probability"] == pytest.approx(expected, abs=1e-4)
    assert found.record["sections"] == [2, 4]
    assert found.record["sections_by"] == "the reader"
    assert "volume_ml" not in found.record


def test_time_points_lie_where_the_card_says_and_each_patient_is_normalised_alone(case):
    sections = Sections.around(case.volumes["brain"], CARD.spacing_mm, CARD.matrix)
    x = prepare_series(case.volumes["ctp"], CARD, sections, [3, 4], case.times)
    assert x.shape == (2, 12, 64, 64)
    assert x.mean() == pytest.approx(0, abs=1e-4)
    assert x.std() == pytest.approx(1, abs=1e-4)
    frames = np.stack([sections.bring(case.volumes["ctp"].with_array(f))[3] for f in case.volumes["ctp"].array])
    wanted = 1.5 * np.arange(12)
    curves = np.stack([np.interp(wanted, case.times, frames[:, y, 32]) for y in (20, 32, 40)])
    shown = np.stack([x[0, :, y, 32] for y in (20, 32, 40)])
    slope, shift = np.polyfit(curves.ravel(), shown.ravel(), 1)
    assert np.allclose(shown, slope * curves + shift, atol=1e-4)


def test_a_short_series_stays_at_its_last_frame(case):
    sections = Sections.around(case.volumes["brain"], CARD.spacing_mm, CARD.matrix)
    short = case.volumes["ctp"].with_array(case.volumes["ctp"].array[:4])
    x = prepare_series(short, CARD, sections, [3, 4], case.times[:4])
    assert np.array_equal(x[:, 4], x[:, 11])  # 6 s is the last frame
    assert not np.array_equal(x[:, 3], x[:, 4])


def test_an_ensemble_is_the_mean(case, tmp_path):
    card = make_card("mittermeier2022", weights=["models/a.safetensors", "models/b.safetensors"])
    bundle = MadeBundle(tmp_path, card, "0" * 64)
    found = classify(case, bundle, levels=[2, 4], times=case.times, device="cpu")
    single = []
    for seed in range(2):
        one = function_bundle(tmp_path / str(seed), CARD, make_network("mittermeier2022", seed))
        single.append(classify(case, one, levels=[2, 4], times=case.times, device="cpu").probability)
    assert found.probability == pytest.approx(np.mean(single), abs=1e-6)
    assert found.record["probability_sd"] == pytest.approx(np.std(single), abs=1e-4)


def test_nothing_is_drawn(case, tmp_path):
    with pytest.raises(StrokeError, match="no map"):
        predict(case, MadeBundle(tmp_path, CARD, "0" * 64))
    with pytest.raises(StrokeError, match="no single probability"):
        classify(make_case(), MadeBundle(tmp_path, make_card("yu2020"), "0" * 64))


@pytest.mark.parametrize(
    ("levels", "frames", "words"),
    [([1, 7], None, "needs 2 from 0 to 6"), ([1], None, "needs 2"), ([1, 2], 9, "16 frames but 9 times")],
)
def test_wrong_sections_and_times(case, tmp_path, levels, frames, words):
    bundle = MadeBundle(tmp_path, CARD, "0" * 64)
    with pytest.raises(StrokeError, match=words):
        classify(case, bundle, levels=levels, times=case.times[:frames], device="cpu")


def test_a_series_is_needed_and_must_change(case, tmp_path):
    bundle = MadeBundle(tmp_path, CARD, "0" * 64)
    with pytest.raises(StrokeError, match="CT perfusion series missing"):
        classify(make_case(), bundle)
    still = make_case(roles=())
    still.volumes["ctp"] = case.volumes["ctp"].with_array(np.zeros_like(case.volumes["ctp"].array))
    with pytest.raises(StrokeError, match="the same everywhere"):
        classify(still, bundle, levels=[1, 2], times=case.times)


def test_enhancement_is_what_rises_above_the_first_time_points_inside_the_brain(case):
    card = make_card("mittermeier2022", channels=[{**CARD.channels[0].model_dump(), "normalisation": "enhancement"}])
    brain = case.volumes["brain"]
    sections = Sections.around(brain, card.spacing_mm, card.matrix)
    x = prepare_series(case.volumes["ctp"], card, sections, [3, 4], case.times, brain)
    frames = np.stack([sections.bring(case.volumes["ctp"].with_array(f))[[3, 4]] for f in case.volumes["ctp"].array], 1)
    wanted = 1.5 * np.arange(12)
    inside = sections.bring(brain, is_mask=True)[[3, 4]] > 0.5
    expected = np.zeros((2, 12, 64, 64))
    for section, y, column in zip(*np.nonzero(inside), strict=True):
        curve = np.interp(wanted, case.times, frames[section, :, y, column])
        expected[section, :, y, column] = curve - curve[:2].mean()
    assert np.allclose(x, (expected - expected.mean()) / expected.std(), atol=1e-3)
    with pytest.raises(StrokeError, match="there is no brain mask"):
        prepare_series(case.volumes["ctp"], card, sections, [3, 4], case.times)
