"""A case to the arrays that a network sees."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..case import ROLES, SERIES_ROLES, StrokeCase
from ..errors import StrokeError
from ..models.card import Card
from ..preprocess.sections import Sections
from ..quality import MAP_ROLES
from .normalise import normalise


def missing_roles(card: Card, case: StrokeCase) -> list[str]:
    """Return the roles that a model needs and a case lacks; all, where every one is optional and none is there."""
    lacking = [channel.role for channel in card.channels if channel.role not in case.volumes]
    if len(lacking) == len(card.channels):
        return list(dict.fromkeys(lacking))
    needed = {channel.role for channel in card.channels if not channel.optional}
    return list(dict.fromkeys(role for role in lacking if role in needed))


def makeable(missing: Iterable[str], case: StrokeCase) -> str:
    """Say how to get perfusion maps that are missing where their raw series is there; else nothing."""
    if not set(missing) <= MAP_ROLES or not set(case.sources) & set(SERIES_ROLES):
        return ""
    return " (the raw perfusion series is there: stroke analyse, or stroke perfusion, makes them)"


def require_roles(card: Card, case: StrokeCase) -> None:
    """Raise `StrokeError`, naming them, if the case lacks channels that the model needs, or holds what is no number."""
    missing = missing_roles(card, case)
    if missing:
        needed = ", ".join(dict.fromkeys(ROLES[channel.role][0] for channel in card.channels))
        lacking = ", ".join(ROLES[role][0] for role in missing) + " missing" + makeable(missing, case)
        raise StrokeError(f"{case.patient}: model '{card.name}' needs {needed}; {lacking}.")
    for role in present_roles(card, case):
        volume = case.volumes[role]
        bad = int(np.count_nonzero(~np.isfinite(volume.array)))
        if bad:
            raise StrokeError(f"{volume.name}: {bad} voxels are not numbers (NaN or infinite); export {role} again.")


def present_roles(card: Card, case: StrokeCase) -> list[str]:
    """Return the roles of the model's images that the case has, each once, in the network's order."""
    return list(dict.fromkeys(c.role for c in card.channels if c.role in case.volumes))


def prepare(case: StrokeCase, card: Card, sections: Sections) -> np.ndarray:
    """Return a model's input, section by section.

    Parameters
    ----------
    case : StrokeCase
        With the card's channels and a brain mask.
    card : Card
        Channels and their normalisation.
    sections : Sections
        Where to.

    Returns
    -------
    numpy.ndarray
        float32 ``(section, channel, y, x)``, 0 outside the brain and in an optional channel that is missing.
    """
    brain = sections.bring(case.volumes["brain"], is_mask=True) > 0.5
    moved: dict[str, np.ndarray] = {}
    inputs = np.zeros((brain.shape[0], len(card.channels), *brain.shape[1:]), dtype=np.float32)
    for number, channel in enumerate(card.channels):
        if channel.role not in case.volumes:
            continue
        volume = case.volumes[channel.role]
        if channel.role not in moved:
            moved[channel.role] = sections.bring(volume)
        values = normalise(channel, moved[channel.role], volume, case.volumes["brain"])
        np.multiply(values, brain, out=inputs[:, number])
    return inputs
