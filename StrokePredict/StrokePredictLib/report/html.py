"""The report: one self-contained page, and the same as one JSON object."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from ..errors import StrokeError
from ..io.output import write_text
from ..segments import segment_for
from ..study import Study
from .curves import curve_plot
from .predicted import (
    classification_sentences,
    interval_coverage,
    interval_sentences,
    model_label,
    skipped_sentences,
    treatment_sentences,
)
from .tables import (
    NOT_COMPUTED,
    coverage_text,
    criteria,
    doubts,
    mismatch_rows,
    shown,
    side_text,
    volume_rows,
    warnings,
)

#: Version of report.json's layout; raised when a key changes its meaning or goes.
SCHEMA_VERSION = "1.0"
_MODEL = dict.fromkeys(("title", "volume_ml", "threshold", "device", "sha256", "intended_use", "demonstration"))
_MODEL |= {"inputs": [], "notes": []}
_TEMPLATE = Path(__file__).parents[1] / "data" / "report.html.j2"


def write_report(study: Study, path: Path | str, summary_png: Path | str | None = None) -> None:
    """Write the report as one HTML file that needs nothing else.

    Parameters
    ----------
    study : Study
        What to report.
    path : path-like
        The .html file; written whole or not at all.
    summary_png : path-like, optional
        The summary picture, embedded.

    Raises
    ------
    StrokeError
        If the picture cannot be read or the disk refuses.
    """
    write_text(path, render_report(study, summary_png))


def render_report(study: Study, summary_png: Path | str | None = None) -> str:
    """Return the report's HTML; everything that comes from files or users is escaped.

    Parameters
    ----------
    study : Study
        What to report.
    summary_png : path-like, optional
        The summary picture, embedded.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["shown"] = shown
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(_context(study, summary_png))


def _context(study: Study, summary_png: Path | str | None) -> dict[str, Any]:
    perfusion, prediction = study.perfusion or {}, study.prediction or {}
    rows = volume_rows(study)
    return {
        "patient": study.case.patient,
        "modality": study.case.modality,
        "grid": study.case.reference.describe_grid(),
        "simulated": study.case.simulated,
        "warnings": warnings(study),
        "side": side_text(study),
        "coverage": coverage_text(study),
        "facts": _facts(study),
        "picture": _embedded(summary_png) if summary_png is not None else None,
        "volumes": rows,
        "has_truth": any(row.truth for row in rows),
        "coverage_of_intervals": interval_coverage(prediction),
        "intervals": interval_sentences(prediction),
        "treatment": treatment_sentences(prediction),
        "classifications": classification_sentences(prediction),
        "skipped": skipped_sentences(prediction),
        "mismatch": mismatch_rows(study),
        "criteria": criteria(study),
        "core_source": study.volumes.get("core_source"),
        "cleaning": [step | {"mask": segment_for(step["mask"]).name} for step in study.volumes.get("cleaning") or []],
        "quality": [_check(check) for check in perfusion.get("quality") or []],
        "quality_passed": perfusion.get("quality_passed"),
        "perfusion_method": perfusion.get("method"),
        "curves": curve_plot(perfusion),
        "models": [_model(study, model) for model in prediction.get("models") or []],
        "doubts": doubts(study),
        "provenance": _provenance(study),
        "not_computed": NOT_COMPUTED,
    }


def write_report_json(study: Study, path: Path | str) -> None:
    """Write what the report says as one JSON object, whole or not at all.

    Parameters
    ----------
    study : Study
        What to report.
    path : path-like
        The .json file.
    """
    text = json.dumps(report_json(study), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def report_json(study: Study) -> dict[str, Any]:
    """Return the machine-readable report; numbers are not rounded, and no value is NaN or infinite.

    Returns
    -------
    dict
        ``schema_version``, ``patient``, ``simulated``, ``warnings``, ``side``, ``coverage``, ``volumes`` (what
        ``volumes.json`` holds), ``perfusion`` without its curves, ``prediction``, ``truth_ml``, ``doubts``,
        ``provenance``.
    """
    curves = ("times", "aif", "vof", "brain_curve")
    perfusion = {key: value for key, value in (study.perfusion or {}).items() if key not in curves}
    result = {
        "schema_version": SCHEMA_VERSION,
        "patient": study.case.patient,
        "modality": study.case.modality,
        "simulated": study.case.simulated,
        "warnings": warnings(study),
        "side": study.volumes.get("side"),
        "coverage": coverage_text(study),
        "grid": study.case.reference.describe_grid(),
        "volumes": study.volumes,
        "perfusion": perfusion or None,
        "prediction": study.prediction,
        "truth_ml": study.truth,
        "doubts": doubts(study),
        "provenance": study.provenance,
    }
    return _plain(result)


def _plain(value: Any) -> Any:
    """Return ``value`` with NumPy values as plain ones and what JSON has no number for in words."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        if value != value:
            return NOT_COMPUTED
        return ("∞" if value > 0 else "-∞") if abs(value) == float("inf") else value
    return value if value is None or isinstance(value, (str, int)) else str(value)


def _model(study: Study, model: dict[str, Any]) -> dict[str, Any]:
    """Return a model's record with what it lacks left blank, without notes that stand on the page anyway."""
    notes = [note for note in model.get("notes") or [] if note not in warnings(study)]
    return {**_MODEL, **model, "notes": notes, "label": model_label(model)}


def _check(check: dict[str, Any]) -> dict[str, Any]:
    """Return a quality check with what it lacks left blank."""
    numbers = {key: "" if check.get(key) is None else shown(check[key], 2) for key in ("value", "limit")}
    words = {key: check.get(key, "") for key in ("name", "sentence")}
    return {**words, **numbers, "passed": check.get("passed")}


def _facts(study: Study) -> list[tuple[str, str]]:
    facts = study.case.facts
    onset = None if facts.onset_to_imaging_min is None else f"{facts.onset_to_imaging_min / 60:.1f} h"
    if onset and facts.onset_known is False:
        onset += " (from last known well)"
    values = [
        ("Age", None if facts.age is None else f"{facts.age:.0f} years"),
        ("Sex", facts.sex),
        ("NIHSS", None if facts.nihss is None else f"{facts.nihss:.0f}"),
        ("Onset to imaging", onset),
    ]
    return [(name, value or "unknown") for name, value in values]


def _provenance(study: Study) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return rows of key and value by step; a row that an earlier step has is not repeated."""
    nested = {name: part for name, part in study.provenance.items() if isinstance(part, dict)}
    parts = {"study": {name: part for name, part in study.provenance.items() if name not in nested}, **nested}
    parts["volumes"] = study.volumes.get("provenance")
    for name, part in (("perfusion", study.perfusion), ("prediction", study.prediction)):
        parts.setdefault(name, (part or {}).get("provenance"))
    parts["input files"] = study.case.sources
    told: set[tuple[str, str]] = set()
    result = []
    for name, part in parts.items():
        rows = [row for row in _flat(part or {}) if row not in told]
        told.update(rows)
        if rows:
            result.append((name, rows))
    return result


def _flat(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Return nested keys as ``a › b`` with their values as text; an input is one row with its hash."""
    if isinstance(value, dict) and set(value) == {"file", "sha256"}:
        return [(prefix, f"{value['file']}  {value['sha256']}")]
    if isinstance(value, dict):
        return [row for key, item in value.items() for row in _flat(item, f"{prefix} › {key}" if prefix else str(key))]
    if value is None:
        return []
    return [(prefix, ", ".join(str(v) for v in value) if isinstance(value, (list, tuple)) else str(value))]


def _embedded(path: Path | str) -> str:
    try:
        return base64.b64encode(Path(path).read_bytes()).decode("ascii")
    except OSError as error:
        raise StrokeError(f"{path}: the summary picture cannot be read; make it first.") from error
