"""The charts of an evaluation for Slicer's plot view: volumes, Bland-Altman, receiver operating characteristic."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from slicer.i18n import tr as _

from StrokeTrainLib.statistics.roc import roc_curve

from .curves import LOSS, SCORE, VALIDATION, Points, put_chart
from .results import Evaluation

_CHANCE = "#999999"
#: Colours of folds, one after the other.
_FOLDS = (LOSS, VALIDATION, SCORE, "#9467bd", "#8c564b", "#e377c2", "#bcbd22", "#17becf")


def volume_pairs(evaluation: Evaluation, method: str) -> list[tuple[float, float]]:
    """Return true and predicted volume in mL of every patient who has both."""
    pairs = [(row.get("true_ml"), row.get("predicted_ml")) for row in evaluation.of(method)]
    return [(true, found) for true, found in pairs if true is not None and found is not None]


def plot_volumes(evaluation: Evaluation, method: str) -> Any:
    """Show predicted against true volume."""
    pairs = volume_pairs(evaluation, method)
    top = max((max(pair) for pair in pairs), default=1.0)
    series = {
        _("patients"): (pairs, LOSS, False), _("predicted = true"): ([(0.0, 0.0), (top, top)], _CHANCE, True),
    }  # fmt: skip
    axes = (_("true volume (mL)"), _("predicted volume (mL)"))
    return put_chart(_("Volumes"), _("{method}: volumes").format(method=evaluation.methods[method]), axes, series)


def plot_bland_altman(evaluation: Evaluation, method: str) -> Any:
    """Show the difference of the volumes against their mean, with bias and limits of agreement."""
    pairs = volume_pairs(evaluation, method)
    points = [((true + found) / 2, found - true) for true, found in pairs]
    differences = [difference for _mean, difference in points]
    bias = sum(differences) / max(1, len(differences))
    spread = (sum((d - bias) ** 2 for d in differences) / max(1, len(differences) - 1)) ** 0.5
    top = max((mean for mean, _difference in points), default=1.0)
    lines = {
        _("bias {ml:.1f} mL").format(ml=bias): (bias, VALIDATION),
        _("upper limit {ml:.1f} mL").format(ml=bias + 1.96 * spread): (bias + 1.96 * spread, SCORE),
        _("lower limit {ml:.1f} mL").format(ml=bias - 1.96 * spread): (bias - 1.96 * spread, "#9467bd"),
    }
    series = {_("patients"): (points, LOSS, False)}
    series |= {name: ([(0.0, height), (top, height)], colour, True) for name, (height, colour) in lines.items()}
    axes = (_("mean of both volumes (mL)"), _("predicted − true (mL)"))
    title = _("{method}: bias ± 1.96 SD").format(method=evaluation.methods[method])
    return put_chart(_("Bland-Altman"), title, axes, series)


def roc_series(evaluation: Evaluation, method: str) -> dict[str, tuple[Points, str, bool]]:
    """Return the curves of a method by name; empty where it has none, as a rule that gives masks alone.

    Of a network that draws maps the mean over patients of the curves over the brain's voxels, of a classifier the curve
    over the test patients of each fold.
    """
    mean = (evaluation.summary.get("roc") or {}).get(method)
    if mean and mean["patients"]:
        points = list(zip(mean["false_positive"], mean["true_positive"], strict=True))
        area = sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(points))
        name = _("mean of {count} patients, AUC {area:.2f}").format(count=mean["patients"], area=area)
        return {name: (points, LOSS, True)}
    rows = [row for row in evaluation.of(method) if row.get("large") is not None and row.get("probability") is not None]
    found: dict[str, tuple[Points, str, bool]] = {}
    for number, fold in enumerate(sorted({row.get("fold") or 0.0 for row in rows})):
        part = [row for row in rows if (row.get("fold") or 0.0) == fold]
        curve = roc_curve([row["large"] for row in part], [row["probability"] for row in part])
        if not math.isnan(curve.auc):
            words = _("all patients") if not fold else _("fold {fold:.0f}").format(fold=fold)
            corners = list(zip(curve.false_positive.tolist(), curve.true_positive.tolist(), strict=True))
            found[f"{words}, AUC {curve.auc:.2f}"] = (corners, _FOLDS[number % len(_FOLDS)], True)
    return found


def plot_roc(evaluation: Evaluation, method: str) -> Any:
    """Show the receiver operating characteristic; None where there is none."""
    series = roc_series(evaluation, method)
    if not series:
        return None
    series[_("chance")] = ([(0.0, 0.0), (1.0, 1.0)], _CHANCE, True)
    axes = (_("1 − specificity"), _("sensitivity"))
    return put_chart(_("ROC"), _("{method}: ROC").format(method=evaluation.methods[method]), axes, series)
