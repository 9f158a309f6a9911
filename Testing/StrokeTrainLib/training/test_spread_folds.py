"""Folds on the workers of a real dask scheduler."""

import pytest
from safetensors.torch import load_file
from support.small_cohort import SMALL, write_cohort

from StrokeTrainLib.training.begin import Options
from StrokeTrainLib.training.train import recipe_for, train


@pytest.mark.slow
def test_folds_on_two_workers_give_the_models_of_one_process(tmp_path):
    from distributed import LocalCluster

    cohort, cache = write_cohort(tmp_path / "cohort", 8), tmp_path / "cache"
    recipe = recipe_for("debs2021-early", "nowhere", overrides=SMALL, folds=2, epochs=2)
    here = train(recipe, tmp_path / "here", Options(data=cohort, cache=cache, threads=1, device="cpu"))
    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        options = Options(data=cohort, cache=cache, threads=1, device="cpu", scheduler=cluster.scheduler_address)
        there = train(recipe, tmp_path / "there", options)
    assert [fold["fold"] for fold in there["folds"]] == [1, 2]
    assert there["scores"] == here["scores"]
    for fold in (1, 2):
        name = f"bundle/models/fold-{fold}.safetensors"
        a, b = load_file(tmp_path / "here" / name), load_file(tmp_path / "there" / name)
        assert all(a[key].equal(b[key]) for key in a)
