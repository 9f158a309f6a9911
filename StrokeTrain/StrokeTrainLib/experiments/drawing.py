"""Figures of an experiment: what is compared in its table, patient by patient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ..evaluation.results import Results
from ..metrics.catalogue import METRICS

FOLDER = "figures"


@dataclass(frozen=True)
class Drawing:
    """A figure that is still to be drawn.

    Attributes
    ----------
    name : str
        Of its files, without suffix.
    caption : str
        What it shows.
    draw : callable
        Takes the files' path without suffix, and ``simulated``.
    """

    name: str
    caption: str
    draw: Callable[..., object]


def write_drawings(drawings: Sequence[Drawing], folder: Path, *, simulated: bool) -> list[Path]:
    """Draw figures as PDF and PNG into ``folder/figures`` and return their paths."""
    paths = []
    for drawing in drawings:
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        drawing.draw(folder / FOLDER / drawing.name, simulated=simulated)
        paths += [folder / FOLDER / f"{drawing.name}{suffix}" for suffix in (".pdf", ".png")]
    return paths


def groups(
    name: str, caption: str, values: Mapping[str, Sequence[float] | np.ndarray], labels: Sequence[str], title: str,
    levels: Sequence[str],
) -> Drawing:
    """Return a figure of columns by group of patients, such as each model's Dice with and without reperfusion.

    Parameters
    ----------
    name, caption : str
        See `Drawing`.
    values : mapping of str to sequence of float
        By title one value a patient, NaN where there is none.
    labels : sequence of str
        Every patient's group.
    title : str
        The axis's words, with the unit.
    levels : sequence of str
        Groups in order.
    """

    def draw(stem: Path, *, simulated: bool) -> None:
        from ..figures.groups import draw_groups

        draw_groups(stem, values, labels, title=title, levels=levels, simulated=simulated)

    return Drawing(name, f"{caption} Each point is a patient; box: quartiles and median.", draw)


def dice_by_group(
    caption: str, parts: Mapping[str, tuple[Results, Mapping[str, str]]], name: str = "dice", key: str = "dice"
) -> Drawing:
    """Return a figure of a measure by group of patients, with its own methods in each group under common titles.

    Parameters
    ----------
    caption, name : str
        See `Drawing`.
    parts : mapping of str to (Results, mapping of str to str)
        By group its patients, and by common title which method is shown there.
    key : str
        Of `StrokeTrainLib.metrics.catalogue.METRICS`.
    """
    titles = list(dict.fromkeys(title for _, methods in parts.values() for title in methods))
    values: dict[str, list[float]] = {title: [] for title in titles}
    labels: list[str] = []
    for group, (results, methods) in parts.items():
        labels += [group] * len(results.patients)
        for title in titles:
            nothing = np.full(len(results.patients), np.nan)
            values[title] += list(results.column(methods[title], key) if title in methods else nothing)
    return groups(name, caption, values, labels, METRICS[key].label, list(parts))


def volumes(caption: str, pairs: Mapping[str, tuple[np.ndarray, np.ndarray]], name: str = "volumes") -> Drawing:
    """Return a figure of predicted against true volumes in mL, one panel a method."""

    def draw(stem: Path, *, simulated: bool) -> None:
        from ..figures.volumes import draw_volume_correlation

        draw_volume_correlation(stem, pairs, simulated=simulated)

    return Drawing(name, caption, draw)


def roc(caption: str, folds: Sequence[tuple[Sequence[float], Sequence[float]]], name: str = "roc") -> Drawing:
    """Return a figure of ROC curves of folds, each given as labels and scores of its patients."""
    return Drawing(name, caption, partial(_draw_roc, [(list(labels), list(scores)) for labels, scores in folds]))


def _draw_roc(folds: Sequence[tuple[list[float], list[float]]], stem: Path, *, simulated: bool) -> None:
    from ..figures.curves import draw_roc_folds
    from ..statistics.roc import roc_curve

    draw_roc_folds(stem, [roc_curve(*fold) for fold in folds], simulated=simulated)
