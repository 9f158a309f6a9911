"""Ensembles, mirror images, spread and the volume interval, against numbers written out."""

import numpy as np
import pytest
import torch
from support.models import function_bundle, make_card, make_case

from StrokePredictLib.inference import predict
from StrokePredictLib.models.calibration import Calibration

FOLDS = ["models/a.safetensors", "models/b.safetensors", "models/c.safetensors"]


class Constant(torch.nn.Module):
    """Answers with one probability everywhere."""

    def __init__(self, p):
        super().__init__()
        self.logit = float(np.log(p / (1 - p)))

    def forward(self, x):
        return torch.full((len(x), 1, *x.shape[2:]), self.logit)


class LeftHalf(torch.nn.Module):
    """Lesion in the first half of the columns, whatever the image: its mirror image is the other half."""

    def forward(self, x):
        columns = torch.arange(x.shape[3]) < x.shape[3] // 2
        return torch.where(columns, 2.0, -3.0).expand(len(x), 1, *x.shape[2:])


@pytest.fixture(scope="module")
def case():
    return make_case(roles=("dwi", "adc"))


def interior(case):
    inside = case.volumes["brain"].array.copy()
    inside[:, :, :20] = inside[:, :, -20:] = False
    inside[:, :12] = inside[:, -12:] = False
    return inside


def test_an_ensemble_is_the_mean_and_its_spread_the_standard_deviation(case, tmp_path):
    values = (0.2, 0.6, 0.9)
    card = make_card("debs2021", weights=FOLDS)
    found = predict(case, function_bundle(tmp_path, card, *map(Constant, values)), device="cpu")
    inside = interior(case)
    assert np.allclose(found.probability.array[inside], np.mean(values), atol=1e-5)
    assert np.allclose(found.spread.array[inside], np.std(values), atol=1e-5)
    assert found.record["passes"] == 3
    # One of three says "nothing", two say "all of the network's sections": the passes' volumes in mL.
    voxel = 3.6 * 3.6 * 6 / 1000
    volume = 64 * 64 * 5 * voxel  # five sections hold brain
    assert found.record["volume_sd_ml"] == pytest.approx(np.std([0, volume, volume]), abs=0.01)


def test_one_pass_has_no_spread(case, tmp_path):
    found = predict(case, function_bundle(tmp_path, make_card("debs2021"), Constant(0.7)), device="cpu")
    assert found.spread is None
    assert "volume_sd_ml" not in found.record


def test_the_mirror_image_is_brought_back_before_the_mean(case, tmp_path):
    card = make_card("debs2021", mirror=True)
    found = predict(case, function_bundle(tmp_path, card, LeftHalf()), device="cpu")
    p, q = 1 / (1 + np.exp(-2.0)), 1 / (1 + np.exp(3.0))
    inside = interior(case)
    assert np.allclose(found.probability.array[inside], (p + q) / 2, atol=1e-5)
    assert np.allclose(found.spread.array[inside], (p - q) / 2, atol=1e-5)
    plain = predict(case, function_bundle(tmp_path / "x", card, LeftHalf()), device="cpu", mirror=False)
    assert plain.record["passes"] == 1
    assert plain.probability.array[inside].max() == pytest.approx(p, abs=1e-5)
    assert plain.probability.array[inside].min() == pytest.approx(q, abs=1e-5)


def test_the_interval_is_split_conformal_written_out():
    errors = [0.5, 0.1, 0.4, 0.2, 0.3, 0.9, 0.6, 0.7, 0.8]  # n = 9: at 90 % the ceil(10 × 0.9) = 9th smallest is 0.9
    calibration = Calibration(errors=errors, scale="cube-root")
    assert calibration.interval(27.0, 0.9) == pytest.approx((2.1**3, 3.9**3))
    assert calibration.interval(27.0, 0.5) == pytest.approx((2.5**3, 3.5**3))  # the 5th smallest
    assert calibration.interval(0.1, 0.9)[0] == 0
    assert Calibration(errors=errors, scale="ml").interval(5.0, 0.5) == pytest.approx((4.5, 5.5))
    assert calibration.interval(27.0, 0.95) is None  # ten patients would be needed and more


def test_the_interval_covers_as_often_as_it_says():
    """1,000 repetitions with 49 calibration patients and errors of a skewed law, coverage 90 %."""
    generator = np.random.default_rng(5)
    hits = 0
    for _ in range(1000):
        predicted, noise = generator.uniform(1, 5, 50), generator.gamma(1.0, 0.4, 50) * generator.choice([-1, 1], 50)
        true = np.maximum(predicted + noise, 0)
        calibration = Calibration(errors=np.abs(true - predicted)[:49].tolist(), scale="cube-root")
        low, high = calibration.interval(predicted[49] ** 3, 0.9)
        hits += low <= true[49] ** 3 <= high
    assert 0.87 <= hits / 1000 <= 0.93


def test_the_record_carries_the_interval_where_the_card_is_calibrated(case, tmp_path):
    card = make_card("debs2021", calibration={"errors": [0.1] * 20, "scale": "ml"})
    found = predict(case, function_bundle(tmp_path, card, Constant(0.7)), device="cpu").record
    volume = found["volume_ml"]
    interval = found["volume_interval_ml"]
    assert (interval["low"], interval["high"]) == pytest.approx((volume - 0.1, volume + 0.1))
    assert (interval["coverage"], interval["patients"]) == (0.9, 20)
