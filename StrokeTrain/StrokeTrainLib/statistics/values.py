"""Patients without a value: left out of a statistic, counted, and said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes
    ----------
    value, low, high : float
        The estimate and the ends of its confidence interval; NaN where they cannot be had.
    n : int
        Patients that entered it.
    level : float
        Confidence level, 0.95 mostly.
    method : str
        How the interval was made.
    note : str
        What limits it: patients left out, too few patients; empty if nothing does.
    """

    value: float
    low: float
    high: float
    n: int
    level: float = 0.95
    method: str = ""
    note: str = ""

    def text(self, digits: int = 2) -> str:
        """Return ``value (low to high)``, or ``–`` where there is no value."""
        if np.isnan(self.value):
            return "–"
        if np.isnan(self.low) or np.isnan(self.high):
            return signed(self.value, digits)
        return f"{signed(self.value, digits)} ({signed(self.low, digits)} to {signed(self.high, digits)})"


def signed(value: float, digits: int) -> str:
    """Return a number with a true minus sign, never as "−0.00"."""
    text = f"{value:.{digits}f}"
    if text.startswith("-"):
        text = text[1:] if not text.strip("-0.") else "−" + text[1:]
    return text


def complete(*columns: Sequence[float] | np.ndarray) -> tuple[list[np.ndarray], str]:
    """Return the columns without the patients who lack a value in any of them, and a sentence about those.

    Parameters
    ----------
    *columns : sequence of float
        One value a patient, in the same order; NaN or infinite where there is none.

    Returns
    -------
    list of numpy.ndarray
        float64, all of one length.
    str
        Such as ``"2 of 30 patients left out: no value."``; empty where nobody was.

    Raises
    ------
    ValueError
        If the columns differ in length.
    """
    arrays = [np.asarray(column, np.float64).ravel() for column in columns]
    if len({array.size for array in arrays}) != 1:
        raise ValueError(f"columns of different lengths: {[array.size for array in arrays]}")
    known = np.logical_and.reduce([np.isfinite(array) for array in arrays])
    lost, total = int(np.count_nonzero(~known)), known.size
    note = f"{lost} of {total} patients left out: no value." if lost else ""
    return [array[known] for array in arrays], note


def joined(*notes: str) -> str:
    """Return the sentences that say something, in one line, each once."""
    return " ".join(dict.fromkeys(note for note in notes if note))
