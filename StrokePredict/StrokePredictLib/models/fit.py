"""Whether a listed model can run on a patient. Imports nothing heavy: Slicer's own process asks too."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


def lacking(line: dict[str, Any], roles: Collection[str]) -> list[str]:
    """Return the roles that a model needs and a patient lacks.

    Parameters
    ----------
    line : dict
        Of `StrokePredictLib.models.listing.list_models`: ``inputs``, all images that the model can look at, and
        ``required``, those it cannot do without; with none of its inputs there it lacks all of them.
    roles : collection of str
        What the patient has, a perfusion series included.
    """
    inputs = list(dict.fromkeys(line["inputs"]))
    if not set(inputs) & set(roles):
        return inputs
    return [role for role in inputs if role in line.get("required", inputs) and role not in roles]
