"""The images against the signal equations, written out here."""

import numpy as np
import pytest

from StrokePredictLib.phantom.mr import Scanner, adc_drop, scanner_adc

TE, RELAXIVITY = 0.030, Scanner().relaxivity


def test_adc_is_the_log_ratio_in_1e_6_mm2_per_s():
    b0, dwi = np.array([1000.0, 900.0, 10.0]), np.array([450.0, 0.0, 5.0])
    found = scanner_adc(b0, dwi, 1000.0)
    assert found[0] == round(np.log(1000 / 450) * 1000)
    assert found[1:].tolist() == [0, 0]


def test_adc_falls_to_half_deep_in_the_core_and_stays_outside():
    healthy, deep = adc_drop(np.array([2.0, 0.4]))
    assert healthy < 0.001
    assert 350 <= 800 * (1 - deep) <= 550


def test_adc_of_tissue_fluid_and_core_is_physiological(quiet):
    adc, truth = quiet.volumes["adc"].array, {k: v.array for k, v in quiet.truth.items()}
    away = truth["tmax_ref"] < 3
    fluid = truth["csf"] > 0.97
    grey = (truth["gm"] > 0.97) & away & (truth["artery_fraction"] == 0)
    white = (truth["wm"] > 0.97) & away
    assert np.median(adc[fluid]) == pytest.approx(3000, rel=0.03)
    assert 700 <= np.median(adc[grey]) <= 900
    assert 700 <= np.median(adc[white]) <= 900
    solid_core = (truth["core"] > 0) & (truth["csf"] < 0.05)
    assert solid_core.sum() > 20
    assert 340 <= np.median(adc[solid_core]) <= 600


def test_dwi_shows_the_core_and_flair_the_infarct(quiet):
    truth = {k: v.array for k, v in quiet.truth.items()}
    solid = truth["csf"] < 0.1
    healthy = solid & (truth["tmax_ref"] > 0) & (truth["tmax_ref"] < 3)
    for image, mask in (("dwi", "core"), ("flair", "infarct")):
        array = quiet.volumes[image].array
        assert np.median(array[solid & (truth[mask] > 0)]) > 1.25 * np.median(array[healthy])
    b0, fluid = quiet.volumes["b0"].array, truth["csf"] > 0.97
    assert np.median(b0[fluid]) > 1.8 * np.median(b0[healthy])
    flair = quiet.volumes["flair"].array
    assert np.median(flair[fluid]) < 0.4 * np.median(flair[healthy])


def test_series_is_s0_exp_minus_te_k_c(quiet):
    """−ln(S/S0)/(TE·k) in voxels of tissue alone equals CBF/6000·ρ/kH·(AIF ⊗ exp(−t/MTT))(t − delay)."""
    series, truth = quiet.volumes["pwi"].array, {k: v.array for k, v in quiet.truth.items()}
    tubes = quiet.tissue.vessels
    vessel = quiet.tissue.anatomy.on_grid(tubes.artery + tubes.late_artery + tubes.clot + tubes.vein)
    places = np.argwhere((truth["gm"] > 0.9) & (vessel == 0) & (truth["cbf"] > 10))
    rng = np.random.default_rng(1)
    starved = np.argwhere((truth["gm"] > 0.6) & (truth["tmax_ref"] > 6) & (vessel == 0))
    chosen = [*rng.permutation(places)[:6], *rng.permutation(starved)[:6]]
    for place in chosen:
        z, y, x = place
        cbf, mtt, delay = (float(truth[k][z, y, x]) for k in ("cbf", "mtt", "delay"))
        expected = []
        for t in quiet.times:
            u = np.arange(0.0, max(t - delay, 0) + 0.02, 0.02)
            expected.append(np.trapezoid(quiet.bolus(t - delay - u) * np.exp(-u / mtt), u))
        expected = cbf / 6000 * 1.05 / 0.73 * np.array(expected)
        curve = series[:, z, y, x]
        found = -np.log(curve / curve[:6].mean()) / (TE * RELAXIVITY)
        # Whole grey levels: half a step of about 600 is 0.0008 in the exponent.
        assert np.abs(found - expected).max() * TE * RELAXIVITY < 0.003


def test_bolus_darkens_arteries_hard_but_not_to_the_floor(patient):
    series, truth = patient.volumes["pwi"].array, {k: v.array for k, v in patient.truth.items()}
    pure = truth["artery_fraction"] > 0.95
    assert pure.sum() >= 10
    curves = series[:, pure]
    left = curves.min(axis=0) / curves[:6].mean(axis=0)
    assert 0.05 < np.median(left) < 0.4
    air = series[:, 2:6, :6, :6]
    assert np.median(curves.min(axis=0)) > 4 * air.std()
    grey = (truth["gm"] > 0.95) & (truth["tmax_ref"] < 3)
    drop = 1 - series[:, grey].mean(axis=1) / series[:6, grey].mean()
    # As in patients: grey matter loses 20 to 35 % of its signal.
    assert 0.20 < drop.max() < 0.35


def test_blood_comes_to_arteries_then_late_branches_and_sinuses(quiet):
    series, times = quiet.volumes["pwi"].array, quiet.times

    def centre(mask):
        curve = -np.log(series[:, mask].mean(axis=1) / series[:6, mask].mean())
        rise = curve[: curve.argmax() + 1]
        return np.interp(0.5 * rise[-1], rise, times[: len(rise)]), curve.max()

    truth = {k: v.array for k, v in quiet.truth.items()}
    artery, vein = centre(truth["artery_fraction"] > 0.6), centre(truth["vein_fraction"] > 0.8)
    late = centre(truth["late_artery"] > 0)
    assert vein[0] - artery[0] > 3.0
    assert late[0] - artery[0] > 2.0
    # "larger": sinuses are wide, arteries mostly narrower than a voxel
    some_artery = centre((truth["artery_fraction"] > 0.15) & (truth["artery_fraction"] < 0.6))
    assert vein[1] > some_artery[1]


def test_noise_in_air_is_rayleigh(patient):
    scanner = patient.scanner
    air = patient.volumes["b0"].array[:, :8, :8]
    sigma = 600.0 / scanner.dwi_snr
    assert air.mean() == pytest.approx(sigma * np.sqrt(np.pi / 2), rel=0.03)
    assert air.std() == pytest.approx(sigma * np.sqrt(2 - np.pi / 2), rel=0.05)


def test_scalp_gives_signal_outside_the_brain(quiet):
    b0, brain = quiet.volumes["b0"].array, quiet.truth["brain"].array > 0
    from scipy import ndimage

    near = ndimage.binary_dilation(brain[12], iterations=8) & ~ndimage.binary_dilation(brain[12], iterations=2)
    assert b0[12][near].max() > 60
    assert b0[12][near].max() < 0.6 * np.median(b0[12][brain[12]])
