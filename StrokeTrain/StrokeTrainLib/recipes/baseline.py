"""A strong baseline: MONAI's DynUNet, set up as nnU-Net does for thick sections."""

from __future__ import annotations

from typing import Any

from .registry import Definition

_CHANNELS = {
    "dwi": ("a.u.", "brain-median", 4.0),
    "adc": ("10⁻⁶ mm²/s", "fixed", 3000.0),
    "tmax": ("s", "fixed", 20.0),
    "cbv": ("mL/100 g", "brain-median", 4.0),
    "cbf": ("mL/100 g/min", "brain-median", 4.0),
}
_VALUES: dict[str, Any] = {
    "name": "baseline",
    "title": "Predicted infarct (DynUNet)",
    "paper": "ours; MONAI's DynUNet after Isensee et al., Nature Methods 2021;18:203",
    "target": "final-infarct",
    "segment": "infarct_predicted",
    "network": {
        "name": "dynunet",
        "options": {"channels": 5, "sections": 3, "filters": 32, "levels": 5, "deep_supervision": True},
    },
    "channels": [
        {"role": role, "unit": unit, "normalisation": rule, "scale": scale}
        for role, (unit, rule, scale) in _CHANNELS.items()
    ],
    "view": {"arrangement": "stack", "context": 3},
    "spacing_mm": (1.25, 1.25),
    "matrix": (192, 192),
    "threshold": 0.5,
    "mirror": True,
    "sampling": {"train": "lesion", "validation": "brain", "healthy": 1.0},
    "augmentation": {
        "enabled": True, "mirror": 0.5, "probability": 0.5, "rotation_deg": 30.0, "shift_px": 8.0, "crop": 0.25,
        "elastic_px": 4.0, "elastic_spacing_px": 48, "gain": 0.1,
    },
    "loss": {"name": "dice-ce"},
    "optimiser": {"name": "adamw", "rate": 1e-3, "epsilon": 1e-8, "weight_decay": 1e-4},
    "schedule": {"name": "cosine"},
    "training": {"epochs": 150, "batch": 12, "patience": None, "monitor": "dice", "clip": 12.0},
    "split": {"scheme": "5-fold", "stratify": ("reperfusion", "volume")},
}  # fmt: skip
_SOURCES = {
    path: "ours"
    for path in (
        *_VALUES, "task", "label", "initialisation", "lesion_prior", "selection", "condition", "split", "final", "view",
        "sampling", "optimiser",
    )
} | {
    "loss": "Isensee 2021: Dice and cross-entropy, on deeper outputs too",
    "network": "Isensee 2021: instance norm, leaky ReLU, strided convolutions, 32 filters doubling, deep supervision",
    "mirror": "Isensee 2021: test-time mirroring, left-right alone",
    "training.clip": "Isensee 2021: gradient norm 12",
}  # fmt: skip
_SMALL = {
    "network.options.filters": 8,
    "matrix": (96, 96),
    "spacing_mm": (2.5, 2.5),
    "training.epochs": 30,
    "augmentation.shift_px": 4.0,
    "augmentation.elastic_px": 2.0,
    "augmentation.elastic_spacing_px": 24,
}

DEFINITIONS = {"baseline": Definition(_VALUES, _SOURCES, _SMALL)}
