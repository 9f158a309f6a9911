"""The flow of an evaluation's patients from the cohort to those who were tested (STARD 2015)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..cohort.flow import Flow, count_groups
from ..cohort.select import Selection
from ..cohort.splits import Splits

REFUSED = "Seen by the model, or outline begun as its prediction"
NO_PREDICTION = "No usable prediction or truth"
_YU = {word: f"{word} reperfusion" for word in ("minimal", "partial", "major")}
_DEBS = {"yes": "reperfused", "no": "not reperfused"}


def run_flow(
    run: Mapping[str, Any], splits: Splits, present: Collection[str], scored: Collection[str],
    refused: Collection[str], facts: Mapping[str, Mapping[str, Any]],
) -> Flow:
    """Return the flow of a run's out-of-fold evaluation.

    Parameters
    ----------
    run : mapping
        ``run.json``.
    splits : Splits
        Of the run.
    present : collection of str
        Patients who are in the cohort's folder now.
    scored, refused : collection of str
        Patients with numbers, and those whom the model may not be tested on.
    facts : mapping of str to mapping
        By patient, for the groups at the bottom.
    """
    before = run["selection"]["flow"]
    excluded = [(box["reason"], box["patients"]) for box in before["excluded"]]
    everybody = {name for fold in splits.folds for part in (fold.train, fold.validation, fold.test) for name in part}
    tested = {name for fold in splits.folds for name in fold.test}
    # An experiment's network may have been given but a part of those who were selected.
    elsewhere = {*splits.train_only, *splits.calibration, *splits.locked, *run.get("unusable", {})}
    never = (everybody | set(run["selection"].get("kept", ()))) - tested - elsewhere
    excluded += [
        ("Could not be prepared", len(run.get("unusable", {}))),
        ("Kept for the volume interval's calibration", len(splits.calibration)),
        ("Locked test set, not opened", len(splits.locked)),
        ("For training only", len(splits.train_only)),
        ("In no test part", len(never)),
        ("No longer in the cohort's folder", len(tested - set(present))),
    ]
    excluded += _lost(tested & set(present), scored, refused)
    return Flow(before["assessed"], tuple(excluded), _groups(scored, facts))


def cohort_flow(
    selection: Selection, tested: Collection[str], left: Mapping[str, int], scored: Collection[str],
    refused: Collection[str], facts: Mapping[str, Mapping[str, Any]],
) -> Flow:
    """Return the flow of a finished model's evaluation on a cohort.

    ``left`` counts by reason who of the selected is not tested; other parameters as for `run_flow`.
    """
    excluded = [*selection.flow.excluded, *left.items(), *_lost(set(tested), scored, refused)]
    return Flow(selection.flow.assessed, tuple(excluded), _groups(scored, facts))


def _lost(tested: set[str], scored: Collection[str], refused: Collection[str]) -> list[tuple[str, int]]:
    without = tested - set(scored)
    return [(REFUSED, len(without & set(refused))), (NO_PREDICTION, len(without - set(refused)))]


def _groups(scored: Collection[str], facts: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return how many of those tested had which course, by the rule that is known of more of them."""
    known = {
        name: sum(1 for patient in scored if facts[patient].get(name))
        for name in ("reperfusion_debs", "reperfusion_yu")
    }
    name = max(known, key=known.__getitem__)
    if not scored or not known[name]:
        return {}
    words = _YU if name == "reperfusion_yu" else _DEBS
    unknown = "reperfusion unknown"
    told = {patient: words.get(facts[patient].get(name) or "", unknown) for patient in scored}
    return count_groups(told, (*words.values(), unknown))


def refused_of(places: Mapping[str, Any]) -> Sequence[str]:
    """Return the patients whom the places of a source refuse."""
    return [name for name, place in places.items() if place.why.startswith("Refused:")]
