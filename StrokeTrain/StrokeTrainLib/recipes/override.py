"""Single values of a recipe changed by ``a.b=value`` strings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from StrokePredictLib.errors import StrokeError

#: Parts whose keys are the user's own: a network's options.
_OPEN = ("network.options",)
#: Names of a recipe that no override may change.
_FIXED = ("name", "paper")


def parse_overrides(words: Sequence[str]) -> dict[str, str]:
    """Return ``{"a.b": "value"}`` of ``a.b=value`` strings, as `--set` takes them.

    Raises
    ------
    StrokeError
        If one has no ``=``, or a path comes twice.
    """
    found: dict[str, str] = {}
    for word in words:
        path, sign, value = word.partition("=")
        path = path.strip()
        if not sign or not path:
            raise StrokeError(f"--set {word}: must look like training.batch=8.")
        if path in found:
            raise StrokeError(f"--set {path}: given twice; keep one.")
        found[path] = value.strip()
    return found


def overridden(values: dict[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a recipe's values with some of them changed.

    Parameters
    ----------
    values : dict
        As `Recipe.model_dump` gives them.
    overrides : mapping of path to value
        Paths as ``training.batch`` or ``channels.2.scale``; a string is read as JSON where it is JSON.

    Raises
    ------
    StrokeError
        If a path leads nowhere; the message lists what is there.
    """
    changed = json.loads(json.dumps(values))
    for path, value in overrides.items():
        _put(changed, path, _value(value))
    return changed


def _put(values: dict[str, Any], path: str, value: Any) -> None:
    words = path.split(".")
    if words[0] in _FIXED:
        raise StrokeError(f"--set {path}: cannot be changed; save the recipe under another name instead.")
    here: Any = values
    for depth, word in enumerate(words):
        parent = ".".join(words[:depth])
        last = depth == len(words) - 1
        if isinstance(here, list):
            key: Any = _index(here, word, path, parent)
        elif isinstance(here, dict) and (word in here or (last and parent in _OPEN)):
            key = word
        else:
            raise StrokeError(f"--set {path}: {_nothing_there(here, word, parent)}.")
        if last:
            here[key] = value
        else:
            here = here[key]


def _index(here: list, word: str, path: str, parent: str) -> int:
    if not word.isdigit() or int(word) >= len(here):
        raise StrokeError(f"--set {path}: {parent} has the numbers 0 to {len(here) - 1}, not '{word}'.")
    return int(word)


def _nothing_there(here: Any, word: str, parent: str) -> str:
    if not isinstance(here, dict):
        return f"{parent} is a single value ({here!r}); set it as {parent}=…"
    inside = f"'{parent}' has" if parent else "a recipe has"
    return f"no '{word}'; {inside} {', '.join(here)}"


def _value(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        lowered = value.lower()
        return {"true": True, "false": False, "none": None}.get(lowered, value)
