"""Whether a network has come to predict nothing in anybody, as Dice-like losses let happen, and how that is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: In a training's facts: the epoch since which nothing was predicted in any validation patient with lesion, or None.
SINCE = "silent_since"
_PRIOR = "or, where the network gives a single map, a start with little lesion (--set lesion_prior=0.01)"


def is_silent(figures: Mapping[str, float]) -> bool:
    """Return whether there are patients with lesion and every one was answered with an empty mask.

    Parameters
    ----------
    figures : mapping
        What `StrokeTrainLib.training.validation.Tally.figures` returns.
    """
    return bool(figures.get("lesions")) and not figures["answered"]


def remember(facts: dict[str, Any], epoch: int, silent: bool) -> None:
    """Keep in a training's facts since which epoch the network is silent without a break."""
    facts[SINCE] = (facts.get(SINCE) or epoch) if silent else None


def told(facts: Mapping[str, Any], fold: int, last: int) -> list[str]:
    """Return a sentence on a network that ended silent, or none.

    Parameters
    ----------
    facts : mapping
        Of a training that ended: also ``best_epoch``.
    fold, last : int
        Which fold, and its last epoch.
    """
    since = facts.get(SINCE)
    if not since:
        return []
    if since == 1:
        return [
            f"fold {fold}: after {last} epochs the network still predicts nothing in any validation patient with "
            f"lesion. Take more epochs (--epochs), another rate (--set optimiser.rate=…), {_PRIOR}."
        ]
    kept = facts["best_epoch"]
    outcome = "so do the weights that are kept" if kept >= since else f"the weights of epoch {kept} are kept"
    return [
        f"fold {fold}: the network collapsed: from epoch {since} to its last, {last}, it predicts nothing in any "
        f"validation patient with lesion; {outcome}. Take a lower rate (--set optimiser.rate=…), another seed, "
        f"{_PRIOR}."
    ]
