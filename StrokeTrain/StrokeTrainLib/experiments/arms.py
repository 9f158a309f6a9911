"""The networks that an experiment trains, all on the same folds of the same patients."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..cohort.parts import Fold, Splits
from ..recipes import load_recipe

if TYPE_CHECKING:
    from ..cohort.table import Patient
    from ..recipes.schema import Recipe
    from .setting import Setting

#: Who of a training or validation part is kept, by patient.
Chooser = Callable[["Patient"], bool]


@dataclass(frozen=True)
class Arm:
    """One network of an experiment.

    Attributes
    ----------
    name : str
        Unique in the experiment; its run's folder.
    title : str
        As in the table.
    recipe : str
        By name.
    values : dict of str to str
        Of the recipe, changed for this arm.
    quick : dict of str to str
        Changed besides, with ``--quick``.
    init : str or None
        Arm whose first fold's model it starts from.
    ensemble : bool
        Whether the folds' ensemble is needed.
    """

    name: str
    title: str
    recipe: str
    values: Mapping[str, Any] = field(default_factory=dict)
    quick: Mapping[str, Any] = field(default_factory=dict)
    init: str | None = None
    ensemble: bool = False


def recipe_of(arm: Arm, setting: Setting, scheme: str) -> Recipe:
    """Return an arm's recipe: the preset, then the arm's values, then those of the command.

    Nobody is kept for a volume interval: every patient is worth more in the folds.
    """
    values: dict[str, Any] = {"preset": "small"} if setting.quick else {}
    values |= dict(arm.values)
    values |= dict(arm.quick) if setting.quick else {}
    values |= {"split.scheme": scheme, "split.calibration": 0.0, "split.locked": 0.0}
    return load_recipe(arm.recipe, values | dict(setting.values))


def narrowed(splits: Splits, keep: Collection[str]) -> Splits:
    """Return the same folds with only some patients to learn from and to choose the epoch by.

    Everybody of a test part stays in it: a model of reperfused patients is tested on the others, too.

    Parameters
    ----------
    splits : Splits
        Of the whole cohort.
    keep : collection of str
        Who may train.
    """
    wanted = set(keep)

    def of(part: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in part if name in wanted)

    folds = tuple(Fold(of(fold.train), of(fold.validation), fold.test) for fold in splits.folds)
    return replace(splits, folds=folds, train_only=of(splits.train_only))


def require_trainable(splits: Splits, arm: Arm, positive: Mapping[str, bool]) -> list[str]:
    """Return sentences about parts that say little.

    Raises
    ------
    StrokeError
        If a training part is empty or shows nothing to learn.
    """
    from StrokePredictLib.errors import StrokeError

    told = []
    for number, fold in enumerate(splits.folds, 1):
        if not any(positive.get(name, False) for name in fold.train):
            raise StrokeError(
                f"{arm.title}: fold {number} has {len(fold.train)} patients to learn from, none of them with a lesion; "
                "a larger cohort, fewer folds or another seed is needed."
            )
        if not fold.validation:
            told.append(
                f"{arm.title}: nobody of fold {number}'s validation part is of its kind: the last epoch counts."
            )
    return told
