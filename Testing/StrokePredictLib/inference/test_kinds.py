"""Every kind of network through the same door: what it sees, and that how it is run cannot change the answer."""

import numpy as np
import pytest
import torch
from support.models import KINDS, MadeBundle, function_bundle, make_card, make_case, make_network

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.inference import devices, missing_roles, predict, prepare
from StrokePredictLib.inference.predict import course_vector
from StrokePredictLib.networks.course import Course
from StrokePredictLib.preprocess.sections import Sections

MAPS = [kind for kind in KINDS if kind != "mittermeier2022"]


@pytest.fixture(scope="module")
def case():
    return make_case()


def bare(case, card):
    """The network called by hand: padded stacks, whole sequence or single sections, nothing clever."""
    sections = Sections.around(case.volumes["brain"], card.spacing_mm, card.matrix)
    x = torch.from_numpy(prepare(case, card, sections))
    network = make_network(card.network.name)
    with torch.no_grad():
        if card.arrangement == "sequence":
            return network(x[None])[0, :, 0].sigmoid().numpy()
        if card.arrangement == "section":
            return network(x).softmax(1)[:, 0].numpy()
        empty = torch.zeros_like(x[:1])
        padded = [empty, empty, *x.split(1), empty, empty]
        answers = []
        told = [torch.tensor([course_vector(case, card, None)])] if card.conditioned else []
        for centre in range(len(x)):
            answers.append(network(torch.cat(padded[centre : centre + 5], dim=1), *told)[0, 0].sigmoid())
        return torch.stack(answers).numpy()


@pytest.mark.parametrize("kind", MAPS)
def test_the_answer_is_the_bare_networks(case, tmp_path, kind):
    card = make_card(kind)
    found = predict(case, MadeBundle(tmp_path, card, "0" * 64), device="cpu").probability
    sections = Sections.around(case.volumes["brain"], card.spacing_mm, card.matrix)
    expected = bare(case, card)
    home = sections.bring_home(expected, "expected").array * case.volumes["brain"].array
    assert expected.std() > 0.002  # otherwise nothing is shown
    assert np.abs(found.array - home).max() < 1e-5


@pytest.mark.parametrize("kind", MAPS)
def test_batch_size_and_threads_change_nothing(case, tmp_path, kind, monkeypatch):
    card = make_card(kind, mirror=kind == "debs2021")
    answers = []
    before = torch.get_num_threads()
    try:
        for number, (batch, threads) in enumerate([(1, 1), (3, 2), (8, 1)]):
            monkeypatch.setitem(devices.LARGEST_BATCH, "cpu", batch)
            torch.set_num_threads(threads)
            (tmp_path / str(number)).mkdir()
            bundle = MadeBundle(tmp_path / str(number), card, "0" * 64)
            answers.append(predict(case, bundle, device="cpu").probability.array)
    finally:
        torch.set_num_threads(before)
    assert max(np.abs(answers[0] - other).max() for other in answers[1:]) < 1e-5


def test_yus_channels_are_what_the_paper_says(case):
    """Divided by the mean over the brain, without a ceiling; the masks are the rules."""
    card = make_card("yu2020")
    sections = Sections.around(case.volumes["brain"], card.spacing_mm, card.matrix)
    inputs = prepare(case, card, sections)
    brain = case.volumes["brain"].array
    inside = sections.bring(case.volumes["brain"], is_mask=True) > 0.5
    for number, role in enumerate(("dwi", "adc", "tmax", "mtt", "cbf", "cbv")):
        image = case.volumes[role]
        back = inputs[:, number][inside] * image.array[brain].mean()
        assert np.allclose(back, sections.bring(image)[inside], rtol=1e-4)
    tmax, adc = sections.bring(case.volumes["tmax"]), sections.bring(case.volumes["adc"])
    assert np.array_equal(inputs[:, 6] > 0, (tmax > 6) & inside)
    assert np.array_equal(inputs[:, 7] > 0, (adc > 0) & (adc < 620) & inside)
    assert inputs[:, :6].max() > 1


def test_percentiles_make_0_and_1(case):
    card = make_card("alis2020")
    sections = Sections.around(case.volumes["brain"], card.spacing_mm, card.matrix)
    inputs = prepare(case, card, sections)
    low, high = np.percentile(case.volumes["dwi"].array[case.volumes["brain"].array], [1, 99])
    inside = sections.bring(case.volumes["brain"], is_mask=True) > 0.5
    expected = np.clip((sections.bring(case.volumes["dwi"]) - low) / (high - low), 0, 1)
    assert np.allclose(inputs[:, 0][inside], expected[inside], atol=1e-5)


class Seen(torch.nn.Module):
    """A 2.5D network that answers with one plane of its stack."""

    def __init__(self, plane):
        super().__init__()
        self.plane = plane

    def forward(self, x):
        return x[:, self.plane : self.plane + 1].clamp(1e-6, 1 - 1e-6).logit()


@pytest.mark.parametrize("offset", [-2, 0, 1])
def test_a_stack_holds_the_neighbours_in_order(case, tmp_path, offset):
    """Section k's answer is section k + offset of the channel; beyond the ends it is empty."""
    card = make_card(
        "yu2020", channels=[{"role": "adc", "unit": "", "normalisation": "fixed", "scale": 3000.0}], sections=5
    )
    sections = Sections.around(case.volumes["brain"], card.spacing_mm, card.matrix)
    inputs = prepare(case, card, sections)[:, 0]
    expected = np.zeros_like(inputs)
    for k in range(len(inputs)):
        if 0 <= k + offset < len(inputs):
            expected[k] = inputs[k + offset]
    found = predict(case, function_bundle(tmp_path, card, Seen(2 + offset)), device="cpu").probability
    home = sections.bring_home(expected, "e").array * case.volumes["brain"].array
    assert np.abs(found.array - home).max() < 1e-4


def test_missing_channels_are_named_and_optional_ones_are_not_missed(tmp_path):
    case = make_case(roles=("dwi", "adc"))
    with pytest.raises(StrokeError, match=r"needs DWI, ADC, Tmax, MTT, CBF, CBV; Tmax, MTT, CBF, CBV missing"):
        predict(case, MadeBundle(tmp_path, make_card("yu2020"), "0" * 64))
    card = make_card("fate")
    assert missing_roles(card, case) == []
    found = predict(case, MadeBundle(tmp_path, card, "0" * 64), device="cpu")
    assert found.record["inputs"] == ["dwi", "adc"]
    assert missing_roles(card, make_case(roles=())) == ["dwi", "adc", "tmax", "cbf", "cbv", "mtt"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_refused(tmp_path, value):
    case = make_case(roles=("dwi", "adc"))
    case.volumes["adc"].array[3, 30, 30] = value
    with pytest.raises(StrokeError, match="adc: 1 voxels are not numbers"):
        predict(case, MadeBundle(tmp_path, make_card("debs2021"), "0" * 64))


class Broken(torch.nn.Module):
    def forward(self, x):
        return torch.full((len(x), 3, *x.shape[2:]), float("nan"))


def test_a_network_that_gives_no_numbers_is_found_out(case, tmp_path):
    with pytest.raises(StrokeError, match="weights are damaged"):
        predict(case, function_bundle(tmp_path, make_card("debs2021"), Broken()), device="cpu")


def test_a_conditioned_model_is_told_the_cases_own_onset_and_not_an_unwitnessed_one(case):
    from dataclasses import replace

    card = make_card("fate")
    known = replace(case, facts=replace(case.facts, onset_to_imaging_min=144.0, onset_known=True))
    assert course_vector(known, card, None)[-2:] == pytest.approx([0.1, 1])
    woken = replace(case, facts=replace(case.facts, onset_to_imaging_min=144.0, onset_known=False))
    assert course_vector(woken, card, None)[-2:] == [0, 0]
    assert course_vector(known, card, Course("none", 288))[-2:] == pytest.approx([0.2, 1])
    assert course_vector(known, make_card("yu2020"), None) is None
