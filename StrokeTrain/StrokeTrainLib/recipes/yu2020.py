"""Yu et al., JAMA Network Open 2020;3(3):e200772: attention-gated 2.5D U-Net."""

from __future__ import annotations

from typing import Any

from .registry import Definition

_UNITS = {
    "dwi": "a.u.", "adc": "10⁻⁶ mm²/s", "tmax": "s", "mtt": "s", "cbf": "mL/100 g/min", "cbv": "mL/100 g",
}  # fmt: skip


def _by_mean(role: str) -> dict[str, Any]:
    return {"role": role, "unit": _UNITS[role], "normalisation": "brain-mean", "scale": 1.0, "ceiling": None}


def _mask(role: str, rule: str, limit: float) -> dict[str, Any]:
    return {"role": role, "unit": _UNITS[role], "normalisation": rule, "scale": limit}


_VALUES: dict[str, Any] = {
    "name": "yu2020",
    "title": "Predicted infarct (Yu 2020)",
    "paper": "Yu et al., JAMA Network Open 2020;3(3):e200772",
    "target": "final-infarct",
    "segment": "infarct_predicted",
    "selection": {"reperfusion": "any", "rule": "yu"},
    "network": {"name": "yu2020", "options": {"channels": 8, "sections": 5, "filters": 32, "levels": 5}},
    "channels": [_by_mean(role) for role in _UNITS] + [_mask("tmax", "above", 6.0), _mask("adc", "below", 620.0)],
    "view": {"arrangement": "stack", "context": 5},
    "spacing_mm": (2.0, 2.0),
    "matrix": (112, 112),
    "threshold": 0.5,
    "sampling": {"train": "brain", "validation": "brain"},
    "augmentation": {"enabled": True, "mirror": 0.5},
    "loss": {"name": "bce-dice"},
    "optimiser": {"name": "adam", "rate": 5e-4},
    "schedule": {"name": "constant"},
    "training": {"epochs": 120, "batch": 16, "patience": 20, "monitor": "dice"},
    "split": {"scheme": "5-fold", "stratify": ("reperfusion", "volume")},
}
_SOURCES = {
    "target": "paper: FLAIR 3 to 7 days after onset",
    "task": "paper",
    "label": "ours: not used by a map",
    "segment": "ours",
    "selection": "paper: all patients together",
    "network": "ours: the paper names an attention-gated U-Net; depth, filters and gates follow Oktay 2018",
    "network.options.channels": "paper: six images and two masks",
    "network.options.sections": "paper: 5 consecutive sections",
    "initialisation": "ours: not stated",
    "lesion_prior": "ours: not used",
    "channels": "paper: each divided by its mean; masks Tmax > 6 s and ADC < 620",
    "view": "paper: 5 consecutive sections, the centre one is predicted",
    "view.times": "ours: not used", "view.interval_s": "ours: not used",
    "spacing_mm": "ours: MNI's 2 mm in-plane; the patient's own sections stay, where the paper warps to MNI space",
    "matrix": "ours: holds every head at 2 mm",
    "threshold": "paper: 0.5",
    "mirror": "ours",
    "sampling": "ours: not stated",
    "augmentation": "paper: mirroring about the midline, nothing else",
    "condition": "ours: not used",
    "loss": "ours: not stated; binary cross-entropy and soft Dice",
    "optimiser": "ours: not stated; Adam",
    "schedule": "ours: not stated",
    "training": "ours: not stated",
    "split": "paper: 5 folds, 3:1:1",
    "split.stratify": "ours", "split.calibration": "ours: for the volume interval", "split.locked": "ours",
    "final": "ours: the paper hands over no model",
}  # fmt: skip
_SMALL = {
    "network.options.filters": 8,
    "matrix": (80, 80),
    "spacing_mm": (2.6, 2.6),
    "training.epochs": 30,
    "training.patience": 10,
    "optimiser.rate": 1e-3,
}

DEFINITIONS = {"yu2020": Definition(_VALUES, _SOURCES, _SMALL)}
