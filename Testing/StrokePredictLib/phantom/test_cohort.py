"""The cohort's folder, file by file."""

import csv
import hashlib
import json

import nibabel
import numpy as np
import pytest

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image
from StrokePredictLib.phantom.cohort import write_cohort
from StrokePredictLib.phantom.job import run
from StrokePredictLib.phantom.patient import simulate_patient

# DESIGN.md, "Folder of a cohort"
COLUMNS = [
    "participant_id", "age", "sex", "nihss", "onset_to_imaging_min", "onset_known", "imaging_to_reperfusion_min",
    "mtici", "reperfusion_rate", "reperfusion_yu", "reperfusion_debs", "role", "vendor", "center",
]  # fmt: skip


@pytest.fixture(scope="module")
def cohort(tmp_path_factory, small_grid):
    folder = tmp_path_factory.mktemp("cohort") / "simulated"
    return folder, write_cohort(folder, 2, 4, grid=small_grid)


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_layout(cohort):
    folder, result = cohort
    found = set(digests(folder))
    for sub in ("sub-0001", "sub-0002"):
        images = {f"raw_data/{sub}/ses-01/{sub}_ses-01_{m}" for m in ("dwi", "b0", "adc", "pwi")}
        expected = {f"{image}.{ending}" for image in images for ending in ("nii.gz", "json")}
        expected |= {f"raw_data/{sub}/ses-02/{sub}_ses-02_flair.nii.gz"}
        expected |= {f"derivatives/{sub}/ses-01/{sub}_ses-01_core-msk.nii.gz"}
        expected |= {f"derivatives/{sub}/ses-02/{sub}_ses-02_lesion-msk.nii.gz"}
        expected |= {f"derivatives/{sub}/truth/{sub}_{m}.nii.gz" for m in ("cbf", "cbv", "mtt", "delay", "tmax_ref")}
        assert expected <= found
    assert not any("unfinished" in name for name in found)
    assert sorted(result["files"]) == sorted(str(folder / name) for name in found)


def test_participants_table(cohort):
    folder, _ = cohort
    with (folder / "participants.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert list(rows[0])[: len(COLUMNS)] == COLUMNS
    assert [row["participant_id"] for row in rows] == ["sub-0001", "sub-0002"]
    for row in rows:
        assert row["role"] == "any"
        assert row["center"] == "simulated"
        assert all(value not in ("", "None") for value in row.values())


def test_says_that_it_is_simulated(cohort):
    description = json.loads((cohort[0] / "dataset_description.json").read_text())
    assert "SIMULATED" in description["Name"]
    assert description["Simulated"] is True


def test_files_hold_the_patient(cohort, small_grid):
    folder, _ = cohort
    patient = simulate_patient(4 * 1_000_003, grid=small_grid)
    first = folder / "raw_data/sub-0001/ses-01"
    for name in ("b0", "dwi", "adc", "pwi"):
        volume = read_image(first / f"sub-0001_ses-01_{name}.nii.gz")
        assert np.array_equal(volume.array, patient.volumes[name].array), name
        assert np.array_equal(volume.affine, patient.volumes[name].affine)
    truth = folder / "derivatives/sub-0001/truth"
    assert np.array_equal(read_image(truth / "sub-0001_tmax_ref.nii.gz").array, patient.truth["tmax_ref"].array)
    lesion = nibabel.load(folder / "derivatives/sub-0001/ses-02/sub-0001_ses-02_lesion-msk.nii.gz")
    assert np.array_equal(np.asarray(lesion.dataobj).T > 0, patient.truth["infarct"].array > 0)


def test_headers(cohort):
    folder, _ = cohort
    image = nibabel.load(folder / "raw_data/sub-0001/ses-01/sub-0001_ses-01_pwi.nii.gz")
    assert image.get_data_dtype() == np.int16
    assert image.header["sform_code"] == 1
    assert image.header["qform_code"] == 1
    assert np.allclose(image.header.get_zooms(), (3.6, 3.6, 12.0, 1.5), atol=1e-5)
    assert image.header.get_xyzt_units() == ("mm", "sec")
    assert np.allclose(image.get_qform(), image.get_sform(), atol=1e-4)
    sidecar = json.loads((folder / "raw_data/sub-0001/ses-01/sub-0001_ses-01_pwi.json").read_text())
    assert sidecar["RepetitionTime"] == 1.5
    assert sidecar["EchoTime"] == 0.03


def test_same_seed_same_bytes(cohort, tmp_path, small_grid):
    write_cohort(tmp_path / "again", 2, 4, grid=small_grid)
    assert digests(tmp_path / "again") == digests(cohort[0])


def test_without_the_series(tmp_path, small_grid):
    write_cohort(tmp_path, 1, 0, perfusion=False, grid=small_grid)
    assert not list(tmp_path.rglob("*_pwi*"))
    assert list(tmp_path.rglob("*_dwi.nii.gz"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"modality": "CT"}, "not yet simulated"), ({"vendor": "B"}, "not yet simulated"), ({"cases": 0}, "at least 1"),
     ({"seed": -1}, "from 0")],
)  # fmt: skip
def test_wrong_requests_leave_nothing(tmp_path, wrong, words):
    with pytest.raises(StrokeError, match=words) as caught:
        run(tmp_path / "cohort", **wrong)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "cohort").exists()
