"""All that a fold needs, from the run's folder and the cohort alone: any process on any machine can train it."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.threads import available_threads

from ..cohort.index import index_cohort
from ..cohort.splits import Splits
from ..cohort.table import Patient
from ..data.patients import files_beside, later_files
from ..recipes import load_recipe
from .run_folder import RunFolder

if TYPE_CHECKING:
    from ..recipes.schema import Recipe


@dataclass
class Plan:
    """A run that was begun.

    Attributes
    ----------
    folder : RunFolder
        Where.
    facts : dict
        ``run.json``.
    recipe : Recipe
        What is trained.
    splits : Splits
        Who is in which part.
    patients : dict of str to Patient
        Everybody of the splits, by identifier.
    """

    folder: RunFolder
    facts: dict[str, Any]
    recipe: Recipe
    splits: Splits
    patients: dict[str, Patient]

    @property
    def cache(self) -> Path:
        """Where prepared images lie."""
        return Path(self.facts["cache"])

    @property
    def threads(self) -> int:
        """Of every computation: the run's number, or where it has none, what this machine gives."""
        return self.facts["threads"] or available_threads()

    @property
    def folds(self) -> int:
        """How many."""
        return len(self.splits.folds)

    def parts(self, fold: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return whom a fold learns from, and who chooses its best epoch.

        Fine-tuning that learns from the validation part has nobody left to choose: its last epoch counts.
        """
        chosen = self.splits.folds[fold - 1]
        if self.recipe.training.part == "validation":
            return chosen.validation, ()
        return chosen.train, chosen.validation


def load_plan(path: Path | str) -> Plan:
    """Return the plan of a run that was begun.

    Raises
    ------
    StrokeError
        If it is none of ours, or the cohort's files are no longer those that it began with; the patient is named.
    """
    folder = RunFolder(Path(path))
    facts = folder.read()
    splits = Splits.load(folder.splits)
    patients = {patient.id: patient for patient in index_cohort(facts["data"])}
    wanted = facts["files"]
    for identifier, before in wanted.items():
        now = fingerprint(patients[identifier]) if identifier in patients else None
        if now is None:
            raise StrokeError(f"{facts['data']}: {identifier} of the run is gone; restore it or start a new run.")
        if now != before:
            changed = sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))
            raise StrokeError(
                f"{facts['data']}: {identifier} was changed since the run began ({', '.join(changed[:3])}); restore it "
                "or start a new run."
            )
    return Plan(folder, facts, load_recipe(folder.recipe), splits, {i: patients[i] for i in wanted})


def fingerprint(patient: Patient) -> dict[str, list[int]]:
    """Return size and time of change of every file of a patient that has a say in what is learnt.

    Baseline and later images, what lies beside them (timing, b-values), and outlines.
    """
    files = dict(patient.images) | files_beside(patient.images) | later_files(patient)
    files |= {f"{label.target} {label.path.name}": label.path for label in patient.labels}
    found = {}
    for name, path in sorted(files.items()):
        facts = Path(path).stat()
        found[name] = [facts.st_size, facts.st_mtime_ns]
    row = json.dumps(patient.facts, sort_keys=True, default=str)
    found["participants.tsv"] = [len(row), zlib.crc32(row.encode())]
    return found
