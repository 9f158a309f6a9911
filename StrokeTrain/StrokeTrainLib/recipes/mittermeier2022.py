"""Mittermeier et al., Diagnostics 2022;12:1142: core classifier on CT perfusion, and its ablations."""

from __future__ import annotations

from typing import Any

from .registry import Definition

#: Suffix of the name → temporal paths of the network, words for the title.
_PATHS = {"": ("both", ""), "-local": ("local", ", kernel 3"), "-global": ("global", ", kernel 11")}


def _values(suffix: str) -> dict[str, Any]:
    paths, words = _PATHS[suffix]
    return {
        "name": f"mittermeier2022{suffix}",
        "title": f"Large core on CT perfusion (Mittermeier 2022{words})",
        "paper": "Mittermeier et al., Diagnostics 2022;12:1142",
        "target": "acute-core",
        "task": "classification",
        "label": "cbv",
        "segment": "core_network",
        "network": {
            "name": "mittermeier2022",
            "options": {"sections": 2, "paths": paths, "freeze": True, "dropout": 0.5},
            "external_features": True,
        },
        "initialisation": "keras",
        "channels": [{"role": "ctp", "unit": "HU", "normalisation": "zscore", "scale": 1.0}],
        "view": {"arrangement": "series", "context": 2, "times": 32, "interval_s": 1.5},
        "spacing_mm": (1.5625, 1.5625),
        "matrix": (128, 128),
        "threshold": 0.5,
        "sampling": {"normalise_by": "batch"},
        "augmentation": {"enabled": True, "flip": 0.5, "rotation_deg": 15.0, "shift_px": 10.0},
        "loss": {"name": "bce"},
        "optimiser": {"name": "rmsprop", "rate": 1e-3, "rho": 0.9},
        "schedule": {"name": "constant"},
        "training": {"epochs": 500, "batch": 12, "patience": 200, "monitor": "loss"},
        "split": {"scheme": "10-fold"},
    }


_SOURCES = {
    "target": "paper: infarct core at baseline",
    "task": "paper: core volume above or below the training median",
    "label": "paper: CBV < 1.2 mL/100 mL, which is 1.14 mL/100 g; outlines for ISLES'18",
    "segment": "ours: nothing is drawn",
    "selection": "paper: all patients",
    "network": "paper: 2.3, frozen VGG19, temporal paths with kernels 3 and 11, dense 32",
    "network.options.dropout": "ours: not stated",
    "network.external_features": "paper: ImageNet weights, which cannot be shipped",
    "initialisation": "paper: Keras; its defaults",
    "lesion_prior": "ours: not used",
    "channels": "paper: zero mean and unit variance",
    "view": "paper: two sections, 32 time points at 1.5 s; the series is taken as it is, the paper aligns its frames",
    "spacing_mm": "paper: 200 mm in 128 pixels",
    "matrix": "paper: 128×128",
    "threshold": "paper: ROC analysis; 0.5 is ours",
    "mirror": "paper: not done",
    "sampling": "paper: each batch to zero mean and unit variance; use is by patient (ours)",
    "augmentation": "paper: rotation ±15°, shift ±10 pixels, vertical flip",
    "condition": "ours: not used",
    "loss": "paper: sigmoid classifier; binary cross-entropy",
    "optimiser": "paper: RMSprop; rate and rho are Keras' defaults",
    "schedule": "ours: not stated",
    "training": "paper: 500 epochs, batch 12, patience 200 on the validation loss",
    "training.part": "paper", "training.init": "ours",
    "training.mixed_precision": "ours", "training.clip": "ours: none", "training.min_delta": "ours: none",
    "split": "paper: 10 folds, 8:1:1",
    "split.stratify": "ours", "split.calibration": "ours: no volume is predicted", "split.locked": "ours",
    "final": "paper: mean of the ten networks",
}  # fmt: skip
_SMALL = {
    "matrix": (32, 32),
    "spacing_mm": (6.25, 6.25),
    "view.times": 16,
    "view.interval_s": 3.0,
    "augmentation.shift_px": 2.5,
    "training.epochs": 20,
    "training.patience": 10,
    "training.batch": 6,
    "split.scheme": "5-fold",
}

DEFINITIONS = {
    values["name"]: Definition(values | {"split": values["split"] | {"calibration": 0.0}}, _SOURCES, _SMALL)
    for values in map(_values, _PATHS)
}
