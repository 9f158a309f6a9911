"""Tests of columns that stand in no table of scores, as rows like those of an evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..statistics.compare import Comparison, wilcoxon_paired
from ..statistics.effects import Values

#: Said wherever rules stand in a table.
UNCLEANED = (
    "The rules' masks are the plain cuts of our own perfusion maps (what `stroke evaluate` takes without "
    "--clean-rules): cleaning them takes seconds a patient. Yu's came from RAPID, which cleans them."
)


def row_of(test: Comparison, metric: str, group: str, first: str, second: str) -> dict[str, Any]:
    """Return a test as a row of `experiment.Report.comparisons`.

    Parameters
    ----------
    test : Comparison
        What was found. One without a rank correlation (DeLong's) is judged by the sign of its difference.
    metric, group, first, second : str
        Measure, patients, and what was compared, in words.
    """
    ranked = bool(np.isfinite(test.effect)) or not np.isfinite(test.shift.value)
    return {
        "metric": metric, "group": group, "first": first, "second": second, "first_title": first,
        "second_title": second, "n": test.n, "test": test.test, "p": test.p,
        "effect": test.effect if ranked else test.shift.value, "rank_effect": ranked, "shift": test.shift.value,
        "shift_low": test.shift.low, "shift_high": test.shift.high, "note": test.note,
        "least_p": test.least_p,
    }  # fmt: skip


def paired(first: Values, second: Values, metric: str, group: str, names: tuple[str, str]) -> dict[str, Any]:
    """Return the paired Wilcoxon test of two columns; differences in the last digits are no differences."""
    columns = (np.round(np.asarray(column, np.float64), 9) for column in (first, second))
    return row_of(wilcoxon_paired(*columns), metric, group, *names)
