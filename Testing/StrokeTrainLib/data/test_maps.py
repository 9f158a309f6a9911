"""Whose perfusion maps rest on a series that failed its quality check, and how that is told."""

import json

import numpy as np
import pytest
from support.small_cohort import write_cohort

from StrokeTrainLib.cohort.index import index_cohort
from StrokeTrainLib.data import maps
from StrokeTrainLib.training import begin as begin_module
from StrokeTrainLib.training.begin import Options, begin
from StrokeTrainLib.training.run_folder import RunFolder

FAILED = {"quality_passed": False, "quality_failed": ["bolus", "truncation"]}


def record(cohort, patient, content):
    folder = cohort / "derivatives" / patient / "ses-01" / "perfusion-maps"
    (folder / "perfusion.json").write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.fixture
def cohort(tmp_path):
    """Maps of their own: one failed, one passed, one with a record of another kind, the others without any."""
    made = write_cohort(tmp_path / "cohort", 6)
    record(made, "sub-0002", FAILED)
    record(made, "sub-0003", {"quality_passed": True, "quality_failed": []})
    record(made, "sub-0004", "no record")
    return made


def test_who_failed_is_named_with_the_checks(cohort, tmp_path):
    (told,) = maps.quality_notes(index_cohort(cohort), ("dwi", "tmax"), tmp_path)
    assert "The perfusion series of 1 of 6 patients failed the quality check" in told
    assert "sub-0002 (bolus, truncation)" in told
    assert maps.quality_notes(index_cohort(cohort), ("dwi", "adc"), tmp_path) == []  # a network of diffusion alone


def test_maps_in_the_cache_are_judged_by_the_record_beside_them(cohort, tmp_path, monkeypatch):
    for path in cohort.glob("derivatives/sub-0005/*/perfusion-maps/*.nii.gz"):
        path.unlink()
    series = cohort / "raw_data/sub-0005/ses-01/sub-0005_ses-01_pwi.nii.gz"
    series.write_bytes(np.random.default_rng(0).bytes(100))

    def compute(path, folder):
        assert path == series
        (folder / "perfusion.json").write_text(json.dumps(FAILED))

    monkeypatch.setattr(maps, "_compute", compute)
    patient = index_cohort(cohort)["sub-0005"]
    assert maps.quality_notes([patient], ("tmax",), tmp_path / "cache") == []  # nothing was computed yet
    maps.missing_maps(patient, ("tmax",), tmp_path / "cache")
    (told,) = maps.quality_notes([patient], ("tmax",), tmp_path / "cache")
    assert "sub-0005 (bolus, truncation)" in told


def test_a_long_list_is_cut_short(tmp_path):
    cohort = write_cohort(tmp_path / "cohort", 12)
    for number in range(1, 13):
        record(cohort, f"sub-{number:04d}", FAILED)
    (told,) = maps.quality_notes(index_cohort(cohort), ("cbf",), tmp_path)
    assert "12 of 12" in told
    assert told.count("bolus") == 10
    assert "and 2 more" in told


def test_a_run_begins_with_that_note(cohort, tmp_path, monkeypatch):
    from support.small_training import small_recipe

    monkeypatch.setattr(begin_module, "probe", lambda recipe: None)
    options = Options(data=cohort, cache=tmp_path / "cache", threads=1, device="cpu")
    folder = tmp_path / "run"
    folder.mkdir()
    plan, _ = begin(small_recipe(), options, RunFolder(folder))
    assert any("sub-0002 (bolus, truncation)" in note for note in plan.facts["notes"])
