"""Untrained models of every kind, made-up cases for them, and bundles of both on disk."""

import json

import numpy as np
import torch

from StrokePredictLib.case import StrokeCase
from StrokePredictLib.models.bundle import Bundle, write_sums
from StrokePredictLib.models.card import Card
from StrokePredictLib.networks import create
from StrokePredictLib.networks.course import IMAGES
from StrokePredictLib.volume import Volume

#: Typical values inside a brain by role.
TYPICAL = {"dwi": 100.0, "adc": 800.0, "tmax": 3.0, "cbf": 50.0, "cbv": 4.0, "mtt": 5.0}
YU = ("dwi", "adc", "tmax", "mtt", "cbf", "cbv")


def channel(role, normalisation="brain-median", scale=4.0, **more):
    return {"role": role, "unit": "", "normalisation": normalisation, "scale": scale, **more}


KINDS = {
    "debs2021": {
        "network": {"name": "debs2021", "options": {"channels": 2}},
        "channels": [channel("dwi"), channel("adc", "fixed", 3000.0)],
    },
    "yu2020": {
        "network": {"name": "yu2020", "options": {"filters": 4}},
        "channels": [
            *(channel(role, "brain-mean", 1.0, ceiling=None) for role in YU),
            channel("tmax", "above", 6.0),
            channel("adc", "below", 620.0),
        ],
        "arrangement": "stack",
        "sections": 5,
    },
    "alis2020": {
        "network": {"name": "alis2020", "options": {"channels": 2}},
        "channels": [channel("dwi", "percentiles", 1.0, low=1, high=99), channel("adc", "percentiles", 1.0)],
        "arrangement": "sequence",
    },
    "fate": {
        "network": {"name": "fate", "options": {"filters": 4}},
        "channels": [channel(role, "brain-mean", 1.0, ceiling=None, optional=True) for role in IMAGES],
        "arrangement": "stack",
        "sections": 5,
    },
    "dynunet": {
        "network": {"name": "dynunet", "options": {"channels": 2, "sections": 5, "filters": 4, "levels": 4}},
        "channels": [channel("dwi"), channel("adc", "fixed", 3000.0)],
        "arrangement": "stack",
        "sections": 5,
    },
    "mittermeier2022": {
        "network": {"name": "mittermeier2022", "options": {"freeze": False}},
        "channels": [channel("ctp", "zscore", 1.0)],
        "arrangement": "series",
        "sections": 2,
        "output": "probability",
        "times": 12,
    },
}


def make_card(kind, name=None, **changes):
    """A card of a kind, 64×64 voxels of 3.6 mm."""
    facts = {
        "name": name or f"test-{kind}", "title": f"Test {kind}", "target": "final-infarct",
        "segment": "infarct_predicted", "spacing_mm": (3.6, 3.6), "matrix": (64, 64), "threshold": 0.5,
        "demonstration": False, "intended_use": "Tests.", "licence": "Apache-2.0", "scores": {},
        "training": {"data": "none", "simulated": True, "patients": 0, "salt": "s", "patient_hashes": [], "seed": 0},
    }  # fmt: skip
    return Card(**(facts | KINDS[kind] | changes))


def make_network(kind, seed=0):
    """An untrained network of a kind whose outputs are not all alike."""
    torch.manual_seed(seed)
    network = create(KINDS[kind]["network"]["name"], **KINDS[kind]["network"]["options"])
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.8, 1.6)
            torch.nn.init.normal_(module.bias, std=0.3)
        elif kind == "alis2020" and isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    if kind != "mittermeier2022":
        with torch.no_grad():
            head = network.head.conv.conv if kind == "dynunet" else network.head
            head.weight.mul_(10)
    return network.eval()


class MadeBundle(Bundle):
    """A bundle whose networks are made, not read."""

    def load(self, member=0):
        return make_network(self.card.network.name, seed=member)


class FunctionBundle(Bundle):
    """A bundle whose network is a function: for exact answers."""

    def load(self, member=0):
        return self.functions[member]


def function_bundle(folder, card, *functions):
    """A bundle that answers with modules of ours."""
    bundle = FunctionBundle(folder, card, "f" * 64)
    object.__setattr__(bundle, "functions", functions)
    return bundle


def write_test_bundle(folder, kind, name=None, members=1, first_seed=0, **changes):
    """Write a whole bundle with untrained weights."""
    from safetensors.torch import save_file

    names = ["models/model.safetensors"] if members == 1 else [f"models/fold-{i}.safetensors" for i in range(members)]
    card = make_card(kind, name, weights=names, **changes)
    for sub in ("configs", "models"):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    for seed, weights in enumerate(names):
        state = make_network(kind, first_seed + seed).state_dict()
        save_file({key: tensor.contiguous() for key, tensor in state.items()}, folder / weights)
    (folder / "configs" / "metadata.json").write_text(json.dumps({"stroke": card.model_dump(mode="json")}))
    write_sums(folder)
    return folder


def make_case(shape=(7, 60, 56), roles=tuple(TYPICAL), seed=0):
    """An elliptic brain with smooth, noisy images on a plain grid of 3.6 mm."""
    generator = np.random.default_rng(seed)
    affine = np.diag([3.6, 3.6, 6.0, 1.0])
    z, y, x = np.indices(shape)
    brain = np.hypot((x - shape[2] / 2) / (0.42 * shape[2]), (y - shape[1] / 2) / (0.45 * shape[1])) < 1
    brain[0] = brain[-1] = False
    volumes = {}
    for role in roles:
        wave = 1 + 0.5 * np.sin(x / generator.uniform(4, 9)) * np.cos(y / 7 + z)
        values = TYPICAL[role] * wave * generator.uniform(0.8, 1.2, shape) * brain
        volumes[role] = Volume(values.astype(np.float32), affine, name=role)
    volumes["brain"] = Volume(brain, affine, name="brain")
    return StrokeCase("patient", volumes)


def make_series(case, frames=16):
    """A CT perfusion series on the case's grid: a bolus that comes later on one side."""
    brain = case.volumes["brain"]
    t = np.arange(frames, dtype=np.float32)[:, None, None, None] * 2
    late = np.where(np.arange(brain.shape[2]) > brain.shape[2] / 2, 6.0, 0.0).astype(np.float32)
    bolus = 30 * np.exp(-((t - 12 - late) ** 2) / 30)
    return Volume((40 + bolus) * brain.array, brain.affine, name="ctp"), np.arange(frames) * 2.0
