"""The summary picture: its texts do not collide, its sides are right, and it shows what there is."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.studies import GRIDS, make_study

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.report.mosaic import choose_slices, make_mosaic
from StrokePredictLib.report.summary import _rows, make_figure, write_summary


def texts(figure):
    """Every text that is drawn, with its box in pixels."""
    from matplotlib.text import Text

    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    shown = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    # A hidden axis still owns tick labels; they are never drawn.
    hidden = {label for ax in figure.axes if not ax.axison for label in (*ax.get_xticklabels(), *ax.get_yticklabels())}
    return [(t.get_text(), t.get_window_extent(renderer)) for t in shown if t not in hidden], figure.bbox


def crowded():
    """A study that says as much as a study can say."""
    study = make_study()
    study.case.patient = "sub-" + "long-identifier-" * 8
    study.volumes["volumes_ml"]["core_cbf"] = 12.0
    study.volumes["mismatch"] = {"volume_ml": "not computed", "ratio": "not assessable"}
    study.volumes["hir"] = "not computed"
    study.perfusion["quality_passed"] = False
    study.volumes["volumes_ml"]["hypoperfused_tmax"] = "not computed"
    study.volumes["coverage"] = "The brain is covered from the skull base to the vertex except for some part. " * 6
    study.case.doubts = [f"Doubt number {n}, which goes on for quite a while before it ends. " * 3 for n in range(9)]
    study.prediction["models"].append({**study.prediction["models"][0], "name": "second", "title": "A" * 60})
    kinds = ("infarct_predicted_reperfused", "infarct_predicted_not_reperfused")
    own = ("infarct_predicted_attention", *(f"{kind}@fate" for kind in kinds))
    for key in (*kinds, *own, "ground_truth"):
        study.masks[key] = study.masks["infarct_predicted"]
    return study


STUDIES = {
    "full": make_study,
    "diffusion only": lambda: make_study("RAS", perfusion=False, prediction=False, truth=False),
    "crowded": crowded,
    "oblique": lambda: make_study("oblique left-handed"),
}


def test_the_tutorial_names_every_row_from_above_to_below():
    tutorial = Path(__file__).parents[3] / "docs" / "tutorial" / "first-patient.md"
    told = tutorial.read_text(encoding="utf-8").split("`first/summary.png`")[1].split("`first/report.html`")[0]
    study = crowded()
    drawn = [(box.y1, text) for text, box in texts(make_figure(study))[0] if text in re.findall(r"\*\*(.+?)\*\*", told)]
    rows = [title for title, *_ in _rows(make_mosaic(study, 8))]
    assert re.findall(r"\*\*(.+?)\*\*", told) == rows == [text for _, text in sorted(drawn, reverse=True)]


@pytest.mark.parametrize("kind", STUDIES)
def test_no_text_lies_on_another_or_leaves_the_page(kind):
    drawn, page = texts(make_figure(STUDIES[kind]()))
    for text, box in drawn:
        assert page.x0 <= box.x0, text
        assert box.x1 <= page.x1, text
        assert page.y0 <= box.y0, text
        assert box.y1 <= page.y1, text
    for (one, first), (two, second) in itertools.combinations(drawn, 2):
        wide = min(first.x1, second.x1) - max(first.x0, second.x0)
        high = min(first.y1, second.y1) - max(first.y0, second.y0)
        # A pixel of overlap is the boxes' own padding, not ink.
        assert wide <= 1 or high <= 1, f"'{one}' lies on '{two}'"


def test_a_legend_does_not_reach_into_its_row_of_pictures():
    study = make_study()
    for model in ("fate", "a-site-with-a-rather-long-name"):
        study.masks[f"infarct_predicted_not_reperfused@{model}"] = study.masks["infarct_predicted"]
    figure = make_figure(study)
    drawn, page = texts(figure)
    pictures = min(axes.get_position().x0 for axes in figure.axes if axes.images) * page.width
    legends = {text: box for text, box in drawn if "if not reperfused" in text}
    assert "… if not reperfused (fate)" in legends
    assert any(text.startswith("… if not reperfused (a-site") for text in legends)
    assert len(legends) == 2
    for text, box in legends.items():
        assert box.x1 < pictures - 5, text
        assert box.width > 100, text


def test_numbers_units_and_warnings_are_on_it():
    study = make_study()
    said = [text for text, _ in texts(make_figure(study))[0]]
    core = study.volumes["volumes_ml"]["core_adc"]
    for wanted in (f"{core:.1f} mL", "Core (ADC < 620)", "true 17.5 mL", "0.30", "mL/100 g/min", "mL/100 g", "s",
                   "10⁻⁶ mm²/s", "12", "80", "620", "Tmax > 6 s", "Predicted infarct", "R", "L"):  # fmt: skip
        assert wanted in said, wanted
    page = " ".join(said)
    for wanted in ("haemorrhage is not excluded", "Demonstration weights", "SIMULATED", "Side: Left", "Coverage:",
                   "Radiological convention", "sub-0001", "DEFUSE 3: not assessable (6 to 16 h from onset: unknown)",
                   "DAWN: not met (NIHSS ≥ 10: 6)"):  # fmt: skip
        assert wanted in page, wanted


def test_a_trial_that_is_met_needs_no_reason_and_many_reasons_are_cut():
    study = make_study()
    items = [{"name": f"Rule {number}", "value": "unknown", "met": None} for number in range(4)]
    study.volumes["criteria"]["defuse3"] |= {"items": items}
    met = [{"name": "NIHSS ≥ 10", "value": "12", "met": True}]
    study.volumes["criteria"]["dawn"] |= {"verdict": "met", "items": met}
    page = "|".join(text for text, _ in texts(make_figure(study))[0])
    assert "not assessable (Rule 0: unknown; Rule 1: unknown; and 2 more)   ·   DAWN: met|" in page


def test_not_computed_is_said_in_words():
    said = [text for text, _ in texts(make_figure(crowded()))[0]]
    assert "not computed" in said
    assert not any("not computed mL" in text for text in said)


def test_a_real_patient_is_not_called_simulated_nor_a_demonstration():
    study = make_study(prediction=False, truth=False)
    study.case.simulated = False
    page = " ".join(text for text, _ in texts(make_figure(study))[0])
    assert "imulated" not in page
    assert "SIMULATED" not in page
    assert "emonstration" not in page
    assert "haemorrhage is not excluded" in page


def test_maps_that_are_missing_leave_no_panel():
    drawn, _ = texts(make_figure(STUDIES["diffusion only"]()))
    said = {text for text, _ in drawn}
    assert {"DWI", "ADC"} <= said
    assert not {"Tmax", "CBF", "CBV", "MTT", "Mismatch"} & said
    # One axes for each of the two rows, and the ADC's colour bar.
    assert len(make_figure(STUDIES["diffusion only"]()).axes) == 3


@pytest.mark.parametrize("name", GRIDS)
def test_the_patients_left_is_at_the_images_right(name, tmp_path):
    """The lesion is on the left; its magenta must lie right of the middle of each tile of the written picture."""
    study = make_study(name, perfusion=False, prediction=False)
    mosaic = make_mosaic(study)
    strip = mosaic.mask("core_adc")
    tile = strip.shape[1] // len(mosaic.slices)
    columns = np.nonzero(strip)[1] % tile
    assert columns.min() > tile / 2
    write_summary(study, tmp_path / "summary.png")
    picture = np.asarray(Image.open(tmp_path / "summary.png").convert("RGB")).astype(int)
    magenta = (picture[..., 0] > 200) & (picture[..., 2] > 200) & (picture[..., 1] < 60)
    figure = make_figure(study)
    box = figure.axes[0].get_position()
    height, width = picture.shape[:2]
    rows = slice(int((1 - box.y1) * height) + 2, int((1 - box.y0) * height) - 2)
    left, right = box.x0 * width, box.x1 * width
    across = np.nonzero(magenta[rows, int(left) : int(right)])[1]
    assert across.size > 100
    pixels = (right - left) / len(mosaic.slices)
    assert np.mean(across % pixels > pixels / 2) == 1.0


def test_slices_run_from_caudal_to_cranial_through_the_lesion():
    lesion, brain = np.zeros(24, bool), np.ones(24, bool)
    lesion[9:19] = True
    assert choose_slices(lesion, brain, 5) == [9, 11, 14, 16, 18]
    lesion[:] = False
    lesion[3] = True
    few = choose_slices(lesion, brain, 8)
    assert len(few) == 8
    assert 3 in few
    assert few == sorted(set(few))
    assert choose_slices(np.zeros(1, bool), np.ones(1, bool), 8) == [0]
    none = choose_slices(np.zeros(24, bool), brain, 6)
    assert none[0] == 0
    assert none[-1] == 23
    assert len(none) == 6


def test_outside_the_brain_all_is_black():
    study = make_study()
    mosaic = make_mosaic(study)
    for role in ("dwi", "adc", "tmax"):
        picture, _ = mosaic.picture(role, study.case.volumes[role])
        outside = ~mosaic.strip(mosaic.brain)
        assert outside.any()
        assert picture[outside].max() == 0


def test_the_picture_is_the_same_each_time_and_replaces_an_old_one(tmp_path):
    write_summary(make_study(), tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"old")
    write_summary(make_study(), tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    width, height = Image.open(tmp_path / "a.png").size
    assert 1400 <= width <= 2400
    assert height <= 2600


def test_a_study_without_lesion_brain_or_numbers_still_has_a_picture(tmp_path):
    study = make_study(perfusion=False, prediction=False, truth=False)
    study.masks, study.volumes = {}, {}
    study.case.doubts = []
    write_summary(study, tmp_path / "summary.png")
    assert Image.open(tmp_path / "summary.png").size[0] > 1000


def test_a_folder_that_is_missing_is_one_line(tmp_path):
    with pytest.raises(StrokeError, match=r"summary\.png"):
        write_summary(make_study(perfusion=False), tmp_path / "nowhere" / "summary.png")


def test_maps_of_a_failed_series_say_so_until_a_reader_overrides():
    study = make_study()
    study.perfusion["quality_passed"] = False
    said = [text for text, _ in texts(make_figure(study))[0]]
    # Mismatch, Tmax, MTT, CBF and CBV rest on the series; DWI and ADC do not.
    assert said.count("Quality check failed") == 5
    study.volumes["parameters"]["quality_override_by"] = "Dr Reader"
    assert "Quality check failed" not in [text for text, _ in texts(make_figure(study))[0]]


def test_every_tile_with_a_demonstration_outline_says_so():
    from matplotlib.text import Text

    study = make_study(prediction=True)
    assert study.prediction["models"][0]["demonstration"]
    words = [text.get_text() for text in make_figure(study, tiles=6).findobj(Text)]
    assert words.count("demonstration") == 6
    study.prediction["models"][0]["demonstration"] = False
    words = [text.get_text() for text in make_figure(study, tiles=6).findobj(Text)]
    assert "demonstration" not in words
