import struct

import numpy as np
import pytest

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib.figures.curves import draw_calibration, draw_roc_folds
from StrokeTrainLib.figures.groups import draw_groups
from StrokeTrainLib.figures.page import files_of
from StrokeTrainLib.figures.volumes import draw_bland_altman, draw_volume_correlation
from StrokeTrainLib.statistics.agreement import bland_altman, lin_concordance
from StrokeTrainLib.statistics.calibration import bin_counts, calibration
from StrokeTrainLib.statistics.roc import mean_roc, roc_curve

RNG = np.random.default_rng(0)
TRUE = RNG.lognormal(3.4, 1.2, 67)
NETWORK = TRUE * RNG.lognormal(0.1, 0.4, 67)
NETWORK[3] = np.nan
RULE = TRUE * RNG.lognormal(-0.4, 0.6, 67)
PAIRS = {"Network": (NETWORK, TRUE), "Tmax > 6 s ∪ ADC < 620 × 10⁻⁶ mm²/s": (RULE, TRUE)}
LABELS = ["minimal"] * 20 + ["partial"] * 4 + ["major"] * 40 + ["unknown"] * 3
MARK = "Simulated patients: no person was imaged."


def curve(seed, n=30):
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.5
    return roc_curve(y, rng.normal(size=n) + y)


def voxels(seed):
    p = np.random.default_rng(seed).beta(0.3, 2, 3000)
    return bin_counts(np.random.default_rng(seed + 99).random(3000) < p, p)


DICE = {"Network": RNG.beta(4, 3, 67), "Rule": RNG.beta(3, 3, 67)}
FIGURES = {
    "bland-altman": lambda stem, **mark: draw_bland_altman(stem, PAIRS, **mark),
    "correlation": lambda stem, **mark: draw_volume_correlation(stem, PAIRS, **mark),
    "roc": lambda stem, **mark: draw_roc_folds(stem, [curve(i) for i in range(5)], external=curve(9), **mark),
    "calibration": lambda stem, **mark: draw_calibration(stem, calibration([voxels(i) for i in range(12)]), **mark),
    "groups": lambda stem, **mark: draw_groups(
        stem, DICE, LABELS, title="Dice", levels=("minimal", "partial", "major"), notes={"major": "P = .002"}, **mark
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_vector_and_picture_marked_readable_and_freed(tmp_path, drawn, name):
    pdf, png = FIGURES[name](tmp_path / name, simulated=True)
    assert {path.name for path in tmp_path.iterdir()} == {pdf.name, png.name} == {f"{name}.pdf", f"{name}.png"}
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/Subtype /Image" not in content
    assert b"/Type3" not in content
    assert png.read_bytes().startswith(b"\x89PNG")
    assert drawn.says(MARK)
    assert drawn.says("n = ")
    assert drawn.touching == []
    assert drawn.outside == []
    assert drawn.alive() == []


def test_same_figure_same_bytes_and_no_mark_on_real_patients(tmp_path, drawn):
    first = [path.read_bytes() for path in FIGURES["groups"](tmp_path / "a")]
    again = [path.read_bytes() for path in FIGURES["groups"](tmp_path / "b")]
    assert first == again
    assert not drawn.says(MARK)


def test_bland_altman_shows_the_statistics_with_units(tmp_path, drawn):
    FIGURES["bland-altman"](tmp_path / "ba")
    found = bland_altman(NETWORK, TRUE)
    for value in (found.bias.value, found.lower.value, found.upper.value):
        assert drawn.says(f"{abs(value):.1f} mL")
    assert drawn.says("Predicted − true volume (mL)")
    assert drawn.says("n = 66")
    assert drawn.says("n = 67")


def test_labels_of_close_limits_do_not_touch(tmp_path, drawn):
    wide = {"Good": (TRUE + RNG.normal(0, 0.5, 67), TRUE), "Bad": (TRUE * 4 + RNG.normal(0, 90, 67), TRUE)}
    draw_bland_altman(tmp_path / "ba", wide)
    assert drawn.touching == []
    # A method that is far off does not flatten the other: differences of 0.5 mL (SD) stay to be seen.
    (_, good), (_, bad) = drawn.limits
    assert good[1] - good[0] < 6
    assert bad[1] - bad[0] > 300
    assert drawn.says("Limits of agreement")
    assert drawn.says("95 % CI")


def test_correlation_shows_lins_concordance_of_cube_roots(tmp_path, drawn):
    FIGURES["correlation"](tmp_path / "c")
    assert drawn.says(f"ρc = {lin_concordance(NETWORK, TRUE, cube_root=True).rho.text()}")
    assert drawn.says("True volume (mL)")


def test_roc_shows_mean_and_sd_and_says_which_folds_are_left_out(tmp_path, drawn):
    folds = [curve(1), curve(2), curve(3), roc_curve([1, 1], [0.3, 0.4])]
    draw_roc_folds(tmp_path / "roc", folds)
    found = mean_roc(folds)
    assert drawn.says(f"Mean, AUC {found.auc_mean:.2f} (SD {found.auc_sd:.2f})")
    assert drawn.says("1 of 4 folds left out")
    assert drawn.says("n = 92 patients")


def test_groups_show_their_numbers_and_what_is_empty(tmp_path, drawn):
    values = {name: column.copy() for name, column in DICE.items()}
    values["Rule"][:5] = np.nan
    levels = ("minimal", "nobody", "partial", "major")
    draw_groups(tmp_path / "g", values, LABELS, title="Dice", levels=levels, grouped_by="Reperfusion (Yu 2020)")
    assert drawn.says("Reperfusion (Yu 2020)")
    assert drawn.says("minimal\nn = 20/15")
    assert drawn.says("nobody\nn = 0")
    assert drawn.says("none")
    assert drawn.says("unknown\nn = 3")


@pytest.mark.parametrize("draw", [draw_bland_altman, draw_volume_correlation])
def test_many_methods_stand_in_rows(tmp_path, drawn, draw):
    methods = {f"Method {i}": (NETWORK * (1 + i / 10), TRUE) for i in range(5)}
    _, png = draw(tmp_path / "many", methods)
    width, height = struct.unpack(">II", png.read_bytes()[16:24])
    assert width < 2 * height
    assert all(drawn.says(name) for name in methods)
    assert drawn.touching == []
    assert drawn.outside == []


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda s: draw_bland_altman(s, {}), "No method to compare."),
        (lambda s: draw_bland_altman(s, {"A": ([np.nan], [1.0]), "B": ([3.0], [2.0])}), "No patient has both"),
        (lambda s: draw_volume_correlation(s, {"A": ([], []), "B": ([3.0], [2.0])}), "No patient has both"),
        (lambda s: draw_roc_folds(s, []), "No fold has patients of both classes"),
        (lambda s: draw_calibration(s, calibration([])), "No patients."),
        (lambda s: draw_groups(s, {"Network": []}, [], title="Dice"), "No patients."),
    ],
)
def test_nothing_to_draw_is_said_in_the_figure(tmp_path, drawn, draw, words):
    for path in draw(tmp_path / "empty"):
        assert path.stat().st_size > 1000
    assert drawn.says(words)
    assert drawn.touching == []


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StrokeError, match="cannot write"):
        FIGURES["groups"](tmp_path / "file" / "figure")
    assert files_of(tmp_path / "v1.2")[0].name == "v1.2.pdf"


# Machado, Oliveira and Fernandes 2009: linear RGB as seen without long- and without medium-wave cones.
DEFECTS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "none": np.eye(3),
}


def lab(hexadecimal, matrix):
    rgb = np.array([int(hexadecimal[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.asarray(matrix) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    ratio = xyz / [0.9505, 1.0, 1.089]
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("defect", DEFECTS)
def test_colours_that_meet_are_told_apart_with_every_colour_vision(defect):
    from StrokeTrainLib.figures.cases import _OUTLINES
    from StrokeTrainLib.figures.page import COLOURS

    for palette in (COLOURS[:4], [colour for colour, _ in _OUTLINES]):
        seen = [lab(colour, DEFECTS[defect]) for colour in palette]
        apart = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
        assert min(apart) > 15
