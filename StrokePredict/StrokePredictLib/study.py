"""A case with everything that was found in it: what the scene and the report show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .case import StrokeCase
from .volume import Volume

NOT_CLINICAL = "Not for clinical use. Research software: haemorrhage is not excluded by any of it."
DEMONSTRATION = "Demonstration weights, trained on simulated patients, not for clinical use."
SIMULATED = "Simulated patient: no person was imaged."
#: What is said wherever a conditioned network's answers for two courses of events stand side by side.
ASSOCIATION = "The difference between courses of events is association in the training patients, not causation."


@dataclass
class Study:
    """A case and its findings.

    Attributes
    ----------
    case : StrokeCase
        Images on the reference grid.
    masks : dict of str to Volume
        bool, by segment key (`segments.SEGMENTS`), on the reference grid.
    probabilities : dict of str to Volume
        float32 0..1, by model name.
    volumes : dict
        What ``volumes.json`` holds (`thresholds.measure`).
    perfusion : dict, optional
        What ``perfusion.json`` holds.
    prediction : dict, optional
        What ``prediction.json`` holds.
    truth : dict of str to float
        Simulated patients only: true volumes in mL by segment key.
    provenance : dict
        Versions, hashes, parameters.
    """

    case: StrokeCase
    masks: dict[str, Volume] = field(default_factory=dict)
    probabilities: dict[str, Volume] = field(default_factory=dict)
    volumes: dict[str, Any] = field(default_factory=dict)
    perfusion: dict[str, Any] | None = None
    prediction: dict[str, Any] | None = None
    truth: dict[str, float] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
