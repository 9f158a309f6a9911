"""The job behind the panel's recipe cards: what there is, what each needs, and who of a cohort has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from StrokePredictLib.case import ROLES
from StrokePredictLib.progress import Progress, part, silent

from .cohort.index import index_cohort
from .cohort.select import select
from .cohort.table import Cohort
from .recipes.describe import leaves, source_of
from .recipes.registry import default, names
from .recipes.schema import PRESETS, Recipe

#: Values that no override may change, or that the panel's own fields set.
_HIDDEN = ("name", "title", "paper", "preset", "segment")


def run(
    *, folder: Path | str | None = None, output: Path | str | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """List the recipes.

    Parameters
    ----------
    folder : path-like, optional
        A cohort: each recipe then says how many of its patients have what it needs.
    output : path-like, optional
        Not used.

    Returns
    -------
    dict
        ``recipes``: by name ``title``, ``paper``, ``target``, ``task``, ``needs`` (as readers call them), ``course``,
        ``init`` and, by preset, ``values``: rows of path, value and source. With a cohort ``have``, ``of``,
        ``lacking`` (reasons with counts). ``files``, none.
    """
    cohort = index_cohort(folder, progress=part(progress, 0.0, 0.6)) if folder else None
    found = {name: _card(name) for name in names()}
    if cohort is not None:
        for name, card in found.items():
            card |= _usable(default(name), cohort)
    return {"files": [], "recipes": found}


def _card(name: str) -> dict[str, Any]:
    recipe = default(name)
    return {
        "name": name, "title": recipe.title, "paper": recipe.paper, "target": recipe.target, "task": recipe.task,
        "needs": [ROLES[role][0] for role in recipe.needs], "course": recipe.selection.reperfusion,
        "init": recipe.training.init, "final": recipe.final,
        "values": {preset: _values(default(name, preset), name) for preset in PRESETS},
    }  # fmt: skip


def _values(recipe: Recipe, name: str) -> list[list[Any]]:
    rows = leaves(recipe.model_dump(mode="json"))
    return [[path, value, source_of(name, path)] for path, value in rows if path not in _HIDDEN]


def _usable(recipe: Recipe, cohort: Cohort) -> dict[str, Any]:
    wanted = recipe.selection
    found = select(
        cohort, recipe.needs, recipe.target if recipe.needs_label else None,
        course=None if wanted.reperfusion == "any" else wanted.reperfusion, course_rule=wanted.rule, measure=False,
        measure_course=False, may_be_empty=True,
    )  # fmt: skip
    lacking = {title: count for title, count in found.flow.excluded if count}
    return {"have": len(found.kept), "of": len(cohort), "lacking": lacking}
