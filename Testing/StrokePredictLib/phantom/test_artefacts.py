"""What goes wrong in a scan, each against its own definition."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from StrokePredictLib.phantom import artefacts, protocols
from StrokePredictLib.phantom.anatomy import build_anatomy, draw_pose
from StrokePredictLib.phantom.artefacts import NONE, Artefacts, draw, moved, rigid
from StrokePredictLib.phantom.distortion import Distortion, shift_field
from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.protocols import Scanner
from StrokePredictLib.phantom.receive import Receiver, band_limited

GRID = Grid(shape=(8, 48, 40), spacing=(4.0, 4.0, 12.0))


@pytest.fixture(scope="module")
def head():
    return build_anatomy(1, Grid(shape=(24, 64, 64), spacing=(3.6, 3.6, 6.0)), draw_pose(1, female=True), 60.0)


def receiver(scanner=None, flaws=NONE):
    n = int(np.prod(GRID.shape))
    points = np.random.default_rng(0).uniform(-100, 100, (n, 3))
    return Receiver(SimpleNamespace(grid=GRID), scanner or Scanner(), flaws, np.random.default_rng(1), points)


@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_marked_ones_are_as_frequent_as_stated(modality):
    scanner = protocols.scanner(modality, "A")
    many = [draw(seed, scanner) for seed in range(500)]
    for name, share in artefacts.MARKED_SHARE[modality].items():
        found = np.mean([name in one.marked for one in many])
        assert found == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 500))
    assert 0.4 < np.mean([not one.marked for one in many]) < 0.8


@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_marked_motion_is_large_and_the_rest_small(modality):
    scanner = protocols.scanner(modality, "A")
    for seed in range(120):
        one = draw(seed, scanner)
        size = np.linalg.norm(one.motion[:, :3], axis=1)
        assert size[0] == 0
        assert (size.max() > 1.2) == ("motion" in one.marked)
        assert one.record()["motion_mm"] == pytest.approx(size.max(), abs=1e-3)


def test_a_cut_series_loses_its_end_and_a_late_bolus_comes_late():
    for modality in ("MR", "CT"):
        scanner = protocols.scanner(modality, "B")
        for seed in range(80):
            one = draw(seed, scanner)
            left = len(one.times(scanner)) / scanner.frames
            assert (left < 0.75) == ("cut bolus" in one.marked)
            assert left == 1 or 0.6 < left < 0.75
            assert (one.late_s >= 5) == ("late bolus" in one.marked)


def test_same_seed_same_artefacts_and_plain_data():
    scanner = Scanner()
    one, again, other = draw(5, scanner), draw(5, scanner), draw(6, scanner)
    assert np.array_equal(one.motion, again.motion)
    assert one.record() == again.record() == json.loads(json.dumps(one.record()))
    assert one.record() != other.record()
    assert not draw(0, scanner).marked  # who is shown first is a typical one


def test_distortion_halves_at_half_the_field():
    for seed in range(20):
        three, half = (draw(seed, Scanner(tesla=t)) for t in (3.0, 1.5))
        assert half.distortion_mm == pytest.approx(0.5 * three.distortion_mm)


def test_rigid_keeps_distances_and_turns_about_the_head():
    matrix = rigid(np.array([1.0, -2.0, 3.0, 4.0, -5.0, 6.0]))
    assert np.allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3))
    assert np.trace(matrix[:3, :3]) == pytest.approx(1 + 2 * np.cos(np.deg2rad(np.linalg.norm([4, -5, 6]))))
    middle = np.array([0.0, 17.0, 5.0, 1.0])
    assert np.allclose((matrix @ middle)[:3], middle[:3] + np.array([1, -2, 3]))


def test_a_shift_by_whole_voxels_rolls_the_image():
    image = np.random.default_rng(0).normal(size=GRID.shape).astype(np.float32)
    there = moved(image, GRID, np.array([4.0, 8.0, -12.0, 0, 0, 0]))
    assert np.allclose(there[:-1, 2:, 1:], image[1:, :-2, :-1], atol=1e-4)
    assert moved(image, GRID, None) is image


def test_shift_field_is_where_the_air_is(head):
    shift = shift_field(head, 6.0).ravel()[head.inside]
    assert shift.max() == pytest.approx(6.0, abs=1.5)
    x, y, z = head.mni[shift.argmax()]
    assert abs(x) < 12
    assert 30 < y < 75
    assert z < -5
    assert np.abs(shift[head.mni[:, 2] > 25]).max() < 0.2


def test_distortion_keeps_the_signal_and_its_field_undoes_it(head):
    shift, spacing = shift_field(head, 8.0), head.grid.spacing[1]
    assert np.gradient(shift, spacing, axis=1).min() > -0.9  # no place is seen twice
    _, y, x = np.indices(shift.shape, dtype=float)
    image = (100 + 40 * np.sin(y / 7.0) + 20 * np.cos(x / 9.0)) * np.exp(-(((y - 32) / 22) ** 2))
    there = Distortion(shift, spacing)(image.astype(np.float32))
    assert np.abs(there - image).max() > 10
    assert np.allclose(there.sum(axis=1), image.sum(axis=1), rtol=0.01)
    place = np.arange(shift.shape[1])[:, None] + shift / spacing
    pile = 1.0 + np.gradient(shift / spacing, axis=1)
    rows = np.arange(shift.shape[1])
    back = np.empty_like(image)
    for k, i in np.ndindex(shift.shape[0], shift.shape[2]):
        back[k, :, i] = np.interp(rows, place[k, :, i], there[k, :, i] / pile[k, :, i])
    assert np.abs(back - image)[:, 2:-2].max() < 0.02 * image.max()


def test_the_ghost_stands_half_a_field_of_view_away_in_quadrature():
    image = np.zeros(GRID.shape, dtype=np.float32)
    image[:, 4:12, 10:30] = 1000.0
    shown = receiver(flaws=Artefacts(shading=0.0, ghost=0.08))(np.random.default_rng(0), image, 1e-6)
    assert np.all(shown[:, 28:36, 10:30] == 80)
    assert np.all(shown[:, 4:12, 10:30] == round(1000 * np.sqrt(1 - 0.08**2)))
    assert shown[:, 14:26].max() == 0
    still = receiver(flaws=Artefacts(shading=0.0, ghost=0.08))(np.random.default_rng(0), image, 1e-6, echo_planar=False)
    assert np.array_equal(still, image)


def test_shading_has_its_size():
    one, two = (np.log(receiver(flaws=Artefacts(shading=s)).shading) for s in (0.1, 0.2))
    assert np.allclose(two, 2 * one, atol=1e-5)
    assert 0.05 < two.std() < 0.3
    assert receiver(flaws=Artefacts(shading=0.0)).shading.std() == 0


@pytest.mark.parametrize("share", [1.0, 0.75])
def test_noise_in_air_is_rayleigh_zero_filled_or_not(share):
    air = np.zeros(GRID.shape, dtype=np.float32)
    shown = receiver(Scanner(zero_filled=share))(np.random.default_rng(2), air, 50.0)
    assert shown.mean() == pytest.approx(50 * np.sqrt(np.pi / 2), rel=0.03)
    assert shown.std() == pytest.approx(50 * np.sqrt(2 - np.pi / 2), rel=0.05)


def test_zero_filling_keeps_coarse_waves_and_loses_fine_ones():
    x = np.arange(40)
    coarse, fine = np.cos(2 * np.pi * 10 * x / 40), np.cos(2 * np.pi * 17 * x / 40)
    image = np.broadcast_to(coarse + fine, GRID.shape).astype(np.complex64)
    assert np.allclose(band_limited(image, 0.75), np.broadcast_to(coarse, GRID.shape), atol=1e-4)
