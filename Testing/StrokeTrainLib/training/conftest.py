"""One finished run that several files of tests look at; whoever changes it takes a copy."""

import threading

import pytest
import torch
from support.small_cohort import write_cohort
from support.small_training import small_recipe

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models.bundle import SUMS, open_bundle
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


class Onlooker:
    """Opens a model again and again while it is made, as a panel may at any moment."""

    def __init__(self, folder):
        self.folder, self.seen, self.over = folder, [], threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while not self.over.wait(0.01):
            if self.folder.exists():
                try:
                    open_bundle(self.folder)
                    self.seen.append((self.folder / SUMS).read_text())
                except StrokeError as error:
                    self.seen.append(str(error))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


@pytest.fixture(scope="package")
def seen():
    """What an onlooker saw of the run's model while the run was being finished."""
    return []


@pytest.fixture(scope="package")
def run(place, options, seen):
    """A finished run and what it returned."""
    before = torch.get_num_threads()
    recipe = small_recipe(optimiser__rate="0.01", training__patience="50")
    told = []
    with Onlooker(place / "run" / "bundle") as onlooker:
        result = train(recipe, place / "run", options, on_epoch=told.append)
    seen.extend(onlooker.seen)
    torch.set_num_threads(before)
    return place / "run", result, told
