"""Units recognised at the door."""

import numpy as np
import pytest

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.units import recognise_adc, recognise_time_map
from StrokePredictLib.volume import Volume


def head(scale):
    """A head's ADC: two thirds tissue around 800, the rest CSF around 3000, zeros outside."""
    rng = np.random.default_rng(0)
    adc = np.concatenate([rng.normal(800, 80, 2000), rng.normal(3000, 200, 1000), np.zeros(1096)])
    return Volume((adc * scale).astype(np.float32).reshape(16, 16, 16), np.eye(4), name="adc.nii.gz")


@pytest.mark.parametrize(("scale", "unit"), [(1.0, "10⁻⁶"), (1e-3, "10⁻³"), (1e-6, "as mm²/s")])
def test_adc_units(scale, unit):
    converted, sentence = recognise_adc(head(scale))
    assert unit in sentence
    assert np.median(converted.array[converted.array > 0]) == pytest.approx(860, rel=0.1)


@pytest.mark.parametrize("scale", [1e-4, 1e3, 30.0])
def test_adc_that_fits_no_unit_names_the_choices(scale):
    with pytest.raises(StrokeError, match="mm²/s, 10⁻³ mm²/s, 10⁻⁶ mm²/s"):
        recognise_adc(head(scale))


def test_tmax_in_ms_becomes_s_and_stays_otherwise():
    seconds = np.random.default_rng(0).gamma(2, 3, (8, 8, 8)).astype(np.float32)
    volume = Volume(seconds, np.eye(4))
    assert np.array_equal(recognise_time_map(volume, "Tmax")[0].array, seconds)
    converted, sentence = recognise_time_map(volume.with_array(seconds * 1000), "Tmax")
    assert "milliseconds" in sentence
    assert np.allclose(converted.array, seconds, rtol=1e-6)
    with pytest.raises(StrokeError, match="expected s or ms"):
        recognise_time_map(volume.with_array(seconds * 1e6), "Tmax")
