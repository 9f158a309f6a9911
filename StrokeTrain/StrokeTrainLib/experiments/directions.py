"""What a paper found, looked for again: stated with effect and interval, whether it was found or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..metrics.catalogue import METRICS
from ..statistics.compare import p_text
from ..statistics.values import signed

#: Two-sided level, without correction: each direction was asked for by name.
ALPHA = 0.05
#: Where nothing can be said because both give the same in every patient.
EQUAL = "not assessable: equal in every patient"
#: Where a row does not say how small its P could have been: of fewer patients nothing is said.
LEAST = 6


@dataclass(frozen=True)
class Direction:
    """A claim of a paper.

    Attributes
    ----------
    claim : str
        What differs from what, and in whom.
    published : str
        The paper's numbers.
    expected : str
        ``"higher"``, ``"lower"``: the first against the second; ``"none"``: no significant difference was found.
    """

    claim: str
    published: str
    expected: str


def judge(direction: Direction, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a claim beside what was found.

    Parameters
    ----------
    direction : Direction
        The claim.
    row : mapping
        A comparison as `StrokeTrainLib.evaluation.summary.compare` returns it.
    """
    return {
        "claim": direction.claim,
        "published": direction.published,
        "expected": direction.expected,
        "verdict": _unjudged(row) or verdict(direction.expected, row["p"], row["effect"]),
        "found": words(row),
        "p": row["p"],
        "effect": row["effect"],
        "n": row["n"],
    }


def _unjudged(row: Mapping[str, Any]) -> str:
    """Return why a comparison can say nothing, whatever its P value; empty where it can."""
    if not np.isfinite(row["p"]):
        return ""
    if row["effect"] == 0 and row["shift_low"] == row["shift_high"] == 0:
        return EQUAL
    least = row.get("least_p", np.nan)
    if np.isfinite(least):
        if least < ALPHA:
            return ""
        return f"not assessable: too few differ (n = {row['n']}, smallest possible P {p_text(least)})"
    return f"not assessable: too few patients (n = {row['n']})" if row["n"] < LEAST else ""


def verdict(expected: str, p: float, effect: float) -> str:
    """Return what the numbers say of a claim, in words."""
    if not np.isfinite(p) or not np.isfinite(effect):
        return "not assessable"
    significant = p < ALPHA
    if expected == "none":
        return "a difference here" if significant else "no significant difference here either"
    if effect == 0:
        return "not found"
    agrees = (effect > 0) == (expected == "higher")
    if not agrees:
        return "the opposite" if significant else "not found (the other way, not significant)"
    return "found" if significant else "same direction, not significant"


def unit_of(metric: str) -> str:
    """Return the unit of a measure, given by its key or, where it stands in no table of scores, by its words."""
    if metric in METRICS:
        return METRICS[metric].unit
    return "mL" if metric.endswith("(mL)") else ""


def words(row: Mapping[str, Any]) -> str:
    """Return a comparison's effect, interval and P in one phrase."""
    if not np.isfinite(row["p"]):
        return row.get("note") or "no numbers"
    unit = unit_of(row["metric"])
    digits, unit = (1, f" {unit}") if unit else (3, "")
    shift = signed(row["shift"], digits)
    if np.isfinite(row["shift_low"]):
        shift += f" ({signed(row['shift_low'], digits)} to {signed(row['shift_high'], digits)})"
    told = f"difference {shift}{unit}"
    if row.get("rank_effect", True) and np.isfinite(row["effect"]):
        told += f", rank-biserial {signed(row['effect'], 2)}"
    return f"{told}, P = {p_text(row['p'])}, n = {row['n']}".replace("P = <", "P < ").replace("P = >", "P > ")
