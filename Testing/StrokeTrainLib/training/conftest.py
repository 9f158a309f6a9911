"""One finished run that several files of tests look at; whoever changes it takes a copy."""

import pytest
import torch
from support.small_cohort import write_cohort
from support.small_training import small_recipe

from StrokeTrainLib.training.begin import Options
from StrokeTrainLib.training.train import train


@pytest.fixture(scope="package")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    write_cohort(folder / "cohort", 8)
    return folder


@pytest.fixture(scope="package")
def options(place):
    return Options(data=place / "cohort", cache=place / "cache", threads=1, device="cpu")


@pytest.fixture(scope="package")
def run(place, options):
    """A finished run and what it returned."""
    before = torch.get_num_threads()
    recipe = small_recipe(optimiser__rate="0.01", training__patience="50")
    told = []
    result = train(recipe, place / "run", options, on_epoch=told.append)
    torch.set_num_threads(before)
    return place / "run", result, told
