"""A patient copied into a cohort: the same voxels, the facts, and nothing that was there touched."""

import nibabel
import numpy as np
import pytest
from support.small_cohort import write_cohort

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib import add_case_job
from StrokeTrainLib.cohort.index import index_cohort


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("source") / "cohort", 2)


def test_images_and_facts(source, tmp_path):
    told = {"folder": str(source), "patient": "sub-0002"}
    facts = {"age": 61.0, "onset_known": True, "nihss": None}
    add_case_job.run(cohort=tmp_path / "mine", patient="sub-0002", source=told, facts=facts)
    (patient,) = index_cohort(tmp_path / "mine")
    assert {"dwi", "adc", "b0", "tmax", "cbf", "cbv", "mtt"} <= set(patient.images)
    assert (patient.facts["age"], patient.facts["onset_known"]) == (61.0, True)
    before = nibabel.load(source / "raw_data/sub-0002/ses-01/sub-0002_ses-01_adc.nii.gz")
    after = nibabel.load(patient.images["adc"])
    np.testing.assert_allclose(after.get_fdata(), before.get_fdata())
    np.testing.assert_allclose(after.affine, before.affine)


@pytest.mark.parametrize(
    ("patient", "folder", "said"),
    [("sub-0001", None, "in this cohort already"), ("§", None, "no patient identifier"), ("x", "", "no images")],
)
def test_what_cannot_be_added(source, patient, folder, said):
    told = {"folder": str(source) if folder is None else folder, "patient": "sub-0001"}
    with pytest.raises(StrokeError, match=said):
        add_case_job.run(cohort=source, patient=patient, source=told)


def test_another_patient_of_that_name_stays(source, tmp_path):
    (tmp_path / "raw_data/sub-0001").mkdir(parents=True)
    with pytest.raises(StrokeError, match="already; rename"):
        add_case_job.run(cohort=tmp_path, patient="sub-0001", source={"folder": str(source), "patient": "sub-0001"})
