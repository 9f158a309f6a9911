"""Perfusion maps and predictions of a whole cohort: what is begun, where it goes, what is said."""

import json
import shutil

import numpy as np
import pytest
from support.cohorts import bids_patient, write_table

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image, write_image
from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.patient import simulate_patient
from StrokeTrainLib.cohort.index import index_cohort
from StrokeTrainLib.spread import cases


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    """Return a cohort of two patients, the first with a perfusion series."""
    root = tmp_path_factory.mktemp("cohort")
    simulated = simulate_patient(0, grid=Grid(shape=(6, 40, 40), spacing=(5.6, 5.6, 24.0)))
    for more, (name, roles) in enumerate((("sub-1", ("dwi", "b0", "pwi")), ("sub-2", ("dwi", "b0")))):
        for role in roles:
            image = simulated.volumes[role]
            path = root / f"raw_data/{name}/ses-01/{name}_ses-01_{role}.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(path, image.with_array(image.array + more), np.int16)  # another patient's image
            step = {"RepetitionTime": float(np.diff(simulated.times)[0]), "EchoTime": simulated.scanner.pwi_echo}
            path.with_name(path.name.replace(".nii.gz", ".json")).write_text(json.dumps(step))
    later = root / "raw_data/sub-2/ses-24h/sub-2_ses-24h_pwi.nii.gz"
    later.parent.mkdir()
    later.write_bytes(b"no image")
    return root


def test_maps_of_every_series_under_bids_names(scanned):
    outcome, left_out = cases.compute_cohort_maps(index_cohort(scanned), workers=1)
    assert list(outcome.done) == ["sub-1"]
    # A series that cannot be read costs nobody else anything; a baseline without series is no fault.
    assert list(outcome.failed) == ["sub-2 ses-24h"]
    assert "no readable image" in outcome.failed["sub-2 ses-24h"]
    assert left_out == {}
    found = index_cohort(scanned)["sub-1"].images
    place = scanned / "derivatives/sub-1/ses-01/perfusion-maps"
    assert found["tmax"] == place / "sub-1_ses-01_tmax.nii.gz"
    assert {"cbf", "cbv", "mtt"} <= set(found)
    assert (place / "perfusion.json").is_file()
    assert not list(scanned.rglob(".unfinished-*"))
    again, left_out = cases.compute_cohort_maps(index_cohort(scanned), workers=1)
    assert again.done == {}
    assert left_out == {"sub-1": "its maps are there"}


def made_by(path):
    return json.loads((path / "perfusion.json").read_text())["method"]


def test_maps_are_made_again_for_another_method_or_series_and_never_those_from_elsewhere(scanned, tmp_path):
    root = tmp_path / "cohort"
    shutil.copytree(scanned, root)
    shutil.rmtree(root / "derivatives", ignore_errors=True)
    shutil.rmtree(root / "raw_data/sub-2")
    place, series = root / "derivatives/sub-1/ses-01/perfusion-maps", root / "raw_data/sub-1/ses-01"
    elsewhere = np.zeros((6, 40, 40), np.float32)
    place.mkdir(parents=True)
    image = read_image(series / "sub-1_ses-01_dwi.nii.gz")
    write_image(place / "sub-1_ses-01_tmax.nii.gz", image.with_array(elsewhere))

    def compute(folder=root, method="bsvd"):
        outcome, left_out = cases.compute_cohort_maps(index_cohort(folder), workers=1, method=method)
        assert not outcome.failed
        return list(outcome.done), left_out

    assert compute(method="tikhonov") == ([], {"sub-1": "has maps from elsewhere, which stay"})
    shutil.rmtree(place)
    assert compute() == (["sub-1"], {})
    (place / "sub-1_ses-01_delay.nii.gz").write_bytes(b"what only another method makes")
    assert compute(method="tikhonov") == (["sub-1"], {})
    assert made_by(place) == "tikhonov"
    assert not (place / "sub-1_ses-01_delay.nii.gz").exists()
    # A cohort in another folder, with other times of change, is the same cohort.
    root = root.rename(tmp_path / "moved")
    (root / "raw_data/sub-1/ses-01/sub-1_ses-01_pwi.nii.gz").touch()
    assert compute(root, "tikhonov") == ([], {"sub-1": "its maps are there"})
    other = read_image(root / "raw_data/sub-1/ses-01/sub-1_ses-01_pwi.nii.gz", series=True)
    write_image(root / "raw_data/sub-1/ses-01/sub-1_ses-01_pwi.nii.gz", other.with_array(other.array + 3), np.int16)
    assert compute(root, "tikhonov") == (["sub-1"], {})


def test_who_failed_the_quality_check_is_known(scanned, tmp_path):
    root = tmp_path / "cohort"
    shutil.copytree(scanned / "raw_data", root / "raw_data")
    assert cases.failed_quality(index_cohort(root)) == []
    for patient, session, passed in (("sub-1", "ses-01", True), ("sub-2", "ses-24h", False)):
        place = root / f"derivatives/{patient}/{session}/perfusion-maps"
        place.mkdir(parents=True)
        (place / "perfusion.json").write_text(json.dumps({"quality_passed": passed}))
    assert cases.failed_quality(index_cohort(root)) == ["sub-2 ses-24h"]


def test_what_a_killed_worker_left_is_swept_away(tmp_path):
    (tmp_path / ".unfinished-abc").mkdir()
    (tmp_path / ".unfinished-abc" / "half.nii.gz").write_bytes(b"half")
    (tmp_path / "kept.txt").write_text("kept")
    cases._sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


@pytest.fixture
def small(tmp_path):
    for n in (1, 2, 3):
        bids_patient(tmp_path / "cohort", f"sub-{n}", seed=n)
    write_table(tmp_path / "cohort", *({"participant_id": f"sub-{n}", "center": "Lyon"} for n in (1, 2, 3, 4)))
    return tmp_path / "cohort"


def test_predictions_of_a_cohort(small, tmp_path, monkeypatch):
    asked = []

    def predict(output, *, folder, patient, models, device, form):
        asked.append(patient)
        if patient == "sub-2":
            raise StrokeError("sub-2: no model fits")
        path = tmp_path / "out" / patient / f"mask_demo{form}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mask")
        return {"files": [str(path)]}

    monkeypatch.setattr(cases, "predict_job", predict)

    def run():
        return cases.predict_cohort(tmp_path / "out", index_cohort(small), workers=1)["cohort"]

    first = run()
    assert first["done"] == ["sub-1", "sub-3"]
    assert [item["patient"] for item in first["failed"]] == ["sub-2", "sub-4"]
    assert "there is no folder" in first["failed"][1]["reason"]
    assert json.loads((tmp_path / "out" / "cohort.json").read_text()) == first
    second = run()
    assert (second["done"], second["skipped"]) == ([], ["sub-1", "sub-3"])
    assert asked == ["sub-1", "sub-2", "sub-3", "sub-2"]
    # A changed image makes its receipt old.
    path = small / "raw_data/sub-3/ses-01/sub-3_ses-01_dwi.nii.gz"
    path.touch()
    assert run()["done"] == ["sub-3"]


def test_a_worker_with_other_models_is_told(small, tmp_path):
    with pytest.raises(StrokeError, match="other models"):
        cases.predict_one(str(tmp_path), str(small), "sub-1", None, "cpu", ".nii.gz", {"mine": "0"}, [])
