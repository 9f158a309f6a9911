"""The maps of the simulated patient against its truth."""

import numpy as np
import pytest

from StrokePredictLib.perfusion.pipeline import compute_maps
from StrokePredictLib.phantom.patient import simulate_patient


@pytest.fixture(scope="module")
def patient():
    return simulate_patient(0)


def test_hypoperfusion_and_artery_of_the_phantom(patient):
    truth = {name: volume.array for name, volume in patient.truth.items()}
    result = compute_maps(patient.volumes["pwi"], patient.times, modality="MR", echo_time=patient.echo_time)
    found, true = result.maps["tmax"].array > 6, truth["tmax_ref"] > 6
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) >= 0.75
    assert result.summary["quality_passed"], result.summary["quality"]
    assert result.summary["quality"][0]["name"] == "bolus"
    for candidate in result.summary["aif"]["candidates"][:3]:
        x, y, z = candidate["voxel"]
        assert truth["artery_fraction"][z, y, x] > 0.5
        assert truth["vein_fraction"][z, y, x] < 0.05
        assert not truth["late_artery"][z, y, x]
    scale = patient.scanner.blood_relaxivity
    assert max(result.summary["aif"]["curve"]) == pytest.approx(scale * patient.true_aif.max(), rel=0.15)
    x, y, z = result.summary["vof"]["voxel"]
    assert truth["vein_fraction"][z, y, x] > 0.5
    plain = result.mask.array & (truth["tissue"] >= 2) & (truth["vein_fraction"] < 0.05) & ~true
    plain &= truth["artery_fraction"] < 0.05
    # Tissue's relaxivity is higher than blood's: without a calibration the volume comes out by their ratio too high.
    ratio = patient.scanner.relaxivity / patient.scanner.blood_relaxivity
    assert np.median(result.maps["cbv"].array[plain] / truth["cbv"][plain]) == pytest.approx(ratio, rel=0.1)
