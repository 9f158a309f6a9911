"""Readers who draw lesions: none draws the truth, and none draws the same twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .anatomy import Anatomy
from .fields import smooth_field, stream
from .outlines import distance_in_plane


@dataclass(frozen=True)
class Reader:
    """How somebody draws.

    Attributes
    ----------
    name : str
        As in the file's name.
    bias_mm : float
        How far outside the true border the line lies on average.
    habit_mm : float
        SD of the reader's own departure from it in one patient, the same at every read.
    slip_mm : float
        SD of what differs from read to read.
    missed_ml : float
        Sets how large parts must be to be seen: a part of V mL is missed where its luck lies below
        t = overlooks·exp(−2·V/missed_ml).
    overlooks : float
        That limit for a vanishingly small part. No probability: luck is 0.7·U + 0.3·W of two uniform numbers, which
        lies below t with probability t²/0.42 up to t = 0.3, and (t − 0.15)/0.7 from there to 0.7.
    """

    name: str
    bias_mm: float
    habit_mm: float
    slip_mm: float
    missed_ml: float
    overlooks: float


#: The first reads three times (their majority is a reference standard), the second once. Sizes are assumed, fractions
#: of a voxel, such that the second reader agrees with the majority on small lesions about as alis2020's radiologist
#: does (median Dice 0.87). A vanishingly small part is missed with probability 0.286 by the first, 0.5 by the second;
#: one of their missed_ml with 0.0053 and 0.011.
READERS = {
    "1": Reader("1", bias_mm=0.10, habit_mm=0.75, slip_mm=0.75, missed_ml=0.35, overlooks=0.35),
    "2": Reader("2", bias_mm=0.60, habit_mm=1.00, slip_mm=0.75, missed_ml=0.60, overlooks=0.50),
}
READS = (("1", 1), ("1", 2), ("1", 3), ("2", 1))
#: Distance over which a line wanders in and out (mm).
_WANDER_MM = 11.0


def read_lesion(seed: int, anatomy: Anatomy, lesion: np.ndarray, reader: str, read: int) -> np.ndarray:
    """Return ``(n,)`` the lesion as drawn at one read.

    Parameters
    ----------
    seed : int
        The patient.
    anatomy : Anatomy
        The head.
    lesion : numpy.ndarray
        ``(n,)`` what there is to see.
    reader : str
        A key of `READERS`.
    read : int
        Which of the reader's reads, from 1.

    Notes
    -----
    The border is moved by a distance in the section (readers draw section by section): the reader's bias, a smooth
    field of the reader's own in this patient, and one of this read. Parts of the lesion are missed by chance, the
    smaller the likelier, mostly by habit: a part missed once is likely missed again.
    """
    if not lesion.any():
        return np.zeros(len(lesion), dtype=bool)
    style = READERS[reader]
    number = list(READERS).index(reader)
    key = int(stream(seed, "readers").integers(2**32))
    habit, slip = (np.random.default_rng([key, number, k]) for k in (0, read))
    full = anatomy.on_grid(lesion)
    full = full & ~_missed(full, float(np.prod(anatomy.grid.spacing)) / 1000.0, style, habit, slip)
    wander = style.bias_mm + style.habit_mm * smooth_field(habit, anatomy.mni, _WANDER_MM)
    wander = wander + style.slip_mm * smooth_field(slip, anatomy.mni, _WANDER_MM)
    outside = distance_in_plane(full, anatomy.grid.spacing).ravel()[anatomy.inside]
    return (outside < wander) & anatomy.solid


def _missed(
    lesion: np.ndarray, voxel_ml: float, style: Reader, habit: np.random.Generator, slip: np.random.Generator
) -> np.ndarray:
    parts, count = ndimage.label(lesion, np.ones((3, 3, 3)))
    volume = np.bincount(parts.ravel(), minlength=count + 1)[1:] * voxel_ml
    # Correlated chances: the same part is hard to see at every read.
    luck = 0.7 * habit.random(count) + 0.3 * slip.random(count)
    unseen = luck < style.overlooks * np.exp(-volume / (style.missed_ml / 2.0))
    return np.concatenate([[False], unseen])[parts]


def majority(reads: list[np.ndarray]) -> np.ndarray:
    """Return where more than half of the reads agree."""
    return np.sum(reads, axis=0) * 2 > len(reads)
