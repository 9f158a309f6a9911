"""The curves against brute force, and the reference Tmax against the published matrix method."""

import numpy as np
import pytest

from StrokePredictLib.phantom.bolus import Bolus, Curves, convolved, draw_bolus, reference_tmax

ONE_PASS = Bolus(arrival=8.0, alpha=3.0, beta=1.5, peak=5.0, recirculation=0.0)
REAL = Bolus(arrival=4.0, alpha=3.0, beta=1.4, peak=5.0, recirculation=0.15)


def brute_force(bolus, mtt, times, step=0.005):
    """Trapezoid sum of ∫ AIF(t − u) exp(−u/MTT) du."""
    values = []
    for t in times:
        u = np.arange(0.0, max(t, 0.0) + step, step)
        values.append(np.trapezoid(bolus(t - u) * np.exp(-u / mtt), u))
    return np.array(values)


def test_input_is_zero_before_arrival_and_peaks_where_a_gamma_variate_does():
    times = np.arange(0, 60, 0.01)
    aif = ONE_PASS(times)
    assert np.all(aif[times <= 8.0] == 0)
    assert times[aif.argmax()] == pytest.approx(8.0 + 3.0 * 1.5, abs=0.02)
    assert aif.max() == pytest.approx(5.0, rel=1e-4)
    t = 11.0 - 8.0
    expected = 5.0 * (t / 4.5) ** 3 * np.exp(3 * (1 - t / 4.5))
    assert ONE_PASS(np.array([11.0]))[0] == pytest.approx(expected, rel=1e-9)


def test_recirculation_adds_a_lower_later_pass_and_a_rest():
    times = np.arange(0, 80, 0.1)
    extra = REAL(times) - Bolus(4.0, 3.0, 1.4, 5.0, 0.0)(times)
    assert np.all(extra >= 0)
    assert 0.1 * 5.0 < extra.max() < 0.35 * 5.0
    assert times[extra.argmax()] > 4.0 + 3.0 * 1.4 + 5.0
    assert extra[-1] > 0.02 * 5.0


@pytest.mark.parametrize("mtt", [1.5, 4.0, 12.0, 30.0])
def test_convolution_matches_brute_force(mtt):
    fine = np.arange(0.0, 60.0, 0.1)
    times = np.array([9.0, 12.0, 16.0, 25.0, 50.0])
    found = np.interp(times, fine, convolved(REAL(fine), mtt))
    assert found == pytest.approx(brute_force(REAL, mtt, times), rel=2e-3, abs=1e-3)


@pytest.mark.parametrize(("cbf", "mtt"), [(60.0, 4.0), (22.0, 5.45), (15.0, 14.0), (8.0, 20.0)])
def test_area_of_tissue_over_area_of_artery_is_blood_volume(cbf, mtt):
    times = np.arange(0.0, 280.0, 0.25)
    curves = Curves(ONE_PASS, 280.0)
    one = np.ones(1)
    tissue = np.array([curves(cbf * one, mtt * one, 2.0 * one, t)[0] for t in times])
    cbv = cbf * mtt / 60.0  # mL/100 g, central volume theorem
    # CBV = kH/ρ · ∫C/∫AIF · 100, kH = 0.73, ρ = 1.05 g/mL
    measured = 0.73 / 1.05 * 100.0 * np.trapezoid(tissue, times) / np.trapezoid(ONE_PASS(times), times)
    assert measured == pytest.approx(cbv, rel=5e-3)


def test_delay_shifts_the_curve_and_flow_scales_it():
    curves = Curves(REAL, 80.0)
    one = np.ones(1)
    for t in (14.0, 20.0, 33.0):
        now, earlier = (curves(60 * one, 5 * one, 0 * one, at) for at in (t, t - 4))
        assert curves(60 * one, 5 * one, 4 * one, t) == pytest.approx(earlier, rel=1e-5)
        assert curves(30 * one, 5 * one, 0 * one, t) * 2 == pytest.approx(now, rel=1e-5)


@pytest.fixture(scope="module")
def matrix_bsvd():
    """Wu 2003: the block-circulant matrix of the zero-padded input, decomposed; singular values below 10 % cut."""
    dt, duration = 0.1, 45.0
    fine = np.arange(0.0, duration, dt)
    n = 2 * len(fine)
    aif = np.zeros(n)
    aif[: len(fine)] = REAL(fine)
    index = (np.arange(n)[:, None] - np.arange(n)[None, :]) % n
    u, s, vt = np.linalg.svd(aif[index] * dt)
    inverse = np.where(s >= 0.10 * s[0], 1.0 / np.maximum(s, 1e-12), 0.0)

    def tmax(mtt, delay):
        curve = np.zeros(n)
        curve[: len(fine)] = brute_force(REAL, mtt, fine - delay, step=0.02)
        residue = vt.T @ (inverse * (u.T @ curve))
        return fine[residue[: len(fine)].argmax()]

    return duration, tmax


@pytest.mark.parametrize(("mtt", "delay"), [(4.0, 0.4), (5.5, 1.0), (9.0, 3.3), (12.0, 5.2), (17.0, 8.1), (25.0, 10.0)])
def test_reference_tmax_matches_the_matrix_method(matrix_bsvd, mtt, delay):
    duration, direct = matrix_bsvd
    found = reference_tmax(REAL, np.array([mtt]), np.array([delay]), duration)[0]
    assert found == pytest.approx(direct(mtt, delay), abs=0.15)


def test_reference_tmax_is_zero_without_tissue_and_rises_with_delay():
    delays = np.linspace(0.0, 12.0, 60)
    tmax = reference_tmax(REAL, np.full(60, 8.0), delays, 82.5)
    assert np.all(np.diff(tmax) > 0)
    assert reference_tmax(REAL, np.zeros(3), np.ones(3), 82.5).tolist() == [0, 0, 0]


def test_drawn_boluses_leave_a_baseline_and_a_tail():
    for seed in range(50):
        bolus = draw_bolus(seed)
        assert 7 * 1.5 <= bolus.arrival <= 20
        assert 4.0 < bolus.peak < 6.0
        # The full first pass, delayed by 12 s, lies within 55 frames.
        assert bolus.arrival + 12 + 4 * bolus.alpha * bolus.beta < 82.5
