"""Alis et al. 2020: residual ConvLSTM U-Net for the acute core on DWI, and its fine-tuning to another vendor."""

from __future__ import annotations

from typing import Any

from .registry import Definition

_VALUES: dict[str, Any] = {
    "name": "alis2020",
    "title": "Core by network (Alis 2020)",
    "paper": "Alis et al. 2020, segmentation of acute infarcts on DWI over vendors",
    "target": "acute-core",
    "segment": "core_network",
    "network": {"name": "alis2020", "options": {"channels": 2}},
    "initialisation": "keras",
    "channels": [
        {"role": "dwi", "unit": "a.u.", "normalisation": "percentiles", "scale": 1.0, "low": 0.5, "high": 99.5},
        {"role": "adc", "unit": "10⁻⁶ mm²/s", "normalisation": "percentiles", "scale": 1.0, "low": 0.5, "high": 99.5},
    ],
    "view": {"arrangement": "sequence", "context": 1},
    "spacing_mm": (1.0, 1.0),
    "matrix": (224, 224),
    "threshold": 0.5,
    "augmentation": {
        "enabled": True, "mirror": 0.5, "rotation_deg": 15.0, "crop": 0.2, "elastic_px": 3.0,
        "elastic_spacing_px": 32, "probability": 0.8,
    },
    "loss": {"name": "tversky", "alpha": 0.5, "beta": 0.5},
    "optimiser": {"name": "adam", "rate": 1e-5},
    "schedule": {"name": "constant"},
    "training": {"epochs": 100, "batch": 2, "patience": None, "monitor": "dice"},
    "split": {"scheme": "80-10-10", "stratify": ("vendor", "volume")},
}  # fmt: skip
_FINE_TUNE = _VALUES | {
    "name": "alis2020-fine-tune",
    "title": "Core by network, fine-tuned (Alis 2020)",
    "optimiser": {"name": "adam", "rate": 1e-6},
    "training": {
        "epochs": 20, "batch": 2, "patience": None, "monitor": "dice", "part": "validation", "init": "required",
    },
}  # fmt: skip
_SOURCES = {
    "target": "paper: outlines on the DWI",
    "task": "paper",
    "label": "ours: not used by a map",
    "segment": "ours",
    "selection": "paper: all patients",
    "network": "paper: residual ConvLSTM U-Net; widths and tied directions inferred from the parameter count",
    "network.options.channels": "paper: text, two channels (the published count fits three)",
    "initialisation": "paper: Keras; its defaults",
    "lesion_prior": "ours: not used",
    "channels": "paper: DWI and ADC, 0..1 after windowing; the window by percentiles is ours",
    "view": "paper: the stack of sections of a patient",
    "view.times": "ours: not used", "view.interval_s": "ours: not used",
    "spacing_mm": "ours: not stated; 224 mm field of view",
    "matrix": "paper: 224×224",
    "threshold": "ours: not stated",
    "mirror": "ours",
    "sampling": "paper: whole stacks",
    "augmentation": "paper: cropping, rotation, flipping, elastic deformation; their sizes are ours",
    "augmentation.shift_px": "ours: none", "augmentation.gain": "ours: none",
    "condition": "ours: not used",
    "loss": "paper: Tversky loss, 0.5 and 0.5",
    "loss.lesion_weight": "ours: not used",
    "optimiser": "paper: Adam, 1e-5; 1e-6 in fine-tuning",
    "optimiser.epsilon": "ours: Keras' default", "optimiser.rho": "ours: not used",
    "optimiser.l2": "ours: none", "optimiser.weight_decay": "ours: none",
    "schedule": "paper: none stated",
    "training": "ours: not stated",
    "training.epochs": "paper: 100; about 20 in fine-tuning",
    "training.patience": "paper: fixed number of epochs",
    "training.monitor": "paper: the best model on the validation data",
    "training.part": "paper: fine-tuning learns from the other vendor's validation part",
    "training.init": "paper: fine-tuning starts from the other vendor's model",
    "split": "paper: 80 % training, 10 % validation, 10 % test",
    "split.stratify": "ours", "split.calibration": "ours: for the volume interval", "split.locked": "ours",
    "final": "ours: one fold, so both are the same",
}  # fmt: skip
_SMALL = {
    "matrix": (64, 64),
    "spacing_mm": (3.5, 3.5),
    "training.epochs": 15,
    "optimiser.rate": 3e-4,
    "training.clip": 1.0,  # at this rate, without batch normalisation, some runs end at a loss of 1 without it
    "augmentation.elastic_px": 1.0,
    "augmentation.elastic_spacing_px": 12,
}
_SMALL_FINE_TUNE = _SMALL | {"training.epochs": 5, "optimiser.rate": 3e-5}

DEFINITIONS = {
    "alis2020": Definition(_VALUES, _SOURCES, _SMALL),
    "alis2020-fine-tune": Definition(_FINE_TUNE, _SOURCES, _SMALL_FINE_TUNE),
}
