import numpy as np

from StrokePredictLib.perfusion import concentration
from StrokePredictLib.perfusion.smoothing import InPlaneSmoother


def test_mr_gives_back_the_relaxation_rate():
    rate = np.abs(np.random.default_rng(0).normal(8.0, 4.0, (30, 50)))
    rate[:6] = 0.0
    signal = (700.0 * np.exp(-0.03 * rate)).astype(np.float32)
    curves, valid, floored = concentration.from_mr(signal, slice(0, 6), 0.03)
    np.testing.assert_allclose(curves, rate, atol=2e-3)
    assert valid.all()
    assert floored == 0.0


def test_mr_noise_floor_negative_zero_and_constant():
    signal = np.full((30, 4), 500.0, dtype=np.float32)
    signal[10:15, 0] = -20.0  # below zero
    signal[:, 1] = 0.0
    signal[10:15, 3] = 250.0
    curves, valid, floored = concentration.from_mr(signal, slice(0, 5), 1.0)
    assert valid.tolist() == [True, False, False, True]
    np.testing.assert_allclose(curves[12, 0], -np.log(0.02), rtol=1e-5)
    np.testing.assert_allclose(curves[12, 3], np.log(2.0), rtol=1e-5)
    assert np.isfinite(curves).all()
    assert floored == 5 / 60


def test_ct_is_the_rise_over_the_baseline():
    signal = np.tile(np.float32(35.0), (30, 3))
    signal[10, 0] = 47.0
    curves, valid = concentration.from_ct(signal, slice(0, 5))
    assert curves[10, 0] == 12.0
    assert valid.tolist() == [True, False, False]


def test_smoothing_keeps_a_constant_and_ignores_what_lies_outside():
    mask = np.zeros((3, 20, 20), dtype=bool)
    mask[:, 5:15, 6:16] = True
    frame = np.where(mask, 40.0, 900.0).astype(np.float32)
    smooth = InPlaneSmoother(mask, np.array([1.0, 1.0, 5.0]), 5.0)(frame)
    np.testing.assert_allclose(smooth, 40.0, rtol=1e-5)


def test_smoothing_has_the_stated_width():
    """A line's profile falls to half at half the width."""
    mask = np.ones((1, 81, 81), dtype=bool)
    frame = np.zeros((1, 81, 81), dtype=np.float32)
    frame[0, :, 40] = 1.0
    row = InPlaneSmoother(mask, np.array([0.5, 0.5, 5.0]), 6.0)(frame).reshape(81, 81)[40]
    half = np.interp(row[40] / 2, row[40:][::-1], np.arange(41)[::-1] * 0.5)
    assert abs(2 * half - 6.0) < 0.1


def test_smoothing_lowers_white_noise_by_the_formula():
    """The variance of Gaussian-smoothed white noise is that of one pixel over 4πσ² (σ in pixels)."""
    mask = np.ones((1, 200, 200), dtype=bool)
    noise = np.random.default_rng(1).normal(0, 1, (1, 200, 200)).astype(np.float32)
    out = InPlaneSmoother(mask, np.array([1.0, 1.0, 5.0]), 5.0)(noise).reshape(200, 200)[10:-10, 10:-10]
    sigma = 5.0 / 2.3548
    np.testing.assert_allclose(out.std(), 1.0 / np.sqrt(4 * np.pi * sigma**2), rtol=0.08)
