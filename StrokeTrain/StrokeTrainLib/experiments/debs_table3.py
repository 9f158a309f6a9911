"""Debs 2021, Table 3: the matching model against the perfusion-diffusion mismatch."""

from __future__ import annotations

import numpy as np

from ..evaluation.results import Results
from ..metrics.rules import DEBS_RULES
from ..statistics.compare import stars
from ..statistics.intervals import proportion
from . import debs
from .comparing import UNCLEANED, paired
from .debs import GROUPS, KEYS, WITH, WITHOUT
from .drawing import dice_by_group
from .experiment import Experiment, Finished, Report, of_metric
from .published.debs2021 import PAPER, TABLE3
from .table import OURS, Table, add_paper, mean_sd, with_paper
from .table import PAPER as PUBLISHED

SETS = {WITH: WITH, WITHOUT: WITHOUT}
MISMATCH = "Perfusion-diffusion mismatch"
#: As the text (3.2) prints them, by group: network, rule.
_AUC = {WITH: ("0.87 ± 0.13 (***)", "0.79 ± 0.17"), WITHOUT: ("0.81 ± 0.13 (**)", "0.73 ± 0.14")}
_DICE = {WITH: "0.44 against 0.41, P < 0.05", WITHOUT: "0.47 against 0.26, P < 0.001"}
_SHARE = {WITH: "68 %", WITHOUT: "89 %"}


def report(finished: Finished) -> Report:
    """Fill Table 3, with the AUCs of the text in a table of their own."""
    results = finished.results([finished.source(name) for name in SETS], tuple(DEBS_RULES.values()))
    made, table = Report(), with_paper(TABLE3)
    areas = Table("Section 3.2. AUC of the CNN and of the mismatch", ("AUC",), [], dict(table.footnotes))
    for group, (title, word) in GROUPS.items():
        part, rule = debs.group_of(results, group), DEBS_RULES[word]
        rows = made.compared(part, title, group, [rule], (*KEYS, "auc", "binary_auc", "absolute_volume_error_ml"))
        _add_lines(table, group, part, rule, rows)
        _add_areas(made, areas, group, part, rule)
        _look(made, group, rows)
        made.numbers[f"{group}: higher Dice than the mismatch"] = _better(made, group, part, rule)
    made.drawings.append(dice_by_group(
        "Dice of the model of the patient's own course and of its mismatch rule.",
        {title: (debs.group_of(results, group), {"Matching CNN": group, MISMATCH: DEBS_RULES[word]})
         for group, (title, word) in GROUPS.items()},
    ))  # fmt: skip
    made.notes.append(UNCLEANED)
    made.tables += [table, areas]
    made.require_learnt(debs.own_kind(results, SETS))
    return made


def _add_lines(table: Table, group: str, part: Results, rule: str, rows: list[dict]) -> None:
    """Add the lines; the better of both bears the mark of significance, as in the paper."""
    marks = {group: [], rule: []}
    for key in KEYS:
        row = of_metric(rows, key)
        for method, told in marks.items():
            told.append(stars(row["p"]) if row["better"] == method else "")
    add_paper(table, TABLE3, [f"{group}-cnn"])
    debs.add_ours(table, group, "CNN", part, group, marks[group])
    add_paper(table, TABLE3, [f"{group}-mismatch"])
    debs.add_ours(table, group, f"{MISMATCH}: {part.methods[rule]}", part, rule, marks[rule])


def _add_areas(made: Report, areas: Table, group: str, part: Results, rule: str) -> None:
    """Compare the map of the network with the mask of the rule, which has no levels, as the paper seems to."""
    ours, theirs = part.column(group, "auc"), part.column(rule, "binary_auc")
    names = (f"{part.methods[group]} (map)", f"{part.methods[rule]} (mask)")
    row = paired(ours, theirs, "auc", GROUPS[group][0], names)
    made.comparisons.append(row)
    title = GROUPS[group][0]
    areas.add(title, "CNN", PUBLISHED, "", [_AUC[group][0]], "auc")
    areas.add(title, "CNN", OURS, len(part.patients), [f"{mean_sd(ours)} {stars(row['p'])}".strip()])
    areas.add(title, MISMATCH, PUBLISHED, "", [_AUC[group][1]], "auc")
    areas.add(title, MISMATCH, OURS, len(part.patients), [mean_sd(theirs)])
    numbers = " against ".join(cell.split(" ±")[0] for cell in _AUC[group])
    made.look_for(f"{title}: the CNN's AUC is higher than the mismatch's", f"{numbers}", "higher", row)


def _look(made: Report, group: str, rows: list[dict]) -> None:
    title = GROUPS[group][0]
    made.look_for(f"{title}: the CNN's Dice is higher than the mismatch's", _DICE[group], "higher",
                  of_metric(rows, "dice"))  # fmt: skip
    made.look_for(f"{title}: the mismatch's precision is higher", "P < 0.001", "lower", of_metric(rows, "ppv"))
    made.look_for(f"{title}: the CNN's volumetric similarity is higher", "P < 0.001", "higher",
                  of_metric(rows, "volumetric_similarity"))  # fmt: skip


def _better(made: Report, group: str, part: Results, rule: str) -> dict:
    """Say in what share of patients the network has the higher Dice."""
    a, b = part.column(group, "dice"), part.column(rule, "dice")
    known = np.isfinite(a) & np.isfinite(b)
    share = proportion(int((a > b)[known].sum()), int(known.sum()))
    made.notes.append(
        f"{GROUPS[group][0]}: the CNN has the higher Dice in {100 * share.value:.0f} % "
        f"({100 * share.low:.0f} to {100 * share.high:.0f} %) of {share.n}; in the paper in {_SHARE[group]}."
    )
    return {"share": share.value, "low": share.low, "high": share.high, "n": share.n}


EXPERIMENT = Experiment(
    name="debs-table3",
    title="Debs 2021, Table 3: networks against the perfusion-diffusion mismatch",
    paper=PAPER,
    needs=f"{debs.NEEDS} A reader's outline of the DWI lesion (core) where there is one; else ADC < 620 stands for it.",
    folds=5,
    arms=tuple(debs.arm(name) for name in SETS),
    deal=debs.dealer(SETS),
    report=report,
)
