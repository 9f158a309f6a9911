"""What an evaluation's rows say over patients: descriptions, paired tests, subgroups, volumes, calibration.

Everything returned here can go into JSON once `plain` has turned what is no number into None.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models.calibration import Calibration as VolumeInterval
from StrokePredictLib.progress import Progress, silent

from ..metrics.auc import RATES
from ..metrics.catalogue import METRICS
from ..statistics.agreement import bland_altman, lin_concordance
from ..statistics.calibration import Calibration, calibration
from ..statistics.compare import Comparison, adjust, shapiro_wilk, wilcoxon_paired
from ..statistics.describe import UNKNOWN, below, describe
from ..statistics.describe import subgroups as groups_of
from ..statistics.effects import cohens_dz
from ..statistics.intervals import bootstrap, proportion
from .notes import described_in_fewer, without_numbers
from .results import Results
from .sources import Source

#: Measures that are tested in subgroups too, where tests of all would drown what was asked.
MAIN = ("auc", "binary_auc", "dice", "absolute_volume_error_ml")
#: Subgroups by name: title, and the levels that are shown also where nobody belongs to them.
SUBGROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "reperfusion_yu": ("Reperfusion (Yu 2020)", ("minimal", "partial", "major")),
    "reperfusion_debs": ("Reperfusion (Debs 2021)", ("yes", "no")),
    "volume": ("True lesion", ("< 100 mL", "≥ 100 mL")),
    "vendor": ("Vendor", ()),
    "center": ("Centre", ()),
}
#: Yu 2020 looks at lesions below this apart.
SMALL_LESION_ML = 100.0
RESAMPLES = 2000
#: Probability with which a volume interval should hold the truth.
COVERAGE = 0.9


def summarise(
    results: Results,
    sources: Sequence[Source],
    *,
    subgroups: Collection[str] = tuple(SUBGROUPS),
    seed: int = 0,
    resamples: int = RESAMPLES,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Return all statistics of an evaluation.

    A second reader and rules are described in the patients whom the network was tested on, never in others: those whom
    a model has seen, or for whom it failed, are not the same sample.

    Parameters
    ----------
    results : Results
        From `patients.evaluate_patients`.
    sources : sequence of Source
        Its networks.
    subgroups : collection of str
        Names of `SUBGROUPS`.
    seed : int
        Of the bootstrap.
    resamples : int
        How often patients are drawn.
    progress : Progress
        Told how far it is.

    Raises
    ------
    StrokeError
        For a subgroup of another name.
    """
    require_subgroups(subgroups)
    methods, tested = {}, results.tested()
    networks = results.of_kind("network")
    for number, method in enumerate(results.methods):
        progress(number / len(results.methods), f"statistics of {results.methods[method]}")
        methods[method] = _method(results if method in networks else tested, method, seed, resamples)
    curves = {name: calibration(list(results.bins[name].values()), seed=seed) for name in networks}
    return {
        "target": results.target,
        "patients": len(results.patients),
        "tested": len(tested.patients),
        "simulated": results.simulated,
        "methods": methods,
        "comparisons": [row for name in networks for row in compare(tested, name, _rivals(tested, name))],
        "subgroups": {name: _subgroup(tested, name) for name in SUBGROUPS if name in subgroups},
        "volumes": {method: _volumes(tested, method) for method in results.methods},
        "calibration": {name: _curve(curve) for name, curve in curves.items()},
        "roc": {name: _mean_curve(results, name) for name in networks},
        "conformal": {source.name: coverage(results, source) for source in sources if source.calibration},
        "notes": [*described_in_fewer(results, tested), *without_numbers(results)],
    }


def require_subgroups(names: Collection[str]) -> None:
    """Raise `StrokeError` for a name that is not one of `SUBGROUPS`."""
    unknown = [name for name in names if name not in SUBGROUPS]
    if unknown:
        raise StrokeError(f"no subgroups by '{unknown[0]}'; there are {', '.join(SUBGROUPS)}.")


def compare(
    results: Results, first: str, others: Sequence[str], keys: Sequence[str] = tuple(METRICS)
) -> list[dict[str, Any]]:
    """Return paired Wilcoxon tests of one method against others, measure by measure.

    P values are adjusted within a measure for the number of its tests, by Holm and by Bonferroni.

    Parameters
    ----------
    results : Results
        The patients that count: give ``results.where(mask)`` for a subgroup.
    first : str
        A method.
    others : sequence of str
        Methods to compare it with.
    keys : sequence of str
        Measures (`StrokeTrainLib.metrics.catalogue.METRICS`).

    Returns
    -------
    list of dict
        ``metric``, ``first``, ``second``, ``n``, ``test``, ``statistic``, ``p``, ``p_holm``, ``p_bonferroni``,
        ``effect`` (matched-pairs rank-biserial, positive where the first is larger), ``dz`` (Cohen's), ``shift``
        (Hodges-Lehmann, first minus second) with ``shift_low`` and ``shift_high``, ``shapiro_p`` (Shapiro-Wilk test
        of the differences), ``better`` (which of both by the sign of the effect, empty where neither), ``note`` and
        ``least_p`` (the smallest P that there could have been).
    """
    rows = []
    for key in keys:
        column = results.column(first, key)
        found = {name: (column, results.column(name, key)) for name in others}
        tests = {name: wilcoxon_paired(*_as_ranked(key, *pair)) for name, pair in found.items()}
        holm, bonferroni = (adjust([test.p for test in tests.values()], how) for how in ("holm", "bonferroni"))
        for number, (name, test) in enumerate(tests.items()):
            row = {"metric": key, "first": first, "second": name} | _test(test)
            row |= {"p_holm": holm[number], "p_bonferroni": bonferroni[number]}
            row["shapiro_p"] = shapiro_wilk(np.subtract(*_as_ranked(key, *found[name]))).p
            row |= {"dz": cohens_dz(*found[name]), "better": _better(key, first, name, test.effect)}
            rows.append(row)
    return rows


def _as_ranked(key: str, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Round off what is noise of the last digits, which would break ties between equal measures."""
    return np.round(a, 9), np.round(b, 9)


def _better(key: str, first: str, second: str, effect: float) -> str:
    best = METRICS[key].best
    if best == "zero" or not np.isfinite(effect) or effect == 0:
        return ""
    return first if (effect > 0) == (best == "high") else second


def _test(test: Comparison) -> dict[str, Any]:
    shift = test.shift
    return {
        "n": test.n, "test": test.test, "statistic": test.statistic, "p": test.p, "effect": test.effect,
        "shift": shift.value, "shift_low": shift.low, "shift_high": shift.high, "note": test.note,
        "least_p": test.least_p,
    }  # fmt: skip


def _rivals(results: Results, method: str) -> list[str]:
    return [other for other in results.methods if other != method and results.kinds[other] != "network"]


def _method(results: Results, method: str, seed: int, resamples: int) -> dict[str, Any]:
    known = results.scored(method)
    return {
        "title": results.methods[method],
        "kind": results.kinds[method],
        "scored": int(known.sum()),
        "missing": int((~known).sum()),
        "metrics": {key: _described(results.column(method, key), seed, resamples) for key in METRICS},
    }


def _described(values: np.ndarray, seed: int, resamples: int) -> dict[str, Any]:
    """Return a column's description; intervals by drawing patients, percentiles for the median, BCa for the mean."""
    options = {"seed": seed, "resamples": resamples}
    median = bootstrap(lambda x: float(np.median(x)), values, method="percentile", **options)
    mean = bootstrap(lambda x: float(x.mean()), values, **options)
    found = asdict(describe(values)) | {"shapiro_p": shapiro_wilk(values).p}
    found |= {"median_low": median.low, "median_high": median.high, "mean_low": mean.low, "mean_high": mean.high}
    return found


def labels_of(results: Results, name: str) -> list[Any]:
    """Return every patient's subgroup of a name of `SUBGROUPS`, None where unknown."""
    return below(results.true_ml(), SMALL_LESION_ML) if name == "volume" else results.fact(name)


def _subgroup(results: Results, name: str) -> dict[str, Any]:
    title, levels = SUBGROUPS[name]
    found = groups_of(labels_of(results, name), levels)
    told = {"title": title, "levels": {}, "note": ""}
    if set(found) <= {UNKNOWN, *levels} and not any(mask.any() for level, mask in found.items() if level != UNKNOWN):
        return told | {"note": "Not known of any patient."}
    for level, mask in found.items():
        part = results.where(mask)
        rows = {}
        for method in results.methods:
            rows[method] = {key: asdict(describe(part.column(method, key))) for key in METRICS}
        networks = results.of_kind("network")
        tests = [row for first in networks for row in compare(part, first, _rivals(results, first), MAIN)]
        told["levels"][level] = {"patients": int(mask.sum()), "methods": rows, "comparisons": tests}
    return told


def _volumes(results: Results, method: str) -> dict[str, Any]:
    predicted, true = results.column(method, "predicted_ml"), results.column(method, "true_ml")
    agreement, limits = lin_concordance(predicted, true, cube_root=True), bland_altman(predicted, true)
    return {
        "n": agreement.rho.n,
        "concordance": agreement.rho.value,
        "concordance_low": agreement.rho.low,
        "concordance_high": agreement.rho.high,
        "concordance_scale": agreement.scale,
        "concordance_words": agreement.words,
        "pearson": agreement.pearson,
        "concordance_note": agreement.rho.note,
        "bias_ml": limits.bias.value,
        "bias_low": limits.bias.low,
        "bias_high": limits.bias.high,
        "limit_low_ml": limits.lower.value,
        "limit_high_ml": limits.upper.value,
        "sd_ml": limits.sd,
        "slope_p": limits.slope_p,
        "bland_altman_note": limits.note,
    }


def _curve(curve: Calibration) -> dict[str, Any]:
    names = ("predicted", "observed", "low", "high", "n")
    columns = {name: np.asarray(getattr(curve, name)).tolist() for name in names}
    names = ("brier", "expected_error", "patients", "note")
    return columns | {name: getattr(curve, name) for name in names}


def _mean_curve(results: Results, name: str) -> dict[str, Any]:
    """Return the mean over patients of the curves over their voxels, at fixed false positive rates."""
    known = [curve for patient in results.patients if (curve := results.roc.get(name, {}).get(patient)) is not None]
    mean = np.mean(known, axis=0).tolist() if known else []
    return {"false_positive": RATES.tolist() if known else [], "true_positive": mean, "patients": len(known)}


def coverage(results: Results, source: Source, level: float = COVERAGE) -> dict[str, Any]:
    """Return in what share of patients a model's conformal volume interval holds the true volume.

    Parameters
    ----------
    results : Results
        With the model as a method.
    source : Source
        The model, with its calibration.
    level : float
        What the interval promises.

    Returns
    -------
    dict
        ``level``, ``covered``, ``n``, ``share`` with ``low`` and ``high`` (Clopper-Pearson), ``median_width_ml`` and
        ``note``.
    """
    interval = VolumeInterval.model_validate(source.calibration)
    predicted, true = results.column(source.name, "predicted_ml"), results.column(source.name, "true_ml")
    known = np.isfinite(predicted) & np.isfinite(true)
    bounds = [interval.interval(float(volume), level) for volume in predicted[known]]
    kept = f"Calibrated on {len(interval.errors)} patients."
    if any(bound is None for bound in bounds):
        bounds, kept = [], f"{kept} Too few for a {level:.0%} interval."
    inside = [low <= volume <= high for (low, high), volume in zip(bounds, true[known], strict=False)]
    share = proportion(sum(inside), len(inside), "exact")
    width = float(np.median([high - low for low, high in bounds])) if bounds else np.nan
    return {
        "level": level, "covered": sum(inside), "n": len(inside), "share": share.value, "low": share.low,
        "high": share.high, "median_width_ml": width, "note": kept,
    }  # fmt: skip


def plain(value: Any) -> Any:
    """Return a value as JSON can carry it: NaN and infinities become None, NumPy values plain ones."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
