"""Images acquired apart come onto one grid by registration, and by their headers alone where that fails."""

import numpy as np
import pytest
from support.heads import MovedGrid, as_if_unmoved, motion

from StrokePredictLib.io.images import write_image
from StrokePredictLib.io.load import load_case
from StrokePredictLib.phantom.patient import simulate_patient


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Diffusion, and a FLAIR of the same head after it had moved, with a header that does not know."""
    place = tmp_path_factory.mktemp("apart")
    matrix = motion(np.random.default_rng(4), 8.0, 6.0)
    patient = simulate_patient(1, perfusion=False)
    grid = MovedGrid(shape=(28, 110, 110), spacing=(2.1, 2.1, 5.5), moved=tuple(matrix.ravel()))
    other = simulate_patient(1, perfusion=False, grid=grid)
    for role in ("b0", "dwi", "adc"):
        write_image(place / f"{role}.nii.gz", patient.volumes[role])
    write_image(place / "flair.nii.gz", as_if_unmoved(other.volumes["flair"], matrix))
    return place, patient


def test_a_moved_flair_is_registered(folder):
    place, patient = folder
    case = load_case(place)
    assert "registered, moved" in case.sources["flair"]
    brain = patient.truth["brain"].array > 0
    true = patient.volumes["flair"].array[brain]
    by_header = load_case(place, register=False)
    assert any("without registration" in doubt for doubt in by_header.doubts)
    assert np.corrcoef(case.volumes["flair"].array[brain], true)[0, 1] > 0.9
    assert np.corrcoef(by_header.volumes["flair"].array[brain], true)[0, 1] < 0.8


def test_a_failed_registration_is_told(folder, tmp_path):
    place, patient = folder
    flair = patient.volumes["flair"]
    noise = np.random.default_rng(0).normal(100, 20, flair.shape).astype(np.float32)
    path = tmp_path / "flair.nii.gz"
    shifted = flair.affine.copy()
    shifted[:3, 3] += 0.7
    write_image(path, type(flair)(noise, shifted))
    case = load_case(place, files={"flair": path})
    assert any("registration failed" in doubt for doubt in case.doubts)
    assert case.volumes["flair"].same_grid(case.reference)
