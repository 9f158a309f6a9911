"""Whom a model must not be tested on: patients it has seen, and outlines that began as its own prediction."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models.bundle import METADATA, SUMS, Bundle

from ..cohort.splits import Splits
from ..cohort.table import Patient
from ..training.identity import seen
from ..training.run_folder import RunFolder

#: Hashes are shown, and copied, by their first digits.
_SHORTEST = 16


@dataclass
class Lineage:
    """A model's relatives.

    Attributes
    ----------
    hashes : set of str
        Of the model, its members, the other models of its run, and those that it started from; whole or their first
        16 digits.
    calibrated_on : set of str
        Patients of its run's cohort who made its volume interval.
    """

    hashes: set[str] = field(default_factory=set)
    calibrated_on: set[str] = field(default_factory=set)

    def holds(self, digest: str | None) -> bool:
        """Whether a hash, whole or shortened, is of one of them."""
        if not digest or len(digest) < _SHORTEST:
            return False
        return any(known.startswith(digest) or digest.startswith(known) for known in self.hashes)


def lineage(bundle: Bundle) -> Lineage:
    """Return a model's relatives, from its files, its card and the run that it lies in."""
    found = Lineage({bundle.sha256} | _members(bundle.folder))
    # The card names the model that training started from by the first digits of its hash.
    found.hashes |= set(re.findall(r"\b([0-9a-f]{16})…", bundle.card.training.data))
    _add_run(_run_of(bundle.folder), found, set())
    if bundle.card.calibration is None:
        found.calibrated_on = set()
    return found


def refusal(bundle: Bundle, known: Lineage, patient: Patient, target: str, *, distinct: bool = False) -> str:
    """Return why a model may not be tested on a patient, one sentence; empty where it may.

    Parameters
    ----------
    bundle : Bundle
        The model.
    known : Lineage
        Its own.
    patient : Patient
        Whom it would be tested on.
    target : str
        Which outline is the truth.
    distinct : bool
        Patients of a name that the model knows are other people. A simulated patient and an imaged one always are.
    """
    name = bundle.card.name
    if any(known.holds(label.start_hash) for label in patient.labels_of(target)):
        return f"Refused: the outline began as a prediction of model '{name}' or of a relative of it."
    if distinct or bundle.card.training.simulated != patient.simulated:
        return ""
    if seen(bundle.card, [patient]):
        return f"Refused: model '{name}' was trained on this patient."
    if patient.id in known.calibrated_on:
        return f"Refused: the volume interval of model '{name}' was calibrated on this patient."
    return ""


def _members(folder: Path) -> set[str]:
    """Return the hashes of a bundle's weight files and, of an ensemble, the one over them; nothing is verified."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
        weights = json.loads((folder / METADATA).read_text(encoding="utf-8"))["stroke"]["weights"]
        listed = {path: digest for digest, path in (line.split("  ", 1) for line in lines if line.strip())}
        digests = [listed[name] for name in weights]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {*digests, hashlib.sha256("".join(digests).encode()).hexdigest()}


def _run_of(folder: Path) -> RunFolder | None:
    """Return the run that a bundle lies in: ``RUN/bundle`` or ``RUN/fold-K/bundle``."""
    for parent in list(folder.resolve().parents)[:2]:
        if (parent / "run.json").is_file():
            return RunFolder(parent)
    return None


def _add_run(run: RunFolder | None, found: Lineage, visited: set[Path]) -> None:
    """Add the models of a run, and those of the run that it started from, and so on."""
    if run is None or run.path in visited:
        return
    visited.add(run.path)
    for place in (run.bundle, *run.path.glob("fold-*/bundle")):
        found.hashes |= _members(place)
    try:
        initial = run.read().get("init")
        if not found.calibrated_on:
            found.calibrated_on = set(Splits.load(run.splits).calibration)
    except StrokeError:
        return
    if initial:
        found.hashes.add(initial["sha256"])
        found.hashes |= _members(Path(initial["folder"]))
        _add_run(_run_of(Path(initial["folder"])), found, visited)
