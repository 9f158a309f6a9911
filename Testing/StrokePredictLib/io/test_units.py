"""Units recognised at the door."""

import numpy as np
import pytest

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.units import recognise_adc, recognise_time_map, told_unit
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


@pytest.mark.parametrize(("scale", "unit"), [(0.1, "10⁻⁵"), (10.0, "10⁻⁷")])
def test_adc_in_scaled_whole_numbers(scale, unit):
    whole = head(scale)
    whole = whole.with_array(np.rint(whole.array))
    converted, sentence = recognise_adc(whole)
    assert unit in sentence
    assert np.median(converted.array[converted.array > 0]) == pytest.approx(860, rel=0.1)
    with pytest.raises(StrokeError, match="not recognised"):
        recognise_adc(head(scale))  # fractions are stored in no such unit


def tmax_map():
    """Most of a brain below 4 s, a territory of 8 to 20 s."""
    rng = np.random.default_rng(1)
    return np.concatenate([rng.gamma(3, 0.7, 3500), rng.uniform(8, 20, 596)]).astype(np.float32).reshape(16, 16, 16)


@pytest.mark.parametrize("adc_unit", [1.0, 1e-3, 1e-6, "tenths", "tens"])
@pytest.mark.parametrize("time_unit", [1.0, 1000.0, 10.0, "whole s", "whole ms"])
def test_every_combination_on_one_case(adc_unit, time_unit):
    scale = {"tenths": 10.0, "tens": 0.1}.get(adc_unit, adc_unit)
    adc = head(scale)
    adc = adc.with_array(np.rint(adc.array)) if isinstance(adc_unit, str) else adc
    factor = {"whole s": 1.0, "whole ms": 1000.0}.get(time_unit, time_unit)
    tmax = tmax_map() * np.float32(factor)
    tmax = np.rint(tmax) if time_unit in (10.0, "whole s", "whole ms") else tmax
    volume = Volume(tmax.astype(np.float32), np.eye(4), name="tmax.nii.gz")
    converted, _ = recognise_adc(adc)
    assert np.allclose(converted.array, head(1.0).array, rtol=1e-4, atol=0.51 / scale)
    seconds, _ = recognise_time_map(volume, "Tmax")
    assert np.allclose(seconds.array, tmax_map(), rtol=1e-4, atol=0.51 / factor)


def test_whole_numbers_that_may_be_seconds_or_tenths_are_refused():
    volume = Volume(np.random.default_rng(0).integers(5, 35, (8, 8, 8)).astype(np.float32), np.eye(4), name="t.nii")
    with pytest.raises(StrokeError, match=r"expected s or ms, or whole numbers in 0\.1 s"):
        recognise_time_map(volume, "Tmax")
    assert np.array_equal(recognise_time_map(volume, "Tmax", "0.1 s")[0].array, volume.array * np.float32(0.1))


def test_a_sidecar_names_the_unit(tmp_path):
    (tmp_path / "tmax.json").write_text('{"Units": "0.1 s"}')
    assert told_unit(tmp_path / "tmax.nii.gz") == "0.1 s"
    (tmp_path / "adc.json").write_text('{"Units": "10^-3 mm^2/s"}')
    assert told_unit(tmp_path / "adc.nii") == "10⁻³ mm²/s"
    assert told_unit(tmp_path / "other.nii.gz") is None
    (tmp_path / "mtt.json").write_text('{"Units": "furlong"}')
    with pytest.raises(StrokeError, match="furlong"):
        told_unit(tmp_path / "mtt.nrrd")


def test_a_sidecar_that_cannot_be_right_is_refused():
    with pytest.raises(StrokeError, match="cannot be in"):
        recognise_adc(head(1.0), "mm²/s")
    with pytest.raises(StrokeError, match="cannot be in"):
        recognise_time_map(Volume(tmax_map(), np.eye(4)), "Tmax", "ms")
