"""Ours: one network told what happened, against three that each saw patients of one course only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..cohort.parts import Splits
from ..data.courses import course_of
from ..evaluation.records import to_record
from ..evaluation.results import Results
from ..evaluation.sources import Source
from ..spread.work import spread
from ..statistics.agreement import lin_concordance
from ..statistics.intervals import proportion
from .arms import Arm, narrowed
from .comparing import paired
from .courses import EXTREMES
from .drawing import dice_by_group, groups
from .experiment import Experiment, Finished, Report, median_dice, of_metric
from .ground import Ground, require_groups
from .runs import run_of
from .setting import Setting
from .table import OURS, Table, digits_of, median_iqr
from .truths import true_volumes

ONE = "conditioned"
STATES = ("none", "partial", "complete")
KEYS = ("dice", "auc", "volume_error_ml", "absolute_volume_error_ml")
_WORDS = {"none": "No reperfusion", "partial": "Partial reperfusion", "complete": "Complete reperfusion"}
_QUICK = {
    "network.options.filters": 8, "matrix": "[48, 48]", "spacing_mm": "[4.4, 4.4]", "training.epochs": 8,
    "augmentation.shift_px": 1.0,
}  # fmt: skip


def _only(state: str) -> str:
    return f"only-{state}"


def deal(ground: Ground, setting: Setting) -> tuple[dict[str, Splits], list[str]]:
    """Give each separate network the patients of its course; without partial reperfusion there are two of them."""
    courses = _courses(ground)
    groups = {state: [name for name, course in courses.items() if course == state] for state in STATES}
    folds = len(ground.splits.folds)
    require_groups({state: groups[state] for state in EXTREMES}, folds, "one network for each course")
    found, told = {ONE: ground.splits}, []
    for state in STATES:
        if len(groups[state]) < folds:
            told.append(f"{_WORDS[state]}: {len(groups[state])} patients are too few for a network of their own.")
            continue
        found[_only(state)] = narrowed(ground.splits, groups[state])
    return found, told


def _courses(ground: Ground) -> dict[str, str]:
    """Return how far every patient was reperfused: what the networks are told, measured where the table is silent."""
    return {name: course_of(patient, ground.cache).reperfusion for name, patient in ground.patients.items()}


def report(finished: Finished) -> Report:
    """Compare Dice and volumes out of fold, then what both say would happen with and without reperfusion."""
    sources = {arm.name: finished.source(arm.name) for arm in finished.arms}
    results = finished.results(list(sources.values()))
    made = Report()
    table = Table("Out of fold, each patient told (or predicted by the network of) what happened",
                  ("Dice", "AUC", "Volume error (mL)", "Absolute volume error (mL)"))  # fmt: skip
    courses = _courses(finished.ground)
    for state in STATES:
        if _only(state) in sources:
            part = results.only([name for name in results.patients if courses[name] == state])
            _matching(made, table, part, state)
    made.tables.append(table)
    parts = {state: results.only([name for name in results.patients if courses[name] == state]) for state in STATES}
    made.drawings.append(dice_by_group(
        "Dice by what happened to the patient.",
        {_WORDS[state]: (part, {"One conditioned network": ONE, "Separate network": _only(state)})
         for state, part in parts.items() if _only(state) in sources},
    ))  # fmt: skip
    _counterfactual(made, finished, sources)
    own = {ONE: results} | {_only(state): part for state, part in parts.items() if _only(state) in sources}
    made.require_learnt(median_dice({results.methods[arm]: part.column(arm, "dice") for arm, part in own.items()}))
    return made


def _matching(made: Report, table: Table, part: Results, state: str) -> None:
    for method, label in ((ONE, "One conditioned network"), (_only(state), "Separate network")):
        cells = [median_iqr(part.column(method, key), digits_of(key)) for key in KEYS]
        table.add(_WORDS[state], label, OURS, len(part.patients), cells)
    rows = made.compared(part, _WORDS[state], ONE, [_only(state)], ("dice", "auc", "absolute_volume_error_ml"))
    made.look_for(f"{_WORDS[state]}: one conditioned network has a higher Dice than the separate one",
                  "our expectation: it learns from all patients", "higher", of_metric(rows, "dice"))  # fmt: skip


def _counterfactual(made: Report, finished: Finished, sources: Mapping[str, Source]) -> None:
    found = _predicted(finished, sources)
    known = {name: row for name, row in found.items() if not row["note"]}
    truths = {name: true_volumes(finished.ground.patients[name], finished.setting.data) for name in known}
    true = np.array([np.nan if truths[name] is None else truths[name][0] - truths[name][1] for name in known])
    table = Table(
        "Both courses of every patient: ΔV is the volume without minus that with complete reperfusion",
        ("complete ≤ none", "Predicted ΔV (mL)", "ΔV error (mL)", "Absolute ΔV error (mL)", "Lin's concordance"),
    )
    saved = {}
    for kind, label in ((ONE, "One conditioned network"), ("separate", "Separate networks")):
        saved[kind] = np.array([row[kind]["none"] - row[kind]["complete"] for row in known.values()])
        table.add("Everybody, out of fold", label, OURS, len(known), _cells(saved[kind], true))
        made.numbers[kind] = _numbers(saved[kind], true)
    if np.isfinite(true).any():
        table.add("Everybody, out of fold", "Simulated truth", OURS, int(np.isfinite(true).sum()),
                  [_share(true), median_iqr(true, 1), "–", "–", "–"])  # fmt: skip
        row = paired(np.abs(saved[ONE] - true), np.abs(saved["separate"] - true), "Absolute ΔV error (mL)",
                     "Everybody, out of fold", ("One conditioned network", "Separate networks"))  # fmt: skip
        made.comparisons.append(row)
        made.look_for("One conditioned network errs less in ΔV than separate ones", "our expectation", "lower", row)
        made.notes.append("True ΔV: both simulated courses, each with the swelling that the patient's outline has.")
    else:
        made.notes.append("What would have happened is not known of these patients: no ΔV error.")
    made.tables.append(table)
    made.drawings.append(groups(
        "saved-volume", "ΔV: infarct without minus with complete reperfusion; both courses told to the networks.",
        {"One conditioned network": saved[ONE], "Separate networks": saved["separate"]}
        | ({"Simulated truth": true} if np.isfinite(true).any() else {}),
        ["Everybody, out of fold"] * len(known), "ΔV (mL)", ("Everybody, out of fold",),
    ))  # fmt: skip
    made.numbers["patients"] = found
    made.notes += [f"{name}: {row['note']}" for name, row in found.items() if row["note"]]


def _predicted(finished: Finished, sources: Mapping[str, Source]) -> dict[str, dict[str, Any]]:
    """Return both courses' volumes of everybody whom none of the networks has seen."""
    setting, ground = finished.setting, finished.ground
    used = (ONE, *(_only(state) for state in EXTREMES))
    items, refused = {}, {}
    for name, patient in sorted(ground.patients.items()):
        places = {arm: sources[arm].places.get(name) for arm in used}
        if any(place is None for place in places.values()):
            continue
        why = next((place.why for place in places.values() if place.why), "")
        if why:
            refused[name] = {"conditioned": {}, "separate": {}, "note": why}
            continue
        bundles = {
            arm: [str(run_of(setting, arm) / f"fold-{place.fold}" / "bundle"), place.sha256]
            for arm, place in places.items()
        }
        items[name] = {
            "patient": to_record(patient), "conditioned": bundles[ONE], "device": ground.facts["device"],
            "separate": {state: bundles[_only(state)] for state in EXTREMES}, "cache": str(ground.cache),
        }  # fmt: skip
    outcome = spread(
        "StrokeTrainLib.experiments.courses:predict_courses", items, ledger=finished.ledger("courses"),
        scheduler=setting.scheduler, workers=None if setting.scheduler else setting.processes,
        progress=finished.progress,
    )  # fmt: skip
    rows = outcome.skipped | outcome.done
    failed = {name: {"conditioned": {}, "separate": {}, "note": why} for name, why in outcome.failed.items()}
    return {name: rows.get(name) or failed.get(name) or refused[name] for name in sorted({*items, *refused})}


def _cells(saved: np.ndarray, true: np.ndarray) -> list[str]:
    error = saved - true
    agreement = lin_concordance(saved, true)
    return [
        _share(saved), median_iqr(saved, 1), median_iqr(error, 1), median_iqr(np.abs(error), 1), agreement.rho.text(),
    ]  # fmt: skip


def _share(saved: np.ndarray) -> str:
    known = saved[np.isfinite(saved)]
    if not known.size:
        return "–"
    share = proportion(int((known >= 0).sum()), known.size)
    return f"{100 * share.value:.0f} % ({100 * share.low:.0f} to {100 * share.high:.0f} %)"


def _numbers(saved: np.ndarray, true: np.ndarray) -> dict[str, Any]:
    known = saved[np.isfinite(saved)]
    error = saved - true
    error = error[np.isfinite(error)]
    return {
        "n": known.size,
        "complete_not_larger": int((known >= 0).sum()),
        "median_absolute_error_ml": float(np.median(np.abs(error))) if error.size else np.nan,
        "bias_ml": float(error.mean()) if error.size else np.nan,
    }


EXPERIMENT = Experiment(
    name="fate-conditioning",
    title="One network told what happened against a separate one for each course of events",
    paper=None,
    needs=(
        "patients with perfusion and diffusion images, the outline of the final infarct, and reperfusion_rate, mTICI "
        "or reperfusion_debs; with and without reperfusion. Errors of ΔV need simulated patients."
    ),
    folds=5,
    arms=(
        Arm(ONE, "One conditioned network", "fate", quick=_QUICK),
        *(
            Arm(_only(state), f"Separate network, {_WORDS[state].lower()}", "fate", values={"condition.unknown": 0.0},
                quick=_QUICK)
            for state in STATES
        ),
    ),
    deal=deal,
    report=report,
)  # fmt: skip
