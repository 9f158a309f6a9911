"""Pictures of the maps: the same whatever the grid's orientation, and marked."""

import numpy as np
import pytest
from perfusion_scans import make_scan

from StrokePredictLib.perfusion import plots
from StrokePredictLib.perfusion.pipeline import PerfusionResult, compute_maps
from StrokePredictLib.report.colours import COLOUR_MAPS
from StrokePredictLib.study import NOT_CLINICAL, SIMULATED
from StrokePredictLib.volume import Volume


@pytest.fixture(scope="module")
def result():
    scan = make_scan("CT", slices=7)
    return compute_maps(scan.series, scan.times, modality="CT")


def regridded(volume: Volume, axes: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> Volume:
    """Return the same voxels with the voxel axes (x, y, z) in another order and direction."""
    array = volume.array.transpose(2, 1, 0).transpose(axes)  # (x, y, z) reordered
    affine = volume.affine.copy()
    affine[:3, :3] = volume.affine[:3, list(axes)]
    for axis, flip in enumerate(flips):
        if flip:
            array = np.flip(array, axis)
            affine[:3, 3] += affine[:3, axis] * (array.shape[axis] - 1)
            affine[:3, axis] *= -1
    return Volume(np.ascontiguousarray(array.transpose(2, 1, 0)), affine, name=volume.name)


def pixels(result, path):
    from matplotlib.image import imread

    plots.plot_maps(result, path)
    return imread(path)[..., :3]


@pytest.mark.parametrize("flips", [(False, False, False), (True, True, False), (False, True, True)])
@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 2, 0), (0, 2, 1)])
def test_the_picture_does_not_depend_on_the_grid(result, tmp_path, axes, flips):
    maps = {name: regridded(volume, axes, flips) for name, volume in result.maps.items()}
    other = PerfusionResult(maps, regridded(result.mask, axes, flips), result.summary)
    np.testing.assert_array_equal(pixels(other, tmp_path / "b.png"), pixels(result, tmp_path / "a.png"))


def test_the_left_sided_lesion_is_at_the_right(result, tmp_path):
    """Only Tmax is drawn; its hot colours (red above blue by far) lie in the right half of every tile."""
    only = PerfusionResult({"tmax": result.maps["tmax"]}, result.mask, result.summary)
    picture = pixels(only, tmp_path / "a.png")
    rows = slice(int(110 * plots.HEAD), -int(110 * plots.FOOT))
    first = picture[rows, int(110 * plots.LEFT) : int(110 * (plots.LEFT + plots.TILE - 0.04))]
    hot = (first[..., 0] > 0.85) & (first[..., 2] < 0.4)
    half = hot.shape[1] // 2
    assert hot[:, half:].sum() > 200
    assert hot[:, half:].sum() > 10 * hot[:, :half].sum()


@pytest.mark.parametrize("simulated", [False, True])
@pytest.mark.parametrize("draw", [plots.plot_maps, plots.plot_inputs])
def test_pictures_say_what_they_are(result, tmp_path, monkeypatch, draw, simulated):
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    said = []

    def record(figure, *args, **kwargs):
        said.extend(text.get_text() for text in figure.findobj(Text))

    monkeypatch.setattr(Figure, "savefig", record)
    draw(PerfusionResult(result.maps, result.mask, result.summary | {"simulated": simulated}), tmp_path / "a.png")
    words = " ".join(said)
    assert NOT_CLINICAL in words
    assert (SIMULATED in words) == simulated
    if draw is plots.plot_maps:
        assert said.count("R") == said.count("L") == 5 * len(result.maps)
        assert {COLOUR_MAPS[name].unit for name in result.maps} <= set(said)
