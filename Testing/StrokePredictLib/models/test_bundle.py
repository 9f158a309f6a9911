"""Bundles are verified before anything in them is used, and nothing in them is run."""

import json
import pickle
import shutil

import pytest
import torch
from safetensors.torch import load_file
from support.models import make_card

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models.bundle import find_bundle, open_bundle, shipped_bundles, write_sums
from StrokePredictLib.networks import create
from StrokePredictLib.phantom.frozen_record import FINGERPRINT
from StrokeTrainLib.bundle_writer import write_bundle
from StrokeTrainLib.demonstration import commands
from StrokeTrainLib.demonstration_models import MODELS


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A bundle with untrained weights."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("bundles") / "test-debs2021"
    folder.mkdir()
    write_bundle(folder, create("debs2021", channels=2), make_card("debs2021"), "0.0.1", "For a test.")
    return folder


@pytest.fixture
def bundle(made, tmp_path):
    shutil.copytree(made, tmp_path / "b")
    return tmp_path / "b"


def test_round_trip_gives_the_same_weights(bundle):
    opened = open_bundle(bundle)
    network = opened.load()
    assert not network.training
    for key, tensor in load_file(bundle / "models" / "model.safetensors").items():
        assert torch.equal(network.state_dict()[key], tensor)


def test_every_file_is_listed(bundle):
    listed = {line.split("  ")[1] for line in (bundle / "SHA256SUMS").read_text().splitlines()}
    assert listed == {"configs/metadata.json", "configs/inference.json", "docs/README.md", "models/model.safetensors"}


@pytest.mark.parametrize("name", ["models/model.safetensors", "configs/metadata.json", "docs/README.md"])
def test_an_altered_file_is_refused(bundle, name):
    with (bundle / name).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(StrokeError, match="was altered"):
        open_bundle(bundle)


def test_a_missing_and_an_unlisted_file_are_refused(bundle):
    (bundle / "docs" / "more.txt").write_text("x")
    with pytest.raises(StrokeError, match="is not in the bundle"):
        open_bundle(bundle)
    (bundle / "docs" / "more.txt").unlink()
    (bundle / "models" / "model.safetensors").unlink()
    with pytest.raises(StrokeError, match="is missing"):
        open_bundle(bundle)
    (bundle / "SHA256SUMS").unlink()
    with pytest.raises(StrokeError, match="no model bundle"):
        open_bundle(bundle)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"threshold": 1.5}, "threshold"),
        ({"target": "tomorrow"}, "target"),
        ({"surprise": 1}, "surprise"),
        ({"channels": []}, "channels"),
    ],
)
def test_a_card_that_breaks_the_schema(bundle, change, words):
    path = bundle / "configs" / "metadata.json"
    metadata = json.loads(path.read_text())
    metadata["stroke"].update(change)
    path.write_text(json.dumps(metadata))
    write_sums(bundle)
    with pytest.raises(StrokeError, match=words) as caught:
        open_bundle(bundle)
    assert "\n" not in str(caught.value)


class Trap:
    """What an attacker pickles."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_a_pickle_in_the_place_of_weights_is_not_run(bundle, tmp_path):
    (bundle / "models" / "model.safetensors").write_bytes(pickle.dumps(Trap(str(tmp_path / "sprung"))))
    write_sums(bundle)
    with pytest.raises(StrokeError, match="no readable safetensors"):
        open_bundle(bundle).load()
    assert not (tmp_path / "sprung").exists()
    pickle.loads(pickle.dumps(Trap(str(tmp_path / "sprung"))))
    assert (tmp_path / "sprung").exists()  # the trap is a real one


def test_a_config_that_would_run_code_is_not_run(bundle, tmp_path):
    code = f"$open('{tmp_path / 'sprung'}', 'w')"
    (bundle / "configs" / "inference.json").write_text(json.dumps({"initialize": [code], "run": [code]}))
    write_sums(bundle)
    open_bundle(bundle).load()
    assert not (tmp_path / "sprung").exists()


def test_weights_of_another_architecture(bundle):
    path = bundle / "configs" / "metadata.json"
    metadata = json.loads(path.read_text())
    metadata["stroke"]["network"]["options"]["channels"] = 3
    path.write_text(json.dumps(metadata))
    write_sums(bundle)
    with pytest.raises(StrokeError, match="do not fit the network"):
        open_bundle(bundle).load()


def test_unknown_model_names_those_at_hand():
    with pytest.raises(StrokeError, match="infarct-general"):
        find_bundle("oracle")


def test_shipped_bundles_are_whole_and_say_what_they_are():
    folders = shipped_bundles()
    assert {folder.name for folder in folders} == set(MODELS)
    for folder in folders:
        opened = open_bundle(folder)
        opened.load()
        card = opened.card
        assert card.demonstration
        assert card.training.simulated
        assert card.training.phantom == FINGERPRINT
        assert "trained on simulated patients only; not for clinical use" in card.intended_use.lower()
        assert "not for clinical use" in (folder / "docs" / "README.md").read_text().lower()
        assert len(card.training.patient_hashes) == card.training.patients
        assert card.training.commands == commands(MODELS[card.name])
        assert len(card.training.calibration_hashes) == (len(card.calibration.errors) if card.calibration else 0)
        assert "patients tested" in card.scores


def test_shipped_bundles_are_small_and_store_halves():
    files = [path for folder in shipped_bundles() for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 12_000_000
    for path in files:
        if path.suffix == ".safetensors":
            for name, tensor in load_file(path).items():
                wide = name.endswith(("running_mean", "running_var"))
                assert tensor.dtype == (torch.float32 if wide else torch.float16) or not tensor.is_floating_point()


def test_monais_own_command_line_runs_it(bundle):
    """The same input gives the same probabilities through MONAI's runner as through our loader."""
    import numpy as np
    from monai.bundle import ConfigParser

    sections = np.random.default_rng(0).random((2, 2, 64, 64), np.float32)
    np.save(bundle / "sections.npy", sections)
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.json"))
    parser["bundle_root"] = str(bundle)
    parser.parse()
    for step in range(2):
        parser.get_parsed_content(f"run#{step}")
    (bundle / "sections.npy").unlink()
    found = np.load(bundle / "probabilities.npy")
    (bundle / "probabilities.npy").unlink()
    with torch.inference_mode():
        expected = open_bundle(bundle).load()(torch.from_numpy(sections)).softmax(1).numpy()
    assert np.allclose(found, expected, atol=1e-6)
