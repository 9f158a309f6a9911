"""Which file plays which role, in the layouts that centres hand over."""

import nibabel
import numpy as np
import pytest

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.folder import find_files, list_patients
from StrokePredictLib.io.roles import role_of


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.ones((2, 2, 2), np.int16), np.eye(4)), path)
    return path


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("sub-0001_ses-01_dwi.nii.gz", "dwi"),
        ("sub-strokecase0001_ses-0001_adc.nii.gz", "adc"),
        ("sub-0001_ses-01_space-ncct_tmax.nii.gz", "tmax"),
        ("SMIR.Brain.XX.O.MR_Tmax.127014.nii", "tmax"),
        ("SMIR.Brain.XX.O.CT_CBF.345.nii", "cbf"),
        ("b0.nii.gz", "b0"),
        ("DWI b1000.nii", "dwi"),
        ("brain_mask.nii.gz", "brain"),
        ("sub-0001_ses-02_lesion-msk.nii.gz", None),
        ("lesion_reference.nii.gz", None),
        ("sub-0001_core-msk.nii.gz", None),
        ("prob_demo.nii.gz", None),
        ("adcock.nii.gz", None),
        ("notes.nii.gz", None),
    ],
)
def test_role_by_name(name, role):
    answer = role_of(name)
    assert (answer[0] if answer else None) == role
    assert answer is None or name in answer[1]


@pytest.fixture
def cohort(tmp_path):
    for sub in ("sub-0001", "sub-0002"):
        base = tmp_path / "raw_data" / sub
        for name in ("dwi", "adc", "pwi"):
            touch(base / "ses-01" / f"{sub}_ses-01_{name}.nii.gz")
        touch(base / "ses-02" / f"{sub}_ses-02_flair.nii.gz")
        touch(base / "ses-24h" / f"{sub}_ses-24h_pwi.nii.gz")
        derived = tmp_path / "derivatives" / sub
        touch(derived / "ses-01" / "perfusion-maps" / f"{sub}_ses-01_tmax.nii.gz")
        touch(derived / "ses-02" / f"{sub}_ses-02_lesion-msk.nii.gz")
        touch(derived / "truth" / f"{sub}_cbf.nii.gz")
    (tmp_path / "participants.tsv").write_text(
        "participant_id\tage\tnihss\tonset_to_imaging_min\tonset_known\nsub-0001\t71\t14\t400\tyes\nsub-0002\tn/a\t\t\tno\n"
    )
    return tmp_path


def test_a_cohort_lists_patients_and_wants_one_named(cohort):
    assert list_patients(cohort) == ["sub-0001", "sub-0002"]
    with pytest.raises(StrokeError, match="holds 2 patients"):
        find_files(cohort)
    with pytest.raises(StrokeError, match="no patient 'sub-0009'"):
        find_files(cohort, "sub-0009")


def test_baseline_only_and_never_the_truth(cohort):
    found = find_files(cohort, "sub-0001")
    assert {role: path.name for role, path in found.roles.items()} == {
        "dwi": "sub-0001_ses-01_dwi.nii.gz",
        "adc": "sub-0001_ses-01_adc.nii.gz",
        "pwi": "sub-0001_ses-01_pwi.nii.gz",
        "tmax": "sub-0001_ses-01_tmax.nii.gz",
    }


def test_clinical_facts_and_unknowns(cohort):
    facts = find_files(cohort, "sub-0001").facts
    assert (facts.age, facts.nihss, facts.onset_to_imaging_min, facts.onset_known) == (71, 14, 400, True)
    facts = find_files(cohort, "sub-0002").facts
    assert (facts.age, facts.nihss, facts.onset_known) == (None, None, False)


def test_one_patients_own_folder_finds_its_derivatives_too(cohort):
    found = find_files(cohort / "raw_data" / "sub-0002")
    assert "tmax" in found.roles
    assert found.patient == "sub-0002"


def test_a_bad_number_in_the_table_names_table_and_column(cohort):
    table = cohort / "participants.tsv"
    table.write_text(table.read_text().replace("\t71\t", "\t171\t"))
    with pytest.raises(StrokeError, match=r"participants\.tsv.*age is '171'"):
        _ = find_files(cohort, "sub-0001").facts


def test_a_patient_listed_twice(cohort):
    table = cohort / "participants.tsv"
    table.write_text(table.read_text() + "sub-0001\t70\t\t\t\n")
    with pytest.raises(StrokeError, match="2 times"):
        find_files(cohort, "sub-0001")


def test_a_patient_listed_twice_with_the_same_words_is_one(cohort):
    table = cohort / "participants.tsv"
    text = table.read_text()
    line = next(line for line in text.splitlines(keepends=True) if line.startswith("sub-0001\t"))
    table.write_text(text.rstrip("\n") + "\n" + line)
    found = find_files(cohort, "sub-0001")
    assert found.row["participant_id"] == "sub-0001"
    assert any("2 times with the same words" in note for note in found.notes)


def test_loose_folder_with_umlauts_and_a_second_candidate(tmp_path):
    folder = tmp_path / "Müller Übung"
    touch(folder / "dwi.nii.gz")
    touch(folder / "trace.nii.gz")
    touch(folder / "adc.nii.gz")
    found = find_files(folder)
    assert found.roles["dwi"].name == "dwi.nii.gz"
    assert any("trace.nii.gz" in note for note in found.notes)


def test_folders_that_hold_nothing(tmp_path):
    with pytest.raises(StrokeError, match="no such folder"):
        find_files(tmp_path / "none")
    with pytest.raises(StrokeError, match="no image found"):
        find_files(tmp_path)
    (tmp_path / "f").write_text("")
    with pytest.raises(StrokeError, match="is a file"):
        find_files(tmp_path / "f")
