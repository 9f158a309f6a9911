import numpy as np
import pytest

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.volume import Volume
from StrokeTrainLib.figures.cases import draw_cases, pick_cases, picture_of

AFFINE = np.diag([2.0, 2.0, 5.0, 1.0])


@pytest.fixture(scope="module")
def patient():
    z, y, x = np.mgrid[:10, :48, :40]
    brain = ((z - 5) / 5) ** 2 + ((y - 24) / 20) ** 2 + ((x - 20) / 16) ** 2 < 1
    # On this grid x grows towards the patient's left.
    truth = ((z - 5) / 3) ** 2 + ((y - 22) / 7) ** 2 + ((x - 28) / 5) ** 2 < 1
    prediction = np.roll(truth, 2, axis=1)
    image = np.where(brain, 400, 5) + 300 * truth + np.random.default_rng(0).normal(0, 10, brain.shape)
    return [Volume(array, AFFINE) for array in (image.astype(np.float32), truth, prediction, brain)]


def test_best_median_and_worst_are_chosen_among_those_with_a_value():
    assert pick_cases([0.2, np.nan, 0.9, 0.5, 0.4, 0.7]) == {"best": 2, "median": 3, "worst": 0}
    assert pick_cases([0.5, 0.5, 0.5]) == {"best": 0, "median": 1, "worst": 2}
    assert pick_cases([0.3, 0.6]) == {"best": 1, "worst": 0}
    assert pick_cases([0.3]) == {"best": 0}
    assert pick_cases([np.nan]) == {}


def test_the_left_hemisphere_is_at_the_images_right_on_any_grid(patient):
    image, truth, prediction, brain = patient
    mirrored = AFFINE @ np.array([[-1, 0, 0, 39], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    for flip in (False, True):
        volumes = [Volume(v.array[..., ::-1], mirrored) if flip else v for v in (image, truth, prediction, brain)]
        found = picture_of("Best", "dwi", volumes[0], volumes[1], {"Network": volumes[2]}, volumes[3], tiles=1)
        where = np.argwhere(found.outlines["Truth"])[:, 1].mean() / found.image.shape[1]
        assert where > 0.6
    assert list(found.outlines) == ["Truth", "Network"]


def test_sections_cover_the_lesion_and_the_strip_stays_small(patient):
    image, truth, prediction, brain = patient
    found = picture_of("Best", "dwi", image, truth, {"Network": prediction}, brain, tiles=4)
    sections = [int(name.split("/")[0]) - 1 for _, name in found.places]
    lesion = np.flatnonzero(truth.array.any(axis=(1, 2)))
    assert (sections[0], sections[-1], len(sections)) == (lesion[0], lesion[-1], 4)
    assert found.image.shape[:2] == found.outlines["Truth"].shape
    assert found.image.shape[0] < 48


def test_three_patients_are_drawn_with_words_legend_and_mark(patient, tmp_path, drawn):
    image, truth, prediction, brain = patient
    cases = [
        picture_of(f"{name}\nsub-0007\nDSC 0.81\nTrue 34 mL\nPredicted 40 mL", "dwi", image, truth,
                   {"Network": prediction, "ADC < 620": truth}, brain)
        for name in ("Best", "Median", "Worst")
    ]  # fmt: skip
    pdf, png = draw_cases(tmp_path / "cases", cases, simulated=True)
    assert pdf.stat().st_size > 1000
    assert png.stat().st_size > 10_000
    for words in ("Best", "Worst", "Predicted 40 mL", "Truth", "ADC < 620", "R", "L", "Simulated patients"):
        assert drawn.says(words)
    assert drawn.touching == []
    assert drawn.outside == []
    assert drawn.alive() == []


def test_patients_without_lesion_and_without_brain_mask_are_drawn_too(patient, tmp_path, drawn):
    image, truth, _, _ = patient
    none = truth.with_array(np.zeros_like(truth.array))
    draw_cases(tmp_path / "a", [picture_of("Worst\nsub-0001", "dwi", image, none, {"Network": none})])
    assert drawn.says("sub-0001")
    assert drawn.touching == []


def test_other_grids_and_no_case_are_refused(patient, tmp_path):
    image, truth, _, _ = patient
    other = Volume(truth.array, np.diag([2.0, 2.0, 5.1, 1.0]))
    with pytest.raises(StrokeError, match="does not match"):
        picture_of("Best", "dwi", image, truth, {"Network": other})
    with pytest.raises(ValueError, match="at most 2 outlines"):
        picture_of("Best", "dwi", image, truth, dict.fromkeys("abc", truth))
    with pytest.raises(ValueError, match="no case"):
        draw_cases(tmp_path / "a", [])
