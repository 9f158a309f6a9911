"""What the experiments after Debs 2021 share: three training sets, two groups of tested patients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..cohort.parts import Splits
from ..cohort.reperfusion import from_table
from ..cohort.table import Patient
from ..evaluation.results import Results
from .arms import Arm, narrowed
from .experiment import median_dice
from .ground import Ground, require_groups
from .published.debs2021 import NOT_REPERFUSED, REPERFUSED
from .setting import Setting
from .table import OURS, Table, digits_of, mean_sd

NEEDS = (
    "MR patients with DWI, ADC, a perfusion series or Tmax, CBF and CBV maps, the outline of the final infarct, and "
    "mTICI or reperfusion_debs of everybody; some with and some without reperfusion, at least as many of each as folds."
)
GENERAL, WITH, WITHOUT = "general", "reperfused", "not-reperfused"
TITLES = {GENERAL: "General", WITH: "Reperfused", WITHOUT: "Non-reperfused"}
#: Published key of a group of tested patients → its name in the tables, value of ``reperfusion_debs``.
GROUPS = {WITH: (REPERFUSED, "yes"), WITHOUT: (NOT_REPERFUSED, "no")}
#: Columns of all Debs' tables.
KEYS = ("dice", "volumetric_similarity", "ppv", "recall", "hausdorff_mm")
#: With ``--quick``: the network cannot be narrower, its images and epochs can.
QUICK = {
    "matrix": "[48, 48]", "spacing_mm": "[4.5, 4.5]", "training.epochs": 12, "training.patience": 6,
    "optimiser.rate": 0.003, "network.options.dropout": 0.2,
}  # fmt: skip


def arm(training_set: str, *, early: bool = False, name: str | None = None, title: str | None = None, **more) -> Arm:
    """Return the network of a training set."""
    recipe = "debs2021" + ("" if training_set == GENERAL else f"-{training_set}") + ("-early" if early else "")
    return Arm(name or training_set, title or TITLES[training_set], recipe, quick=QUICK, **more)


def course_of(patient: Patient) -> str:
    """Return ``"yes"``, ``"no"`` or ``"unknown"``: reperfused by Debs' rule."""
    return from_table(patient).debs


def deal(ground: Ground, sets: dict[str, str]) -> tuple[dict[str, Splits], list[str]]:
    """Give every arm the folds of its training set; everybody is tested in every arm.

    Parameters
    ----------
    ground : Ground
        The cohort.
    sets : dict of str to str
        By arm its training set.

    Raises
    ------
    StrokeError
        If either group of patients is smaller than the number of folds.
    """
    groups = {word: [p.id for p in ground.patients.values() if course_of(p) == word] for word in ("yes", "no")}
    words = {"reperfused": groups["yes"], "not reperfused": groups["no"]}
    require_groups(words, len(ground.splits.folds), "Debs' three training sets")
    keep = {GENERAL: list(ground.patients), WITH: groups["yes"], WITHOUT: groups["no"]}
    unknown = len(ground.patients) - len(groups["yes"]) - len(groups["no"])
    told = (
        [f"{unknown} patients of unknown reperfusion train the general model and stand in no group."] if unknown else []
    )
    return {name: narrowed(ground.splits, keep[chosen]) for name, chosen in sets.items()}, told


def dealer(sets: dict[str, str]):
    """Return `deal` for these arms."""

    def found(ground: Ground, setting: Setting) -> tuple[dict[str, Splits], list[str]]:
        return deal(ground, sets)

    return found


def group_of(results: Results, group: str) -> Results:
    """Return the results of the patients with (`WITH`) or without (`WITHOUT`) reperfusion."""
    word = GROUPS[group][1]
    facts = results.fact("reperfusion_debs")
    return results.only([patient for patient, fact in zip(results.patients, facts, strict=True) if fact == word])


def own_kind(results: Results, sets: Mapping[str, str]) -> dict[str, float]:
    """Return by title every network's median Dice in patients like those of its training set, given by arm."""
    parts = {GENERAL: results} | {group: group_of(results, group) for group in GROUPS}
    return median_dice({results.methods[arm]: parts[chosen].column(arm, "dice") for arm, chosen in sets.items()})


def cells(results: Results, method: str, keys: Iterable[str] = KEYS, marks: Sequence[str] = ()) -> list[str]:
    """Return a line's cells, mean ± SD, each with a mark of significance where there are any."""
    made = [mean_sd(results.column(method, key), digits_of(key)) for key in keys]
    return [f"{cell} {mark}".strip() for cell, mark in zip(made, marks or [""] * len(made), strict=True)]


def add_ours(table: Table, group: str, label: str, results: Results, method: str, marks: Sequence[str] = ()) -> None:
    """Add our line of a method in a group of patients."""
    table.add(GROUPS[group][0], label, OURS, len(results.patients), cells(results, method, marks=marks))
