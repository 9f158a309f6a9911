"""An evaluation's files as a panel reads them: no pandas, no torch."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.json_files import read_json_object
from StrokeTrainLib.metrics.catalogue import METRICS

#: Folder of a run that `StrokeTrainLib.evaluate_job` writes.
FOLDER = "evaluation"
#: And `StrokeTrainLib.locked_job` (which imports too much to be asked here).
LOCKED_FOLDER = "locked-test"
_WORDS = ("patient", "method", "vendor", "center", "reperfusion_yu", "reperfusion_debs", "note")


@dataclass(frozen=True)
class Evaluation:
    """What lies in an evaluation's folder.

    Attributes
    ----------
    folder : Path
        Where.
    rows : list of dict
        ``metrics.csv``: numbers as floats, None where a cell is empty.
    summary : dict
        ``summary.json``.
    """

    folder: Path
    rows: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)

    @property
    def methods(self) -> dict[str, str]:
        """Titles by method, the network first."""
        named = {name: found["title"] for name, found in (self.summary.get("methods") or {}).items()}
        return named or {row.get("method", "model"): row.get("method", "model") for row in self.rows}

    def of(self, method: str) -> list[dict[str, Any]]:
        """Return the rows of a method."""
        return [row for row in self.rows if row.get("method", method) == method]

    @property
    def figures(self) -> list[Path]:
        """The pictures, in the order of their names."""
        return sorted((self.folder / "figures").glob("*.png"))


def read_evaluation(folder: Path) -> Evaluation | None:
    """Return an evaluation; None where there is none.

    Raises
    ------
    StrokeError
        If it is there and cannot be read.
    """
    if not (folder / "metrics.csv").is_file():
        return None
    try:
        with (folder / "metrics.csv").open(encoding="utf-8", newline="") as stream:
            rows = [{key: _cell(key, text) for key, text in row.items()} for row in csv.DictReader(stream)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StrokeError(f"{folder / 'metrics.csv'}: cannot be read ({error}); evaluate again.") from error
    return Evaluation(folder, rows, read_json_object(folder / "summary.json", "evaluate again"))


def _cell(key: str, text: str | None) -> Any:
    if not text:
        return None if key not in _WORDS else ""
    if key in _WORDS:
        return text
    try:
        return float(text)
    except ValueError:
        return text


def members(run: Path, patient: str, which: str = FOLDER) -> dict[str, Path]:
    """Return a patient's predicted masks by model, from the fold that has not seen the patient.

    Of the locked test set (``which``) those of the finished model.
    """
    pattern = "fold-*/predictions" if which == FOLDER else f"{which}/predictions"
    found: dict[str, Path] = {}
    for record in sorted(run.glob(f"{pattern}/{patient}/prediction.json")):
        content = json.loads(record.read_text(encoding="utf-8"))
        for model in content.get("models", []):
            path = record.parent / f"mask_{model['name']}.nii.gz"
            if path.is_file():
                found[model["name"]] = path
    return found


def compared(evaluation: Evaluation, metric: str | None) -> tuple[list[str], list[list[str]]]:
    """Return titles and rows of the paired comparisons by one measure: effect sizes, shift and adjusted p."""
    known = METRICS.get(metric or "")
    rows = [row for row in evaluation.summary.get("comparisons") or () if known and row["metric"] == metric]
    unit = f" ({known.unit})" if known and known.unit else ""
    titles = [
        _("Network against"), "n", _("Shift{unit}, 95 % CI").format(unit=unit), _("p (Holm)"), _("Effect r"),
        _("Cohen’s dz"), _("Better"),
    ]  # fmt: skip
    methods = evaluation.methods
    return titles, [
        [
            methods.get(row["second"], row["second"]), str(row["n"]), _shift(row, known.digits), _p(row["p_holm"]),
            _signed(row["effect"]), _signed(row["dz"]), methods.get(row["better"], "–"),
        ]
        for row in rows
    ]  # fmt: skip


def figures_of_classifier(summary: dict[str, Any]) -> list[list[str]]:
    """Return a classifier's figures over all test patients, as rows of name, value with interval, and n."""
    names = {"auc": "AUC", "accuracy": _("Accuracy"), "sensitivity": _("Sensitivity"), "specificity": _("Specificity"),
             "brier": _("Brier score")}  # fmt: skip
    found = summary.get("overall") or {}
    return [
        [title, _interval(found[key]), str(found[key].get("n", ""))] for key, title in names.items() if found.get(key)
    ]


def _interval(found: dict[str, Any]) -> str:
    value, low, high = (found.get(key) for key in ("value", "low", "high"))
    if value is None:
        return "–"
    return f"{value:.2f}" if low is None or high is None else f"{value:.2f} ({low:.2f} to {high:.2f})"


def _shift(row: dict[str, Any], digits: int) -> str:
    value, low, high = (row[key] for key in ("shift", "shift_low", "shift_high"))
    if value is None:
        return "–"
    said = _signed(value, digits)
    return said if low is None or high is None else f"{said} ({_signed(low, digits)} to {_signed(high, digits)})"


def _signed(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:+.{digits}f}".replace("-", "−")


def _p(value: float | None) -> str:
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
