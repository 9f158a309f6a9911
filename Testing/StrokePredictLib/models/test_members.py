"""Ensembles as one model, weights that lie elsewhere, hashes in the code."""

import hashlib
import json

import pytest
import torch
from safetensors.torch import save_file
from support.models import channel, make_card, make_network, write_test_bundle

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models import bundle as module
from StrokePredictLib.models.bundle import METADATA, SHIPPED, open_bundle, write_sums
from StrokePredictLib.models.shipped import TARGET, hashes, source
from StrokePredictLib.networks.vgg19 import FILE


def change_card(folder, **changes):
    metadata = json.loads((folder / METADATA).read_text())
    metadata["stroke"].update(changes)
    (folder / METADATA).write_text(json.dumps(metadata))
    write_sums(folder)


def test_an_ensemble_is_one_model_with_one_identity(tmp_path):
    folder = write_test_bundle(tmp_path / "e", "yu2020", "ensemble", members=3)
    bundle = open_bundle(folder)
    digests = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in bundle.card.weights]
    assert bundle.sha256 == hashlib.sha256("".join(digests).encode()).hexdigest()
    for seed in range(3):
        expected = make_network("yu2020", seed).state_dict()
        assert all(torch.equal(value, expected[name]) for name, value in bundle.load(seed).state_dict().items())


def test_missing_weights_say_where_to_get_them(tmp_path):
    folder = write_test_bundle(tmp_path / "w", "yu2020", weights_from="https://example.org/weights")
    (folder / "models" / "model.safetensors").unlink()
    with pytest.raises(
        StrokeError, match=r"model\.safetensors: is missing .* get it from https://example\.org/weights"
    ):
        open_bundle(folder)
    write_sums(folder)  # a bundle that never had them
    with pytest.raises(StrokeError, match=r"get it from https://example\.org/weights"):
        open_bundle(folder)


@pytest.mark.parametrize("path", ["../evil.safetensors", "models/../../x.safetensors", "models/x.pt", "/x.safetensors"])
def test_a_card_cannot_name_weights_elsewhere(tmp_path, path):
    folder = write_test_bundle(tmp_path / "p", "yu2020")
    change_card(folder, weights=[path])
    with pytest.raises(StrokeError, match="card cannot be read"):
        open_bundle(folder)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("yu2020", {"sections": 4}),
        ("yu2020", {"output": "probability"}),
        ("mittermeier2022", {"output": "map"}),
        ("debs2021", {"calibration": {"errors": []}}),
        ("debs2021", {"segment": "unicorn"}),
        ("debs2021", {"channels": [channel("aura")]}),
        ("debs2021", {"channels": [channel("dwi", "percentiles", low=60, high=40)]}),
        ("debs2021", {"channels": [channel("dwi", "zscore")]}),
    ],
)
def test_a_card_that_contradicts_itself(tmp_path, kind, changes):
    folder = write_test_bundle(tmp_path / "c", "yu2020")
    content = make_card(kind).model_dump(mode="json") | changes
    change_card(folder, **content)
    with pytest.raises(StrokeError, match="card cannot be read"):
        open_bundle(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"arrangement": "section", "sections": 1}, "says arrangement section, its network takes stack"),
        ({"channels": [channel("dwi")]}, "says channels 1, its network takes 8"),
        ({"sections": 3}, "says sections 3, its network takes 5"),
        ({"matrix": [60, 64]}, "multiples of 16"),
    ],
)
def test_a_card_that_says_what_its_network_cannot_take(tmp_path, changes, words):
    folder = write_test_bundle(tmp_path / "f", "yu2020")
    change_card(folder, **changes)
    with pytest.raises(StrokeError, match=words):
        open_bundle(folder).load()


def test_a_network_that_is_not_ours_is_not_built(tmp_path):
    folder = write_test_bundle(tmp_path / "n", "yu2020")
    change_card(folder, network={"name": "os:system", "options": {}})
    with pytest.raises(StrokeError, match="no network 'os:system'"):
        open_bundle(folder).load()


def features_file(path, value=0.25):
    features = make_network("mittermeier2022").features.state_dict()
    state = {f"features.{name}": torch.full_like(tensor, value) for name, tensor in features.items()}
    torch.save(state, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_image_features_come_from_torchvisions_file(tmp_path, monkeypatch):
    folder = write_test_bundle(tmp_path / "m", "mittermeier2022")
    state = make_network("mittermeier2022").state_dict()
    own = {k: v.contiguous() for k, v in state.items() if not k.startswith("features.")}
    save_file(own, folder / "models" / "model.safetensors")
    change_card(folder, network={"name": "mittermeier2022", "external_features": True})
    monkeypatch.setenv("STROKE_MODELS", str(tmp_path / "store"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    bundle = open_bundle(folder)
    with pytest.raises(StrokeError, match=f"{FILE}, which cannot be shipped"):
        bundle.load()
    place = tmp_path / "store" / "external" / FILE
    place.parent.mkdir(parents=True)
    digest = features_file(place)
    with pytest.raises(StrokeError, match="SHA-256 differs"):
        bundle.load()
    # A file of ours under a name that tells its hash, as torchvision's does.
    name = f"vgg19-{digest[:8]}.pth"
    place.rename(place.with_name(name))
    monkeypatch.setattr("StrokePredictLib.networks.vgg19.FILE", name)
    network = bundle.load()
    assert (network.features[0].weight == 0.25).all()
    assert torch.equal(network.dense[0].weight, state["dense.0.weight"])


def test_the_code_knows_the_shipped_bundles_by_hash():
    """Fails after a shipped bundle was made anew: run ``python -m StrokePredictLib.models.shipped``."""
    found = {folder.name: hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
             for folder in SHIPPED.iterdir() if (folder / METADATA).is_file()}  # fmt: skip
    assert hashes() == found
    assert TARGET.read_text() == source(found)


def test_an_exchanged_shipped_bundle_is_found_out(tmp_path, monkeypatch):
    """Whole in itself, with sums that fit, and still not what the code came with."""
    folder = write_test_bundle(tmp_path / "infarct-general", "debs2021", "infarct-general")
    open_bundle(folder)
    monkeypatch.setattr(module, "SHIPPED", tmp_path)
    with pytest.raises(StrokeError, match="not the model that this version"):
        open_bundle(folder)
