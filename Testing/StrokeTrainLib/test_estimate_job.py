"""What can be known before a run starts is said before."""

import functools
import json
import shutil
from collections import namedtuple

import pytest
from support.small_cohort import SMALL, write_cohort

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib import estimate_job, recipes_job

SMALLER = {"preset": "small", "matrix": SMALL["matrix"], "spacing_mm": SMALL["spacing_mm"], "split.calibration": "0"}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("estimate") / "cohort", 6)


def estimate(cohort, run, recipe="debs2021", **chosen):
    overrides = SMALLER | chosen.pop("overrides", {})
    return estimate_job.run(recipe=recipe, folder=cohort, run=run, overrides=overrides, folds=3, **chosen)


def test_everybody_is_in_one_part_of_a_fold(cohort, tmp_path):
    found = estimate(cohort, tmp_path / "run", epochs=2)
    assert found["train"] + found["validation"] + found["test"] == found["patients"] == 6
    assert found["test"] == 2  # a third
    assert (found["folds"], found["epochs"]) == (3, 2)
    assert 0 < found["seconds_epoch"] < found["seconds"]
    assert not (tmp_path / "run").exists()


def test_the_recipes_rule_is_kept_and_too_few_says_who_was_left_out(cohort, tmp_path):
    chosen = SMALLER | {"selection.reperfusion": "reperfused"}
    options = {"recipe": "debs2021", "folder": cohort, "run": tmp_path / "run"}
    with pytest.raises(StrokeError, match=r"too few persons .* 3 where 5.*; 3 were excluded, the first: sub-0001"):
        estimate_job.run(**options, overrides=chosen, folds=5)
    with pytest.raises(StrokeError, match="course unknown by Yu's rule"):
        estimate_job.run(**options, overrides=chosen | {"selection.rule": "yu"}, folds=2)


def test_larger_images_need_more_memory_and_disk(cohort, tmp_path):
    small = estimate(cohort, tmp_path / "run")
    large = estimate(cohort, tmp_path / "run", overrides={"matrix": "[64,64]"})
    assert large["memory_gb"] > small["memory_gb"]
    assert large["disk_gb"] > small["disk_gb"]


def test_a_full_disk_is_said(cohort, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 10**6))
    with pytest.raises(StrokeError, match=r"0\.0 GB are free"):
        estimate(cohort, tmp_path / "run")


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"recipe": "mittermeier2022"}, "series missing"),
        ({"recipe": "alis2020-fine-tune"}, "Fine-tune from"),
        ({"device": "cuda"}, "cuda"),
        ({"overrides": {"training.batch": "0"}}, "greater than or equal to 1"),
        ({"init": "no-such-model"}, "no-such-model"),
    ],
)
def test_what_stands_in_the_way(cohort, tmp_path, chosen, said):
    import torch

    if chosen.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("this computer has a GPU")
    if "recipe" in chosen:
        chosen = chosen | {"folder": cohort, "run": tmp_path / "run"}
        ask = estimate_job.run
    else:
        ask = functools.partial(estimate, cohort, tmp_path / "run")
    with pytest.raises(StrokeError, match=said):
        ask(**chosen)


def test_a_folder_with_a_run(cohort, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"format": 1}))
    with pytest.raises(StrokeError, match="holds a run already"):
        estimate(cohort, tmp_path)


def test_cards_say_who_has_what_a_recipe_needs(cohort):
    cards = recipes_job.run(folder=cohort)["recipes"]
    assert (cards["debs2021"]["have"], cards["debs2021"]["of"]) == (6, 6)
    assert cards["debs2021-reperfused"]["have"] == 3  # every second patient: mTICI 3
    assert cards["mittermeier2022"]["have"] == 0
    assert sum(cards["mittermeier2022"]["lacking"].values()) == 6
    paths = [path for path, _value, _source in cards["yu2020"]["values"]["small"]]
    assert {"training.batch", "optimiser.rate", "matrix"} <= set(paths)
    json.dumps(cards)


@pytest.fixture
def begun(cohort, tmp_path):
    """A run that was begun and has a checkpoint's worth of file, nothing trained."""
    from support.small_training import small_recipe

    from StrokeTrainLib.training.begin import Options, begin
    from StrokeTrainLib.training.run_folder import RunFolder

    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    options = Options(data=cohort, cache=tmp_path / "cache", threads=1, device="cpu")
    begin(small_recipe(split__calibration="0"), options, folder)
    folder.fold(1).mkdir()
    (folder.fold(1) / "last.pt").write_bytes(bytes(1000))
    return folder


def test_what_stands_in_the_way_of_going_on(begun, monkeypatch):
    import torch

    assert estimate_job.resumable(run=begun.path)["device"] == "cpu"
    facts = json.loads(begun.run.read_text())
    if not torch.backends.mps.is_available():
        begun.run.write_text(json.dumps(facts | {"device": "mps"}))
        with pytest.raises(StrokeError, match="was begun on 'mps', which is not there now"):
            estimate_job.resumable(run=begun.path)
    begun.run.write_text(json.dumps(facts | {"format": 0}))
    with pytest.raises(StrokeError, match="older version"):
        estimate_job.resumable(run=begun.path)
    begun.run.write_text(json.dumps(facts))
    disk = namedtuple("Disk", "total used free")(10**12, 10**12 - 2999, 2999)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: disk)
    with pytest.raises(StrokeError, match="too little for its checkpoints"):
        estimate_job.resumable(run=begun.path)


def test_a_gpu_that_goes_is_told_as_such(tmp_path):
    from StrokeTrainLib.training.run_folder import RunFolder
    from StrokeTrainLib.training.train import _in_words

    error = RuntimeError("CUDA error: device not ready\nCUDA kernel errors might be asynchronously reported")
    told = _in_words(error, RunFolder(tmp_path))
    assert isinstance(told, StrokeError)
    assert "GPU failed or is gone (CUDA error: device not ready)" in str(told)
    other = RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
    assert _in_words(other, RunFolder(tmp_path)) is other
