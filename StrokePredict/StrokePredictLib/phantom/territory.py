"""Arterial territories and their borders, in MNI mm; x is positive on the blocked side in every function here."""

from __future__ import annotations

import numpy as np

from .fields import rising

#: Depth given to what lies nowhere near a territory (mm).
FAR_MM = -99.0


def soft_min(borders: list[np.ndarray], softness: float = 4.0) -> np.ndarray:
    """Return the smooth minimum of several distances in mm."""
    stack = np.stack([-b / softness for b in borders])
    top = stack.max(axis=0)
    return (-softness * (top + np.log(np.exp(stack - top).sum(axis=0)))).astype(np.float32)


def middle_cerebral(
    x: np.ndarray, y: np.ndarray, z: np.ndarray, division: str = "", with_anterior: bool = False
) -> np.ndarray:
    """Return mm to the borders that collaterals come over; negative outside.

    Parameters
    ----------
    x, y, z : numpy.ndarray
        ``(n,)``.
    division : {"", "superior", "inferior"}
        Left out: the whole artery.
    with_anterior : bool
        Whether the anterior cerebral artery's territory is blocked along with it (carotid, no communicating artery).

    Notes
    -----
    Borders after the usual maps of vascular territories (Tatu et al., Neurology 1998), drawn as planes: the anterior
    cerebral artery medially and over the convexity, the posterior one behind and below, the thalamus, and for M2 the
    Sylvian line between the divisions.
    """
    borders = [
        y + 62.0 + 0.22 * np.clip(z, 0, 50),
        z + 28.0 - 0.36 * np.maximum(-y - 8.0, 0),
        thalamus(x, y, z),
    ]
    if with_anterior:
        borders.append(x - 1.0)
    else:
        medial = x - (15.0 + 0.20 * np.maximum(z - 15.0, 0) + 0.32 * np.maximum(y - 25.0, 0))
        borders += [medial, 0.8 * (66.0 - z) + 0.5 * (x - 34.0)]
    sylvian = z - (4.0 - 0.32 * y + 0.25 * np.maximum(-y - 35.0, 0))
    if division == "superior":
        borders += [sylvian, y + 42.0]
    elif division == "inferior":
        borders += [10.0 - sylvian, 14.0 - y]
    return soft_min(borders)


def posterior_cerebral(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return mm inside the posterior cerebral artery's territory: occipital lobe, its medial and lower neighbours."""
    behind_middle = -(y + 60.0 + 0.22 * np.clip(z, 0, 50))
    medial = np.maximum(behind_middle, np.minimum(-y - 30.0, 26.0 - x + 0.3 * np.maximum(-y - 40.0, 0)))
    above = 32.0 - z - 0.25 * np.maximum(y + 70.0, 0)
    return soft_min([medial, z - tentorium(x, y), above, x + 3.0, 40.0 - x], softness=3.0)


def cerebellar(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return mm inside the posterior inferior cerebellar artery's territory: the lower hemisphere behind."""
    return soft_min([tentorium(x, y) - 12.0 - z, -y - 44.0, x - 3.0, -22.0 - z], softness=2.5)


def tentorium(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return its height in mm: highest in the middle, falling to the sides and back."""
    return -2.0 - 0.45 * np.abs(x) - 0.50 * np.maximum(-y - 65.0, 0)


def thalamus(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return mm outside the thalamus."""
    return 16.0 * (np.sqrt(((x - 10) / 15.0) ** 2 + ((y + 21) / 19.0) ** 2 + ((z - 3) / 16.0) ** 2) - 1.0)


def perforators(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return 0..1, the territory of the lenticulostriate arteries: putamen, outer pallidum, head of the caudate."""
    caudate = 1.0 - np.sqrt(((x - 15) / 8.0) ** 2 + ((y - 8) / 16.0) ** 2 + ((z - 17) / 9.0) ** 2)
    return rising(np.maximum(lentiform(x, y, z) * 14.0, caudate * 9.0), 4.0)


def lentiform(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return 1 in the middle of the putamen and outer pallidum, 0 on their surface, negative outside."""
    return 1.0 - np.sqrt(((x - 25) / 11.0) ** 2 + ((y - 3) / 21.0) ** 2 + ((z - 5) / 15.0) ** 2)
