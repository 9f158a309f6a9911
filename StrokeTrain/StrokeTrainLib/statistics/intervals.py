"""Intervals of proportions, and of any statistic by resampling patients."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from scipy import stats

from .effects import Values
from .values import Estimate, complete, joined

_NAN = float("nan")


def proportion(successes: int, n: int, method: str = "wilson", level: float = 0.95) -> Estimate:
    """Return a share of patients with its binomial interval.

    Parameters
    ----------
    successes, n : int
        Such as truths within the conformal interval, of patients.
    method : str
        ``"wilson"`` (Wilson's score interval) or ``"exact"`` (Clopper and Pearson, never narrower than it says).
    level : float
        Confidence level.

    Raises
    ------
    ValueError
        For another method, or counts that cannot be.
    """
    names = {"wilson": "Wilson", "exact": "Clopper-Pearson"}
    if method not in names:
        raise ValueError(f"{method}: choose wilson or exact")
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} cannot be")
    if n == 0:
        return Estimate(_NAN, _NAN, _NAN, 0, level, names[method], "No patients.")
    found = stats.binomtest(successes, n).proportion_ci(level, method=method)
    return Estimate(successes / n, float(found.low), float(found.high), n, level, names[method])


def bootstrap(
    statistic: Callable[..., float],
    *columns: Values,
    seed: int,
    method: str = "BCa",
    resamples: int = 2000,
    level: float = 0.95,
) -> Estimate:
    """Return any statistic with an interval from patients drawn with replacement.

    Parameters
    ----------
    statistic : callable
        Takes the columns of the drawn patients, returns a float. For statistics of anything but numbers, give
        ``numpy.arange(n)`` as the only column and look the patients up.
    *columns : sequence of float
        One value a patient; a patient lacking any is left out and said. A patient is drawn with all columns together.
    seed : int
        The same seed gives the same interval.
    method : str
        ``"BCa"`` (bias-corrected and accelerated, Efron 1987) or ``"percentile"``. Where BCa cannot be had, because the
        statistic does not change when a patient is left out, percentiles are given, and this is said.
    resamples : int
        How often patients are drawn.
    level : float
        Confidence level.

    Raises
    ------
    ValueError
        For another method, or without columns.
    """
    if method not in ("BCa", "percentile"):
        raise ValueError(f"{method}: choose BCa or percentile")
    known, note = complete(*columns)
    n = known[0].size
    if n < 2:
        value = float(statistic(*known)) if n else _NAN
        return Estimate(value, _NAN, _NAN, n, level, f"bootstrap, {method}", joined("Too few patients.", note))
    # scipy's bootstrap gives no interval at all when one resample has no value, such as the AUC of one class.
    rng = np.random.default_rng(seed)
    drawn = np.array([statistic(*(column[pick] for column in known)) for pick in rng.integers(0, n, (resamples, n))])
    value, tails = float(statistic(*known)), np.array([(1 - level) / 2, (1 + level) / 2])
    usable = drawn[np.isfinite(drawn)]
    if usable.size < resamples:
        note = joined(note, f"{resamples - usable.size} of {resamples} resamples gave no value.")
    if method == "BCa" and usable.size:
        adjusted = _bca_tails(statistic, known, usable, value, tails)
        if adjusted is None:
            method, note = "percentile", joined(note, "BCa cannot be had here: percentiles instead.")
        else:
            tails = adjusted
    low, high = np.quantile(usable, tails) if usable.size else (_NAN, _NAN)
    return Estimate(value, float(low), float(high), n, level, f"bootstrap, {method}", note)


def _bca_tails(
    statistic: Callable[..., float], columns: list[np.ndarray], drawn: np.ndarray, value: float, tails: np.ndarray
) -> np.ndarray | None:
    """Return which quantiles of the resamples Efron's BCa interval ends at; None where it is not defined."""
    n = columns[0].size
    without = np.array([statistic(*(np.delete(column, i) for column in columns)) for i in range(n)])
    centred = without.mean() - without
    spread = np.sum(centred**2)
    # Half of the resamples that equal the value count as below it, for statistics that take few values.
    below = (np.mean(drawn < value) + np.mean(drawn <= value)) / 2
    if not np.isfinite(spread) or spread == 0 or below in (0.0, 1.0):
        return None
    acceleration = np.sum(centred**3) / (6.0 * spread**1.5)
    z0, z = stats.norm.ppf(below), stats.norm.ppf(tails)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return stats.norm.cdf(z0 + (z0 + z) / (1.0 - acceleration * (z0 + z)))
