"""What the views leave out of a map: specks of noise at the rim, and nothing else."""

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")

from StrokePredictLib.volume import Volume
from StrokePredictSlicer.shown_maps import rim_spots


@pytest.mark.parametrize("step", [1.0, 2.0])
def test_only_small_spots_at_the_rim_go(step):
    """By hand: a disc; 20 mm² are 5 pixels of 2 mm or 20 of 1 mm."""
    size = round(120 / step)
    y, x = np.mgrid[:size, :size] * step + step / 2
    disc = np.hypot(x - 60, y - 60) < 50
    inside = np.stack([disc, disc, disc])
    volume = Volume(np.zeros(inside.shape, np.float32), np.diag([step, step, 6.0, 1.0]))
    bright = np.zeros_like(inside)
    middle = round(60 / step)
    rim = np.flatnonzero(disc[middle])[-1]
    dot = (1, middle, rim)  # one pixel at the very edge
    inner = (1, middle, middle)  # one pixel in the middle
    wedge = (slice(0, 1), slice(middle, middle + round(12 / step)), slice(rim - round(12 / step), rim + 1))
    beyond = (2, middle, rim)  # beside the dot, a section on: no part of it
    outside = (1, 0, 0)
    for place in (dot, inner, wedge, beyond, outside):
        bright[place] = True
    gone = rim_spots(bright, inside, volume)
    assert {tuple(index) for index in np.argwhere(gone)} == {dot, beyond}


def test_nothing_bright_nothing_gone():
    volume = Volume(np.zeros((2, 9, 9), np.float32), np.diag([2.0, 2.0, 6.0, 1.0]))
    assert not rim_spots(np.zeros((2, 9, 9), bool), np.ones((2, 9, 9), bool), volume).any()
