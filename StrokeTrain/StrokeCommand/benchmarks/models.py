"""Untrained models of the papers' sizes, for benchmarks alone."""

from __future__ import annotations

import json
from pathlib import Path

from StrokePredictLib.models.bundle import METADATA, WEIGHTS, write_sums
from StrokePredictLib.models.card import Card
from StrokePredictLib.networks import create
from StrokePredictLib.networks.course import IMAGES

#: By network: options, roles of its channels, what it sees at once, and how many sections of it.
KINDS = {
    "debs2021": ({"channels": 5}, ("dwi", "adc", "tmax", "cbf", "cbv"), "section", 1),
    "yu2020": ({"channels": 8}, ("dwi", "adc", "tmax", "mtt", "cbf", "cbv", "tmax", "adc"), "stack", 5),
    "alis2020": ({"channels": 2}, ("dwi", "adc"), "sequence", 1),
    "fate": ({}, IMAGES, "stack", 5),
}


def make_bundle(folder: Path, kind: str, matrix: tuple[int, int]) -> Path:
    """Write an untrained model of a kind into ``folder/kind`` and return that.

    Parameters
    ----------
    folder : Path
        Where to.
    kind : str
        One of `KINDS`.
    matrix : tuple of int
        In-plane size ``(width, height)`` over 230 mm.
    """
    import torch
    from safetensors.torch import save_file

    options, roles, arrangement, sections = KINDS[kind]
    card = Card(
        name=f"bench-{kind}", title=f"Untrained {kind}", target="final-infarct", segment="infarct_predicted",
        network={"name": kind, "options": options},
        channels=[{"role": r, "unit": "", "normalisation": "brain-mean", "scale": 1.0, "ceiling": None,
                   "optional": kind == "fate"} for r in roles],
        arrangement=arrangement, sections=sections, spacing_mm=(230 / matrix[0], 230 / matrix[1]), matrix=matrix,
        threshold=0.5, demonstration=True, intended_use="Benchmark; untrained.", licence="Apache-2.0", scores={},
        training={"data": "none", "simulated": True, "patients": 0, "salt": "", "patient_hashes": [], "seed": 0},
    )  # fmt: skip
    torch.manual_seed(0)
    place = folder / kind
    for name in ("configs", "models"):
        (place / name).mkdir(parents=True)
    save_file({k: v.contiguous() for k, v in create(kind, **options).state_dict().items()}, place / WEIGHTS)
    (place / METADATA).write_text(json.dumps({"stroke": card.model_dump(mode="json")}), encoding="utf-8")
    write_sums(place)
    return place
