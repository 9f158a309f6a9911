"""Debs 2021, Table 2: general, reperfused and non-reperfused model in reperfused and non-reperfused patients."""

from __future__ import annotations

from ..statistics.compare import p_text, stars
from . import debs
from .debs import GENERAL, GROUPS, KEYS, TITLES, WITH, WITHOUT
from .drawing import dice_by_group
from .experiment import Experiment, Finished, Report, of_metric
from .published.debs2021 import PAPER, TABLE2
from .table import OURS, Table, add_paper, with_paper

SETS = {GENERAL: GENERAL, WITH: WITH, WITHOUT: WITHOUT}
#: The paper's two-by-two comparisons.
PAIRS = ((GENERAL, WITH), (GENERAL, WITHOUT), (WITH, WITHOUT))


def report(finished: Finished) -> Report:
    """Fill Table 2."""
    results = finished.results([finished.source(name) for name in SETS])
    made, table = Report(), with_paper(TABLE2)
    for group in GROUPS:
        part = debs.group_of(results, group)
        for method in SETS:
            add_paper(table, TABLE2, [f"{group}-{method}"])
            debs.add_ours(table, group, TITLES[method], part, method)
        tests = {pair: made.compared(part, GROUPS[group][0], pair[0], [pair[1]], KEYS) for pair in PAIRS}
        for pair, rows in tests.items():
            add_paper(table, TABLE2, [f"{group}-p-{pair[0]}-{pair[1]}"])
            _add_p(table, group, pair, rows, len(part.patients))
        _look(made, group, tests)
    made.tables.append(table)
    methods = {TITLES[name]: name for name in SETS}
    made.drawings.append(dice_by_group(
        "Dice of the three models out of fold, by what happened to the patient.",
        {GROUPS[group][0]: (debs.group_of(results, group), methods) for group in GROUPS},
    ))  # fmt: skip
    made.require_learnt(debs.own_kind(results, SETS))
    return made


def _add_p(table: Table, group: str, pair: tuple[str, str], rows: list[dict], n: int) -> None:
    cells = [f"{p_text(of_metric(rows, key)['p'])} {stars(of_metric(rows, key)['p'])}".strip() for key in KEYS]
    label = f"P: {TITLES[pair[0]]} vs {TITLES[pair[1]]}"
    table.add(GROUPS[group][0], label, OURS, n, cells, "uncorrected")


def _look(made: Report, group: str, tests: dict) -> None:
    """Look for what the paper says of the matching, the opposite and the general model."""
    opposite = of_metric(tests[(WITH, WITHOUT)], "dice")
    if group == WITH:
        made.look_for(
            "Reperfused patients: the matching (reperfused) model has a higher Dice than the opposite one",
            "0.44 against 0.35, P = 2.3e-8", "higher", opposite,
        )  # fmt: skip
        made.look_for(
            "Reperfused patients: the matching model's Dice does not differ from the general one's",
            "0.44 against 0.43, P = 0.43", "none", of_metric(tests[(GENERAL, WITH)], "dice"),
        )  # fmt: skip
        made.look_for(
            "Reperfused patients: the opposite (non-reperfused) model has a higher precision",
            "0.50 against 0.60, P = 2.9e-7", "lower", of_metric(tests[(WITH, WITHOUT)], "ppv"),
        )  # fmt: skip
        return
    made.look_for(
        "Non-reperfused patients: the matching (non-reperfused) model's Dice does not differ from the opposite one's",
        "0.47 against 0.44, P = 0.13", "none", opposite,
    )  # fmt: skip
    made.look_for(
        "Non-reperfused patients: the matching model's Dice does not differ from the general one's",
        "0.47 against 0.44, P = 0.17", "none", of_metric(tests[(GENERAL, WITHOUT)], "dice"),
    )  # fmt: skip
    made.look_for(
        "Non-reperfused patients: the opposite (reperfused) model has a lower volumetric similarity",
        "0.63 against 0.74, P = 0.034", "lower", of_metric(tests[(WITH, WITHOUT)], "volumetric_similarity"),
    )  # fmt: skip


EXPERIMENT = Experiment(
    name="debs-table2",
    title="Debs 2021, Table 2: does the reperfusion status make a better model?",
    paper=PAPER,
    needs=debs.NEEDS,
    folds=5,
    arms=tuple(debs.arm(name) for name in SETS),
    deal=debs.dealer(SETS),
    report=report,
)
