"""Augmentation: image and label move together, within the stated limits, and by the seed alone."""

import numpy as np
import pytest
from scipy import ndimage

from StrokeTrainLib.data import BACKGROUND, LESION, TISSUE
from StrokeTrainLib.data.augment import augment
from StrokeTrainLib.recipes.parts import Augmentation

SIZE = 96
ALL = Augmentation(mirror=0.5, flip=0.5, rotation_deg=20, shift_px=5, crop=0.2, elastic_px=2, elastic_spacing_px=24)


def sample(centre=(40, 60), radii=(12, 7), channels=2):
    y, x = np.ogrid[:SIZE, :SIZE]
    classes = np.full((SIZE, SIZE), BACKGROUND, np.uint8)
    classes[np.hypot(y - 48, x - 48) < 42] = TISSUE
    classes[np.hypot((y - centre[0]) / radii[0], (x - centre[1]) / radii[1]) < 1] = LESION
    image = np.stack([(classes == LESION) * 1.0, (classes != BACKGROUND) * 1.0][:channels]).astype(np.float32)
    return image, classes


def run(how, seed, **more):
    return augment(*sample(**more), how, np.random.default_rng(seed), channels=more.get("channels", 2))


def centre_of(mask):
    return np.array(ndimage.center_of_mass(mask))


@pytest.mark.parametrize("seed", range(8))
def test_image_and_label_move_together(seed):
    image, classes = run(ALL, seed)
    for channel, marked in ((0, classes == LESION), (1, classes != BACKGROUND)):
        seen = image[channel] > 0.5
        assert 2 * (seen & marked).sum() / (seen.sum() + marked.sum()) > 0.97
    assert set(np.unique(classes)) <= {LESION, TISSUE, BACKGROUND}
    assert classes.dtype == np.uint8
    assert image.dtype == np.float32


def test_the_seed_decides_and_nothing_else():
    first, again, other = run(ALL, 3), run(ALL, 3), run(ALL, 4)
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


def test_nothing_asked_for_changes_nothing():
    image, classes = sample()
    found = augment(image, classes, Augmentation(), np.random.default_rng(0), channels=2)
    assert np.array_equal(found[0], image)
    assert np.array_equal(found[1], classes)


@pytest.mark.parametrize(("field", "axis"), [("mirror", -1), ("flip", -2)])
def test_mirroring_happens_as_often_as_asked(field, axis):
    image, classes = sample()
    how = Augmentation(**{field: 0.3})
    mirrored = 0
    for seed in range(300):
        found, label = augment(image, classes, how, np.random.default_rng(seed), channels=2)
        turned = np.array_equal(found, np.flip(image, axis)) and np.array_equal(label, np.flip(classes, axis))
        assert turned or np.array_equal(found, image)
        mirrored += turned
    assert 60 <= mirrored <= 120  # 90 ± 3.8 standard deviations


def test_shifts_reach_their_limit_and_no_further():
    before = centre_of(sample()[1] == LESION)
    shifts = np.array([centre_of(run(Augmentation(shift_px=10), seed)[1] == LESION) - before for seed in range(60)])
    assert 8 < np.abs(shifts).max() <= 10.5


def test_rotations_reach_their_limit_and_no_further():
    angles = []
    for seed in range(60):
        _, classes = run(Augmentation(rotation_deg=15), seed, centre=(48, 48), radii=(30, 6))
        y, x = np.nonzero(classes == LESION)
        covariance = np.cov(y, x)
        angles.append(np.degrees(0.5 * np.arctan2(2 * covariance[0, 1], covariance[0, 0] - covariance[1, 1])))
    assert 12 < np.abs(angles).max() <= 15.5


def test_crops_only_enlarge():
    before = (sample(centre=(48, 48))[1] == LESION).sum()
    areas = [(run(Augmentation(crop=0.2), seed, centre=(48, 48))[1] == LESION).sum() / before for seed in range(40)]
    assert min(areas) > 0.97
    assert 1.25 < max(areas) <= 1.03 / 0.8**2


def test_elastic_deformation_has_the_size_asked_for():
    still = sample()[0]
    ramp = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE), indexing="ij")).astype(np.float32)
    found = [
        augment(ramp, None, Augmentation(elastic_px=3, elastic_spacing_px=24), np.random.default_rng(seed))[0] - ramp
        for seed in range(20)
    ]
    inner = np.stack(found)[..., 20:-20, 20:-20]  # where nothing comes in from outside
    # Between the control points the displacements are interpolated, which is smaller than at them.
    assert 1.2 < inner.std() < 3.3
    assert abs(inner.mean()) < 1.0
    assert still.shape == (2, SIZE, SIZE)


def test_what_comes_in_from_outside_is_background():
    classes = np.full((SIZE, SIZE), LESION, np.uint8)
    image = np.ones((1, SIZE, SIZE), np.float32)
    found, label = augment(image, classes, Augmentation(shift_px=30), np.random.default_rng(2))
    assert (label == BACKGROUND).any()
    assert not (label == TISSUE).any()
    assert not found[0][label == BACKGROUND].max() > 0.5


def test_every_section_of_a_stack_moves_alike():
    image, classes = sample()
    stack, labels = np.stack([image] * 4), np.stack([classes] * 4)
    found, moved = augment(stack, labels, ALL, np.random.default_rng(5), channels=2)
    assert not np.array_equal(moved[0], classes)
    assert all(np.array_equal(found[0], section) for section in found)
    assert all(np.array_equal(moved[0], section) for section in moved)


def test_a_gain_is_one_for_a_channel_in_all_sections():
    image = np.ones((3 * 2, 4, 4), np.float32)  # three sections of two channels
    found, _ = augment(image, None, Augmentation(gain=0.2), np.random.default_rng(0), channels=2)
    assert np.array_equal(found[0::2], np.broadcast_to(found[0, 0, 0], (3, 4, 4)))
    assert found[0, 0, 0] != found[1, 0, 0]
    assert np.abs(found - 1).max() <= 0.2
    assert np.array_equal(image, np.ones_like(image))
