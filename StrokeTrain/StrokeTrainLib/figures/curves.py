"""Curves over patients: ROC by fold with mean and SD, and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..statistics.calibration import Calibration
from ..statistics.roc import MeanRoc, RocCurve, mean_roc
from .page import BLUE, FAINT, INK, ORANGE, SKY, files_of, grid, legend, page, say_nothing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_roc_folds(
    stem: Path | str,
    folds: Sequence[RocCurve],
    *,
    external: RocCurve | None = None,
    external_name: str = "External patients",
    simulated: bool = False,
) -> tuple[Path, Path]:
    """Draw every fold's ROC curve, their mean, and a band of ± 1 SD, as Mittermeier 2022, figure 3.

    Parameters
    ----------
    stem : path-like
        Without suffix.
    folds : sequence of RocCurve
        Test patients of each fold; folds of one class only are left out and said.
    external : RocCurve, optional
        The ensemble's on other patients.
    external_name : str
        What the legend calls those.
    simulated : bool
        Mark the figure.

    Returns
    -------
    tuple of Path
        PDF and PNG.
    """
    mean = mean_roc(folds)
    with page(stem, 4.6, 4.6, simulated=simulated) as (_, axes):
        panel = axes[0, 0]
        _unit_square(panel, "False positive rate (1 − specificity)", "True positive rate (sensitivity)")
        positives, everyone = sum(c.positives for c in folds), sum(c.positives + c.negatives for c in folds)
        told = f"n = {everyone} patients, {positives} positive" + (f"\n{mean.note}" if mean.note else "")
        panel.set_title(told, fontsize=8.5, weight="normal", loc="left")
        if np.isnan(mean.auc_mean):
            say_nothing(panel, "No fold has patients of both classes.")
            return files_of(stem)
        _draw_folds(panel, mean)
        if external is not None and not np.isnan(external.auc):
            patients = external.positives + external.negatives
            panel.plot(external.false_positive, external.true_positive, color=ORANGE, linewidth=1.8, linestyle="-.",
                       label=f"{external_name} (n = {patients}), AUC {external.auc:.2f}")  # fmt: skip
        panel.plot([0, 1], [0, 1], color=INK, linewidth=0.9, linestyle="--", label="Chance")
        legend(panel, loc="lower right")
    return files_of(stem)


def _draw_folds(axes: Axes, mean: MeanRoc) -> None:
    drawn = [curve for curve in mean.curves if not np.isnan(curve.auc)]
    for number, curve in enumerate(drawn):
        label = f"Single folds ({len(drawn)})" if number == 0 else None
        axes.plot(curve.false_positive, curve.true_positive, color=SKY, linewidth=0.7, alpha=0.8, label=label)
    if len(drawn) > 1:
        low, high = np.clip((mean.true_positive - mean.sd, mean.true_positive + mean.sd), 0, 1)
        axes.fill_between(mean.false_positive, low, high, color=FAINT, alpha=0.22, linewidth=0, label="± 1 SD")
    spread = "" if np.isnan(mean.auc_sd) else f" (SD {mean.auc_sd:.2f})"
    label = f"Mean, AUC {mean.auc_mean:.2f}{spread}"
    axes.plot(mean.false_positive, mean.true_positive, color=BLUE, linewidth=2.0, label=label)


def draw_calibration(
    stem: Path | str, curve: Calibration, *, cases: str = "Voxels", simulated: bool = False
) -> tuple[Path, Path]:
    """Draw observed against predicted probability with intervals, above how many cases each bin holds.

    Parameters
    ----------
    stem : path-like
        Without suffix.
    curve : Calibration
        From `statistics.calibration.calibration`.
    cases : str
        What was counted: ``"Voxels"`` or ``"Patients"``.
    simulated : bool
        Mark the figure.

    Returns
    -------
    tuple of Path
        PDF and PNG.
    """
    with page(
        stem, 4.4, 5.4, rows=2, simulated=simulated, sharex=True, gridspec_kw={"height_ratios": (4, 1.1)}
    ) as (_, axes):
        upper, lower = axes[:, 0]
        _unit_square(upper, "", "Observed share of lesion" if cases == "Voxels" else "Observed share")
        filled = np.flatnonzero(curve.n > 0)
        lower.set_xlabel("Predicted probability")
        lower.set_ylabel(cases)
        if not filled.size:
            say_nothing(upper, curve.note or "No cases.")
            say_nothing(lower, "")
            return files_of(stem)
        upper.plot([0, 1], [0, 1], color=INK, linewidth=0.9, linestyle="--", label="Perfect")
        predicted, observed = curve.predicted[filled], curve.observed[filled]
        reach = np.abs(np.stack([observed - curve.low[filled], curve.high[filled] - observed]))
        upper.errorbar(predicted, observed, yerr=np.nan_to_num(reach), color=BLUE, marker="o", markersize=4.5,
                       linewidth=1.4, elinewidth=1.0, capsize=2.5, label="Observed, 95 % CI")  # fmt: skip
        legend(upper, loc="lower right")
        told = f"n = {curve.patients} patients, Brier score {curve.brier:.3f}, "
        told += f"calibration error {curve.expected_error:.3f}"
        upper.set_title(f"{told}\n{curve.note}".strip(), fontsize=8.5, weight="normal", loc="left")
        edges = np.linspace(0, 1, curve.n.size + 1)
        lower.bar(edges[:-1], curve.n, width=np.diff(edges), align="edge", color=SKY, edgecolor="white", linewidth=0.6)
        if curve.n.max() > 50 * curve.n[filled].min():
            lower.set_yscale("log")
            # Plain text: matplotlib's own formula labels keep the last figure in memory.
            lower.yaxis.set_major_formatter(lambda value, _: _power_of_ten(value))
            lower.yaxis.set_minor_formatter("")
        grid(lower, "y")
    return files_of(stem)


def _power_of_ten(value: float) -> str:
    return "10" + str(round(np.log10(value))).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))


def _unit_square(axes: Axes, x_label: str, y_label: str) -> None:
    axes.set_xlim(-0.015, 1.015)
    axes.set_ylim(-0.015, 1.015)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.set_yticks(np.linspace(0, 1, 6))
    grid(axes)
