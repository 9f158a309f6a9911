"""Random changes of one sample, made by MONAI's transforms and the same for image and label."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from ..recipes.parts import Augmentation
from .batch import BACKGROUND

#: A transform gets the sample's own random state; this is where one is drawn from.
_LARGEST_SEED = 2**31


def augment(
    x: np.ndarray, y: np.ndarray | None, how: Augmentation, generator: np.random.Generator, channels: int = 1
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return a changed copy of a sample.

    Parameters
    ----------
    x : numpy.ndarray
        float32 ``(…, y, x)``; everything before the last two axes is moved alike.
    y : numpy.ndarray, optional
        uint8 classes ``(y, x)`` or ``(section, y, x)``; moved along, by nearest neighbour.
    how : Augmentation
        What and how much.
    generator : numpy.random.Generator
        Of this sample in this epoch; nothing else decides.
    channels : int
        Images a section: each gets one gain, in all sections.
    """
    if how.gain:
        gains = generator.uniform(1 - how.gain, 1 + how.gain, size=(channels, 1, 1)).astype(np.float32)
        x = (x.reshape(-1, channels, *x.shape[-2:]) * gains).reshape(x.shape)
    for probability, axis in ((how.mirror, -1), (how.flip, -2)):
        if generator.random() < probability:
            x = np.flip(x, axis)
            y = None if y is None else np.flip(y, axis)
    if _moves(how) and generator.random() < how.probability:
        x, y = _moved(x, y, how, int(generator.integers(_LARGEST_SEED)))
    return np.ascontiguousarray(x), None if y is None else np.ascontiguousarray(y)


def _moves(how: Augmentation) -> bool:
    return any((how.rotation_deg, how.shift_px, how.crop, how.elastic_px))


def _moved(
    x: np.ndarray, y: np.ndarray | None, how: Augmentation, seed: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Rotate, shift, scale and deform at once; what comes in from outside is 0, in the label background."""
    sample: dict[str, Any] = {"x": x.reshape(-1, *x.shape[-2:])}
    if y is not None:
        sample["y"] = (BACKGROUND - y).reshape(-1, *y.shape[-2:]).astype(np.float32)  # so that 0 is background
    transform = _transform(how, tuple(sample))
    transform.set_random_state(seed=seed)
    moved = transform(sample)
    label = None if y is None else (BACKGROUND - np.asarray(moved["y"])).astype(np.uint8).reshape(y.shape)
    return np.asarray(moved["x"], dtype=np.float32).reshape(x.shape), label


@lru_cache(maxsize=8)
def _transform(how: Augmentation, keys: tuple[str, ...]) -> Any:
    from monai.transforms import Rand2DElasticd, RandAffined

    common = {
        "keys": keys,
        "prob": 1.0,
        "rotate_range": math.radians(how.rotation_deg),
        "translate_range": (how.shift_px, how.shift_px),
        "scale_range": ((-how.crop, 0.0), (-how.crop, 0.0)),
        "mode": ["bilinear", "nearest"][: len(keys)],
        "padding_mode": "zeros",
    }
    if not how.elastic_px:
        return RandAffined(**common)
    spacing = (how.elastic_spacing_px, how.elastic_spacing_px)
    return Rand2DElasticd(spacing=spacing, magnitude_range=(how.elastic_px, how.elastic_px), **common)
