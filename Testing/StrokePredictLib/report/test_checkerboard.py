"""The checkerboard shows both images, square by square."""

import numpy as np
import pytest

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.report.checkerboard import checkerboard, write_checkerboard
from StrokePredictLib.volume import Volume

AFFINE = np.diag([2.0, 2.0, 5.0, 1.0])


def test_squares_alternate_and_show_both_images():
    one = Volume(np.full((8, 44, 66), 100, np.float32), AFFINE)
    none = one.with_array(np.zeros(one.shape, np.float32))
    none.array[:, :, :] = 1e-3
    brain = one.with_array(np.ones(one.shape, bool))
    tiles = checkerboard(
        one, none.with_array(none.array * np.linspace(0.1, 1, 66)[None, None].astype(np.float32)), brain
    )
    assert tiles.shape == (6, 44, 66)
    assert tiles[0, 0, 0] == 1  # the first image
    assert tiles[0, 0, 12] < 1  # 24 mm on: the second
    assert tiles[0, 12, 12] == 1
    assert tiles[0, 12, 0] < 1


def test_a_picture_is_written(tmp_path):
    image = Volume(np.random.default_rng(0).random((10, 40, 40)).astype(np.float32), AFFINE)
    write_checkerboard(tmp_path / "c.png", image, image, None, "FLAIR on DWI: registered")
    assert (tmp_path / "c.png").read_bytes()[1:4] == b"PNG"


def test_two_grids_are_refused():
    image = Volume(np.ones((5, 10, 10), np.float32), AFFINE)
    with pytest.raises(StrokeError, match="does not match"):
        checkerboard(image, Volume(np.ones((5, 10, 11), np.float32), AFFINE))
