"""Debs 2021, Table 4: what the inputs are worth."""

from __future__ import annotations

import json

from ..recipes import load_recipe
from ..statistics.compare import stars
from . import debs
from .arms import Arm
from .debs import GROUPS, KEYS, TITLES, WITH, WITHOUT
from .drawing import dice_by_group
from .experiment import Experiment, Finished, Report, of_metric
from .published.debs2021 import PAPER, TABLE4
from .table import add_paper, with_paper

#: Published key → images kept, and as printed.
INPUTS = {
    "all": (("dwi", "adc", "tmax", "cbv", "cbf"), "DWI + ADC + Tmax + CBF + CBV"),
    "three": (("dwi", "adc", "tmax"), "DWI + ADC + Tmax"),
    "dwi": (("dwi",), "DWI"),
    "adc": (("adc",), "ADC"),
    "tmax": (("tmax",), "Tmax"),
}
_CLAIMS = {
    "three": ("without CBF and CBV the Dice does not differ", "none"),
    "dwi": ("DWI alone has a lower Dice", "higher"),
    "adc": ("ADC alone has a lower Dice", "higher"),
    "tmax": ("Tmax alone has a lower Dice", "higher"),
}
#: Where the paper's mark is none, it found no difference.
_MARKS = {
    WITH: {"three": "0.44, no mark", "dwi": "0.42 (*)", "adc": "0.40 (***)", "tmax": "0.32 (***)"},
    WITHOUT: {"three": "0.47, no mark", "dwi": "0.45, no mark", "adc": "0.42 (.)", "tmax": "0.40 (*)"},
}


def _arm(training_set: str, key: str) -> Arm:
    roles, title = INPUTS[key]
    kept = [c for c in load_recipe("debs2021").model_dump(mode="json")["channels"] if c["role"] in roles]
    values = {"channels": json.dumps(kept), "network.options.channels": len(kept)}
    return debs.arm(
        training_set, name=f"{training_set}-{key}", title=f"{TITLES[training_set]}: {title}",
        values={} if key == "all" else values,
    )  # fmt: skip


def report(finished: Finished) -> Report:
    """Fill Table 4."""
    results = finished.results([finished.source(arm.name) for arm in finished.experiment.arms])
    made, table = Report(), with_paper(TABLE4)
    for group in GROUPS:
        part, full = debs.group_of(results, group), f"{group}-all"
        others = [f"{group}-{key}" for key in INPUTS if key != "all"]
        rows = made.compared(part, GROUPS[group][0], full, others, KEYS)
        for key, (_, title) in INPUTS.items():
            method = f"{group}-{key}"
            told = [of_metric(rows, metric, method)["p"] for metric in KEYS] if key != "all" else []
            add_paper(table, TABLE4, [method])
            debs.add_ours(table, group, title, part, method, [stars(p) for p in told])
        for key, (claim, expected) in _CLAIMS.items():
            published = _MARKS[group][key]
            if published.endswith("no mark"):
                claim, expected = f"{INPUTS[key][1]}: the Dice does not differ from the full model's", "none"
            full_dice = "0.44" if group == WITH else "0.47"
            made.look_for(
                f"{GROUPS[group][0]}: {claim}", f"full {full_dice}, {published}", expected,
                of_metric(rows, "dice", f"{group}-{key}"),
            )  # fmt: skip
    made.tables.append(table)
    made.drawings.append(dice_by_group(
        "Dice of the model of the patient's own course, by what it is given.",
        {GROUPS[group][0]: (debs.group_of(results, group), {title: f"{group}-{key}" for key, (_, title) in
                                                            INPUTS.items()}) for group in GROUPS},
    ))  # fmt: skip
    made.require_learnt(debs.own_kind(results, _SETS))
    return made


_ARMS = tuple(_arm(training_set, key) for training_set in (WITH, WITHOUT) for key in INPUTS)
_SETS = {arm.name: arm.name.rpartition("-")[0] for arm in _ARMS}
EXPERIMENT = Experiment(
    name="debs-ablation",
    title="Debs 2021, Table 4: the reperfused and the non-reperfused model with fewer inputs",
    paper=PAPER,
    needs=debs.NEEDS,
    folds=5,
    arms=_ARMS,
    deal=debs.dealer(_SETS),
    report=report,
)
