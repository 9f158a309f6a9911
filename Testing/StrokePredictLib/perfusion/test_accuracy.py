"""The figures that the maps must reach, on few voxels; the page in docs/reference has them for many."""

import numpy as np
import pytest
from Benchmarks import perfusion_measures as measures
from Benchmarks import perfusion_reference as reference

from StrokePredictLib.perfusion.deconvolve import Settings
from StrokePredictLib.perfusion.vascular import VascularModel

DEFAULT = Settings()


@pytest.fixture(scope="module")
def voxels():
    tissues = reference.draw(2500, seed=77)
    return tissues, reference.tmax_reference(tissues)


@pytest.mark.parametrize("modality", ["MR", "CT"])
@pytest.mark.parametrize("dt", reference.INTERVALS)
def test_six_second_rule_of_the_default(voxels, modality, dt):
    tissues, truth = voxels
    rates = measures.solve(tissues, dt, modality, reference.NOISE[modality][1], DEFAULT, seed=8)
    sensitivity, specificity = measures.six_second_rule(rates.tmax, truth)
    assert sensitivity >= 0.90
    # 0.90 over 8000 voxels (docs); here 2500 hold some 600 below the limit, whose own spread is 0.012.
    assert specificity >= 0.90 - 0.024


def test_tmax_without_noise_is_the_reference_within_a_tenth_of_a_frame(voxels):
    tissues, truth = voxels
    for dt in reference.INTERVALS:
        rates = measures.solve(tissues, dt, "CT", np.inf, Settings(cut=0.10))
        assert np.median(np.abs(rates.tmax - truth)) < 0.1 * dt
        late = measures.solve(tissues, dt, "CT", np.inf, DEFAULT).tmax - truth
        assert 0.0 < np.median(late) < 0.35, "the default's own cut makes Tmax a little late, as the page says"


def test_flow_of_sixty_is_measured_as_about_forty():
    """The known loss of SVD at a short exponential residue, which is reported, not hidden."""
    assert measures.flow_ratio(DEFAULT, "exponential", 4.0) == pytest.approx(0.6, abs=0.06)


def test_ratio_bias_is_what_is_said():
    found = [measures.measured_ratio(DEFAULT, (60.0, 4.0), mtt) for mtt in (8.0, 12.0, 16.0)]
    assert min(found) > 0.30
    assert max(found) < 0.40


def test_model_curve_is_the_formula():
    """The modelled curve against the convolution on a 0.1 s grid, written out in the reference."""
    aif = reference.sample(reference.arterial(reference.fine_times()), 1.0)
    model = VascularModel(aif, 1.0)
    truth = reference.make(["gamma", "exponential"], [4.0, 2.0], [6.0, 12.0], [3.0, 0.5])
    blood = truth.cbv / 100.0 * reference.DENSITY / reference.HAEMATOCRIT_FACTOR
    theta = np.stack([blood, np.log(truth.mtt), truth.delay, np.log([3.0, 1.0])], axis=1)
    clean = reference.sample(truth.curves, 1.0).T
    np.testing.assert_allclose(model.curves(theta), clean, atol=0.02 * clean.max())


def test_derivatives_of_the_model():
    aif = reference.sample(reference.arterial(reference.fine_times()), 1.5)
    model = VascularModel(aif, 1.5)
    theta = np.array([[0.05, np.log(7.0), 2.0, np.log(2.0)]])
    slopes = model._evaluate(theta, model._plain)[1:, 0]
    for column, step in enumerate((1e-3, 1e-2, 3e-2, 3e-2)):
        shift = np.zeros((1, 4))
        shift[0, column] = step
        numeric = (model.curves(theta + shift) - model.curves(theta - shift))[0] / (2 * step)
        np.testing.assert_allclose(slopes[column], numeric, atol=0.01 * np.abs(numeric).max())


@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_vascular_errors(modality):
    level = reference.NOISE[modality][1]
    errors = measures.vascular_errors(1500, 1.5, modality, level)
    assert errors["delay"] <= 0.5
    assert errors["cbv_thin"] <= 0.3
    assert errors["cbf_low"] <= errors["cbf_bound"]
    assert errors["sensitivity"] >= 0.90
    assert errors["specificity"] >= 0.90


@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_vascular_spread_is_near_the_bound(modality):
    ratios = measures.spread_over_bound(1.5, modality, reference.NOISE[modality][1], 60, None)
    for name, values in ratios.items():
        assert values.max() <= 1.5, name


@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_standard_errors_are_the_spread(modality):
    """What the model says of its own error, against what repeated noise does."""
    tissues = reference.make("gamma", np.full(300, 4.0), 10.0, 3.0)
    rates = measures.solve(tissues, 1.5, modality, reference.NOISE[modality][1], Settings("vascular"), 5)
    assert np.median(rates.extra["delay_sd"]) == pytest.approx(rates.extra["delay"].std(), rel=0.35)
    assert np.median(rates.extra["cbv_sd"]) == pytest.approx(rates.volume.std(), rel=0.35)
