"""Small emboli and lacunes: where they lie and how far each starves the tissue around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .fields import stream
from .territory import FAR_MM

#: Places (MNI mm, right side) that emboli are scattered around, with how often: cortex of all territories.
_CORTICAL = {
    (44, 22, 22): 2, (50, -8, 40): 3, (46, -42, 44): 3, (50, -56, 24): 2, (40, 2, 4): 2, (52, -30, 4): 2,
    (12, 30, 38): 1, (14, -84, 6): 1, (28, -62, -34): 2, (30, -74, 28): 1,
}  # fmt: skip
#: Deep places of lacunes: corona radiata, posterior limb, lentiform nucleus, thalamus, pons.
_DEEP = {(27, -8, 28): 4, (22, -10, 10): 3, (26, 2, 2): 2, (13, -20, 8): 3, (6, -26, -32): 2}
#: Share of single deep infarcts among the small ones.
LACUNES = 0.2
#: Volume of all emboli's reach together: median (mL), SD of its logarithm, lowest and highest.
VOLUME_ML = (2.9, 0.40, 1.7, 18.0)
#: Part of a sphere around a place in the cortex that is solid tissue; deep ones are nearly all.
_SOLID = {"cortical": 0.66, "deep": 0.97}


@dataclass(frozen=True)
class Embolus:
    """A small clot: `centre` in MNI mm with x positive on the blocked side, and its reach `radius_mm`."""

    centre: tuple[float, float, float]
    radius_mm: float


def draw_emboli(seed: int) -> tuple[Embolus, ...]:
    """Return one to five emboli near each other, or one lacune."""
    rng = stream(seed, "emboli")
    median, spread, low, high = VOLUME_ML
    total = float(np.clip(median * np.exp(rng.normal(0, spread)), low, high))
    deep = rng.random() < LACUNES
    places = _DEEP if deep else _CORTICAL
    weight = np.array(list(places.values()), dtype=float)
    middle = np.array(list(places))[rng.choice(len(places), p=weight / weight.sum())]
    count = 1 if deep else int(np.clip(1 + rng.poisson(0.7), 1, min(5, max(1, int(total / 0.9)))))
    share = rng.dirichlet(np.full(count, 4.0))
    solid = _SOLID["deep" if deep else "cortical"]
    emboli = []
    for part in share:
        offset = rng.normal(0, 2.0 if deep else 5.0 if count == 1 else 11.0, 3)
        radius = (3.0 * 1000.0 * min(total, 4.0 if deep else total) * part / solid / (4.0 * np.pi)) ** (1.0 / 3.0)
        x, y, z = middle + offset
        emboli.append(Embolus((float(max(x, 4.0)), float(y), float(z)), float(radius)))
    return tuple(emboli)


def embolic_depth(emboli: tuple[Embolus, ...], points: np.ndarray) -> np.ndarray:
    """Return mm inside the nearest embolus' reach, negative outside.

    Parameters
    ----------
    emboli : tuple of Embolus
        Where they are.
    points : numpy.ndarray
        ``(n, 3)`` MNI mm with x positive on the blocked side.
    """
    depth = np.full(len(points), FAR_MM, dtype=np.float32)
    for embolus in emboli:
        distance = np.linalg.norm(points - np.array(embolus.centre), axis=1)
        depth = np.maximum(depth, embolus.radius_mm - distance)
    return depth.astype(np.float32)
