"""Brain masks of simulated heads on MR and CT, lesions at the rim included."""

import time

import numpy as np
import pytest
from support.heads import ct_head

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.patient import simulate_patient
from StrokePredictLib.preprocess.brain_mask import brain_mask
from StrokePredictLib.preprocess.brain_mask_ct import brain_mask_ct
from StrokePredictLib.volume import Volume

CT_GRID = Grid(shape=(28, 200, 200), spacing=(1.1, 1.1, 5.5))


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.fixture(scope="module")
def patients():
    return [simulate_patient(seed, perfusion=False) for seed in (0, 2)]


@pytest.mark.parametrize("role", ["b0", "dwi"])
def test_mr(patients, role):
    for patient in patients:
        start = time.perf_counter()
        mask = brain_mask(patient.volumes[role])
        assert time.perf_counter() - start < 10.0  # 3 s on an idle machine
        assert dice(mask.array, patient.truth["brain"].array > 0) >= 0.95


def cap(volume, brain, side, radius=18.0):
    """A ball at the rim of the widest section, on the image's left or right."""
    k = int(np.argmax(brain.sum(axis=(1, 2))))
    section = np.argwhere(brain[k])
    y = int(section[:, 0].mean())
    row = np.flatnonzero(brain[k, y])
    x = row[0] + 2 if side == "first" else row[-1] - 2
    z, j, i = np.indices(brain.shape)
    sx, sy, sz = volume.spacing
    distance = np.sqrt(((i - x) * sx) ** 2 + ((j - y) * sy) ** 2 + ((z - k) * sz) ** 2)
    return (distance < radius) & brain


@pytest.mark.parametrize(("factor", "least"), [(0.15, 0.93), (0.25, 0.93), (0.5, 0.96), (3.0, 0.97)])
@pytest.mark.parametrize("side", ["first", "last"])
def test_a_lesion_at_the_rim_stays_inside(patients, factor, least, side):
    patient = patients[0]
    volume, brain = patient.volumes["b0"], patient.truth["brain"].array > 0
    lesion = cap(volume, brain, side)
    changed = volume.with_array(np.where(lesion, volume.array * factor, volume.array).astype(np.float32))
    mask = brain_mask(changed).array
    assert mask[lesion].mean() >= least
    assert dice(mask, brain) >= 0.95  # and nothing but the lesion came with it


@pytest.mark.parametrize("noise", [4.0, 12.0])
def test_ct(noise):
    image, inside = ct_head(1, CT_GRID, noise)
    start = time.perf_counter()
    mask = brain_mask_ct(image)
    assert time.perf_counter() - start < 10.0
    assert dice(mask.array, inside.array) >= 0.95
    # A slab: the skull is open above and below.
    slab = Volume(image.array[9:17], image.affine)
    assert dice(brain_mask_ct(slab).array, inside.array[9:17]) >= 0.95


@pytest.mark.parametrize("hu", [5.0, 75.0])
def test_old_infarcts_and_fresh_blood_at_the_rim_of_a_ct(hu):
    image, inside = ct_head(2, CT_GRID)
    lesion = cap(image, inside.array, "first")
    noise = np.random.default_rng(0).normal(0, 4, image.shape)
    changed = image.with_array(np.where(lesion, hu + noise, image.array).astype(np.float32))
    assert brain_mask_ct(changed).array[lesion].mean() > 0.9


def test_a_ct_series_takes_its_first_frames():
    image, inside = ct_head(0, CT_GRID, 12.0)
    series = image.with_array(np.stack([image.array] * 5))
    mask = brain_mask_ct(series)
    assert mask.array.shape == image.shape
    assert dice(mask.array, inside.array) >= 0.95


def test_air_holds_no_brain():
    empty = Volume(np.full((10, 60, 60), -1000, np.float32), np.diag([2.0, 2.0, 5.0, 1.0]), name="table.nii.gz")
    with pytest.raises(StrokeError, match=r"table\.nii\.gz: no brain found"):
        brain_mask_ct(empty)
