"""Yu 2020, Table 2: the network against thresholds, by reperfusion."""

from __future__ import annotations

from ..evaluation.results import Results
from ..evaluation.summary import SMALL_LESION_ML
from ..metrics.catalogue import METRICS
from ..metrics.rules import RULES, YU_RULES
from ..statistics.agreement import lin_concordance
from ..statistics.compare import adjust, p_text
from ..statistics.describe import below, subgroups
from .arms import Arm
from .comparing import UNCLEANED, paired
from .drawing import Drawing, dice_by_group, volumes
from .experiment import Experiment, Finished, Report, everybody_the_same, median_dice, of_metric
from .published.yu2020 import ALL, PAPER, TABLE2
from .table import OURS, Table, add_paper, digits_of, median_iqr, with_paper
from .table import PAPER as PUBLISHED

NETWORK = "model"
#: Columns of the table; a rule's AUC is its mask's.
KEYS = ("auc", "dice", "ppv", "recall", "specificity", "volume_error_ml", "absolute_volume_error_ml")
GROUPS = ("minimal", "major", "partial", "unknown")
_CLAIMS = (
    ("minimal", "auc", "the model's AUC is higher than the rule's", "0.90 against 0.80, P < .001", "higher"),
    ("minimal", "dice", "the model's Dice does not differ from the rule's", "0.58 against 0.55, P = .37", "none"),
    ("minimal", "ppv", "the model's PPV is higher", "0.71 against 0.46, P = .002", "higher"),
    ("minimal", "specificity", "the model's specificity is higher", "0.97 against 0.94, P = .002", "higher"),
    ("major", "auc", "the model's AUC is higher than the rule's", "0.93 against 0.71, P < .001", "higher"),
    ("major", "dice", "the model's Dice is higher than the rule's", "0.48 against 0.45, P = .002", "higher"),
    ("major", "recall", "the model's sensitivity is higher", "0.74 against 0.42, P < .001", "higher"),
    ("major", "specificity", "the model's specificity is lower", "0.97 against 0.99, P < .001", "lower"),
)


def report(finished: Finished) -> Report:
    """Fill Table 2, with the line of all patients from the text."""
    results = finished.results([finished.source(NETWORK)], tuple(YU_RULES.values()))
    made, table = Report(), with_paper(TABLE2)
    table.add("All", "All (n = 182)", PUBLISHED, "", ALL)
    _line(table, "All", "All", results, NETWORK)
    tests: dict[str, list[dict]] = {}
    for group in GROUPS:
        part = results.only([name for name, word in zip(results.patients, results.fact("reperfusion_yu"), strict=True)
                             if (word or "unknown") == group])  # fmt: skip
        title = group.capitalize()
        add_paper(table, TABLE2, [f"{group}-model"])
        _line(table, title, title, part, NETWORK)
        if group in YU_RULES:
            rule = YU_RULES[group]
            tests[group] = _compared(made, part, title, rule)
            add_paper(table, TABLE2, [f"{group}-rule"])
            _line(table, title, RULES[rule].title, part, rule, "auc")
            add_paper(table, TABLE2, [f"{group}-p"])
            cells = [p_text(of_metric(tests[group], key)["p"]) for key in KEYS]
            table.add(title, "P value", OURS, len(part.patients), cells)
            _volumes(made, part, title, rule)
    _bonferroni(made, tests)
    for group, key, claim, published, expected in _CLAIMS:
        made.look_for(f"{group.capitalize()} reperfusion: {claim}", published, expected, of_metric(tests[group], key))
    agreement = lin_concordance(results.column(NETWORK, "predicted_ml"), results.true_ml(), cube_root=True)
    made.notes.insert(0, f"Lin's concordance of cube-root volumes, all patients: {agreement.rho.text()} (n = "
                         f"{agreement.rho.n}); in the paper 0.74 (0.66 to 0.80).")  # fmt: skip
    made.drawings += _drawings(results)
    made.notes.append(UNCLEANED)
    made.tables.append(table)
    made.require_learnt(median_dice({results.methods[NETWORK]: results.column(NETWORK, "dice")}))
    return made


def _drawings(results: Results) -> list[Drawing]:
    """Show Dice by reperfusion, network beside its group's rule, and the network's volumes."""
    words = [word or "unknown" for word in results.fact("reperfusion_yu")]
    parts = {
        group.capitalize(): (
            results.only([name for name, word in zip(results.patients, words, strict=True) if word == group]),
            {"Network": NETWORK} | ({"Threshold rule": YU_RULES[group]} if group in YU_RULES else {}),
        )
        for group in ("minimal", "partial", "major")
    }
    pairs = {"Network": (results.column(NETWORK, "predicted_ml"), results.true_ml())}
    return [
        dice_by_group("Dice by reperfusion, network and the rule that the paper compares it with in the group.", parts),
        volumes("Predicted against true volume on cube-root axes, everybody out of fold; ρc: Lin's concordance.",
                pairs),
    ]  # fmt: skip


def _line(table: Table, group: str, label: str, part: Results, method: str, *notes: str) -> None:
    columns = [part.column(method, "binary_auc" if key == "auc" and method != NETWORK else key) for key in KEYS]
    cells = [median_iqr(column, digits_of(key)) for key, column in zip(KEYS, columns, strict=True)]
    table.add(group, label, OURS, len(part.patients), cells, *notes)


def _compared(made: Report, part: Results, title: str, rule: str) -> list[dict]:
    """Compare network and rule: its map with the mask as in the table, then map with map."""
    group = f"{title} reperfusion"
    rows = made.compared(part, group, NETWORK, [rule], KEYS[1:])
    first, titles = part.column(NETWORK, "auc"), (part.methods[NETWORK], part.methods[rule])
    both = [
        paired(first, part.column(rule, key), "auc", group, (f"{titles[0]} (map)", f"{titles[1]} ({words})"))
        for key, words in (("binary_auc", "mask"), ("auc", "map"))
    ]
    made.comparisons += both
    return [both[0], *rows]


def _bonferroni(made: Report, tests: dict[str, list[dict]]) -> None:
    """Say what the paper's correction leaves of the table's tests."""
    rows = [row for group in tests.values() for row in group]
    adjusted = adjust([row["p"] for row in rows], "bonferroni")
    kept = [
        f"{row['group']}, {METRICS[row['metric']].short}" for row, p in zip(rows, adjusted, strict=True) if p < 0.05
    ]
    made.notes.append(
        f"After Bonferroni's correction for {len(rows)} tests there remain: {'; '.join(kept) or 'none'}. The paper "
        "took P < .003."
    )


def _volumes(made: Report, part: Results, title: str, rule: str) -> None:
    """Describe volume errors of small and large lesions apart, as the paper's text does."""
    groups = subgroups(below(part.true_ml(), SMALL_LESION_ML))
    for level, mask in sorted(groups.items()):
        told = [
            f"{part.methods[method]} {median_iqr(part.where(mask).column(method, 'volume_error_ml'), 0)} mL"
            for method in (NETWORK, rule)
        ]
        made.notes.append(
            f"{title} reperfusion, lesion {level} (n = {int(mask.sum())}): volume error {'; '.join(told)}."
        )


EXPERIMENT = Experiment(
    name="yu-table2",
    title="Yu 2020, Table 2: the network against thresholds, by reperfusion",
    paper=PAPER,
    needs=(
        "MR patients with DWI, ADC, a perfusion series or Tmax, MTT, CBF and CBV maps, the outline of the final "
        "infarct, and reperfusion_rate or reperfusion_yu (without it: unknown reperfusion)."
    ),
    folds=5,
    arms=(
        Arm(NETWORK, "Model", "yu2020", quick={
            "network.options.filters": 8, "matrix": "[48, 48]", "spacing_mm": "[4.4, 4.4]", "training.epochs": 8,
            "training.patience": 4, "optimiser.rate": 0.003,
        }),
    ),
    deal=everybody_the_same((Arm(NETWORK, "Model", "yu2020"),)),
    report=report,
)  # fmt: skip
