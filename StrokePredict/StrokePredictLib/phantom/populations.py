"""Whom a cohort is drawn from: marginals of published cohorts."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import StrokeError
from .fields import stream

MTICI = ("0", "1", "2a", "2b", "2c", "3")


@dataclass(frozen=True)
class Population:
    """Who comes, when, with what blocked, and how it goes on.

    Attributes
    ----------
    name, title : str
        As `stroke phantom --population` takes it, and in words.
    age : tuple of float
        Mean, SD, lowest and highest, years.
    female : float
        Share of women.
    onset_min : tuple of float
        Onset to imaging: median (min), SD of its logarithm, lowest and highest.
    onset_unknown : float
        Share of patients whose onset nobody saw.
    sites : dict of str to float
        Share of each of `occlusion.SITES`.
    reach_mm : tuple of float
        Reach of collaterals into the middle cerebral artery's territory in a patient imaged after 4 h: median, SD of
        its logarithm.
    thrombectomy : float
        Share treated through the artery: their mTICI is known.
    mtici : tuple of float
        Share of each grade of `MTICI` at thrombectomy, trunk occlusions.
    mtici_branch : tuple of float
        The same for branch occlusions, fewer of which are reached.
    mtici_other : tuple of float
        What comes back without thrombectomy, as if it were graded.
    reperfusion_min : tuple of float
        Imaging to reperfusion: median (min), SD of its logarithm, lowest and highest.
    scan_24h : float
        Share with perfusion imaging at 24 h.
    nihss : tuple of float
        Deficit without any volume, for each mL of hypoperfused tissue and of core, and its scatter (SD).
    """

    name: str
    title: str
    age: tuple[float, float, float, float]
    female: float
    onset_min: tuple[float, float, float, float]
    onset_unknown: float
    sites: dict[str, float]
    reach_mm: tuple[float, float]
    thrombectomy: float
    mtici: tuple[float, ...]
    mtici_branch: tuple[float, ...]
    mtici_other: tuple[float, ...]
    reperfusion_min: tuple[float, float, float, float]
    scan_24h: float
    nihss: tuple[float, float, float, float]


#: Yu et al. 2020, Table 1 (iCAS and DEFUSE 2). The sites are theirs, of which M3 is taken as M2.
YU2020 = Population(
    name="yu2020",
    title="considered for thrombectomy within 24 h, as in Yu 2020",
    age=(65, 15, 25, 95),
    female=0.533,
    onset_min=(255, 0.46, 75, 1100),
    onset_unknown=0.15,
    sites={"ICA": 0.23, "M1 proximal": 0.28, "M1 distal": 0.31, "M2 superior": 0.095, "M2 inferior": 0.085},
    reach_mm=(35.0, 0.40),
    thrombectomy=0.76,
    mtici=(0.07, 0.03, 0.10, 0.25, 0.21, 0.34),
    mtici_branch=(0.28, 0.07, 0.11, 0.18, 0.14, 0.22),
    mtici_other=(0.44, 0.06, 0.12, 0.08, 0.11, 0.19),
    reperfusion_min=(100, 0.40, 35, 360),
    scan_24h=0.77,
    nihss=(3.0, 0.13, 0.05, 3.5),
)

#: Debs et al. 2021, Table A.5 (HIBISCUS-STROKE and I-KNOW); 74 of 109 reperfused.
DEBS2021 = Population(
    name="debs2021",
    title="early large-vessel occlusions, as in Debs 2021",
    age=(68, 15, 25, 95),
    female=0.413,
    onset_min=(108, 0.50, 40, 700),
    onset_unknown=0.0,
    sites={"ICA": 0.25, "M1 proximal": 0.26, "M1 distal": 0.235, "M2 superior": 0.135, "M2 inferior": 0.12},
    reach_mm=(25.5, 0.26),
    thrombectomy=0.844,
    mtici=(0.07, 0.03, 0.09, 0.34, 0.18, 0.29),
    mtici_branch=(0.16, 0.06, 0.10, 0.30, 0.15, 0.23),
    mtici_other=(0.62, 0.14, 0.24, 0.0, 0.0, 0.0),
    reperfusion_min=(105, 0.32, 45, 260),
    scan_24h=0.0,
    nihss=(2.5, 0.085, 0.05, 3.5),
)

#: Alis et al. 2020, Table 1 (data sets A and B together). They left out patients without a visible lesion; some
#: are added here. Sites, deficits and treatment are not given there: assumptions.
DWI = Population(
    name="dwi",
    title="consecutive patients with diffusion imaging, as in Alis 2020, and some without a lesion",
    age=(64.3, 11.0, 45, 85),
    female=0.42,
    onset_min=(405, 0.38, 60, 1400),
    onset_unknown=0.20,
    sites={
        "embolic": 0.69, "M2 superior": 0.05, "M2 inferior": 0.05, "M1 distal": 0.03, "M1 proximal": 0.02, "ICA": 0.01,
        "PCA": 0.05, "cerebellar": 0.03, "none": 0.07,
    },
    reach_mm=(40.0, 0.30),
    thrombectomy=0.05,
    mtici=(0.10, 0.04, 0.10, 0.32, 0.18, 0.26),
    mtici_branch=(0.24, 0.08, 0.14, 0.26, 0.12, 0.16),
    mtici_other=(0.60, 0.10, 0.15, 0.08, 0.03, 0.04),
    reperfusion_min=(120, 0.45, 35, 400),
    scan_24h=0.0,
    nihss=(2.5, 0.06, 0.08, 1.8),
)  # fmt: skip

POPULATIONS = {p.name: p for p in (YU2020, DEBS2021, DWI)}
#: "lvo" draws each patient from one of these two, evenly.
LVO = (YU2020, DEBS2021)
NAMES = ("lvo", *POPULATIONS)


def population_of(seed: int, name: str = "lvo") -> Population:
    """Return the population that one patient of a cohort comes from.

    Parameters
    ----------
    seed : int
        The patient; matters for the mixture "lvo" only.
    name : str
        One of `NAMES`.

    Raises
    ------
    StrokeError
        For another name.
    """
    if name == "lvo":
        return LVO[int(stream(seed, "population").random() < 0.5)]
    if name not in POPULATIONS:
        raise StrokeError(f"--population {name}: not simulated; choose {', '.join(NAMES)}.")
    return POPULATIONS[name]
