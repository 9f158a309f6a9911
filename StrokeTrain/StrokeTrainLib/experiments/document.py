"""The report of an experiment as text: the table beside the paper's, tests, directions, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..metrics.catalogue import METRICS
from ..statistics.compare import p_text
from ..statistics.values import signed
from .directions import unit_of
from .drawing import FOLDER
from .experiment import Finished, Report

SIMULATED = (
    "**Simulated patients.** Ours were measured on simulated patients: they show that the method runs as described and "
    "nothing of its worth in real ones."
)
_QUICK = (
    "**Quick preset.** Smaller images and networks, fewer epochs (and patients, above {patients}): far from the "
    "paper's training; only `table.md` without `--quick` may be compared with the paper."
)


def to_markdown(finished: Finished, report: Report, facts: Mapping[str, Any]) -> str:
    """Return ``table.md``.

    Parameters
    ----------
    finished : Finished
        The experiment.
    report : Report
        What it found.
    facts : mapping
        ``command``, ``how`` (sentences), ``simulated``, ``software``.
    """
    experiment = finished.experiment
    blocks = [f"# {experiment.title}"]
    if facts["simulated"]:
        blocks.append(SIMULATED)
    if finished.setting.quick:
        blocks.append(_QUICK.format(patients=experiment.quick_patients))
    blocks.append(f"```\n{facts['command']}\n```")
    blocks += [table.markdown().rstrip() for table in report.tables]
    blocks += _directions(report.directions)
    blocks += _comparisons(report.comparisons)
    if report.drawings:
        shown = [f"![{drawing.name}]({FOLDER}/{drawing.name}.png)\n\n{drawing.caption}" for drawing in report.drawings]
        blocks += ["## Figures", *shown]
    blocks += ["## How", "\n".join(f"- {sentence}" for sentence in facts["how"])]
    if report.notes or finished.ground.notes:
        told = list(dict.fromkeys([*report.notes, *finished.ground.notes]))
        blocks += ["## Notes", "\n".join(f"- {note}" for note in told)]
    if finished.ground.left_out:
        blocks += ["## Left out", "\n".join(f"- {reason}" for reason in finished.ground.left_out)]
    if experiment.paper is not None:
        blocks += ["## Paper", experiment.paper.citation]
    return "\n\n".join(blocks) + "\n"


def _directions(directions: Sequence[Mapping[str, Any]]) -> list[str]:
    if not directions:
        return []
    head = "| what the paper reports | its numbers | ours | verdict |\n|---|---|---|---|"
    rows = [
        f"| {d['claim']} | {_cell(d['published'])} | {_cell(d['found'])} | **{d['verdict']}** |" for d in directions
    ]
    told = (
        "Each claim was named beforehand and is judged at a two-sided level of .05 without correction. A rank-biserial "
        "correlation lies between −1 and 1 and is positive where the first is larger."
    )
    return ["## Directions", told, "\n".join([head, *rows])]


def _comparisons(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    head = "| group | measure | first | second | n | test | P | P (Holm) | rank-biserial | difference (95 % interval) |"
    lines = [head, f"|{'---|' * 10}"]
    for row in rows:
        metric = METRICS.get(row["metric"])
        measure = metric.short + (f" ({metric.unit})" if metric and metric.unit else "") if metric else row["metric"]
        cells = [
            row["group"], measure, row["first_title"], row["second_title"], str(row["n"]), row["test"],
            p_text(row["p"]), p_text(row.get("p_holm", np.nan)), _effect(row), _shift(row),
        ]  # fmt: skip
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    told = (
        "Difference: Hodges-Lehmann estimate of first minus second, unless the test's name says otherwise. P (Holm): "
        "for the number of tests of a measure in a group."
    )
    return ["## Tests", told, "\n".join(lines)]


def _effect(row: Mapping[str, Any]) -> str:
    return _number(row["effect"], 2) if row.get("rank_effect", True) else "–"


def _shift(row: Mapping[str, Any]) -> str:
    digits = 1 if unit_of(row["metric"]) else 3
    if not np.isfinite(row["shift"]):
        return row.get("note") or "–"
    if not np.isfinite(row["shift_low"]):
        return _number(row["shift"], digits)
    low, high = _number(row["shift_low"], digits), _number(row["shift_high"], digits)
    return f"{_number(row['shift'], digits)} ({low} to {high})"


def _number(value: float, digits: int) -> str:
    return signed(value, digits) if np.isfinite(value) else "–"


def _cell(text: str) -> str:
    """Keep Markdown from reading what a cell says as markup."""
    return text.replace("|", "/").replace("<", "&lt;")
