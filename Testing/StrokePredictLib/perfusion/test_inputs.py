"""The automatic arterial input on simulated heads whose every vessel is known."""

import numpy as np
import pytest
from Benchmarks.perfusion_heads import judge_seed

from StrokePredictLib.perfusion.bolus import find_bolus
from StrokePredictLib.perfusion.features import describe
from StrokePredictLib.perfusion.inputs import Choice, scale_to_venous


def judged(modality: str, seeds: range) -> None:
    found = [judge_seed(seed, modality) for seed in seeds]
    assert not [s for s, f in zip(seeds, found, strict=True) if f["vein"]], "taken from a vein"
    assert not [s for s, f in zip(seeds, found, strict=True) if f["late"]], "taken from a late branch"
    height = np.array([f["height"] for f in found])
    assert np.abs(height).max() <= 0.15
    assert np.mean([f["side_found"] for f in found]) > 0.9


@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_arteries_of_simulated_heads(modality):
    judged(modality, range(24))


@pytest.mark.slow
@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_arteries_of_330_simulated_heads(modality):
    judged(modality, range(330))


def test_features_of_a_known_curve():
    """A gamma-variate u³e^(−u/1.5) peaks at 4.5 s; its half-height crossings are found by bisection on the formula."""
    from scipy.optimize import brentq

    t = np.arange(0, 60, 0.5)
    u = np.maximum(t - 10.0, 0.0)
    curve = (u / 4.5) ** 3 * np.exp(3 - u / 1.5)

    def over(level):
        return lambda u: (u / 4.5) ** 3 * np.exp(3 - u / 1.5) - level

    shape = describe(7.0 * curve[None], 0.5)
    assert shape.height[0] == pytest.approx(7.0, rel=0.01)
    assert shape.peak[0] == pytest.approx(14.5, abs=0.1)
    assert shape.arrival[0] == pytest.approx(10 + brentq(over(0.2), 0.1, 4.5), abs=0.1)
    width = brentq(over(0.5), 4.5, 40) - brentq(over(0.5), 0.1, 4.5)
    assert shape.width[0] == pytest.approx(width, abs=0.1)


def test_scaling_to_the_vein_restores_a_diluted_artery():
    t = np.arange(0, 90, 1.5)
    u = np.maximum(t - 10, 0)
    pure = (u / 4.5) ** 3 * np.exp(3 - u / 1.5)
    vein = np.convolve(pure, np.exp(-t / 4) / np.exp(-t / 4).sum())[: t.size]
    artery = Choice(0.6 * pure, "test")
    scale_to_venous(artery, Choice(vein, "test"))
    # The areas end where the venous passage has faded to a fifth, which leaves out a few per cent of the wider curve.
    assert artery.curve.max() == pytest.approx(pure.max(), rel=0.08)


@pytest.mark.parametrize("factor", [0.5, 9.0])
def test_unbelievable_scaling_is_not_used(factor):
    t = np.arange(0, 90, 1.5)
    pure = np.exp(-(((t - 20) / 5) ** 2))
    artery = Choice(pure, "test")
    scale_to_venous(artery, Choice(factor * pure, "test"))
    np.testing.assert_array_equal(artery.curve, pure)
    assert artery.notes["venous_scaling"]["area_ratio"] == pytest.approx(factor, rel=0.01)


@pytest.mark.parametrize("modality", ["MR", "CT"])
@pytest.mark.parametrize("arrival", [8.0, 15.0, 25.0])
def test_arrival_is_before_the_rise(modality, arrival):
    t = np.arange(0, 90, 1.5)
    u = np.maximum(t - arrival, 0)
    change = (u / 6.0) ** 3 * np.exp(3 - u / 2.0)
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.02, t.size)
    signal = 800 * np.exp(-0.2 * change) * (1 + 0.1 * noise) if modality == "MR" else 35 + 8 * change + noise
    bolus = find_bolus(signal, t, modality)
    assert t[bolus.arrival - 1] <= arrival + 1.5
    assert t[bolus.arrival - 1] >= arrival - 6.0
    assert t[bolus.peak] == pytest.approx(arrival + 6.0, abs=1.5)
