"""What a column of values looks like: median and IQR, mean and SD, overall and by subgroup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .values import complete, joined, signed

_NAN = float("nan")
#: Label of patients whose subgroup is not known.
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Description:
    """A column in numbers.

    Attributes
    ----------
    n : int
        Patients with a value.
    missing : int
        Patients without.
    median, q1, q3 : float
        Quartiles by linear interpolation, as numpy, R and pandas have them by default; of one patient the median alone.
    mean, sd : float
        Sample standard deviation (n − 1); NaN for one patient.
    low, high : float
        Smallest and largest.
    note : str
        What limits the numbers.
    """

    n: int
    missing: int
    median: float = _NAN
    q1: float = _NAN
    q3: float = _NAN
    mean: float = _NAN
    sd: float = _NAN
    low: float = _NAN
    high: float = _NAN
    note: str = ""

    def median_iqr(self, digits: int = 2) -> str:
        """Return ``median (q1 to q3)``, as Yu 2020 and Alis 2020; the median alone for one patient, ``–`` for none."""
        if not self.n:
            return "–"
        if np.isnan(self.q1):
            return signed(self.median, digits)
        return f"{signed(self.median, digits)} ({signed(self.q1, digits)} to {signed(self.q3, digits)})"

    def mean_sd(self, digits: int = 2) -> str:
        """Return ``mean ± SD`` as Debs 2021 writes it; the mean alone for one patient, ``–`` for none."""
        if not self.n:
            return "–"
        spread = "" if np.isnan(self.sd) else f" ± {signed(self.sd, digits)}"
        return signed(self.mean, digits) + spread


def describe(values: Sequence[float] | np.ndarray) -> Description:
    """Return a column's description.

    Parameters
    ----------
    values : sequence of float
        One a patient; NaN or infinite where there is none.
    """
    (known,), note = complete(values)
    missing = np.size(values) - known.size
    if not known.size:
        return Description(0, missing, note=joined("No patient has a value." if missing else "No patients.", note))
    q1, median, q3 = (float(q) for q in np.percentile(known, (25, 50, 75)))
    if known.size == 1:
        q1 = q3 = _NAN
    sd = float(np.std(known, ddof=1)) if known.size > 1 else _NAN
    alone = "One patient: no spread." if known.size == 1 else ""
    mean, low, high = float(known.mean()), float(known.min()), float(known.max())
    return Description(known.size, missing, median, q1, q3, mean, sd, low, high, joined(alone, note))


def subgroups(labels: Sequence[Any], levels: Sequence[Any] = ()) -> dict[str, np.ndarray]:
    """Return who belongs to which subgroup.

    Parameters
    ----------
    labels : sequence
        One a patient; None, NaN and empty text are `UNKNOWN`.
    levels : sequence, optional
        Subgroups that the table must show, in this order, also where nobody belongs to them; others follow sorted.

    Returns
    -------
    dict of str to numpy.ndarray
        bool masks over the patients. Every patient belongs to exactly one.
    """
    known = np.array([_label(value) for value in labels], dtype=object)
    order = [_label(level) for level in levels]
    order += sorted(set(known) - set(order) - {UNKNOWN}) + ([UNKNOWN] if UNKNOWN in set(known) - set(order) else [])
    return {level: np.array([value == level for value in known], dtype=bool) for level in order}


def below(values: Sequence[float], limit: float, unit: str = "mL") -> list[str | None]:
    """Return subgroup labels ``< limit`` and ``≥ limit`` (Yu 2020: true lesions below 100 mL), None where unknown."""
    small, large = f"< {limit:g} {unit}".strip(), f"≥ {limit:g} {unit}".strip()
    return [None if value is None or np.isnan(value) else small if value < limit else large for value in values]


def describe_subgroups(
    values: Sequence[float] | np.ndarray, labels: Sequence[Any], levels: Sequence[Any] = ()
) -> dict[str, Description]:
    """Return a description for every subgroup (see `subgroups`); an empty one says "No patients."."""
    values = np.asarray(values, np.float64)
    return {level: describe(values[mask]) for level, mask in subgroups(labels, levels).items()}


def _label(value: Any) -> str:
    if value is None or value == "" or (isinstance(value, float) and np.isnan(value)):
        return UNKNOWN
    return str(value)
