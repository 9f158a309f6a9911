"""Values of an image to what a network was trained on."""

from __future__ import annotations

import numpy as np

from ..errors import StrokeError
from ..models.card import Channel
from ..volume import Volume


def normalise(channel: Channel, values: np.ndarray, volume: Volume, brain: Volume) -> np.ndarray:
    """Return values as the card's channel says (`StrokePredictLib.models.card.Channel`).

    Parameters
    ----------
    channel : Channel
        The rule.
    values : numpy.ndarray
        float32, the image brought to the network's sections.
    volume, brain : Volume
        The image and the brain mask (bool) on the case's own grid, from which the rule's statistics are taken.

    Raises
    ------
    StrokeError
        If the brain holds no signal.
    """
    rule, scale = channel.normalisation, np.float32(channel.scale)
    if rule == "above":
        return (values > scale).astype(np.float32)
    if rule == "below":
        return ((values > 0) & (values < scale)).astype(np.float32)
    if rule == "fixed":
        found = values / scale
    elif rule == "percentiles":
        low, high = np.percentile(_inside(volume, brain), [channel.low, channel.high])
        if not high > low:
            raise _no_signal(volume)
        found = (values - np.float32(low)) / (np.float32(high - low) * scale)
    else:
        inside = _inside(volume, brain)
        typical = float(np.median(inside) if rule == "brain-median" else inside.mean(dtype=np.float64))
        if typical <= 0:
            raise _no_signal(volume)
        found = values / (scale * np.float32(typical))
    return np.clip(found, 0, channel.ceiling)


def _inside(volume: Volume, brain: Volume) -> np.ndarray:
    inside = volume.array[brain.array]
    if inside.size == 0:
        raise _no_signal(volume)
    return inside


def _no_signal(volume: Volume) -> StrokeError:
    return StrokeError(f"{volume.name}: holds no signal inside the brain mask; check image and mask.")
