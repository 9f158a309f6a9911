"""The recipes that come with the software, by name; and any recipe saved as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError

from .override import overridden
from .schema import PRESETS, Recipe, validated

#: Modules of this package, each with a dictionary ``DEFINITIONS``.
_MODULES = ("debs2021", "yu2020", "alis2020", "mittermeier2022", "fate", "baseline")


@dataclass(frozen=True)
class Definition:
    """A recipe of ours.

    Attributes
    ----------
    values : dict
        Of the `Recipe`.
    sources : dict of str to str
        By path, or start of a path, where the defaults come from: ``"paper: …"`` or ``"ours: …"``.
    small : dict of str to value
        Overrides of the reduced preset.
    """

    values: dict[str, Any]
    sources: dict[str, str]
    small: dict[str, Any] = field(default_factory=dict)


def names() -> list[str]:
    """Return the names of all recipes."""
    return list(definitions())


@lru_cache(maxsize=1)
def definitions() -> dict[str, Definition]:
    """Return all recipes' definitions by name."""
    found: dict[str, Definition] = {}
    for module in _MODULES:
        found |= import_module(f".{module}", __package__).DEFINITIONS
    return found


def default(name: str, preset: str = "paper") -> Recipe:
    """Return a recipe with its defaults.

    Parameters
    ----------
    name : str
        One of `names`.
    preset : {"paper", "small"}
        The paper's size, or one for small machines.

    Raises
    ------
    StrokeError
        If there is none of that name.
    """
    if name not in definitions():
        raise StrokeError(f"no recipe '{name}'; there are {', '.join(names())}, or name a recipe.json.")
    if preset not in PRESETS:
        raise StrokeError(f"--set preset={preset}: there are {', '.join(PRESETS)}.")
    recipe = Recipe.model_validate(definitions()[name].values)
    if preset == "paper":
        return recipe
    changed = overridden(recipe.model_dump(mode="json"), definitions()[name].small | {"preset": preset})
    return validated(changed, f"recipe {name}, preset {preset}")


def load_recipe(name_or_path: str | Path, overrides: Mapping[str, str] | None = None) -> Recipe:
    """Return a recipe by name, or from a JSON file, with single values changed.

    Parameters
    ----------
    name_or_path : str or Path
        One of `names`, or a file such as a run's ``recipe.json``.
    overrides : mapping of path to value
        Such as ``{"training.batch": "8"}`` (`StrokeTrainLib.recipes.override.parse_overrides`); ``preset`` is applied
        before the others.

    Raises
    ------
    StrokeError
        In one line, if there is no such recipe or a value is not allowed; what is allowed is named.
    """
    overrides = dict(overrides or {})
    path = Path(name_or_path)
    if str(name_or_path) not in definitions() and (path.suffix == ".json" or path.is_file()):
        if "preset" in overrides:
            raise StrokeError(f"{path}: a saved recipe keeps its preset; leave out --set preset.")
        recipe = _read(path)
    else:
        recipe = default(str(name_or_path), str(overrides.pop("preset", "paper")))
    if not overrides:
        return recipe
    source = "--set " + " ".join(f"{path}={value}" for path, value in overrides.items())
    return validated(overridden(recipe.model_dump(mode="json"), overrides), source)


def _read(path: Path) -> Recipe:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StrokeError(f"{path}: is no readable recipe ({' '.join(str(error).split())[:120]}).") from error
    if not isinstance(values, dict):
        raise StrokeError(f"{path}: is no recipe; start from one written by stroke train.")
    return validated(values, str(path))
