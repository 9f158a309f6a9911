"""What a network says of a case, and its record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..models.bundle import Bundle
from ..models.card import Card
from ..study import DEMONSTRATION
from ..volume import Volume


@dataclass
class Prediction:
    """A map.

    Attributes
    ----------
    card : Card
        The model's.
    probability : Volume
        float32, 0..1, on the case's reference grid; 0 outside the brain.
    mask : Volume
        bool, probability at or above the card's threshold.
    record : dict
        What goes into ``prediction.json``.
    spread : Volume, optional
        float32, standard deviation of the probability over ensemble members and mirror images; None where there was
        but one pass.
    name : str
        For files: the model's, and the course of events where it was asked for several.
    """

    card: Card
    probability: Volume
    mask: Volume
    record: dict[str, Any] = field(default_factory=dict)
    spread: Volume | None = None
    name: str = ""

    def __post_init__(self) -> None:
        self.name = self.name or self.card.name


@dataclass
class Classification:
    """One probability for the patient; there is nothing to draw.

    Attributes
    ----------
    card : Card
        The model's.
    probability : float
        0..1.
    record : dict
        What goes into ``prediction.json``.
    """

    card: Card
    probability: float
    record: dict[str, Any] = field(default_factory=dict)


def base_record(bundle: Bundle, present: list[str], device: dict[str, Any]) -> dict[str, Any]:
    """Return what every result of a model carries.

    Parameters
    ----------
    bundle : Bundle
        The model.
    present : list of str
        Roles of the images that it saw.
    device : dict
        How it ran (`StrokePredictLib.inference.devices.Runner.record`).
    """
    card = bundle.card
    notes = [DEMONSTRATION] if card.demonstration else []
    return {
        "name": card.name,
        "title": card.title,
        "target": card.target,
        "segment": card.segment,
        "reperfusion": card.reperfusion,
        "demonstration": card.demonstration,
        "sha256": bundle.sha256,
        "threshold": card.threshold,
        **device,
        "inputs": present,
        "scores": dict(card.scores),
        "intended_use": card.intended_use,
        "notes": notes + device["notes"],
    }
