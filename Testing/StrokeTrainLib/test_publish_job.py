"""A run's model under a name of its own: installed and packed, the weights unchanged."""

import json
import zipfile

import pytest
from support.small_cohort import SMALL
from support.small_run import write_model

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models.bundle import open_bundle
from StrokePredictLib.models.install import install
from StrokeTrainLib import publish_job
from StrokeTrainLib.recipes import load_recipe

WORDS = {"name": "mine", "title": "Mine", "intended_use": "For a test.", "licence": "CC0-1.0"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    (run / "run.json").write_text(json.dumps({"format": 1}))
    small = {key: SMALL[key] for key in ("matrix", "spacing_mm")}
    write_model(run / "bundle", load_recipe("debs2021", {"preset": "small", **small}))
    return run


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("STROKE_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def test_published_under_new_words_with_the_same_weights(run, store):
    before = open_bundle(run / "bundle")
    done = publish_job.publish(run=run, words=WORDS)
    made = open_bundle(store / "mine")
    assert done["sha256"] == made.sha256 == before.sha256
    assert {key: getattr(made.card, key) for key in WORDS} == WORDS
    assert made.card.training == before.card.training
    assert made.card.demonstration
    readme = (store / "mine" / "docs" / "README.md").read_text(encoding="utf-8")
    assert "For a test." in readme
    assert "Mine" in readme
    with pytest.raises(StrokeError, match="installed already"):
        publish_job.publish(run=run, words=WORDS)
    publish_job.publish(run=run, words=WORDS | {"title": "Mine again"}, replace=True)
    assert open_bundle(store / "mine").card.title == "Mine again"


def test_packed_and_installed_elsewhere(run, tmp_path):
    publish_job.export(run=run, words=WORDS, file=tmp_path / "mine.zip")
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        assert all(name.startswith("mine/") for name in archive.namelist())
    assert install(tmp_path / "mine.zip").card.name == "mine"
    assert [path.name for path in tmp_path.glob(".*")] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [({"name": "Not a name"}, "hyphens"), ({"title": " "}, "title is empty"), ({"threshold": "0.1"}, "cannot be")],
)
def test_words_that_cannot_be_used(run, store, words, said):
    with pytest.raises(StrokeError, match=said):
        publish_job.publish(run=run, words=WORDS | words)
    assert not store.exists()


def test_a_run_that_is_not_done_has_no_model(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"format": 1}))
    with pytest.raises(StrokeError, match="no model yet"):
        publish_job.card(run=tmp_path)
