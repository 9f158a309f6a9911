"""Debs 2021, Table C.6: early against late fusion of the inputs."""

from __future__ import annotations

from ..statistics.compare import stars
from . import debs
from .debs import GENERAL, GROUPS, KEYS, TITLES, WITH, WITHOUT
from .drawing import dice_by_group
from .experiment import Experiment, Finished, Report, of_metric
from .published.debs2021 import PAPER, TABLE_C6
from .table import add_paper, with_paper

TRAINING = {GENERAL: "all", WITH: "reperfused", WITHOUT: "non-reperfused"}
FUSIONS = ("early", "late")
#: Mean Dice by group, training set: early, late, as printed.
_DICE = {
    WITH: {GENERAL: ("0.39", "0.43"), WITH: ("0.41", "0.44"), WITHOUT: ("0.36", "0.35")},
    WITHOUT: {GENERAL: ("0.42", "0.44"), WITH: ("0.41", "0.44"), WITHOUT: ("0.42", "0.47")},
}


def report(finished: Finished) -> Report:
    """Fill Table C.6; early and late fusion are compared besides, which the paper does by eye."""
    results = finished.results([finished.source(arm.name) for arm in finished.experiment.arms])
    made, table = Report(), with_paper(TABLE_C6)
    for group in GROUPS:
        part, title = debs.group_of(results, group), GROUPS[group][0]
        for fusion in FUSIONS:
            others = [f"{fusion}-{name}" for name in (WITH, WITHOUT)]
            rows = made.compared(part, title, f"{fusion}-{GENERAL}", others, KEYS)
            for name, label in TRAINING.items():
                method = f"{fusion}-{name}"
                told = [] if name == GENERAL else [stars(of_metric(rows, key, method)["p"]) for key in KEYS]
                add_paper(table, TABLE_C6, [f"{group}-{method}"])
                debs.add_ours(table, group, f"{fusion}, {label}", part, method, told)
        for name in TRAINING:
            rows = made.compared(part, title, f"late-{name}", [f"early-{name}"], KEYS)
            early, late = _DICE[group][name]
            made.look_for(
                f"{title}, {TITLES[name].lower()} model: late fusion has "
                f"{'a higher' if float(late) > float(early) else 'a lower'} Dice",
                f"{late} against {early}, not tested", "higher" if float(late) > float(early) else "lower",
                of_metric(rows, "dice"),
            )  # fmt: skip
            made.look_for(
                f"{title}, {TITLES[name].lower()} model: early fusion has the smaller Hausdorff distance",
                "read from the means, not tested", "higher", of_metric(rows, "hausdorff_mm"),
            )  # fmt: skip
    made.tables.append(table)
    methods = {f"{TITLES[name]}, {fusion} fusion": f"{fusion}-{name}" for name in TRAINING for fusion in FUSIONS}
    made.drawings.append(dice_by_group(
        "Dice of the three models with early and with late fusion of their inputs.",
        {GROUPS[group][0]: (debs.group_of(results, group), methods) for group in GROUPS},
    ))  # fmt: skip
    made.require_learnt(debs.own_kind(results, _SETS))
    return made


_SETS = {f"{fusion}-{name}": name for fusion in FUSIONS for name in TRAINING}
EXPERIMENT = Experiment(
    name="debs-fusion",
    title="Debs 2021, Table C.6: early and late fusion",
    paper=PAPER,
    needs=debs.NEEDS,
    folds=5,
    arms=tuple(
        debs.arm(
            chosen, early=name.startswith("early"), name=name, title=f"{TITLES[chosen]}, {name.split('-')[0]} fusion"
        )
        for name, chosen in sorted(_SETS.items(), key=lambda item: item[0].startswith("early"))
    ),
    deal=debs.dealer(_SETS),
    report=report,
)
