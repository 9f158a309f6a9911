"""Bundles of every kind: our loader and MONAI's own runner give the same probabilities."""

import numpy as np
import pytest
import torch
from monai.bundle import run
from support.models import KINDS, make_card, make_network

from StrokePredictLib.models.bundle import open_bundle
from StrokePredictLib.networks.course import IMAGES, Course
from StrokeTrainLib.bundle_writer import write_bundle

#: Shape of prepared inputs, as `inference_config` documents them.
SHAPES = {
    "debs2021": (2, 2, 32, 32),
    "yu2020": (2, 40, 32, 32),
    "alis2020": (1, 3, 2, 32, 32),
    "fate": (2, 30, 32, 32),
    "dynunet": (2, 10, 32, 32),
    "mittermeier2022": (1, 2, 4, 32, 32),
}


@pytest.mark.parametrize(("kind", "members"), [*((kind, 1) for kind in KINDS), ("yu2020", 3)])
def test_monais_runner_gives_what_our_loader_gives(tmp_path, kind, members):
    names = [f"models/fold-{i}.safetensors" for i in range(members)] if members > 1 else ["models/model.safetensors"]
    card = make_card(kind, weights=names)
    folder = tmp_path / "bundle"
    write_bundle(folder, [make_network(kind, seed) for seed in range(members)], card, "0.0.1", "For a test.")
    bundle = open_bundle(folder)
    inputs = np.random.default_rng(0).random(SHAPES[kind], np.float32)
    np.save(tmp_path / "sections.npy", inputs)
    told = np.array([Course("complete", 100).vector(IMAGES)] * SHAPES[kind][0], np.float32)
    np.save(tmp_path / "told.npy", told)
    parts = [torch.from_numpy(inputs)] + ([torch.from_numpy(told)] if kind == "fate" else [])
    with torch.no_grad():
        logits = [bundle.load(member)(*parts) for member in range(members)]
    expected = torch.stack([x.softmax(1) if kind == "debs2021" else x.sigmoid() for x in logits]).mean(0).numpy()
    more = {"told": str(tmp_path / "told.npy")} if kind == "fate" else {}
    run(  # what `python -m monai.bundle run` calls
        config_file=str(folder / "configs" / "inference.json"), bundle_root=str(folder),
        sections=str(tmp_path / "sections.npy"), output=str(tmp_path / "out.npy"), **more,
    )  # fmt: skip
    assert np.abs(np.load(tmp_path / "out.npy") - expected).max() < 1e-5


def test_image_features_that_lie_elsewhere_are_not_written(tmp_path):
    from safetensors.torch import load_file

    card = make_card("mittermeier2022", network={"name": "mittermeier2022", "external_features": True})
    write_bundle(tmp_path / "b", make_network("mittermeier2022"), card, "0.0.1", "For a test.")
    stored = load_file(tmp_path / "b" / "models" / "model.safetensors")
    assert sum(tensor.numel() for tensor in stored.values()) == 43_469
    assert "vgg19-dcbb9e9d.pth" in (tmp_path / "b" / "configs" / "inference.json").read_text()
