"""The methods paragraph of a report, filled in from what was done."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from StrokePredictLib.models.bundle import Bundle

from ..cohort.splits import Splits
from ..metrics.rules import RULES
from .sources import Source

if TYPE_CHECKING:
    from StrokePredictLib.models.card import Card

    from ..recipes.schema import Recipe

_TARGETS = {"final-infarct": "final infarct on follow-up imaging", "acute-core": "acute core at baseline"}
#: Running statistics of normalisation layers are no parameters.
_BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


def parameters_of(bundle: Bundle) -> int:
    """Return how many parameters the first of a model's weight files holds, from its header alone."""
    with (bundle.folder / bundle.card.weights[0]).open("rb") as stream:
        header = json.loads(stream.read(struct.unpack("<Q", stream.read(8))[0]))
    total = 0
    for name, entry in header.items():
        if name != "__metadata__" and not name.endswith(_BUFFERS):
            size = 1
            for length in entry["shape"]:
                size *= length
            total += size
    return total


def limit_of(card: Card) -> float | None:
    """Return from which volume a classifier's training called a core large, in mL, as its card tells in words."""
    found = re.search(r"Large: core above ([0-9.]+[0-9]) mL", card.training.data)
    return float(found[1]) if found else None


def truth_of(card: Card) -> str:
    """Return what a classifier was taught by, ``"cbv"`` (Mittermeier's rule) or ``"outline"``, as its card tells."""
    return "outline" if "label: cbv → outline" in card.training.data else "cbv"


def run_text(run: Mapping[str, Any], recipe: Recipe, splits: Splits, bundle: Bundle, source: Source) -> list[str]:
    """Return sentences about how the models of a run were trained and who tested them."""
    from ..recipes.describe import changes

    training, optimiser = recipe.training, recipe.optimiser
    inputs = ", ".join(channel.role.upper() if channel.role != "tmax" else "Tmax" for channel in recipe.channels)
    count = f"{parameters_of(bundle):,}"
    changed = changes(recipe)
    how = f"recipe '{recipe.name}' ({recipe.paper})"
    if changed:
        how += f", changed from its defaults in {len(changed)} values ({'; '.join(changed)})"
    stop = f"at most {training.epochs} epochs"
    if training.patience:
        stop += f", stopped early after {training.patience} without a gain in the validation {training.monitor}"
    size = "×".join(map(str, recipe.matrix)) + " at " + "×".join(f"{mm:g}" for mm in recipe.spacing_mm) + " mm"
    stratified = f", stratified by {', '.join(recipe.split.stratify)}" if recipe.split.stratify else ""
    said = [
        f"A network of type {recipe.network.name} ({count} parameters; inputs {inputs}; in-plane {size}) was trained "
        f"by {how}: loss {recipe.loss.name}, optimiser {optimiser.name} at {optimiser.rate:g}, batches of "
        f"{training.batch}, {stop}.",
        f"Patients were split by person into {source.facts['folds']} fold{_s(source.facts['folds'])} "
        f"({splits.scheme}{stratified}; seed {run['seed']}); {_sizes(splits)}. Each patient was tested by the network "
        "of the fold that had neither trained nor chosen its epoch on them (out-of-fold).",
    ]
    if source.facts["finished"] < source.facts["folds"]:
        said.append(f"Only {source.facts['finished']} of these folds are finished: the others' patients are missing.")
    if run.get("init"):
        said.append(f"Training started from model '{run['init']['name']}' ({run['init']['sha256'][:16]}…).")
    return said


def model_text(bundle: Bundle, source: Source, distinct: bool) -> list[str]:
    """Return sentences about a finished model and the patients who tested it."""
    card = bundle.card
    several = f", an ensemble of {len(card.weights)}," if len(card.weights) > 1 else ""
    size = f"{parameters_of(bundle):,} parameters{' each' if several else ''}"
    said = [
        f"Model '{card.name}'{several} of type {card.network.name} ({size}; SHA-256 {bundle.sha256[:16]}…) was "
        f"trained on: {card.training.data.rstrip('.')}. It was tested on patients whom it had not seen, by the salted "
        "hashes of its card.",
    ]
    if distinct:
        said.append(
            "Patients of names that the model knows were taken for other people, as stated by whoever started this."
        )
    if source.facts.get("demonstration"):
        said.append("Its weights are demonstration weights, trained on simulated patients.")
    return said


def persons_note(records: int, persons: int) -> list[str]:
    """Return what must be known where several records are of one person; nothing where each is of another."""
    if persons >= records:
        return []
    return [
        f"{records} records of {persons} persons were tested. Every statistic takes the record for its unit, as if "
        "each were of another person: intervals may be too narrow and P values too small."
    ]


def _unit(people: tuple[int, int]) -> str:
    records, persons = people
    if persons >= records:
        return "The patient was the unit of every statistic."
    return (
        f"The record was the unit of every statistic ({records} records of {persons} persons), without regard to which "
        "records are of one person."
    )


def scoring_text(
    target: str, rules: list[str], cleaned: bool, seed: int, resamples: int, people: tuple[int, int]
) -> list[str]:
    """Return sentences about measures and statistics; ``people`` counts records and persons who were tested."""
    said = [
        f"The truth was the outline of the {_TARGETS[target]} (the majority, where one reader drew it several times). "
        "Every measure was computed on the patient's native grid: AUC and specificity inside the brain mask, all "
        "others on the whole grid. Where truth and prediction are both empty, overlap is 1; where one is, it is 0 and "
        "distances are undefined.",
    ]
    if rules:
        titles = "; ".join(RULES[rule].title for rule in rules)
        masks = "cleaned as this software shows them" if cleaned else "as cut, without cleaning"
        said.append(
            f"Threshold rules beside the network ({masks}), described in the patients whom it was tested on: {titles}."
        )
    said.append(
        f"{_unit(people)} Methods were compared by two-sided paired Wilcoxon signed-rank tests, "
        "adjusted by Holm for the number of rules; effect sizes are matched-pairs rank-biserial correlations "
        "and Hodges-Lehmann shifts with 95 % intervals. Intervals of medians and means come from drawing patients "
        f"({resamples:,} times, seed {seed}; percentiles for medians, BCa for means). Agreement of volumes: Lin's "
        "concordance of cube roots and Bland-Altman limits."
    )
    return said


def classifier_text(seed: int, threshold: float, truth: str, people: tuple[int, int]) -> list[str]:
    """Return sentences about how a classifier is scored; ``people`` counts records and persons who were tested."""
    by = "CBV < 1.14 mL/100 g inside the brain" if truth == "cbv" else "the reader's outline"
    return [
        f"The truth was whether the core ({by}) was larger than the median of that fold's training patients; the "
        f"network called it large from a probability of {threshold:g} on. AUC over patients with DeLong's interval, "
        "accuracy, sensitivity and specificity with Wilson's intervals; folds are pooled, and shown one by one.",
        f"{_unit(people)} Intervals of the Brier score come from drawing patients (seed {seed}).",
    ]


def versions_text(provenance: Mapping[str, Any]) -> str:
    """Return the sentence about software."""
    packages = ", ".join(f"{name} {version}" for name, version in provenance["packages"].items())
    return f"{provenance['software']}, Python {provenance['python']}, {packages}."


def _sizes(splits: Splits) -> str:
    parts = []
    for part in ("train", "validation", "test"):
        sizes = [len(getattr(fold, part)) for fold in splits.folds]
        low, high = min(sizes), max(sizes)
        parts.append(f"{low if low == high else f'{low} to {high}'} {part}")
    return "a fold has " + ", ".join(parts) + " patients"


def _s(count: int) -> str:
    return "" if count == 1 else "s"
