"""A recipe in words: every value, where its default comes from, and what was changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from StrokePredictLib.errors import StrokeError

from .registry import default, definitions
from .schema import Recipe

#: What changes where the frozen image features' weights are not at hand and the features are trained. The rate is ours.
FROM_SCRATCH = {
    "network.external_features": False,
    "network.options.freeze": False,
    "initialisation": "he",
    "optimiser.rate": 1e-4,
}


def leaves(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield ``(path, value)`` for every single value; lists of plain values count as one."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from leaves(value, f"{path}.{key}" if path else key)
    elif isinstance(values, list) and any(isinstance(item, dict) for item in values):
        for number, item in enumerate(values):
            yield from leaves(item, f"{path}.{number}")
    else:
        yield path, values


def changes(recipe: Recipe) -> list[str]:
    """Return what differs from the paper's defaults, as ``"training.batch: 12 → 4"``; empty if nothing does."""
    if recipe.name not in definitions():
        return []
    before = dict(leaves(default(recipe.name).model_dump(mode="json")))
    after = dict(leaves(recipe.model_dump(mode="json")))
    paths = [path for path in (*before, *(p for p in after if p not in before)) if path != "preset"]
    return [
        f"{path}: {_shown(before.get(path))} → {_shown(after.get(path))}"
        for path in paths
        if before.get(path) != after.get(path)
    ]


def source_of(name: str, path: str) -> str:
    """Return where a default comes from: the entry of the definition that matches most of the path.

    Raises
    ------
    StrokeError
        If the definition says nothing of it.
    """
    sources = definitions()[name].sources
    words = path.split(".")
    for length in range(len(words), 0, -1):
        start = ".".join(words[:length])
        if start in sources:
            return sources[start]
    raise StrokeError(f"recipe '{name}' does not say where {path} comes from.")


def describe(recipe: Recipe) -> str:
    """Return the recipe as text, a line a value."""
    lines = [f"{recipe.title} ({recipe.name}): {recipe.paper}", ""]
    known = recipe.name in definitions()
    usual = dict(leaves(default(recipe.name).model_dump(mode="json"))) if known else {}
    for path, value in leaves(recipe.model_dump(mode="json")):
        if path in ("name", "title", "paper", "preset"):
            continue
        if path in usual and usual[path] == value:
            said = source_of(recipe.name, path)
        elif path in usual:
            by = "reduced preset" if _small(recipe, path, value) else "changed"
            by = "ours: features trained from scratch" if _from_scratch(usual, recipe, path, value) else by
            said = f"{by}; default {_shown(usual[path])} ({source_of(recipe.name, path)})"
        else:
            said = "given"
        lines.append(f"{path} = {_shown(value)}   [{said}]")
    return "\n".join(lines)


def _from_scratch(usual: dict[str, Any], recipe: Recipe, path: str, value: Any) -> bool:
    """Whether a value is what it is because features that the paper has frozen are trained."""
    trained = usual.get("network.external_features") and not recipe.network.external_features
    return bool(trained) and path in FROM_SCRATCH and FROM_SCRATCH[path] == value


def _small(recipe: Recipe, path: str, value: Any) -> bool:
    if recipe.preset != "small":
        return False
    return dict(leaves(default(recipe.name, "small").model_dump(mode="json"))).get(path) == value


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "×".join(map(str, value)) if value else "none"
    return "none" if value is None or value == "" or value == {} else f"{value}"
