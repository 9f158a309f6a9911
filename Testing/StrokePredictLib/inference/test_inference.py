"""Inference: inputs as the card says, answers on the case's own grid."""

import numpy as np
import pytest
import torch

from StrokePredictLib.case import StrokeCase
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.inference import choose_device, missing_roles, predict, prepare
from StrokePredictLib.models.bundle import Bundle
from StrokePredictLib.models.card import Card, Channel, Network, Training
from StrokePredictLib.preprocess.sections import Sections
from StrokePredictLib.volume import Volume

CARD = Card(
    name="fixed",
    title="Predicted infarct",
    target="final-infarct",
    segment="infarct_predicted",
    network=Network(name="debs2021", options={"channels": 2, "fusion": "late"}, lesion_class=0),
    channels=[
        Channel(role="dwi", unit="a.u.", normalisation="brain-median", scale=4.0),
        Channel(role="adc", unit="10⁻⁶ mm²/s", normalisation="fixed", scale=3000.0),
    ],
    spacing_mm=(1.8, 1.8),
    matrix=(128, 128),
    threshold=0.5,
    demonstration=True,
    intended_use="Tests.",
    licence="Apache-2.0",
    scores={},
    training=Training(data="none", simulated=True, patients=0, salt="", patient_hashes=[], seed=0),
)


class Fixed(torch.nn.Module):
    """A network whose lesion probability is its first input channel."""

    def forward(self, x):
        p = x[:, 0].clamp(1e-6, 1 - 1e-6)
        half = ((1 - p) / 2).log()
        return torch.stack([p.log(), half, half], dim=1)


class FixedBundle(Bundle):
    def load(self):
        return Fixed()


@pytest.fixture
def bundle(tmp_path):
    return FixedBundle(tmp_path, CARD, "0" * 64)


@pytest.fixture
def case():
    """A left-handed, oblique slab: DWI is 4 × median at a smooth bump, so its channel is 1 there."""
    affine = np.diag([-1.5, 1.5, 5.0, 1.0])
    affine[:3, 3] = [70, -80, 0]
    angle = np.deg2rad(7)
    rotation = np.eye(4)
    rotation[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    _, y, x = np.mgrid[:9, :110, :100]
    brain = np.hypot(x - 50, y - 55) < 42
    dwi = np.where(brain, 100.0, 0.0) + 400 * np.exp(-((x - 30) ** 2 + (y - 55) ** 2) / 2 / 8**2)
    volumes = {
        "dwi": Volume(dwi.astype(np.float32), rotation @ affine, name="dwi"),
        "adc": Volume(np.full(dwi.shape, 900, np.float32), rotation @ affine, name="adc"),
        "brain": Volume(brain, rotation @ affine, name="brain"),
    }
    return StrokeCase("p", volumes)


def test_channels_are_scaled_as_the_card_says(case):
    sections = Sections.around(case.volumes["brain"], CARD.spacing_mm, CARD.matrix)
    inputs = prepare(case, CARD, sections)
    inside = sections.bring(case.volumes["brain"], is_mask=True) > 0.5
    assert inputs.dtype == np.float32
    assert inputs.shape == (9, 2, 128, 128)
    assert np.median(inputs[:, 0][inside]) == pytest.approx(0.25, abs=0.01)  # the median over 4 × the median
    assert np.median(inputs[:, 1][inside]) == pytest.approx(900 / 3000, abs=1e-3)
    assert inputs.min() == 0
    assert inputs.max() == pytest.approx(1.0)
    assert not inputs[:, :, ~inside.any(axis=0)].any()


def test_the_answer_lies_where_the_lesion_is_on_the_cases_own_grid(case, bundle):
    found = predict(case, bundle, device="cpu")
    dwi = case.volumes["dwi"].array
    expected = np.clip(dwi / (4 * np.median(dwi[case.volumes["brain"].array])), 0, 1) * case.volumes["brain"].array
    assert found.probability.same_grid(case.reference)
    assert np.abs(found.probability.array - expected)[:, 5:-5, 15:-15].mean() < 0.01
    assert np.array_equal(found.mask.array, found.probability.array >= 0.5)
    both = found.mask.array & (expected >= 0.5)
    assert 2 * both.sum() / (found.mask.array.sum() + (expected >= 0.5).sum()) > 0.97
    assert found.record["volume_ml"] == pytest.approx(found.mask.array.sum() * 1.5 * 1.5 * 5 / 1000, abs=0.01)


def test_nothing_is_predicted_outside_the_brain(case, bundle):
    found = predict(case, bundle, device="cpu")
    assert not found.probability.array[~case.volumes["brain"].array].any()


def test_a_missing_channel_is_named(case, bundle):
    del case.volumes["adc"]
    assert missing_roles(CARD, case) == ["adc"]
    with pytest.raises(StrokeError, match=r"needs DWI, ADC; ADC missing"):
        predict(case, bundle)


def test_devices():
    assert choose_device("cpu").type == "cpu"
    with pytest.raises(StrokeError, match="no device 'abacus'"):
        choose_device("abacus")
    if not torch.cuda.is_available():
        with pytest.raises(StrokeError, match="no cuda device"):
            choose_device("cuda")


def test_an_image_without_signal_in_the_brain(case, bundle):
    case.volumes["dwi"].array[case.volumes["brain"].array] = 0
    with pytest.raises(StrokeError, match="no signal inside the brain"):
        predict(case, bundle)
