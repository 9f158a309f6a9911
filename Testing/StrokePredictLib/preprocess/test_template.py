"""The MNI template found in simulated patients, whose place in it is known."""

import numpy as np
import pytest

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.phantom.anatomy import build_anatomy, draw_pose
from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.patient import simulate_patient
from StrokePredictLib.preprocess.template import (
    TemplateFit,
    fit_template,
    from_template,
    template,
    to_template,
    warp_template,
)
from StrokePredictLib.volume import Volume


def mni_places():
    x, y, z = (a.ravel() for a in np.meshgrid([-50, -25, 0, 25, 50], [-70, -40, -10, 20, 45], [-10, 6, 30, 50]))
    inside = (x / 65) ** 2 + ((y + 17) / 85) ** 2 + ((z - 10) / 60) ** 2 < 1
    return np.stack([x, y, z], axis=1)[inside].astype(float)


@pytest.fixture(scope="module")
def fitted():
    patient = simulate_patient(2, perfusion=False)
    brain = patient.truth["brain"].with_array(patient.truth["brain"].array > 0)
    return patient, {role: fit_template(patient.volumes[role], brain) for role in ("b0", "dwi", "flair")}


@pytest.mark.parametrize("role", ["b0", "dwi", "flair"])
def test_places_of_the_template_in_the_patient(fitted, role):
    """The patient's own bends of some 2 mm are beyond an affine; it must not add more than as much again."""
    patient, fits = fitted
    pose = draw_pose(patient.seed, female=patient.facts["sex"] == "F")
    true = pose.to_ras(mni_places()) * [-1, -1, 1]
    gap = np.linalg.norm(fits[role].to_patient(mni_places()) - true, axis=1)
    assert not fits[role].failure
    assert np.median(gap) < 3.5
    assert np.percentile(gap, 95) < 6.0
    assert np.allclose(fits[role].to_mni(fits[role].to_patient(mni_places())), mni_places(), atol=1e-6)


def test_to_the_template_and_home(fitted):
    patient, fits = fitted
    brain = patient.truth["brain"].with_array(patient.truth["brain"].array > 0)
    there = to_template(brain, fits["dwi"], is_mask=True)
    assert there.same_grid(template())
    inside = template().array > 0
    assert 2 * (there.array & inside).sum() / (there.array.sum() + inside.sum()) > 0.85
    home = from_template(there, brain, fits["dwi"], is_mask=True).array
    assert 2 * (home & brain.array).sum() / (home.sum() + brain.array.sum()) > 0.95


@pytest.fixture(scope="module")
def anatomy(fitted):
    """Places of the patient's brain, LPS mm, and where in MNI space its tissue truly comes from, bends included."""
    patient, _ = fitted
    pose = draw_pose(patient.seed, female=patient.facts["sex"] == "F")
    image = patient.volumes["dwi"]
    y, z = image.direction[1:, 1]
    grid = Grid(image.shape, tuple(image.spacing), float(np.degrees(np.arctan2(z, y))))
    assert np.abs(grid.affine - image.affine).max() < 1e-3
    made = build_anatomy(patient.seed, grid, pose, patient.facts["age"])
    some = np.flatnonzero(made.brain)[::97]
    index = np.stack(np.unravel_index(made.inside[some], image.shape)[::-1], axis=1)
    return grid.points_lps(index), made.mni[some] * [-1, -1, 1]


@pytest.mark.parametrize("role", ["b0", "dwi"])
def test_the_template_is_bent_onto_the_patient(fitted, anatomy, role):
    """The patient's own bends, which an affine leaves, are followed to within a millimetre; and the way back is too."""
    patient, fits = fitted
    infarct = patient.truth["infarct"].with_array(patient.truth["infarct"].array > 0)
    found = warp_template(patient.volumes[role], fits[role], lesion=infarct)
    assert not found.rejected
    assert found.correlation > found.before + 0.05
    here, mni = anatomy
    forward, back = found.transform(), found.inverse()
    gap = np.linalg.norm(
        [np.array(forward.TransformPoint(m.tolist())) - p for m, p in zip(mni, here, strict=True)], axis=1
    )
    affine = np.linalg.norm(mni @ fits[role].matrix[:3, :3].T + fits[role].matrix[:3, 3] - here, axis=1)
    assert np.median(gap) < 1.0
    assert np.percentile(gap, 95) < 2.2
    assert np.median(gap) < 0.5 * np.median(affine)
    home = np.linalg.norm(
        [np.array(back.TransformPoint(p.tolist())) - m for m, p in zip(mni, here, strict=True)], axis=1
    )
    assert np.percentile(home, 95) < 2.5
    there = to_template(infarct, found, is_mask=True)
    again = from_template(there, infarct, found, is_mask=True)
    assert there.same_grid(template())
    assert 2 * (again.array & infarct.array).sum() / (again.array.sum() + infarct.array.sum()) > 0.85


def test_a_failed_affine_is_not_bent(fitted):
    with pytest.raises(StrokeError, match="cannot be bent onto the template: no"):
        warp_template(fitted[0].volumes["dwi"], TemplateFit(np.eye(4), 0.0, "no"))


def test_the_template_is_upright_and_its_left_is_left():
    """MNI's origin is the anterior commissure: the brain reaches further back than forward."""
    brain = template()
    index = np.argwhere(brain.array > 0)[:, ::-1]
    lps = index @ brain.affine[:3, :3].T + brain.affine[:3, 3]
    assert abs(lps[:, 0].mean()) < 2.0
    assert lps[:, 1].max() > 95
    assert lps[:, 1].min() > -80
    assert lps[:, 2].max() > 70


def test_noise_and_empty_masks(fitted):
    patient, _ = fitted
    brain = patient.truth["brain"].with_array(patient.truth["brain"].array > 0)
    noise = np.random.default_rng(0).normal(100, 30, brain.shape).astype(np.float32)
    everywhere = brain.with_array(np.ones(brain.shape, bool))
    assert fit_template(brain.with_array(noise), everywhere).failure
    with pytest.raises(StrokeError, match="too little brain"):
        fit_template(Volume(noise, brain.affine, name="x"), brain.with_array(np.zeros(brain.shape, bool)))
