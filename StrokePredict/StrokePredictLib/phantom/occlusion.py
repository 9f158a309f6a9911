"""Which artery is blocked, and how severely each place behind it is starved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .fields import rising, smooth_field, stream

SITES = ("M1 proximal", "M1 distal", "M2 superior", "M2 inferior")
#: Collaterals' reach into a branch's territory over that into the whole one.
BRANCH_REACH = 0.54


@dataclass(frozen=True)
class Occlusion:
    """One blocked middle cerebral artery.

    Attributes
    ----------
    side : str
        "left" or "right" hemisphere.
    site : str
        One of `SITES`. Proximal M1 takes the lenticulostriate arteries too.
    reach_mm : float
        How far leptomeningeal collaterals reach into the territory from its borders; short is poor.
    """

    side: str
    site: str
    reach_mm: float

    @property
    def sign(self) -> float:
        """+1 on the right (MNI x > 0), −1 on the left."""
        return 1.0 if self.side == "right" else -1.0

    @property
    def collaterals(self) -> str:
        """Collateral grade in words."""
        reach = self.reach_mm / (BRANCH_REACH if self.site.startswith("M2") else 1.0)
        return "poor" if reach < 30 else "moderate" if reach < 42 else "good"


def draw_occlusion(seed: int, onset_to_imaging_min: float) -> Occlusion:
    """Return a random occlusion; who is imaged late and still a candidate for treatment has better collaterals."""
    rng = stream(seed, "occlusion")
    side = "left" if rng.random() < 0.52 else "right"
    site = SITES[rng.choice(4, p=[0.34, 0.28, 0.20, 0.18])]
    reach = 39.0 * (onset_to_imaging_min / 240.0) ** 0.22 * np.exp(rng.normal(0, 0.25))
    reach = np.clip(reach, 18.0, 75.0)
    if site.startswith("M2"):
        reach *= BRANCH_REACH  # a branch's territory is narrow: the same distance would feed all of it
    return Occlusion(side, site, float(reach))


def territory_depth(occlusion: Occlusion, mni: np.ndarray) -> np.ndarray:
    """Return how deep each point lies in the blocked territory: mm from its borders, negative outside.

    Parameters
    ----------
    occlusion : Occlusion
        Side and site.
    mni : numpy.ndarray
        ``(n, 3)`` mm.

    Returns
    -------
    numpy.ndarray
        ``(n,)`` mm; the smooth minimum of the distances to the neighbouring territories' borders.

    Notes
    -----
    Borders after the usual maps of vascular territories (Tatu et al., Neurology 1998), drawn as planes: the anterior
    cerebral artery medially and over the convexity, the posterior one behind and below, the thalamus, the lentiform
    nucleus unless the proximal trunk is blocked, and for M2 the Sylvian line between the divisions.
    """
    depth = _collateral_distance(occlusion, mni)
    if occlusion.site == "M1 proximal":
        return depth
    x, y, z = mni[:, 0] * occlusion.sign, mni[:, 1], mni[:, 2]
    return np.minimum(depth, -14.0 * _lentiform(x, y, z)).astype(np.float32)


def _collateral_distance(occlusion: Occlusion, mni: np.ndarray) -> np.ndarray:
    """Return mm to the territories that collaterals come from, over the cortex; negative in them."""
    x, y, z = mni[:, 0] * occlusion.sign, mni[:, 1], mni[:, 2]
    borders = [
        x - (15.0 + 0.20 * np.maximum(z - 15.0, 0) + 0.32 * np.maximum(y - 25.0, 0)),
        y + 62.0 + 0.22 * np.clip(z, 0, 50),
        z + 28.0 - 0.36 * np.maximum(-y - 8.0, 0),
        16.0 * (np.sqrt(((x - 10) / 15.0) ** 2 + ((y + 21) / 19.0) ** 2 + ((z - 3) / 16.0) ** 2) - 1.0),
        0.8 * (66.0 - z) + 0.5 * (x - 34.0),
    ]
    sylvian = z - (4.0 - 0.32 * y + 0.25 * np.maximum(-y - 35.0, 0))
    if occlusion.site == "M2 superior":
        borders += [sylvian, y + 42.0]
    elif occlusion.site == "M2 inferior":
        borders += [10.0 - sylvian, 14.0 - y]
    softness = 4.0
    stack = np.stack([-b / softness for b in borders])
    top = stack.max(axis=0)
    return (-softness * (top + np.log(np.exp(stack - top).sum(axis=0)))).astype(np.float32)


def severity(seed: int, occlusion: Occlusion, mni: np.ndarray, cortex_depth_mm: np.ndarray) -> np.ndarray:
    """Return the fall of perfusion pressure, 0 (none) to 1 (no flow), at each point.

    Pressure falls with distance from the borders that collaterals come over, faster where they are poor. Deep tissue is
    fed by end arteries and fares worse; with a proximal M1 occlusion the lentiform nucleus hardly has any collateral.

    Parameters
    ----------
    seed : int
        The patient.
    occlusion : Occlusion
        What is blocked.
    mni : numpy.ndarray
        ``(n, 3)`` mm.
    cortex_depth_mm : numpy.ndarray
        ``(n,)`` depth under the inner skull.
    """
    rng = stream(seed, "pressure")
    jitter = np.stack([smooth_field(rng, mni, 22.0) for _ in range(3)], axis=1) * 5.0
    place = mni + jitter
    depth = _collateral_distance(occlusion, place)
    depth = depth + 0.45 * np.clip(cortex_depth_mm - 9.0, 0, 24.0) * rising(depth - 3.0, 6.0)
    collateral = occlusion.reach_mm * np.exp(0.22 * smooth_field(rng, mni, 30.0))
    fall = 1.0 - np.exp(-np.maximum(depth, 0.0) / collateral)
    perforators = _perforators(occlusion, place)
    if occlusion.site == "M1 proximal":
        fall = np.maximum(fall, perforators * (0.86 + 0.07 * smooth_field(rng, mni, 15.0)))
    else:
        fall = fall * (1.0 - perforators)  # they leave the trunk before the clot
    fall = fall * (1.0 + 0.10 * smooth_field(rng, mni, 12.0))
    own_side = rising(mni[:, 0] * occlusion.sign - 3.0, 2.0)
    return np.clip(fall * own_side, 0.0, 1.0).astype(np.float32)


def _perforators(occlusion: Occlusion, mni: np.ndarray) -> np.ndarray:
    """Return 0..1, the territory of the lenticulostriate arteries: putamen, outer pallidum, head of the caudate."""
    x, y, z = mni[:, 0] * occlusion.sign, mni[:, 1], mni[:, 2]
    caudate = 1.0 - np.sqrt(((x - 15) / 8.0) ** 2 + ((y - 8) / 16.0) ** 2 + ((z - 17) / 9.0) ** 2)
    return rising(np.maximum(_lentiform(x, y, z) * 14.0, caudate * 9.0), 4.0)


def _lentiform(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return 1 in the middle of the putamen and outer pallidum, 0 on their surface, negative outside; x > 0."""
    return 1.0 - np.sqrt(((x - 25) / 11.0) ** 2 + ((y - 3) / 21.0) ** 2 + ((z - 5) / 15.0) ** 2)
