"""ADC, brain mask and resampling."""

import numpy as np
import pytest

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image
from StrokePredictLib.preprocess.adc import compute_adc
from StrokePredictLib.preprocess.brain_mask import brain_mask
from StrokePredictLib.preprocess.resample import to_grid
from StrokePredictLib.volume import Volume

AFFINE = np.diag([2.0, 2.0, 5.0, 1.0])


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_adc_is_the_stejskal_tanner_one():
    adc = np.linspace(200, 3000, 4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)
    b0 = Volume(np.full(adc.shape, 900, np.float32), AFFINE)
    for b in (800.0, 1000.0):
        dwi = b0.with_array((900 * np.exp(-b * adc * 1e-6)).astype(np.float32))
        assert np.allclose(compute_adc(b0, dwi, b).array, adc, rtol=1e-4)


def test_adc_without_signal_is_invalid_and_zero():
    b0 = Volume(np.array([[[100.0, 0.0, -3.0, 100.0]]], np.float32), AFFINE)
    dwi = b0.with_array(np.array([[[0.0, 50.0, 50.0, 50.0]]], np.float32))
    assert compute_adc(b0, dwi).array.ravel()[:3].tolist() == [0, 0, 0]
    assert compute_adc(b0, dwi).array.ravel()[3] == pytest.approx(693.147, rel=1e-4)


def test_adc_of_two_grids_is_refused():
    b0 = Volume(np.ones((2, 2, 2), np.float32), AFFINE)
    with pytest.raises(StrokeError, match="does not match"):
        compute_adc(b0, Volume(np.ones((2, 2, 3), np.float32), AFFINE))


@pytest.mark.parametrize("lesion", [0.4, 1.0, 3.0])
def test_brain_mask_of_a_head_keeps_a_lesion_at_the_rim(lesion):
    """Brain, dark skull, a thin bright scalp; a dark or bright lesion reaching the cortex stays inside."""
    _, y, x = np.mgrid[:20, :100, :100]
    radius = np.hypot(x - 50, 1.2 * (y - 50))
    rng = np.random.default_rng(0)
    brain = radius < 35
    signal = np.where(brain, 300.0, 10.0)
    signal[(radius > 42) & (radius < 44)] = 150
    patch = brain & (np.hypot(x - 80, y - 50) < 8)
    signal[patch] *= lesion
    image = Volume(np.abs(signal + rng.normal(0, 10, signal.shape)).astype(np.float32), AFFINE)
    mask = brain_mask(image).array
    assert dice(mask, brain) > 0.97
    assert mask[patch].mean() > 0.9


def test_no_brain_is_one_line():
    noise = np.zeros((4, 30, 30), np.float32)
    noise[1:3, 10:14, 10:14] = 100
    with pytest.raises(StrokeError, match="no brain found"):
        brain_mask(Volume(noise, AFFINE))


def test_brain_mask_of_a_real_patient(real_patient):
    truth = read_image(real_patient / "brain_mask.nii.gz").array > 0.5
    assert dice(brain_mask(read_image(real_patient / "b0.nii.gz")).array, truth) >= 0.93


def test_resampling_moves_a_voxel_to_its_physical_place():
    fine = Volume(np.zeros((12, 24, 24), np.float32), np.diag([1.0, 1.0, 2.5, 1.0]))
    fine.array[6, 12, 8] = 1
    coarse = Volume(np.zeros((6, 12, 12), np.float32), AFFINE)
    moved = to_grid(fine, coarse, is_mask=True).array
    assert np.argwhere(moved).tolist() == [[3, 6, 4]]


def test_images_of_different_places_are_refused():
    here = Volume(np.ones((4, 8, 8), np.float32), AFFINE)
    there = Volume(np.ones((4, 8, 8), np.float32), AFFINE + np.array([[0, 0, 0, 12.0]] + [[0] * 4] * 3), name="far")
    with pytest.raises(StrokeError, match="far: shares only 25% of its place"):
        to_grid(there, here)
