"""Which artery is blocked, and how severely each place behind it is starved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import territory
from .emboli import Embolus, draw_emboli, embolic_depth
from .fields import rising, smooth_field, stream
from .populations import YU2020, Population

TRUNKS = ("ICA", "M1 proximal", "M1 distal")
BRANCHES = ("M2 superior", "M2 inferior")
POSTERIOR = ("PCA", "cerebellar")
SITES = (*TRUNKS, *BRANCHES, *POSTERIOR, "embolic", "none")
#: Collaterals' reach into a smaller territory over that into the middle cerebral artery's: the same distance would
#: feed all of it.
REACH_SHARE = {"M2 superior": 0.54, "M2 inferior": 0.54, "PCA": 0.20, "cerebellar": 0.22, "ICA": 0.92}
#: Share of carotid occlusions whose anterior cerebral artery has no supply from the other side.
WITHOUT_COMMUNICATING = 0.2


@dataclass(frozen=True)
class Occlusion:
    """What is blocked.

    Attributes
    ----------
    side : str
        "left" or "right" hemisphere.
    site : str
        One of `SITES`. The carotid and the proximal M1 take the lenticulostriate arteries too.
    reach_mm : float
        How far leptomeningeal collaterals reach into the territory from its borders; short is poor.
    with_anterior : bool
        Whether the anterior cerebral artery's territory is blocked too (some carotid occlusions).
    emboli : tuple of Embolus
        Small clots beyond the large arteries, of site "embolic".
    """

    side: str
    site: str
    reach_mm: float
    with_anterior: bool = False
    emboli: tuple[Embolus, ...] = ()

    @property
    def sign(self) -> float:
        """+1 on the right (MNI x > 0), −1 on the left."""
        return 1.0 if self.side == "right" else -1.0

    @property
    def collaterals(self) -> str | None:
        """Collateral grade in words; None where no large artery is blocked."""
        if self.site in ("embolic", "none"):
            return None
        reach = self.reach_mm / REACH_SHARE.get(self.site, 1.0)
        return "poor" if reach < 30 else "moderate" if reach < 42 else "good"

    @property
    def takes_perforators(self) -> bool:
        """Whether the clot blocks the lenticulostriate arteries."""
        return self.site in ("ICA", "M1 proximal")


def draw_site(seed: int, population: Population = YU2020) -> tuple[str, str]:
    """Return side and site of a patient's occlusion."""
    side, site, _ = _draw(seed, population)
    return side, site


def draw_occlusion(seed: int, onset_to_imaging_min: float, population: Population = YU2020) -> Occlusion:
    """Return a random occlusion; who is imaged late and still a candidate for treatment has better collaterals."""
    side, site, rng = _draw(seed, population)
    median, spread = population.reach_mm
    reach = median * (onset_to_imaging_min / 240.0) ** 0.22 * np.exp(spread * rng.normal())
    reach = float(np.clip(reach, 15.0, 85.0)) * REACH_SHARE.get(site, 1.0)
    with_anterior = site == "ICA" and bool(rng.random() < WITHOUT_COMMUNICATING)
    emboli = draw_emboli(seed) if site == "embolic" else ()
    return Occlusion(side, site, reach, with_anterior, emboli)


def collateral_luck(seed: int, population: Population = YU2020) -> float:
    """Return the patient's collaterals among others', a standard normal number; positive is good."""
    return float(_draw(seed, population)[2].normal())


def _draw(seed: int, population: Population) -> tuple[str, str, np.random.Generator]:
    rng = stream(seed, "occlusion")
    side = "left" if rng.random() < 0.52 else "right"
    sites = list(population.sites)
    share = np.array([population.sites[s] for s in sites])
    return side, sites[rng.choice(len(sites), p=share / share.sum())], rng


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
        ``(n,)`` mm; the smooth minimum of the distances to the neighbouring territories' borders (`territory`), and
        not the lentiform nucleus unless its arteries are blocked.
    """
    depth = _collateral_distance(occlusion, mni)
    if occlusion.takes_perforators or occlusion.site in ("none", "embolic", *POSTERIOR):
        return depth
    x, y, z = mni[:, 0] * occlusion.sign, mni[:, 1], mni[:, 2]
    return np.minimum(depth, -14.0 * territory.lentiform(x, y, z)).astype(np.float32)


def _collateral_distance(occlusion: Occlusion, mni: np.ndarray) -> np.ndarray:
    """Return mm to the territories that collaterals come from, over the cortex; negative in them."""
    x, y, z = mni[:, 0] * occlusion.sign, mni[:, 1], mni[:, 2]
    site = occlusion.site
    if site == "none":
        return np.full(len(mni), territory.FAR_MM, dtype=np.float32)
    if site == "embolic":
        return embolic_depth(occlusion.emboli, np.stack([x, y, z], axis=1))
    if site == "PCA":
        return territory.posterior_cerebral(x, y, z)
    if site == "cerebellar":
        return territory.cerebellar(x, y, z)
    division = site.removeprefix("M2 ") if site in BRANCHES else ""
    return territory.middle_cerebral(x, y, z, division, occlusion.with_anterior)


def severity(seed: int, occlusion: Occlusion, mni: np.ndarray, cortex_depth_mm: np.ndarray) -> np.ndarray:
    """Return the fall of perfusion pressure, 0 (none) to 1 (no flow), at each point.

    Pressure falls with distance from the borders that collaterals come over, faster where they are poor. Deep tissue is
    fed by end arteries and fares worse; with its own arteries blocked the lentiform nucleus hardly has any collateral.
    Around an embolus in a small artery there is no way round: flow all but stops within its reach.

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
    if occlusion.site == "none":
        return np.zeros(len(mni), dtype=np.float32)
    if occlusion.site == "embolic":
        depth = _collateral_distance(occlusion, mni + 0.4 * jitter)
        return 0.93 * rising(depth, 2.0)
    place = mni + jitter
    depth = _collateral_distance(occlusion, place)
    if occlusion.site not in POSTERIOR:
        depth = depth + 0.45 * np.clip(cortex_depth_mm - 9.0, 0, 24.0) * rising(depth - 3.0, 6.0)
    collateral = occlusion.reach_mm * np.exp(0.22 * smooth_field(rng, mni, 30.0))
    fall = 1.0 - np.exp(-np.maximum(depth, 0.0) / collateral)
    if occlusion.site not in POSTERIOR:
        fall = _deep_nuclei(occlusion, fall, place, mni, rng)
    fall = fall * (1.0 + 0.10 * smooth_field(rng, mni, 12.0))
    own_side = rising(mni[:, 0] * occlusion.sign - 3.0, 2.0)
    return np.clip(fall * own_side, 0.0, 1.0).astype(np.float32)


def _deep_nuclei(
    occlusion: Occlusion, fall: np.ndarray, place: np.ndarray, mni: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    share = territory.perforators(place[:, 0] * occlusion.sign, place[:, 1], place[:, 2])
    if occlusion.takes_perforators:
        return np.maximum(fall, share * (0.86 + 0.07 * smooth_field(rng, mni, 15.0)))
    return fall * (1.0 - share)  # they leave the trunk before the clot
