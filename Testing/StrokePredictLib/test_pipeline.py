"""What the main job leaves out, and says so."""

import importlib.util

import pytest

from StrokePredictLib import pipeline
from StrokePredictLib.phantom.cohort import write_cohort
from StrokePredictLib.phantom.grid import Grid


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated") / "cohort"
    write_cohort(folder, 1, 0, perfusion=False, grid=Grid(shape=(8, 40, 40), spacing=(5.6, 5.6, 16.0)))
    return folder


@pytest.mark.parametrize(("wished", "predicts"), [(None, False), (["some-model"], True)])
def test_without_torch_maps_and_thresholds_are_made_all_the_same(cohort, tmp_path, monkeypatch, wished, predicts):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "torch" else real(name, *more))
    monkeypatch.setattr(pipeline, "usable_models", lambda *_: ["some-model"])
    stages = []

    def stage(title, function, **parameters):
        stages.append(title)
        return function(**parameters) if title != "Prediction" else {}

    monkeypatch.setattr(pipeline, "collect_study", lambda case, **_: case)
    case = pipeline.study_of(tmp_path / "out", stage, folder=cohort, patient="sub-0001", models=wished)
    assert (tmp_path / "out" / "thresholds" / "core_adc.nii.gz").is_file()
    # Named, a model is asked for all the same: its job then says what is missing.
    assert ("Prediction" in stages) is predicts
    assert any("torch" in doubt for doubt in case.doubts) is not predicts
