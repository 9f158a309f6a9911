"""Which samples an epoch shows, in which order, and how one is read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.networks.course import Course

from ..recipes.parts import Condition
from ..recipes.schema import Recipe
from .entry import CLASSES, INPUTS, Entry

#: A sample: number of the entry, and section (−1: the whole patient).
Sample = tuple[int, int]
WHOLE = -1
#: Memory maps that a process keeps open; so many and no more, however large the cohort is.
_OPEN = 32
#: Streams of random numbers.
_ORDER, _SAMPLE = 1, 2


def samples_of(
    entries: Sequence[Entry], recipe: Recipe, *, training: bool, seed: int, fold: int, epoch: int
) -> list[Sample]:
    """Return an epoch's samples: of training in an order drawn from seed, fold and epoch, else in that of the entries.

    Validation on sections with lesion looks at all brain sections where there is no lesion.

    Raises
    ------
    StrokeError
        If there is none.
    """
    if recipe.view.arrangement in ("sequence", "series"):
        found = [(number, WHOLE) for number in range(len(entries))]
    else:
        rule = recipe.sampling.train if training else recipe.sampling.validation
        lesion = rule == "lesion" and (training or not without_lesion(entries, recipe))
        found = _sections(entries, "lesion" if lesion else "brain")
    if not found:
        raise _nothing(bool(entries), "training" if training else "validation", fold)
    if not training:
        return found
    generator = np.random.default_rng([seed, fold, epoch, _ORDER])
    healthy = recipe.sampling.healthy
    if healthy and recipe.sampling.train == "lesion" and found[0][1] != WHOLE:
        others = _sections(entries, "healthy")
        count = min(len(others), round(healthy * len(found)))
        found += [others[n] for n in generator.choice(len(others), count, replace=False)]
    return [found[n] for n in generator.permutation(len(found))]


def without_lesion(entries: Sequence[Entry], recipe: Recipe) -> bool:
    """Whether validation wants sections with lesion, and there is none."""
    whole = recipe.view.arrangement in ("sequence", "series")
    return not whole and recipe.sampling.validation == "lesion" and not any(any(entry.lesion) for entry in entries)


def _nothing(patients: bool, part: str, fold: int) -> StrokeError:
    if not patients:
        return StrokeError(f"the {part} part of fold {fold} has no patient; use fewer folds or more patients.")
    if part == "validation":
        return StrokeError(f"the validation part of fold {fold} shows no brain; look at the brain masks.")
    return StrokeError(
        f"the training part of fold {fold} shows no lesion; use other splits or more patients, or --set "
        "sampling.train=brain."
    )


def _sections(entries: Sequence[Entry], kind: str) -> list[Sample]:
    def wanted(lesion: int, brain: int) -> bool:
        return {"lesion": lesion > 0, "brain": brain > 0, "healthy": brain > 0 and lesion == 0}[kind]

    return [
        (number, section)
        for number, entry in enumerate(entries)
        for section, (lesion, brain) in enumerate(zip(entry.lesion, entry.brain, strict=True))
        if wanted(lesion, brain)
    ]


def generator_of(seed: int, fold: int, epoch: int, entry: Entry, section: int) -> np.random.Generator:
    """Return the random numbers of one sample in one epoch, whoever reads it and whenever."""
    name = [int(byte) for byte in entry.id.encode()]
    return np.random.default_rng([seed, fold, epoch, _SAMPLE, section + 1, *name])


def read_x(entry: Entry, section: int, context: int, out: np.ndarray) -> None:
    """Put a sample's input into its place in a batch.

    Parameters
    ----------
    entry, section
        Which; `WHOLE` for everything.
    context : int
        Neighbouring sections, the wanted one in the middle; beyond the ends they are 0, as in use.
    out : numpy.ndarray
        ``(context × channel, y, x)``, all channels of the lowest section first; or as the entry's inputs, or longer.
    """
    inputs = _open(entry.folder / INPUTS)
    if section == WHOLE:
        out[: len(inputs)] = inputs
        out[len(inputs) :] = 0
        return
    half = context // 2
    low, high = section - half, section + half + 1
    first, last = max(low, 0), min(high, len(inputs))
    stacked = out.reshape(context, *inputs.shape[1:])
    stacked[: first - low] = 0
    stacked[first - low : last - low] = inputs[first:last]
    stacked[last - low :] = 0


def read_y(entry: Entry, section: int, out: np.ndarray) -> None:
    """Put a sample's classes into their place in a batch (`WHOLE`: as far as they reach)."""
    classes = _open(entry.folder / CLASSES)
    if section == WHOLE:
        out[: len(classes)] = classes
    else:
        out[...] = classes[section]


def told(entry: Entry, condition: Condition | None, generator: np.random.Generator | None) -> list[float]:
    """Return what a conditioned network is told of a sample: what happened; in training some of it withheld."""
    course, present = entry.course, list(entry.present)
    if generator is None or condition is None:
        return course.vector(present, entry.modality)
    reperfusion = "unknown" if generator.random() < condition.unknown else course.reperfusion
    onset = None if generator.random() < condition.onset_unknown else course.onset_min
    kept = [role for role in present if generator.random() >= condition.image_missing]
    present = kept or [present[int(generator.integers(len(present)))]]
    return Course(reperfusion, onset).vector(present, entry.modality)


@lru_cache(maxsize=_OPEN)
def _open(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r")
