"""Rows of a cohort as the panel shows them."""

import json

import nibabel
import numpy as np
import pytest
from support.small_cohort import write_cohort

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib import cohort_job
from StrokeTrainLib.cohort.index import index_cohort
from StrokeTrainLib.cohort.votes import second_reader, truth


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


def draw(cohort, name, reader, columns, read=1, settles=None):
    image = nibabel.load(label(cohort, name))
    drawn = np.zeros(image.shape, np.uint8)
    drawn[columns, 0:5, 1] = 1
    path = label(cohort, name, reader, read)
    nibabel.save(nibabel.Nifti1Image(drawn, image.affine), path)
    if settles:
        told = {"target": "final-infarct", "reader": reader, "read": read, "settles": settles}
        path.with_name(path.name.replace(".nii.gz", ".json")).write_text(json.dumps(told))
    return path


def test_two_who_differ_wait_for_a_third_who_does_not_learn_who_drew_what(cohort):
    first = draw(cohort, "sub-0001", "AB", slice(0, 4))
    second = draw(cohort, "sub-0001", "CD", slice(2, 6))  # Dice 0.5
    draw(cohort, "sub-0002", "AB", slice(0, 4))
    draw(cohort, "sub-0002", "CD", slice(0, 4))
    found = cohort_job.disputes(cohort, reader="EF", limit=0.7)
    assert list(found["open"]) == ["sub-0001"]
    assert found["open"]["sub-0001"]["dice"] == pytest.approx(0.5)
    assert sorted(found["open"]["sub-0001"]["files"]) == sorted([str(first), str(second)])
    orders = {
        tuple(cohort_job.disputes(cohort, reader=name, limit=0.7)["open"]["sub-0001"]["files"]) for name in "EFGHIJKLMN"
    }
    assert len(orders) == 2  # neither stands first for everybody
    assert cohort_job.disputes(cohort, reader="CD", limit=0.7) == {"files": [], "open": {}, "settled": 0, "own": 1}
    assert cohort_job.disputes(cohort, reader="EF", limit=0.4)["open"] == {}
    with pytest.raises(StrokeError, match="limit"):
        cohort_job.disputes(cohort, reader="EF", limit=1.5)


def test_what_the_third_settles_is_the_truth_and_no_reading_of_its_own(cohort):
    draw(cohort, "sub-0001", "AB", slice(0, 4))
    draw(cohort, "sub-0001", "CD", slice(2, 6))
    path = draw(cohort, "sub-0001", "EF", slice(1, 5), settles=["a.nii.gz", "b.nii.gz"])
    assert cohort_job.disputes(cohort, reader="GH", limit=0.7)["open"] == {}
    assert cohort_job.disputes(cohort, reader="GH", limit=0.7)["settled"] == 1
    assert list(cohort_job.agreement(cohort)["pairs"]) == ["AB and CD"]
    patient = index_cohort(cohort)["sub-0001"]
    found = truth(patient, "final-infarct")
    assert (found.reader, found.reads) == ("EF", 1)
    assert found.ml == pytest.approx(volume_ml(path))
    assert second_reader(patient, "final-infarct").reader == "AB"
    rows = cohort_job.run(cohort)["rows"]
    assert "EF 1 (settled)" in rows[0]["labels"]["final-infarct"]
    assert rows[0]["volumes"]["final-infarct"] == pytest.approx(volume_ml(path), abs=1e-3)
