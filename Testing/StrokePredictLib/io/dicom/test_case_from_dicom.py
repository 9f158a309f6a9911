"""A DICOM folder straight to a case."""

import numpy as np
import pytest
from support.dicom_files import Place, write_classic

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.folder import find_files
from StrokePredictLib.io.load import load_case
from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.patient import simulate_patient


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("dicom")
    patient = simulate_patient(0, perfusion=False, grid=Grid(shape=(20, 64, 64), spacing=(3.6, 3.6, 7.0)))
    volume = patient.volumes["b0"]
    where = Place(volume.direction, tuple(volume.spacing), tuple(volume.origin))
    pair = np.stack([volume.array, patient.volumes["dwi"].array]).astype(int)

    def weighting(ds, t, z):
        ds.DiffusionBValue = 800.0 * t

    write_classic(place, pair, where, number=3, description="ep2d_diff", frames=weighting)
    return place, patient


def test_images_grid_and_b_value(folder):
    place, patient = folder
    case = load_case(place)
    assert set(case.volumes) == {"b0", "dwi", "adc", "brain"}
    assert np.array_equal(case.volumes["b0"].array, patient.volumes["b0"].array)
    assert np.abs(case.reference.corners() - patient.volumes["b0"].corners()).max() < 1e-3
    assert "b = 800 s/mm² (its DICOM header)" in case.sources["adc"]
    b0, dwi = (patient.volumes[name].array for name in ("b0", "dwi"))
    some = (b0 > 100) & (dwi > 100)
    assert np.allclose(case.volumes["adc"].array[some], np.log(b0[some] / dwi[some]) / 800e-6, rtol=1e-3, atol=0.1)


def test_nothing_of_use_is_one_line(folder, tmp_path):
    write_classic(tmp_path, np.ones((5, 8, 8), int), Place(), description="t1 something")
    with pytest.raises(StrokeError, match="plays a role"):
        find_files(tmp_path)


def test_the_files_behind_a_case_are_known(folder):
    found = find_files(folder[0])
    assert all(path.is_file() for path in found.roles.values())
    assert "b = 0" in found.reasons["b0"]
