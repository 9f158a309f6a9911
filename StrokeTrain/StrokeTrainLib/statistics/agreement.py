"""Agreement of two measurements of the same patients: Lin's concordance, and Bland's and Altman's limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from .effects import Values
from .values import Estimate, complete, joined

_NAN = float("nan")


@dataclass(frozen=True)
class Concordance:
    """Lin's concordance correlation coefficient.

    Attributes
    ----------
    rho : Estimate
        The coefficient with its interval on Fisher's z scale.
    pearson : float
        Its precision part.
    bias : float
        Its accuracy part C_b; rho = pearson · bias.
    scale : str
        ``"as measured"`` or ``"cube root"``.
    """

    rho: Estimate
    pearson: float
    bias: float
    scale: str

    @property
    def words(self) -> str:
        """Yu's words: excellent above 0.70, moderate from 0.50, low below; empty where undefined."""
        if np.isnan(self.rho.value):
            return ""
        return "excellent" if self.rho.value > 0.70 else "moderate" if self.rho.value >= 0.50 else "low"


def lin_concordance(first: Values, second: Values, *, cube_root: bool = False, level: float = 0.95) -> Concordance:
    """Return Lin's concordance correlation coefficient.

    Parameters
    ----------
    first, second : sequence of float
        One pair a patient.
    cube_root : bool
        Compare the cube roots, which are closer to normal for volumes (Yu 2020).
    level : float
        Confidence level.

    Notes
    -----
    Lin 1989 with the corrected variance of Lin 2000, moments with n, interval by Fisher's z transformation: as Stata's
    ``concord``, which Yu used. At least four patients are needed for an interval.
    """
    (x, y), note = complete(first, second)
    scale = "cube root" if cube_root else "as measured"
    if cube_root:
        x, y = np.cbrt(x), np.cbrt(y)
    n, method = x.size, "Lin, z transformation"
    if n < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        same = bool(n) and np.array_equal(x, y)
        why = "Fewer than two patients." if n < 2 else "One of the measurements does not vary."
        if n >= 2 and same:
            why = "All values are equal."
        return Concordance(Estimate(_NAN, _NAN, _NAN, n, level, method, joined(why, note)), _NAN, _NAN, scale)
    covariance = float(np.mean((x - x.mean()) * (y - y.mean())))
    rho = 2.0 * covariance / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    pearson = covariance / (x.std() * y.std())
    shift = (x.mean() - y.mean()) / np.sqrt(x.std() * y.std())
    low, high, limits = _z_interval(float(rho), float(pearson), float(shift), n, level)
    estimate = Estimate(float(rho), low, high, n, level, method, joined(limits, note))
    return Concordance(estimate, float(pearson), float(rho / pearson) if pearson else _NAN, scale)


def _z_interval(rho: float, pearson: float, shift: float, n: int, level: float) -> tuple[float, float, str]:
    if n < 4 or pearson == 0:
        return _NAN, _NAN, "Too few patients for an interval." if n < 4 else "No correlation: no interval."
    if abs(rho) > 1.0 - 1e-12:
        return rho, rho, "Perfect agreement: the interval has no width."
    r2, c2, u2 = pearson**2, rho**2, shift**2
    variance = (
        (1 - r2) * c2 / ((1 - c2) * r2)
        + 2 * rho**3 * (1 - rho) * u2 / (pearson * (1 - c2) ** 2)
        - rho**4 * u2**2 / (2 * r2 * (1 - c2) ** 2)
    ) / (n - 2)
    half = stats.norm.ppf((1 + level) / 2) * np.sqrt(max(variance, 0.0))
    return float(np.tanh(np.arctanh(rho) - half)), float(np.tanh(np.arctanh(rho) + half)), ""


@dataclass(frozen=True)
class BlandAltman:
    """Bias and limits of agreement, differences being first minus second.

    Attributes
    ----------
    bias, lower, upper : Estimate
        Mean difference, and the limits bias ∓ 1.96 SD, each with its interval.
    sd : float
        Of the differences.
    slope_p : float
        P value of the correlation between difference and mean; small where the difference grows with size, and the
        limits then fit neither small nor large lesions.
    n : int
        Patients.
    note : str
        What limits it.
    """

    bias: Estimate
    lower: Estimate
    upper: Estimate
    sd: float
    slope_p: float
    n: int
    note: str = ""


def bland_altman(first: Values, second: Values, *, multiple: float = 1.96, level: float = 0.95) -> BlandAltman:
    """Return Bland's and Altman's analysis.

    Parameters
    ----------
    first, second : sequence of float
        One pair a patient, such as predicted and true volume in mL.
    multiple : float
        How many SD the limits lie from the bias.
    level : float
        Confidence level of the intervals.

    Notes
    -----
    Intervals by Student's t with n − 1 degrees of freedom; the limits' variance is SD²·(1/n + multiple²/(2(n − 1)))
    (Bland and Altman 1999, section 2.2).
    """
    (x, y), note = complete(first, second)
    difference, n = x - y, x.size
    if n < 2:
        value = float(difference[0]) if n else _NAN
        note = joined("Fewer than two patients: no limits of agreement.", note)
        nothing = Estimate(_NAN, _NAN, _NAN, n, level, "t", note)
        return BlandAltman(Estimate(value, _NAN, _NAN, n, level, "t", note), nothing, nothing, _NAN, _NAN, n, note)
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    t = float(stats.t.ppf((1 + level) / 2, n - 1))
    half_bias = t * sd / np.sqrt(n)
    half_limit = t * sd * np.sqrt(1 / n + multiple**2 / (2 * (n - 1)))

    def estimate(value: float, half: float) -> Estimate:
        return Estimate(value, float(value - half), float(value + half), n, level, "t", note)

    mean = (x + y) / 2
    varies = n > 2 and np.ptp(mean) > 0 and np.ptp(difference) > 0
    slope_p = float(stats.pearsonr(mean, difference).pvalue) if varies else _NAN
    limits = [estimate(bias + sign * multiple * sd, half_limit) for sign in (-1, 1)]
    return BlandAltman(estimate(bias, half_bias), *limits, sd, slope_p, n, note)
