"""Two scenarios of one patient: Debs' responder rule, and a slider that asks only the decoder."""

import numpy as np
import pytest
import torch
from support.models import MadeBundle, function_bundle, make_card, make_case

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.inference import Prediction, predict, treatment_effect
from StrokePredictLib.inference.treatment import both_scenarios
from StrokePredictLib.inference.what_if import WhatIf
from StrokePredictLib.networks.course import Course
from StrokePredictLib.volume import Volume

CARD = make_card("debs2021")
AFFINE = np.diag([10.0, 10.0, 10.0, 1.0])  # a voxel is 1 mL


def prediction(voxels):
    mask = np.zeros((1, 1, 400), bool)
    mask[0, 0, list(voxels)] = True
    return Prediction(CARD, Volume(mask.astype(np.float32), AFFINE), Volume(mask, AFFINE))


@pytest.mark.parametrize(
    ("with_it", "without", "dice", "responder"),
    [
        (range(20), range(20), 1.0, False),
        (range(20), range(100), 2 * 20 / 120, True),
        (range(100), range(80, 200), 2 * 20 / 220, True),  # exactly 20 % larger
        (range(100), range(80, 199), 2 * 20 / 219, False),  # 19 % larger
        (range(100), range(20), 2 * 20 / 120, False),  # smaller without: no responder
        (range(50), range(150), 0.5, False),  # Dice is not below 0.5
        (range(50), range(151), 100 / 201, True),
        ((), range(30), 0.0, True),
        ((), (), 1.0, False),
    ],
)
def test_debs_responder_rule(with_it, without, dice, responder):
    effect = treatment_effect(prediction(with_it), prediction(without))
    assert effect.dice == pytest.approx(dice)
    assert effect.responder is responder
    assert effect.saved_ml == pytest.approx(len(without) - len(with_it))
    assert effect.record()["responder"] is responder
    assert "not causation" in effect.record()["note"]


def test_other_grids_are_refused():
    other = prediction(range(3))
    other.mask = Volume(other.mask.array, AFFINE * 1.1)
    with pytest.raises(StrokeError, match="does not match"):
        treatment_effect(prediction(range(3)), other)


@pytest.fixture(scope="module")
def case():
    return make_case()


def test_what_if_answers_as_the_whole_network_does(case, tmp_path):
    bundle = MadeBundle(tmp_path, make_card("fate"), "0" * 64)
    what_if = WhatIf(case, bundle, device="cpu")
    answers = {}
    for reperfusion in ("none", "complete", 0.3):
        course = Course(reperfusion, 120)
        answers[reperfusion] = what_if.answer(course).probability.array
        whole = predict(case, bundle, device="cpu", course=course).probability.array
        assert np.abs(answers[reperfusion] - whole).max() < 1e-5
    assert np.abs(answers["none"] - answers["complete"]).max() > 1e-4


def test_the_slider_asks_only_the_decoder(case, tmp_path, monkeypatch):
    what_if = WhatIf(case, MadeBundle(tmp_path, make_card("fate"), "0" * 64), device="cpu")

    def never(*_):
        raise AssertionError("the images were looked at again")

    monkeypatch.setattr(what_if.network, "encode", never)
    monkeypatch.setattr(what_if.network.encoder, "forward", never)
    found = what_if.answer(Course("partial"))
    assert found.record["course"] == {"reperfusion": "partial", "onset_to_imaging_min": None}
    assert any("not causation" in note for note in found.record["notes"])


def test_both_scenarios_in_one_call(case, tmp_path):
    with_it, without, effect = both_scenarios(case, MadeBundle(tmp_path, make_card("fate"), "0" * 64), device="cpu")
    assert with_it.record["segment"] == "infarct_predicted_reperfused"
    assert without.record["segment"] == "infarct_predicted_not_reperfused"
    assert with_it.name != without.name
    assert effect == treatment_effect(with_it, without)


class Everywhere(torch.nn.Module):
    def __init__(self, logit):
        super().__init__()
        self.logit = logit

    def forward(self, x):
        return torch.full((len(x), 1, *x.shape[2:]), self.logit)


def test_a_pair_of_models_gives_both_scenarios(case, tmp_path):
    pair = [
        function_bundle(tmp_path / name, make_card("debs2021", name, reperfusion=name), Everywhere(logit))
        for name, logit in (("reperfused", -3.0), ("not-reperfused", 3.0))
    ]
    with_it, without, effect = both_scenarios(case, *pair, device="cpu")
    assert with_it.record["volume_ml"] == 0
    assert without.record["volume_ml"] == pytest.approx(effect.saved_ml, abs=0.01)
    assert effect.responder
