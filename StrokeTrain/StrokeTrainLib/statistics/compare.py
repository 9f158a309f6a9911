"""Tests between two columns of patients, each with its effect size and the shift that it speaks of."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .effects import Values, hodges_lehmann, hodges_lehmann_paired, rank_biserial, rank_biserial_paired
from .rank_distributions import LARGEST_EXACT, rank_sum_p, signed_rank_p
from .values import Estimate, complete, joined

_NAN = float("nan")
_NOBODY = Estimate(_NAN, _NAN, _NAN, 0)
_TIED_EXACT = "Tied ranks: exact over all rearrangements."
_TIED = "Tied ranks: corrected for."


@dataclass(frozen=True)
class Comparison:
    """A test's result.

    Attributes
    ----------
    test : str
        Which test, and how its p value was made.
    statistic, p : float
        NaN where the test cannot be done; ``note`` says why. Two-sided unless ``test`` says otherwise.
    n : int
        Patients that entered it.
    effect : float
        Rank-biserial correlation, −1 to 1: positive where the first column is larger. NaN where it has no meaning.
    shift : Estimate
        Hodges' and Lehmann's difference, first minus second, with its interval, in the column's unit.
    note : str
        What limits it.
    least_p : float
        The smallest P that this test could have given of as many patients, as many of them without a difference, and
        the same ties. NaN where it is not limited (a normal approximation) or not known.
    """

    test: str
    statistic: float
    p: float
    n: int
    effect: float = _NAN
    shift: Estimate = _NOBODY
    note: str = ""
    least_p: float = _NAN


def wilcoxon_paired(first: Values, second: Values, level: float = 0.95) -> Comparison:
    """Return the two-sided Wilcoxon signed-rank test of paired values.

    Of one patient there is no test. Pairs without a difference are left out and said, as R's ``wilcox.test`` does (Debs
    2021). The p value is exact for up to 50 pairs that differ, with ties over all signs of the tied ranks (R's
    ``coin``; R's ``wilcox.test`` and scipy by default approximate there); above by the normal distribution with a
    correction for ties, without one for continuity.

    Parameters
    ----------
    first, second : sequence of float
        One pair a patient, in the same order.
    level : float
        Confidence level of the shift.
    """
    (a, b), note = complete(first, second)
    difference = a - b
    moved = difference[difference != 0]
    shift, effect = hodges_lehmann_paired(a, b, level), rank_biserial_paired(a, b)
    zeros = f"{a.size - moved.size} of {a.size} pairs do not differ." if moved.size < a.size else ""
    note = joined(note, zeros, shift.note)
    name = "Wilcoxon signed-rank"
    if a.size == 1:
        return Comparison(name, _NAN, _NAN, 1, shift=shift, note=joined("One patient: no test.", note))
    if not moved.size:
        p = 1.0 if a.size else _NAN
        return Comparison(name, _NAN, p, a.size, effect, shift, note, least_p=p)
    tied = np.unique(np.abs(moved)).size < moved.size
    exact = moved.size <= LARGEST_EXACT
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = stats.wilcoxon(moved, zero_method="wilcox", method="exact" if exact and not tied else "approx")
    p, least = signed_rank_p(moved) if exact else (float(found.pvalue), _NAN)
    if not tied:
        p = float(found.pvalue)
    name += ", exact" if exact else ", normal approximation"
    note = joined(note, (_TIED_EXACT if exact else _TIED) if tied else "")
    return Comparison(name, float(found.statistic), p, a.size, effect, shift, note, least)


def mann_whitney(first: Values, second: Values, level: float = 0.95) -> Comparison:
    """Return the two-sided Mann-Whitney U test of independent samples.

    Exact for up to 50 patients a sample, with ties over all allocations of the tied ranks; above by the normal
    distribution with corrections for ties and continuity (as R has it). On paired data it wastes the pairing: give the
    paired test beside it (Alis 2020 did not).

    Parameters
    ----------
    first, second : sequence of float
        One value a patient.
    level : float
        Confidence level of the shift.
    """
    (a,), lost_a = complete(first)
    (b,), lost_b = complete(second)
    shift = hodges_lehmann(a, b, level)
    note = joined(lost_a, lost_b, shift.note)
    name = "Mann-Whitney U"
    if not a.size or not b.size:
        return Comparison(name, _NAN, _NAN, a.size + b.size, note=joined("One of the samples is empty.", note))
    pooled = np.concatenate([a, b])
    tied = np.unique(pooled).size < pooled.size
    exact = max(a.size, b.size) <= LARGEST_EXACT
    found = stats.mannwhitneyu(a, b, alternative="two-sided", method="exact" if exact and not tied else "asymptotic")
    # All values equal: nothing to tell apart, and no variance to divide by.
    p, least = (1.0 if np.isnan(found.pvalue) else float(found.pvalue)), _NAN
    if exact:
        over_all, least = rank_sum_p(a, b)
        p = over_all if tied else p
    name += ", exact" if exact else ", normal approximation"
    note = joined(note, (_TIED_EXACT if exact else _TIED) if tied else "")
    return Comparison(name, float(found.statistic), p, pooled.size, rank_biserial(a, b), shift, note, least)


def shapiro_wilk(values: Values) -> Comparison:
    """Return the Shapiro-Wilk test of normality; undefined below three patients or without a spread."""
    (known,), note = complete(values)
    name = "Shapiro-Wilk"
    if known.size < 3 or np.ptp(known) == 0:
        why = "Fewer than three patients." if known.size < 3 else "All values are equal."
        return Comparison(name, _NAN, _NAN, known.size, note=joined(why, note))
    if known.size > 5000:
        note = joined(note, "More than 5000 patients: the p value is not accurate.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = stats.shapiro(known)
    return Comparison(name, float(found.statistic), float(found.pvalue), known.size, note=note)


def adjust(p_values: Sequence[float], method: str = "holm") -> list[float]:
    """Return p values adjusted for their number.

    Parameters
    ----------
    p_values : sequence of float
        NaN where a test could not be done; stays NaN and does not count.
    method : str
        ``"bonferroni"`` (Yu 2020) or ``"holm"``, which is never weaker in power and holds under the same conditions.

    Raises
    ------
    ValueError
        For another method.
    """
    p = np.asarray(p_values, np.float64)
    known = np.isfinite(p)
    count = int(known.sum())
    adjusted = np.full(p.shape, _NAN)
    if method == "bonferroni":
        adjusted[known] = np.minimum(p[known] * count, 1.0)
    elif method == "holm":
        order = np.argsort(p[known], kind="stable")
        steps = np.maximum.accumulate(p[known][order] * (count - np.arange(count)))
        back = np.empty(count)
        back[order] = np.minimum(steps, 1.0)
        adjusted[known] = back
    else:
        raise ValueError(f"{method}: choose bonferroni or holm")
    return [float(value) for value in adjusted]


def stars(p: float) -> str:
    """Return Debs' marks: ``(.)`` P < 0.10, ``(*)`` < 0.05, ``(**)`` < 0.01, ``(***)`` < 0.001; else nothing."""
    marks = ((0.001, "(***)"), (0.01, "(**)"), (0.05, "(*)"), (0.10, "(.)"))
    return next((mark for limit, mark in marks if p < limit), "")


def p_text(p: float) -> str:
    """Return a p value as journals print it: ``<.001``, three decimals below 0.01, else two; ``–`` where undefined."""
    if np.isnan(p):
        return "–"
    if p < 0.001:
        return "<.001"
    text = f"{p:.3f}" if p < 0.01 else f"{p:.2f}"
    return ">.99" if p > 0.995 else text.removeprefix("0")
