"""Public data sets as downloaded, by the names that their files have."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.folder import find_files, list_patients


def touch(path, shape=(2, 2, 2)):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.ones(shape, np.int16), np.eye(4)), path)
    return path


def names(found):
    return {role: path.name for role, path in found.roles.items()}


@pytest.fixture
def isles17(tmp_path):
    for case, start in (("training_1", 127014), ("training_10", 127024), ("training_2", 127034)):
        parts = ("MR_ADC", "MR_MTT", "MR_rCBF", "MR_rCBV", "MR_Tmax", "MR_TTP", "MR_4DPWI", "OT")
        for number, what in enumerate(parts):
            stem = f"VSD.Brain.XX.O.{what}.{start + number}"
            touch(tmp_path / case / stem / f"{stem}.nii")
    return tmp_path


def test_isles17(isles17):
    assert list_patients(isles17) == ["training_1", "training_2", "training_10"]
    found = find_files(isles17, "training_1")
    assert set(found.roles) == {"adc", "mtt", "cbf", "cbv", "tmax", "ttp", "pwi"}
    assert names(found)["pwi"] == "VSD.Brain.XX.O.MR_4DPWI.127020.nii"
    assert names(find_files(isles17 / "training_1")) == names(found)
    with pytest.raises(StrokeError, match="holds 3 patients"):
        find_files(isles17)


def test_isles18(tmp_path):
    for top in ("TRAINING", "TESTING"):
        for case in ("case_1", "case_2"):
            for what in ("CT", "CT_4DPWI", "CT_CBF", "CT_CBV", "CT_MTT", "CT_Tmax", "OT"):
                stem = f"SMIR.Brain.XX.O.{what}.345562"
                touch(tmp_path / top / case / stem / f"{stem}.nii")
    assert list_patients(tmp_path) == ["TRAINING/case_1", "TRAINING/case_2", "case_1", "case_2"]
    found = find_files(tmp_path, "TRAINING/case_1")
    assert set(found.roles) == {"ncct", "ctp", "cbf", "cbv", "mtt", "tmax"}
    assert "TRAINING" in str(found.roles["tmax"])
    assert list_patients(tmp_path / "TRAINING") == ["case_1", "case_2"]


def test_isles22(tmp_path):
    sub = "sub-strokecase0001"
    stem = f"{sub}_ses-0001"
    for folder, what in (("dwi", "dwi"), ("dwi", "adc"), ("anat", "FLAIR")):
        touch(tmp_path / "rawdata" / sub / "ses-0001" / folder / f"{stem}_{what}.nii.gz")
    touch(tmp_path / "derivatives" / sub / "ses-0001" / f"{stem}_msk.nii.gz")
    found = find_files(tmp_path, sub)
    assert set(found.roles) == {"dwi", "adc", "flair"}
    assert found.roles["dwi"].parent.name == "dwi"


@pytest.fixture
def isles24(tmp_path):
    sub = "sub-stroke0001"
    raw, derived = (tmp_path / "train" / name / sub for name in ("raw_data", "derivatives"))
    for what in ("ncct", "cta", "ctp"):
        touch(raw / "ses-01" / f"{sub}_ses-01_{what}.nii.gz")
    for what in ("tmax", "mtt", "cbf", "cbv"):
        touch(raw / "ses-01" / "perfusion-maps" / f"{sub}_ses-01_{what}.nii.gz")
        touch(derived / "ses-01" / "perfusion-maps" / f"{sub}_ses-01_space-ncct_{what}.nii.gz")
    for what in ("cta", "ctp"):
        touch(derived / "ses-01" / f"{sub}_ses-01_space-ncct_{what}.nii.gz")
    for what in ("lvo-msk", "cow-msk"):
        touch(derived / "ses-01" / f"{sub}_ses-01_space-ncct_{what}.nii.gz")
    for what in ("dwi", "adc"):
        touch(raw / "ses-02" / f"{sub}_ses-02_{what}.nii.gz")
        touch(derived / "ses-02" / f"{sub}_ses-02_space-ncct_{what}.nii.gz")
    touch(derived / "ses-02" / f"{sub}_ses-02_space-ncct_lesion-msk.nii.gz")
    return tmp_path


def test_isles24_baseline_never_takes_the_follow_up(isles24):
    found = find_files(isles24, "sub-stroke0001")
    assert set(found.roles) == {"ncct", "ctp", "tmax", "mtt", "cbf", "cbv"}
    assert all("ses-02" not in str(path) for path in found.roles.values())
    assert names(found)["tmax"] == "sub-stroke0001_ses-01_tmax.nii.gz"


def test_isles24_series_in_the_space_of_the_maps(isles24):
    """Where only registered maps are there, so is the registered copy of the series taken."""
    for path in list((isles24 / "train" / "raw_data").rglob("perfusion-maps/*")):
        path.unlink()
    found = find_files(isles24, "sub-stroke0001")
    assert names(found)["tmax"] == "sub-stroke0001_ses-01_space-ncct_tmax.nii.gz"
    assert names(found)["ctp"] == "sub-stroke0001_ses-01_space-ncct_ctp.nii.gz"
    assert "space of the maps" in found.reasons["ctp"]


def test_a_folder_of_its_own_is_no_cohort(tmp_path):
    touch(tmp_path / "dwi.nii.gz")
    touch(Path(tmp_path) / "adc.nii.gz")
    assert list_patients(tmp_path) == []
