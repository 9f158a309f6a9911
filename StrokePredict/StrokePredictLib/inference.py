"""A network on a case: sections in the card's units and spacing, probabilities back on the case's own grid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .case import ROLES, StrokeCase
from .errors import StrokeError
from .models.bundle import Bundle
from .models.card import Card, Channel
from .preprocess.sections import Sections
from .progress import Progress, silent
from .study import DEMONSTRATION
from .thresholds import volume_ml
from .volume import Volume

if TYPE_CHECKING:
    import torch

#: Sections that go through a network at once.
BATCH = 8


@dataclass
class Prediction:
    """What a network says of a case.

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
    """

    card: Card
    probability: Volume
    mask: Volume
    record: dict[str, Any] = field(default_factory=dict)


def missing_roles(card: Card, case: StrokeCase) -> list[str]:
    """Return the roles that a model needs and a case lacks."""
    return [channel.role for channel in card.channels if channel.role not in case.volumes]


def predict(case: StrokeCase, bundle: Bundle, *, device: str = "auto", progress: Progress = silent) -> Prediction:
    """Run a model on a case.

    Parameters
    ----------
    case : StrokeCase
        With a brain mask and every channel of the model.
    bundle : Bundle
        Verified.
    device : {"auto", "cuda", "mps", "cpu"}
        Where to run; ``"auto"`` takes the first that is there.

    Raises
    ------
    StrokeError
        If a channel is missing, or the device asked for is not there.
    """
    import torch

    card = bundle.card
    missing = missing_roles(card, case)
    if missing:
        needed = ", ".join(ROLES[channel.role][0] for channel in card.channels)
        lacking = ", ".join(ROLES[role][0] for role in missing)
        raise StrokeError(f"{case.patient}: model '{card.name}' needs {needed}; {lacking} missing.")
    (brain,) = case.require("brain")
    place = choose_device(device)
    sections = Sections.around(brain, card.spacing_mm, card.matrix)
    inputs = prepare(case, card, sections)
    network = bundle.load().to(place)
    result = np.zeros((inputs.shape[0], *inputs.shape[2:]), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(inputs), BATCH):
            batch = torch.from_numpy(inputs[start : start + BATCH]).to(place)
            result[start : start + BATCH] = _lesion_probability(network(batch), card).cpu().numpy()
            progress(min(1.0, (start + BATCH) / len(inputs)), f"{card.title}: sections")
    probability = sections.bring_home(result, f"probability of {card.name}")
    probability = probability.with_array(np.clip(probability.array, 0, 1) * brain.array)
    mask = probability.with_array(probability.array >= card.threshold, name=card.title)
    return Prediction(card, probability, mask, _record(bundle, mask, place.type))


def prepare(case: StrokeCase, card: Card, sections: Sections) -> np.ndarray:
    """Return a model's input.

    Parameters
    ----------
    case : StrokeCase
        With the card's channels and a brain mask.
    card : Card
        Channels and their normalisation.
    sections : Sections
        Where to.

    Returns
    -------
    numpy.ndarray
        float32 ``(section, channel, y, x)``, each channel 0..1, 0 outside the brain.
    """
    brain = sections.bring(case.volumes["brain"], is_mask=True) > 0.5
    channels = []
    for channel in card.channels:
        volume = case.volumes[channel.role]
        scale = _scale(channel, volume, case.volumes["brain"])
        channels.append(np.clip(sections.bring(volume) / scale, 0, 1) * brain)
    return np.stack(channels, axis=1).astype(np.float32)


def choose_device(device: str) -> torch.device:
    """Return the torch device for ``auto``, ``cuda``, ``mps`` or ``cpu``.

    Raises
    ------
    StrokeError
        If the one asked for is not there.
    """
    import torch

    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if device == "auto":
        return torch.device(next(name for name, present in there.items() if present))
    if device not in there:
        raise StrokeError(f"no device '{device}'; there are auto, {', '.join(there)}.")
    if not there[device]:
        raise StrokeError(f"no {device} device on this machine; use --device auto or cpu.")
    return torch.device(device)


def _scale(channel: Channel, volume: Volume, brain: Volume) -> np.float32:
    if channel.normalisation == "fixed":
        return np.float32(channel.scale)
    median = float(np.median(volume.array[brain.array])) if brain.array.any() else 0.0
    if median <= 0:
        raise StrokeError(f"{volume.name}: holds no signal inside the brain mask; check image and mask.")
    return np.float32(channel.scale * median)


def _lesion_probability(logits: torch.Tensor, card: Card) -> torch.Tensor:
    """Return ``(batch, y, x)`` probabilities: softmax over classes, or sigmoid of a single map."""
    if logits.shape[1] == 1:
        return logits[:, 0].sigmoid()
    return logits.softmax(dim=1)[:, card.network.lesion_class]


def _record(bundle: Bundle, mask: Volume, device: str) -> dict[str, Any]:
    card = bundle.card
    return {
        "name": card.name,
        "title": card.title,
        "target": card.target,
        "segment": card.segment,
        "demonstration": card.demonstration,
        "sha256": bundle.sha256,
        "threshold": card.threshold,
        "volume_ml": round(volume_ml(mask), 2),
        "device": device,
        "inputs": [channel.role for channel in card.channels],
        "scores": dict(card.scores),
        "intended_use": card.intended_use,
        "notes": [DEMONSTRATION] if card.demonstration else [],
    }
