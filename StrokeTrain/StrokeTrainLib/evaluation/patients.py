"""Every patient of some sources scored, each once, on as many processes as wanted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from StrokePredictLib import __version__
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models.card import Card
from StrokePredictLib.progress import Progress, silent

from ..cohort.reperfusion import from_table
from ..cohort.table import Patient
from ..cohort.votes import other_reader
from ..data.cache import cache_folder
from ..data.maps import quality_notes
from ..metrics.patient import Scores
from ..metrics.rules import RULES
from ..spread.work import spread
from ..statistics.calibration import BinCounts
from .patient import READER
from .records import stamps, to_record
from .results import NUMBERS, Results
from .sources import Place, Source

#: Raised whenever the same files would be scored differently: receipts of another one are not believed.
FORMAT = 3
#: Rules that make sense for a target: an outline of the DWI lesion cannot predict itself.
RULES_OF = {"final-infarct": tuple(RULES), "acute-core": ("adc", "rcbf")}
READER_TITLE = "Second reader"


def evaluate_patients(
    patients: Iterable[Patient],
    sources: Sequence[Source],
    ledger: Path | str,
    *,
    rules: Sequence[str] | bool = True,
    reader: bool = False,
    cleaned: bool = False,
    cache: Path | str | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> Results:
    """Score every patient of the sources by every method, on the patient's native grid.

    Parameters
    ----------
    patients : iterable of Patient
        Of the cohort; those whom no source names are left aside.
    sources : sequence of Source
        Networks, of one target; see `sources.from_run`, `sources.from_model`.
    ledger : path-like
        Folder of receipts: what is scored there already, by the same version on unchanged files, is not scored again.
    rules : sequence of str, or bool
        Threshold rules beside the networks; True: all that fit the target and for which anybody has the images.
    reader : bool
        Score a second reader's outline, too, as method ``"reader"``.
    cleaned : bool
        Clean the rules' masks as ``stroke threshold`` does.
    cache : path-like, optional
        Where computed perfusion maps lie.
    scheduler, workers
        See `StrokeTrainLib.spread.work.spread`; one worker is this process.
    progress : Progress
        Told how many are done.

    Returns
    -------
    Results
        A row for every patient and method. Where there is nothing to score, it holds no numbers, and its note says why.

    Raises
    ------
    StrokeError
        If nobody is left to score, the sources differ in target, two share a name, or a rule is unknown.
    """
    target = _target(sources)
    known = {patient.id: patient for patient in patients}
    wanted = sorted({name for source in sources for name in source.places if name in known})
    if not wanted:
        raise StrokeError("none of the cohort's patients is a test patient of this run or model; name another cohort.")
    chosen = [known[name] for name in wanted]
    applied = rules_for(chosen, target, rules)
    common = {
        "target": target, "rules": applied, "cleaned": cleaned, "reader": reader, "cache": str(cache_folder(cache)),
    }  # fmt: skip
    items = {patient.id: _item(patient, sources, common) for patient in chosen}
    outcome = spread(
        "StrokeTrainLib.evaluation.patient:score_one", items, ledger=ledger, scheduler=scheduler, workers=workers,
        progress=progress,
    )  # fmt: skip
    found = outcome.skipped | outcome.done
    methods = {source.name: source.title for source in sources}
    kinds = dict.fromkeys(methods, "network")
    if reader:
        methods[READER], kinds[READER] = READER_TITLE, "reader"
    for rule in applied:
        methods[rule], kinds[rule] = RULES[rule].title, "rule"
    return Results(
        tuple(wanted), methods, kinds, _rows(chosen, sources, methods, found, outcome.failed),
        {patient.id: facts_of(patient) for patient in chosen}, target, _bins(sources, found),
        any(patient.simulated for patient in chosen), _roc(sources, found),
    )  # fmt: skip


def rules_for(patients: Sequence[Patient], target: str, rules: Sequence[str] | bool) -> list[str]:
    """Return the rules to apply; True: those for which anybody has the images, and the outline of the DWI lesion."""
    if rules is False:
        return []
    if rules is not True:
        unknown = [rule for rule in rules if rule not in RULES]
        if unknown:
            raise StrokeError(f"{unknown[0]}: no such threshold rule; choose from {', '.join(RULES)}.")
        return list(rules)
    offered = [rule for rule in RULES_OF[target] if any(can_apply(patient, rule) for patient in patients)]
    outlined = any(patient.labels_of("acute-core") for patient in patients)
    # Without any outline of the DWI lesion ADC stands for it everywhere: the same masks under two names.
    return [rule for rule in offered if outlined or not rule.startswith("dwi")]


def rules_left_out(patients: Sequence[Patient], target: str, applied: Sequence[str]) -> list[str]:
    """Return a sentence for every rule that fits the target but could not be applied to anybody."""
    told = []
    for rule in RULES_OF[target]:
        if rule in applied:
            continue
        images = any(can_apply(patient, rule) for patient in patients)
        why = "without a reader's outline of the DWI lesion it is the ADC rule" if images else "nobody has its images"
        told.append(f"Rule left out: {RULES[rule].title}; {why}.")
    return told


def maps_in_doubt(patients: Sequence[Patient], card: Card, rules: Sequence[str], cache: Path) -> list[str]:
    """Return a sentence on whose perfusion series failed its quality check, where network or rules rest on its maps."""
    roles = [*(channel.role for channel in card.channels), *(role for rule in rules for role in RULES[rule].needs)]
    return quality_notes(patients, tuple(dict.fromkeys(roles)), cache)


def can_apply(patient: Patient, rule: str) -> bool:
    """Whether a patient has the images of a rule, or they can be computed."""
    needs = list(RULES[rule].needs)
    if rule.startswith("dwi") and not patient.labels_of("acute-core"):
        needs.append("adc")
    return all(patient.has(role) for role in needs)


def has_second_reader(patients: Sequence[Patient], target: str) -> bool:
    """Whether anybody's truth has a second reader beside it."""
    for patient in patients:
        with contextlib.suppress(StrokeError):  # whose truth is not known is said where it is scored
            if other_reader(patient, target) is not None:
                return True
    return False


def facts_of(patient: Patient) -> dict[str, Any]:
    """Return what subgroups are made of; None where unknown."""
    told = from_table(patient)
    classes = {"reperfusion_yu": told.yu, "reperfusion_debs": told.debs}
    known = {name: None if word == "unknown" else word for name, word in classes.items()}
    return {"vendor": patient.vendor, "center": patient.center} | known


def _target(sources: Sequence[Source]) -> str:
    targets = {source.target for source in sources}
    if len(targets) != 1:
        raise StrokeError(f"one target is needed, the models have {', '.join(sorted(targets)) or 'none'}.")
    names = [source.name for source in sources]
    twice = next((name for name in names if names.count(name) > 1 or name in RULES or name == READER), None)
    if twice is not None:
        raise StrokeError(f"'{twice}' is the name of two methods; give one of them another.")
    return targets.pop()


def _item(patient: Patient, sources: Sequence[Source], common: dict[str, Any]) -> dict[str, Any]:
    places = {source.name: source.places[patient.id] for source in sources if patient.id in source.places}
    files = [path for place in places.values() for path in place.files()]
    stamp = {"format": FORMAT, "software": __version__, "files": stamps(patient, *files)}
    records = {name: place.record() for name, place in places.items()}
    return common | {"patient": to_record(patient), "places": records, "stamp": stamp}


def _rows(
    patients: Sequence[Patient], sources: Sequence[Source], methods: dict[str, str], found: dict[str, Any],
    failed: dict[str, str],
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return all rows; of patients whom our own fault left without, such as say so."""
    rows = {}
    for patient in patients:
        if patient.id in found:
            for row in found[patient.id]["rows"]:
                rows[patient.id, row["method"]] = _numbers(row)
            continue
        why = failed.get(patient.id, "Not scored: it was stopped before.")
        places = {source.name: source.places.get(patient.id) for source in sources}
        for method in methods:
            if method in places and places[method] is None:
                continue
            place = places.get(method) or Place()
            empty = Scores.missing(patient.id, method, why).row()
            rows[patient.id, method] = _numbers(empty | {"fold": place.fold})
    return rows


def _numbers(row: dict[str, Any]) -> dict[str, Any]:
    numbers = {name: np.nan if row[name] is None else float(row[name]) for name in NUMBERS}
    return {"fold": row["fold"]} | numbers | {"note": row["note"]}


def _bins(sources: Sequence[Source], found: dict[str, Any]) -> dict[str, dict[str, BinCounts]]:
    return {
        source.name: {
            patient: BinCounts(*(np.array(column) for column in sums[:3]), sums[3])
            for patient, result in sorted(found.items())
            if (sums := result["bins"].get(source.name)) is not None
        }
        for source in sources
    }


def _roc(sources: Sequence[Source], found: dict[str, Any]) -> dict[str, dict[str, list[float]]]:
    return {
        source.name: {
            patient: curve for patient, result in sorted(found.items())
            if (curve := result["roc"].get(source.name)) is not None
        }
        for source in sources
    }  # fmt: skip
