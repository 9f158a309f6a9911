import pytest

from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.mr import Scanner
from StrokePredictLib.phantom.patient import simulate_patient

SMALL = Grid(shape=(12, 64, 64), spacing=(3.6, 3.6, 12.0))


@pytest.fixture(scope="session")
def patient():
    """The demonstration's patient as it is simulated by default."""
    return simulate_patient(0)


@pytest.fixture(scope="session")
def quiet():
    """The same patient without noise, on half the grid."""
    grid = Grid(shape=(24, 64, 64), spacing=(3.6, 3.6, 6.0))
    return simulate_patient(0, grid=grid, scanner=Scanner(dwi_snr=1e6, pwi_snr=1e6, flair_snr=1e6))


@pytest.fixture(scope="session")
def small_grid():
    return SMALL
