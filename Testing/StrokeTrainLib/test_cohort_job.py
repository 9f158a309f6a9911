"""Rows of a cohort as the panel shows them."""

import nibabel
import numpy as np
import pytest
from support.small_cohort import write_cohort

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib import cohort_job


@pytest.fixture
def cohort(tmp_path, monkeypatch):
    monkeypatch.setenv("STROKE_CACHE", str(tmp_path / "cache"))
    return write_cohort(tmp_path / "cohort", 2)


def label(cohort, name, reader=None, read=1):
    folder = cohort / "derivatives" / name / "ses-02"
    who = f"_rater-{reader}_read-{read}" if reader else ""
    return folder / f"{name}_ses-02{who}_lesion-msk.nii.gz"


def volume_ml(path):
    image = nibabel.load(path)
    return np.count_nonzero(image.get_fdata() > 0) * np.prod(image.header.get_zooms()) / 1000


def test_volumes_are_measured_and_remembered_until_the_label_changes(cohort):
    assert cohort_job.run(cohort, measure=False)["rows"][0]["volumes"] == {}
    rows = cohort_job.run(cohort)["rows"]
    expected = volume_ml(label(cohort, "sub-0001"))
    assert rows[0]["volumes"]["final-infarct"] == pytest.approx(expected, abs=1e-3)
    quick = cohort_job.run(cohort, measure=False)["rows"]
    assert quick[0]["volumes"]["final-infarct"] == pytest.approx(expected, abs=1e-3)
    image = nibabel.load(label(cohort, "sub-0001"))
    drawn = np.zeros(image.shape, np.uint8)
    drawn[10:14, 10:15, 2] = 1
    nibabel.save(nibabel.Nifti1Image(drawn, image.affine), label(cohort, "sub-0001"))
    assert cohort_job.run(cohort, measure=False)["rows"][0]["volumes"] == {}
    again = cohort_job.run(cohort)["rows"][0]["volumes"]["final-infarct"]
    assert again == pytest.approx(20 * 6 * 6 * 8 / 1000)


def test_who_cannot_serve_says_why(cohort):
    label(cohort, "sub-0002").unlink()
    rows = {row["patient"]: row for row in cohort_job.run(cohort)["rows"]}
    assert rows["sub-0001"]["excluded"] == ""
    assert "without label" in rows["sub-0002"]["excluded"]
    assert rows["sub-0001"]["debs"] == "no"
    assert rows["sub-0002"]["debs"] == "yes"


def test_agreement_of_two_readers(cohort):
    image = nibabel.load(label(cohort, "sub-0001"))
    for reader, columns in (("AB", slice(0, 4)), ("CD", slice(2, 6))):
        drawn = np.zeros(image.shape, np.uint8)
        drawn[columns, 0:5, 1] = 1
        nibabel.save(nibabel.Nifti1Image(drawn, image.affine), label(cohort, "sub-0001", reader))
    found = cohort_job.agreement(cohort)["pairs"]
    assert found == {"AB and CD": [pytest.approx(2 * 10 / (20 + 20))]}


def test_without_a_second_reader_there_is_no_agreement(cohort):
    with pytest.raises(StrokeError, match="two readers"):
        cohort_job.agreement(cohort)
