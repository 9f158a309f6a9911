"""An evaluation's files as a panel reads them: no pandas, no torch."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.json_files import read_json_object

#: Folder of a run that `StrokeTrainLib.evaluate_job` writes.
FOLDER = "evaluation"
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


def members(run: Path, patient: str) -> dict[str, Path]:
    """Return a patient's predicted masks by model, from the fold that has not seen the patient."""
    found: dict[str, Path] = {}
    for record in sorted(run.glob(f"fold-*/predictions/{patient}/prediction.json")):
        content = json.loads(record.read_text(encoding="utf-8"))
        for model in content.get("models", []):
            path = record.parent / f"mask_{model['name']}.nii.gz"
            if path.is_file():
                found[model["name"]] = path
    return found
