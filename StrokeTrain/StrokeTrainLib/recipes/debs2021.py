"""Debs et al., NeuroImage: Clinical 2021;29:102548: late-fusion U-Net, three training sets."""

from __future__ import annotations

from typing import Any

from .registry import Definition

_PAPER = "Debs et al., NeuroImage: Clinical 2021;29:102548"
#: Suffix of the name → which patients, title, segment.
_SETS = {
    "": ("any", "Predicted infarct (Debs 2021)", "infarct_predicted"),
    "-reperfused": ("reperfused", "Predicted infarct if reperfused (Debs 2021)", "infarct_predicted_reperfused"),
    "-not-reperfused": (
        "not-reperfused", "Predicted infarct if not reperfused (Debs 2021)", "infarct_predicted_not_reperfused",
    ),
}  # fmt: skip
_UNITS = {"dwi": "a.u.", "adc": "10⁻⁶ mm²/s", "tmax": "s", "cbv": "mL/100 g", "cbf": "mL/100 g/min"}


def _channel(role: str) -> dict[str, Any]:
    return {"role": role, "unit": _UNITS[role], "normalisation": "percentiles", "scale": 1.0, "low": 0.5, "high": 99.5}


def _values(suffix: str, fusion: str) -> dict[str, Any]:
    reperfusion, title, segment = _SETS[suffix]
    early = fusion == "early"
    return {
        "name": f"debs2021{suffix}{'-early' if early else ''}",
        "title": title.replace(")", ", early fusion)") if early else title,
        "paper": _PAPER,
        "target": "final-infarct",
        "segment": segment,
        "selection": {"reperfusion": reperfusion, "rule": "debs"},
        "network": {"name": "debs2021", "options": {"channels": 5, "fusion": fusion, "dropout": 0.5}},
        "initialisation": "keras",
        "channels": [_channel(role) for role in ("dwi", "adc", "tmax", "cbv", "cbf")],
        "view": {"arrangement": "section", "context": 1},
        "spacing_mm": (1.25, 1.25),
        "matrix": (192, 192),
        "threshold": 0.5,
        "sampling": {"train": "lesion", "validation": "lesion"},
        "augmentation": {"enabled": False},
        "loss": {"name": "multiclass-dice", "lesion_weight": 8.0},
        "optimiser": {"name": "adam", "rate": 1e-4, "epsilon": 1e-7, "l2": 2e-4},
        "schedule": {"name": "keras-decay", "decay": 5e-4},
        "training": {
            "epochs": 500, "batch": 12, "patience": 100, "min_delta": 0.005, "monitor": "multiclass-dice",
        },
        "split": {"scheme": "5-fold", "stratify": ("reperfusion", "volume")},
    }  # fmt: skip


_SOURCES = {
    "target": "paper: 2.4.1, final FLAIR",
    "task": "paper",
    "label": "ours: not used by a map",
    "segment": "ours",
    "selection": "paper: 2.2, mTICI 2b to 3 or half of the Tmax lesion gone; three training sets",
    "network": "paper: Table 1, five encoders and late fusion; activations (ReLU) are ours",
    "network.options.dropout": "paper: appendix B",
    "initialisation": "paper: Keras; its defaults",
    "lesion_prior": "ours: not used",
    "channels": "paper: DWI, ADC, Tmax, CBV, CBF, each scaled to 0..1",
    "channels.0.low": "ours: how it scales is not stated",
    **{f"channels.{n}.{key}": "ours: how it scales is not stated"
       for n in range(5) for key in ("normalisation", "scale", "ceiling", "low", "high", "optional")},
    "view": "paper: whole sections, no patches",
    "spacing_mm": "paper: appendix A.3, field of view 240 mm in 192 pixels",
    "matrix": "paper: 192×192",
    "threshold": "paper: 0.5",
    "mirror": "paper: not done",
    "sampling": "paper: appendix B, only slices with the final infarct",
    "sampling.healthy": "paper: none",
    "augmentation": "paper: appendix B, none",
    "condition": "ours: not used",
    "loss": "paper: appendix B, multi-class Dice, lesion weighted 8",
    "loss.alpha": "ours: not used", "loss.beta": "ours: not used",
    "optimiser": "paper: appendix B, Adam 1e-4",
    "optimiser.l2": "paper: appendix B, Keras L2 2e-4 on convolution kernels",
    "optimiser.epsilon": "ours: Keras' default", "optimiser.rho": "ours: not used",
    "optimiser.weight_decay": "ours: not used",
    "schedule": "paper: appendix B, Keras' decay 5e-4",
    "training": "paper: appendix B, batch 12, up to 500 epochs, stop after 100 without a gain of 0.005",
    "training.part": "paper", "training.init": "ours",
    "training.mixed_precision": "ours", "training.clip": "ours: none",
    "split": "paper: 5 folds",
    "split.stratify": "ours", "split.calibration": "ours: for the volume interval", "split.locked": "ours",
    "final": "ours: the paper hands over no model",
}  # fmt: skip
_SMALL = {
    "matrix": (96, 96),
    "spacing_mm": (2.5, 2.5),
    "training.epochs": 30,
    "training.patience": 10,
    "optimiser.rate": 1e-3,
}

DEFINITIONS = {
    values["name"]: Definition(values, _SOURCES, _SMALL)
    for fusion in ("late", "early")
    for values in (_values(suffix, fusion) for suffix in _SETS)
}
