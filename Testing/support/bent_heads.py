"""Simulated heads that are bent by known smooth fields: swollen by oedema, or distorted as echo-planar images are."""

from dataclasses import dataclass

import numpy as np
from support.heads import MovedGrid


@dataclass(frozen=True)
class BentGrid(MovedGrid):
    """A grid that shows at each place x the anatomy of x + d(x): what images a head bent by smooth bumps.

    Each bump is (centre LPS, direction or None, mm, width in mm): a Gaussian along a direction, as EPI distortion is,
    or outward from the centre, most at one width from it; negative mm show tissue pushed away, as oedema does.
    """

    bumps: tuple = ()

    def bend(self, places):
        shift = np.zeros_like(places)
        for centre, direction, size, width in self.bumps:
            away = places - np.array(centre)
            fall = np.exp(-0.5 * (away**2).sum(axis=1, keepdims=True) / width**2)
            shift += size * fall * (away / width * np.exp(0.5) if direction is None else np.array(direction))
        return shift

    def points_lps(self, index):
        places = super().points_lps(index)
        return places + self.bend(places)


def bent_to_bent(places, one, other, matrix):
    """Return where tissue at LPS mm ``(n, 3)`` of one bent grid lies in another, imaged after an unknown motion."""
    anatomy = places + one.bend(places)
    found = anatomy.copy()
    for _ in range(60):
        found = anatomy - other.bend(found)
    back = np.linalg.inv(matrix)
    return found @ back[:3, :3].T + back[:3, 3]
