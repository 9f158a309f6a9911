"""Simulated marginals beside the published ones that the populations were set to.

``python -m StrokePredictLib.phantom.calibration [--patients N] [--seed S]`` prints the table as Markdown.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from .anatomy import draw_pose
from .grid import Grid
from .tissue import draw_person, facts_of, head_of, simulate_tissue, volumes_of

#: Tissue only, without images: half the resolution is enough for volumes.
GRID = Grid(shape=(24, 64, 64), spacing=(3.6, 3.6, 6.0))
Row = dict[str, Any]

#: What each paper gives, row by row: name, the paper's value, and how ours is computed from all patients' rows.
_Line = tuple[str, str, Callable[[list[Row]], str]]


def simulate_rows(population: str, patients: int, seed: int = 0, grid: Grid = GRID) -> list[Row]:
    """Return facts and volumes of patients without imaging them.

    Parameters
    ----------
    population : str
        One of `populations.NAMES`.
    patients : int
        How many.
    seed : int
        Patient n has the seed ``seed + n``.
    grid : Grid
        Where their tissue is computed.
    """
    rows = []
    for n in range(patients):
        person = draw_person(seed + n, population)
        pose = draw_pose(seed + n, female=person.course.sex == "F")
        tissue = simulate_tissue(person, head_of(person, grid, pose))
        ml = volumes_of(tissue)
        rows.append(facts_of(tissue, ml) | ml | {"onset": person.course.onset_to_imaging_min, "course": person.course})
    return rows


def quartiles(values: list[float], digits: int = 0) -> str:
    """Return "median (lower quartile-upper quartile)"."""
    low, middle, high = np.percentile(values, (25, 50, 75)) if len(values) else (np.nan,) * 3
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def share(chosen: list[bool] | np.ndarray) -> str:
    """Return a percentage."""
    return f"{100.0 * float(np.mean(chosen)):.0f} %"


def _of(key: str, digits: int = 0, scale: float = 1.0, **only: str) -> Callable[[list[Row]], str]:
    def compute(rows: list[Row]) -> str:
        rows = [r for r in rows if all(r[k] == v for k, v in only.items())]
        return quartiles([r[key] * scale for r in rows if r[key] is not None], digits)

    return compute


def _mismatch(rows: list[Row]) -> str:
    return quartiles([min(r["tmax_over_6"] / max(r["core"], 1e-6), 20.0) for r in rows], 1)


def _is(key: str, *values: str) -> Callable[[list[Row]], str]:
    return lambda rows: share([r[key] in values for r in rows])


def _yu_is(value: str) -> Callable[[list[Row]], str]:
    return lambda rows: share([r["reperfusion_yu"] == value for r in rows if r["reperfusion_yu"] != "unknown"])


def _age(rows: list[Row]) -> str:
    ages = [r["age"] for r in rows]
    return f"{np.mean(ages):.0f} ± {np.std(ages):.0f}"


TABLES: dict[str, tuple[str, list[_Line]]] = {
    "yu2020": (
        "Yu 2020, Table 1",
        [
            ("age, years", "65 ± 15", _age),
            ("women", "53 %", _is("sex", "F")),
            ("ICA", "23 %", _is("occlusion", "ICA")),
            ("M1", "59 %", _is("occlusion", "M1 proximal", "M1 distal")),
            ("M2 and M3", "17 %", _is("occlusion", "M2 superior", "M2 inferior")),
            ("onset to treatment, h", "6.0 (4.6-8.3)", lambda rows: quartiles(
                [(r["onset"] + r["course"].counterfactual_reperfusion_min) / 60 for r in rows], 1)),
            ("diffusion lesion, mL", "28 (11-60)", _of("core")),
            ("Tmax > 6 s, mL", "116 (67-168)", _of("tmax_over_6")),
            ("mismatch ratio, at most 20", "3.9 (2.2-9.7)", _mismatch),
            ("NIHSS", "15 (10-19)", _of("nihss")),
            ("minimal reperfusion, of known", "23 %", _yu_is("minimal")),
            ("partial", "29 %", _yu_is("partial")),
            ("major", "48 %", _yu_is("major")),
            ("unknown, of all", "23 %", _is("reperfusion_yu", "unknown")),
            ("reperfusion rate, %", "74 (29-100)", _of("reperfusion_rate")),
            ("final infarct, mL", "54 (16-117)", _of("infarct_day5")),
            ("  minimal reperfusion", "86 (35-257)", _of("infarct_day5", reperfusion_yu="minimal")),
            ("  partial", "82 (27-163)", _of("infarct_day5", reperfusion_yu="partial")),
            ("  major", "23 (9-64)", _of("infarct_day5", reperfusion_yu="major")),
            ("  unknown", "52 (21-109)", _of("infarct_day5", reperfusion_yu="unknown")),
        ],
    ),
    "debs2021": (
        "Debs 2021, Table A.5",
        [
            ("age, years", "70 (57-79)", _of("age")),
            ("women", "41 %", _is("sex", "F")),
            ("ICA with M1", "25 %", _is("occlusion", "ICA")),
            ("M1", "50 %", _is("occlusion", "M1 proximal", "M1 distal")),
            ("M2, with ICA or alone", "26 %", _is("occlusion", "M2 superior", "M2 inferior")),
            ("onset to MRI, min", "105 (78-154)", _of("onset")),
            ("diffusion lesion, mL", "24.9 (7.4-50.9)", _of("core", 1)),
            ("NIHSS", "15 (10-19)", _of("nihss")),
            ("reperfused", "68 %", _is("reperfusion_debs", "yes")),
        ],
    ),
    "dwi": (
        "Alis 2020, Table 1, data set A; B",
        [
            ("age, years", "66 ± 11; 63 ± 11", _age),
            ("women", "40 %; 44 %", _is("sex", "F")),
            ("onset to MRI, h", "6.5 (4.5-8); 7 (6-9)", _of("onset", 1, 1 / 60)),
            ("diffusion lesion where there is one, mL", "3.66 (2.51-15.55); 3.25 (2.62-6.81)", lambda rows: quartiles(
                [r["core"] for r in rows if r["core"] > 0], 2)),
            ("without a lesion", "left out", lambda rows: share([r["core"] == 0 for r in rows])),
        ],
    ),
}  # fmt: skip


def table(population: str, rows: list[Row]) -> str:
    """Return the Markdown table of one population's marginals, the paper's and ours."""
    source, lines = TABLES[population]
    text = [f"| {population} | {source} | simulated (n = {len(rows)}) |", "|---|---|---|"]
    text += [f"| {name} | {paper} | {ours(rows)} |" for name, paper, ours in lines]
    return "\n".join(text) + "\n"


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=300)
    parser.add_argument("--seed", type=int, default=5_000_000)
    parser.add_argument("--population", choices=list(TABLES), action="append")
    arguments = parser.parse_args()
    for population in arguments.population or TABLES:
        print(table(population, simulate_rows(population, arguments.patients, arguments.seed)))


if __name__ == "__main__":
    main()
