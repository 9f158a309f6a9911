"""A model's relatives: outlines that began as a prediction of one of them must not test it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models.bundle import METADATA, SUMS, Bundle

from ..cohort.splits import Splits
from .run_folder import RunFolder

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
        Persons of its run's cohort who made its volume interval.
    calibrated_simulated : bool
        Whether that cohort is simulated.
    """

    hashes: set[str] = field(default_factory=set)
    calibrated_on: set[str] = field(default_factory=set)
    calibrated_simulated: bool = False

    def holds(self, digest: str | None) -> bool:
        """Whether a hash, whole or shortened, is of one of them."""
        if not digest or len(digest) < _SHORTEST:
            return False
        return any(known.startswith(digest) or digest.startswith(known) for known in self.hashes)


def lineage(bundle: Bundle) -> Lineage:
    """Return a model's relatives, from its files, its card and the run that it lies in."""
    found = Lineage({bundle.sha256} | members(bundle.folder) | set(bundle.card.training.ancestors))
    # The card names the model that training started from by the first digits of its hash.
    found.hashes |= set(re.findall(r"\b([0-9a-f]{16})…", bundle.card.training.data))
    _add_run(_run_of(bundle.folder), found, set())
    if bundle.card.calibration is None:
        found.calibrated_on = set()
    return found


def members(folder: Path) -> set[str]:
    """Return the hashes of a bundle's weight files and, of an ensemble, the one over them; nothing is verified.

    Parameters
    ----------
    folder : Path
        Of the bundle; empty where none can be read there.
    """
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
        found.hashes |= members(place)
    try:
        facts = run.read()
        initial = facts.get("init")
        if not found.calibrated_on:
            splits = Splits.load(run.splits)
            found.calibrated_on = {splits.person(name) for name in splits.calibration}
            found.calibrated_simulated = bool(facts.get("simulated"))
    except StrokeError:
        return
    if initial:
        found.hashes |= {initial["sha256"], *initial.get("ancestors", [])}
        found.hashes |= members(Path(initial["folder"]))
        _add_run(_run_of(Path(initial["folder"])), found, visited)
