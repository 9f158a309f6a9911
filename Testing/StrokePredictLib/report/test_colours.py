import numpy as np
import pytest
from support.studies import make_study

from StrokePredictLib.report.colours import COLOUR_MAPS, style_for
from StrokePredictLib.volume import Volume


def lightness(rgb):
    """CIE L* of sRGB (IEC 61966-2-1)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(y > (6 / 29) ** 3, 116 * np.cbrt(y) - 16, y * (29 / 3) ** 3)


#: Viénot, Brettel and Mollon 1999 (doi 10.1002/(SICI)1520-6378), on linear RGB.
DICHROMATS = {
    "protanope": np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]),
    "deuteranope": np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]),
}


def as_seen_by(kind, rgb):
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ DICHROMATS[kind].T, 0, 1)
    return np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("role", COLOUR_MAPS)
def test_lightness_rises_along_every_scale_for_every_eye(role):
    table = COLOUR_MAPS[role].table
    assert table.shape == (256, 3)
    assert table.min() >= 0
    assert table.max() <= 1
    for seen in (table, *(as_seen_by(kind, table) for kind in DICHROMATS)):
        values = lightness(seen)
        assert np.all(np.diff(values) > -0.05)
        assert values[-1] - values[0] > 85


@pytest.mark.parametrize(
    ("role", "low", "high"),
    [("tmax", 0, 12), ("cbf", 0, 80), ("cbv", 0, 6), ("mtt", 0, 15), ("adc", 200, 1600), ("ncct", 0, 80)],
)
def test_usual_ranges(role, low, high):
    style = style_for(role, None)
    assert (style.low, style.high) == (low, high)


def test_values_take_the_colour_of_their_place_on_the_scale():
    style = COLOUR_MAPS["tmax"]
    ends = style.colours(np.array([-3.0, 0.0, 12.0, 99.0]))
    assert np.array_equal(ends[0], style.table[0])
    assert np.array_equal(ends[1], style.table[0])
    assert np.array_equal(ends[2], style.table[-1])
    assert np.array_equal(ends[3], style.table[-1])
    # 6 s is half of 255 steps: 127.5, rounded to even.
    assert np.array_equal(style.colours(np.array([6.0]))[0], style.table[128])


def test_a_bright_lesion_does_not_saturate_the_dwi():
    study = make_study()
    dwi, brain = study.case.volumes["dwi"], study.masks["brain"].array
    style = style_for("dwi", dwi, brain)
    assert style.low == 0
    assert style.high > np.percentile(dwi.array[brain], 99)
    assert np.median(dwi.array[brain]) / style.high > 0.25


def test_an_uncalibrated_map_does_not_saturate():
    """Flow and volume of perfusion MRI may come out several times too high: the scale follows, the hues stay."""
    rng = np.random.default_rng(0)
    usual = Volume(rng.uniform(1.0, 5.0, (4, 16, 16)), np.eye(4))
    assert style_for("cbv", usual) is COLOUR_MAPS["cbv"]
    high = Volume(usual.array * 2.75, np.eye(4))
    style = style_for("cbv", high)
    assert np.mean(high.array > style.high) < 0.05
    assert style.high <= 2.6 * np.median(high.array)  # and it is not so wide that all is dark
    assert style.low == 0
    np.testing.assert_array_equal(style.table, COLOUR_MAPS["cbv"].table)
