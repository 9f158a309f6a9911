"""Ours: one network for every state of reperfusion, told what happened while it learns."""

from __future__ import annotations

from typing import Any

from .registry import Definition

#: The network's images in its order, with unit, scale that brings usual values to about 0..1, and rule.
_IMAGES = {
    "dwi": ("a.u.", "brain-median", 4.0),
    "adc": ("10⁻⁶ mm²/s", "fixed", 3000.0),
    "tmax": ("s", "fixed", 20.0),
    "cbf": ("mL/100 g/min", "brain-median", 4.0),
    "cbv": ("mL/100 g", "brain-median", 4.0),
    "mtt": ("s", "fixed", 30.0),
}
_VALUES: dict[str, Any] = {
    "name": "fate",
    "title": "Predicted infarct by course of events",
    "paper": "ours; attention-gated 2.5D U-Net with feature-wise modulation (Oktay 2018, Perez 2018)",
    "target": "final-infarct",
    "segment": "infarct_predicted",
    "selection": {"reperfusion": "any", "rule": "yu"},
    "network": {"name": "fate", "options": {"sections": 5, "filters": 16, "levels": 5}},
    "channels": [
        {"role": role, "unit": unit, "normalisation": rule, "scale": scale, "optional": True}
        for role, (unit, rule, scale) in _IMAGES.items()
    ],
    "view": {"arrangement": "stack", "context": 5},
    "spacing_mm": (1.8, 1.8),
    "matrix": (128, 128),
    "threshold": 0.5,
    "sampling": {"train": "brain", "validation": "brain"},
    "augmentation": {
        "enabled": True, "mirror": 0.5, "probability": 0.5, "rotation_deg": 10.0, "shift_px": 4.0, "crop": 0.1,
        "gain": 0.1,
    },
    "condition": {"unknown": 0.25, "onset_unknown": 0.1, "image_missing": 0.1},
    "loss": {"name": "bce-dice"},
    "optimiser": {"name": "adamw", "rate": 1e-3, "epsilon": 1e-8, "weight_decay": 1e-4},
    "schedule": {"name": "cosine"},
    "training": {"epochs": 100, "batch": 16, "patience": None, "monitor": "dice", "clip": 5.0},
    "split": {"scheme": "5-fold", "stratify": ("reperfusion", "volume")},
}  # fmt: skip
#: Nothing here is from a paper on stroke.
_SOURCES = {
    path: "ours"
    for path in (
        *_VALUES, "task", "label", "initialisation", "lesion_prior", "selection", "mirror", "condition", "split",
        "final", "view", "sampling",
    )
}  # fmt: skip
_SMALL = {
    "network.options.filters": 8,
    "matrix": (80, 80),
    "spacing_mm": (2.6, 2.6),
    "training.epochs": 30,
    "augmentation.shift_px": 2.0,
}

DEFINITIONS = {"fate": Definition(_VALUES, _SOURCES, _SMALL)}
