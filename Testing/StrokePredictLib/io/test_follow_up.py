"""The follow-up lesion on the baseline's grid, in what public data sets and our own cohorts hold."""

import numpy as np
import pytest
from support.bent_heads import BentGrid
from support.heads import MovedGrid, as_if_unmoved, motion

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.follow_up import load_follow_up
from StrokePredictLib.io.images import write_image
from StrokePredictLib.io.load import load_case
from StrokePredictLib.phantom.patient import simulate_patient
from StrokePredictLib.preprocess.registration import apply_rigid

SUB = "sub-0001"


@pytest.fixture(scope="module")
def heads():
    matrix = motion(np.random.default_rng(8), 10.0, 8.0)
    patient = simulate_patient(2, perfusion=False)
    grid = MovedGrid(shape=(36, 120, 120), spacing=(1.9, 1.9, 4.4), moved=tuple(matrix.ravel()))
    later = simulate_patient(2, perfusion=False, grid=grid)
    return patient, as_if_unmoved(later.volumes["flair"], matrix), as_if_unmoved(later.truth["infarct"], matrix)


def true_motion():
    """Return where the baseline's places lie in the follow-up: the grid was moved, its header does not know."""
    return np.linalg.inv(motion(np.random.default_rng(8), 10.0, 8.0))


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def write_cohort(root, heads, *, with_flair=True):
    patient, flair, lesion = heads
    first, second = (root / "raw_data" / SUB / f"ses-{n}" for n in ("01", "02"))
    derived = root / "derivatives" / SUB / "ses-02"
    for folder in (first, second, derived):
        folder.mkdir(parents=True)
    for role in ("b0", "dwi", "adc"):
        write_image(first / f"{SUB}_ses-01_{role}.nii.gz", patient.volumes[role])
    if with_flair:
        write_image(second / f"{SUB}_ses-02_flair.nii.gz", flair)
    write_image(derived / f"{SUB}_ses-02_lesion-msk.nii.gz", lesion.with_array(lesion.array > 0))
    return root


def test_a_lesion_drawn_on_a_moved_flair(heads, tmp_path):
    case = load_case(write_cohort(tmp_path, heads))
    found = load_follow_up(tmp_path, case)
    true = heads[0].truth["infarct"].array > 0
    assert found.lesion.same_grid(case.reference)
    assert found.lesion.array.dtype == bool
    # Sections of 4.4 and 6 mm: even the true motion, known to nobody, brings it home with partial volume.
    drawn = heads[2].with_array(heads[2].array > 0)
    best = apply_rigid(drawn, case.reference, true_motion(), is_mask=True).array
    assert dice(found.lesion.array, true) > dice(best, true) - 0.03
    assert dice(found.lesion.array, true) > 0.7
    assert "registered, moved" in found.source
    assert found.image.same_grid(case.reference)


def test_a_deformable_registration_on_request_tells_both(heads, tmp_path):
    """These heads are not bent: the rigid answer stands, and the sentence says so."""
    case = load_case(write_cohort(tmp_path, heads))
    rigid, found = load_follow_up(tmp_path, case), load_follow_up(tmp_path, case, deformable=True)
    assert rigid.deformation is None
    assert "registered, moved" in found.source
    assert "deformable registration not used" in found.source
    assert np.array_equal(found.lesion.array, rigid.lesion.array)


def test_a_bent_head_brings_its_lesion_home_bent(tmp_path):
    """A swelling about the infarct: the lesion overlaps the baseline's tissue better than after the rigid motion."""
    patient = simulate_patient(2, perfusion=False)
    infarct = patient.truth["infarct"]
    middle = infarct.affine[:3, :3] @ np.argwhere(infarct.array > 0)[:, ::-1].mean(axis=0) + infarct.affine[:3, 3]
    grid = BentGrid(
        shape=(36, 120, 120), spacing=(1.9, 1.9, 4.4), bumps=(((middle[0], middle[1], middle[2]), None, -5.0, 28.0),)
    )
    later = simulate_patient(2, perfusion=False, grid=grid)
    root = write_cohort(tmp_path, (patient, later.volumes["flair"], later.truth["infarct"]))
    case = load_case(root)
    found = load_follow_up(root, case, deformable=True)
    rigid = load_follow_up(root, case)
    true = infarct.array > 0
    assert dice(found.lesion.array, true) > dice(rigid.lesion.array, true) + 0.02
    assert "mL rigidly" in found.source
    volumes = [abs(float(f.lesion.array.sum()) - true.sum()) for f in (rigid, found)]
    assert volumes[1] < volumes[0]


def test_a_lesion_on_the_baselines_grid_is_not_moved(heads, tmp_path):
    write_cohort(tmp_path, heads)
    patient = heads[0]
    here = patient.truth["infarct"].with_array(patient.truth["infarct"].array > 0)
    folder = tmp_path / "derivatives" / SUB / "ses-02"
    write_image(folder / f"{SUB}_ses-02_space-dwi_lesion-msk.nii.gz", here)
    found = load_follow_up(tmp_path, load_case(tmp_path))
    assert found.registration is None
    assert np.array_equal(found.lesion.array, here.array)


def test_without_the_image_it_was_drawn_on_it_is_refused(heads, tmp_path):
    write_cohort(tmp_path, heads, with_flair=False)
    with pytest.raises(StrokeError, match="no follow-up image of its grid"):
        load_follow_up(tmp_path, load_case(tmp_path))


def test_no_follow_up_is_none(heads, tmp_path):
    for role in ("b0", "dwi"):
        write_image(tmp_path / f"{role}.nii.gz", heads[0].volumes[role])
    assert load_follow_up(tmp_path, load_case(tmp_path)) is None
