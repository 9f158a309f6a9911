"""The tables of an evaluation, for files and for the report: rows of text made from the summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..metrics.catalogue import METRICS
from ..statistics.compare import p_text
from ..statistics.describe import Description
from ..statistics.values import Estimate, signed
from .summary import MAIN

_NAN = float("nan")
#: Measures in the report's first table; the others stand in the files.
SHOWN = ("auc", "dice", "ppv", "recall", "specificity", "volumetric_similarity", "hausdorff_95_mm", "volume_error_ml",
         "absolute_volume_error_ml", "lesion_f1")  # fmt: skip
IN_SUBGROUPS = ("auc", "dice", "absolute_volume_error_ml")


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes
    ----------
    name, title : str
        Of the file, and above it in the report.
    head : list of str
        Columns.
    rows : list of list of str
        Cells.
    note : str
        What stands below it.
    grouped : int
        How many of the first columns are written once for rows that share them.
    inline : bool
        Whether the report shows it; the others are files only.
    """

    name: str
    title: str
    head: list[str]
    rows: list[list[str]]
    note: str = ""
    grouped: int = 0
    inline: bool = True

    def lines(self) -> list[tuple[bool, list[str]]]:
        """Return the rows to be read: whether a new group starts, and the cells without what the row above says."""
        made, before = [], [None] * self.grouped
        for row in self.rows:
            head = row[: self.grouped]
            new = next((i for i, (a, b) in enumerate(zip(head, before, strict=True)) if a != b), self.grouped)
            made.append((bool(made) and self.grouped > 0 and new == 0, [""] * new + row[new:]))
            before = head
        return made

    def records(self) -> list[dict[str, str]]:
        """Return the rows by column name, for a CSV file."""
        return [dict(zip(self.head, row, strict=True)) for row in self.rows]


def map_tables(summary: Mapping[str, Any]) -> list[Table]:
    """Return all tables of networks that give maps."""
    tables = [overall(summary, "median"), overall(summary, "mean"), comparisons(summary), comparisons(summary, MAIN)]
    tables += [subgroup(summary, name) for name, found in summary["subgroups"].items() if not found["note"]]
    tables.append(volumes(summary))
    if summary["conformal"]:
        tables.append(conformal(summary))
    return tables


def overall(summary: Mapping[str, Any], kind: str) -> Table:
    """Return methods × measures, as median (IQR) or as mean ± SD."""
    rows = []
    for found in summary["methods"].values():
        total = found["scored"] + found["missing"]
        cells = [found["title"], f"{found['scored']}/{total}"]
        rows.append(cells + [_described(found["metrics"][key], key, kind) for key in SHOWN])
    names = {"median": ("overall-median", "Median (interquartile range)"), "mean": ("overall-mean", "Mean ± SD")}
    name, title = names[kind]
    note = (
        "n: patients with a usable prediction, of all; a second reader and rules: of those whom the network was tested "
        "on. Distances leave out patients in whom either mask is empty."
    )
    return Table(name, title, ["Method", "n", *(_head(key) for key in SHOWN)], rows, note)


def comparisons(summary: Mapping[str, Any], keys: Sequence[str] = tuple(METRICS)) -> Table:
    """Return the paired tests of the network against each other method; of all measures as a file only."""
    rows, main = [], tuple(keys) != tuple(METRICS)
    several = len({row["first"] for row in summary["comparisons"]}) > 1
    for row in summary["comparisons"]:
        if row["metric"] not in keys:
            continue
        metric = METRICS[row["metric"]]
        shift = Estimate(*(_number(row[key]) for key in ("shift", "shift_low", "shift_high")), row["n"])
        rows.append([
            metric.label, *([_title(summary, row["first"])] if several else []), _title(summary, row["second"]),
            str(row["n"]),
            shift.text(max(metric.digits, 2) if not metric.unit else metric.digits),
            signed(_number(row["effect"]), 2) if row["effect"] is not None else "–",
            p_text(_number(row["p"])), p_text(_number(row["p_holm"])), p_text(_number(row["p_bonferroni"])),
            {row["first"]: "network", row["second"]: "other"}.get(row["better"], "–"),
            *([] if main else [p_text(_number(row["shapiro_p"]))]),
        ])  # fmt: skip
    head = ["Measure", *(["Network"] if several else []), "Against", "n", "Shift (95 % CI)", "Rank-biserial", "P"]
    head += ["P (Holm)", "P (Bonferroni)", "Better", *([] if main else ["P (Shapiro-Wilk, of differences)"])]
    note = (
        "Two-sided Wilcoxon signed-rank tests of paired patients. Shift: Hodges-Lehmann, network minus the other, in "
        "the measure's unit. Rank-biserial: positive where the network's value is larger. 'Better' tells the direction "
        "only, whatever P."
    )
    name, title = ("comparisons-main", "main measures") if main else ("comparisons", "all measures")
    return Table(name, f"Network against the others, paired: {title}", head, rows, note, 1 + several, main)


def subgroup(summary: Mapping[str, Any], name: str) -> Table:
    """Return medians of the main measures by level of a subgroup and method, with the tests against the network."""
    found = summary["subgroups"][name]
    rows = []
    for level, part in found["levels"].items():
        tests = {(row["second"], row["metric"]): row for row in part["comparisons"]}
        for method, metrics in part["methods"].items():
            row = [level, str(part["patients"]), _title(summary, method), str(metrics["dice"]["n"])]
            for key in IN_SUBGROUPS:
                test = tests.get((method, key))
                row.append(_described(metrics[key], key, "median"))
                row.append(p_text(_number(test["p_holm"])) if test and part["patients"] else "–")
            rows.append(row)
    head = [found["title"], "Patients", "Method", "n"]
    for key in IN_SUBGROUPS:
        head += [_head(key), f"P, {METRICS[key].short}"]
    note = (
        "Median (interquartile range) of the patients whom the network was tested on; n: with a Dice. P: network "
        "against that method in this subgroup, Wilcoxon, Holm-adjusted."
    )
    title = f"By {found['title'][0].lower()}{found['title'][1:]}"
    return Table(f"subgroups-{name.replace('_', '-')}", title, head, rows, note, 2)


def volumes(summary: Mapping[str, Any]) -> Table:
    """Return agreement of predicted and true volumes."""
    rows = []
    for method, found in summary["volumes"].items():
        rho = _estimate(found, "concordance", "concordance_low", "concordance_high")
        bias = _estimate(found, "bias_ml", "bias_low", "bias_high")
        low, high = (_number(found[key]) for key in ("limit_low_ml", "limit_high_ml"))
        limits = "–" if low != low else f"{signed(low, 1)} to {signed(high, 1)}"
        rows.append([
            _title(summary, method), str(found["n"]), rho.text(), found["concordance_words"] or "–", bias.text(1),
            limits, p_text(_number(found["slope_p"])),
        ])  # fmt: skip
    head = ["Method", "n", "Lin's ρc (95 % CI)", "Agreement", "Bias, mL (95 % CI)", "Limits of agreement, mL",
            "P, bias depends on size"]  # fmt: skip
    note = "ρc of cube-root volumes; above 0.70 excellent, from 0.50 moderate (Yu 2020). Bias: predicted minus true."
    return Table("volumes", "Volumes", head, rows, note)


def conformal(summary: Mapping[str, Any]) -> Table:
    """Return how often the volume interval held the truth."""
    rows = []
    for method, found in summary["conformal"].items():
        share = _estimate(found, "share", "low", "high")
        width = _number(found["median_width_ml"])
        rows.append([
            _title(summary, method), f"{found['level']:.0%}", f"{found['covered']}/{found['n']}", share.text(),
            "–" if width != width else signed(width, 1), found["note"],
        ])  # fmt: skip
    head = ["Model", "Promised", "Held", "Share (95 % CI)", "Median width, mL", "Note"]
    return Table("conformal", "Volume interval", head, rows, "Clopper-Pearson interval.")


def classifier_tables(summary: Mapping[str, Any]) -> list[Table]:
    """Return all tables of a classifier."""
    rows = []
    for name, group in (("All patients", summary["overall"]), *((f"Fold {f}", g) for f, g in summary["folds"].items())):
        cells = [name, str(group["patients"]), str(group["positives"])]
        limit = group["limit_ml"]
        cells.append("–" if limit is None else signed(limit, 1))
        cells += [estimate_text(group[key]) for key in ("auc", "accuracy", "sensitivity", "specificity")]
        rows.append(cells)
    head = ["", "n", "Large cores", "Limit, mL", "AUC (DeLong)", "Accuracy", "Sensitivity", "Specificity"]
    note = f"At a probability of {summary['threshold']:g}; Wilson's intervals. Limit: the training patients' median."
    return [Table("classification", "Is the core large?", head, rows, note)]


def _described(found: Mapping[str, Any], key: str, kind: str) -> str:
    names = ("n", "missing", "median", "q1", "q3", "mean", "sd", "low", "high")
    known = Description(**{name: found[name] if name in ("n", "missing") else _number(found[name]) for name in names})
    digits = METRICS[key].digits
    return known.median_iqr(digits) if kind == "median" else known.mean_sd(digits)


def _estimate(found: Mapping[str, Any], value: str, low: str, high: str) -> Estimate:
    return Estimate(_number(found[value]), _number(found[low]), _number(found[high]), found.get("n", 0))


def estimate_text(found: Mapping[str, Any], digits: int = 2) -> str:
    """Return ``value (low to high)`` of a record with these keys, ``–`` without a value."""
    return _estimate({"n": 0} | dict(found), "value", "low", "high").text(digits)


def _number(value: float | None) -> float:
    return _NAN if value is None else float(value)


def _head(key: str) -> str:
    metric = METRICS[key]
    return f"{metric.short}, {metric.unit}" if metric.unit else metric.short


def _title(summary: Mapping[str, Any], method: str) -> str:
    return summary["methods"][method]["title"]
