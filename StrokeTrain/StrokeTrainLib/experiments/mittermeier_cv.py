"""Mittermeier 2022: cross-validation of the core classifier, its temporal paths, and an external cohort."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from StrokePredictLib.io.json_files import read_json_object
from StrokePredictLib.models.bundle import open_bundle

from ..cohort.index import index_cohort
from ..cohort.select import select
from ..cohort.table import Patient
from ..cohort.twins import mark_twins
from ..evaluation.classification import Classified, classify_patients, summarise_classifier
from ..evaluation.external import predict_model
from ..evaluation.sources import from_model
from ..recipes import load_recipe
from ..spread.work import spread
from ..statistics.compare import Comparison, p_text
from ..statistics.folds import auc_within_folds
from ..statistics.roc import delong, roc_curve
from ..statistics.values import signed
from ..training.plan import load_plan
from ..training.predictions import predict_patients
from ..training.run_folder import RunFolder
from .arms import Arm
from .comparing import row_of
from .drawing import Drawing, roc
from .experiment import Experiment, Finished, Report, everybody_the_same
from .published.mittermeier2022 import PAPER, TABLE1, TABLE2
from .runs import run_of
from .table import OURS, add_paper, with_paper

FULL, GLOBAL, LOCAL = "both", "global", "local"
_TITLES = {FULL: "Full model", GLOBAL: "Global path alone (kernel 11)", LOCAL: "Local path alone (kernel 3)"}
#: With ``--quick`` a narrow extractor learns from scratch, as in the demonstration model: training VGG19's 20 million
#: weights takes more than minutes.
_QUICK = {
    "network.external_features": False, "network.options.freeze": False, "network.options.filters": 8,
    "network.options.batch_norm": True, "network.options.dropout": 0.1, "initialisation": "he",
    "optimiser.name": "adamw", "optimiser.rate": 0.001, "optimiser.weight_decay": 0.01, "training.epochs": 60,
    "training.patience": 30,
}  # fmt: skip
_NARROW = (
    "Quick preset: the image features are those of VGG19's layout with 8 filters in the first convolution instead of "
    "64 and batch normalisation, trained from scratch with the rest. The paper's are VGG19's, trained on ImageNet and "
    "frozen."
)


def score_validation(run: str, fold: int) -> dict[str, Any]:
    """Return probability and truth of a fold's validation patients, by the model whose epoch they chose.

    The paper prints their AUC beside that of the test folds; it is no measure of unseen patients.
    """
    plan = load_plan(run)
    folder = RunFolder(Path(run)).fold(fold)
    bundle = open_bundle(folder / "bundle")
    patients = [plan.patients[name] for name in plan.splits.folds[fold - 1].validation]
    limit = read_json_object(folder / "scores.json")["label_above"]
    found = predict_patients(patients, bundle, plan.recipe, plan.cache, device=plan.facts["device"], label_above=limit)
    return {"pairs": {name: [row["probability"], row["large"]] for name, row in found.items()}}


def report(finished: Finished) -> Report:
    """Fill Tables 1 and 2."""
    made = Report()
    found = {arm.name: _classified(finished, arm.name) for arm in finished.arms}
    summaries = {name: summarise_classifier(one, seed=finished.setting.seed) for name, one in found.items()}
    test = {name: _over_folds(summary["auc_over_folds"]) for name, summary in summaries.items()}
    _first(made, finished, test[FULL])
    second = with_paper(TABLE2)
    add_paper(second, TABLE2, ["test"])
    n = len(found[FULL].rows)
    second.add("Test folds", "Test folds", OURS, n, [test[name] for name in (FULL, GLOBAL, LOCAL)])
    made.tables.append(second)
    for name, numbers in ((GLOBAL, "0.72 against 0.63, not tested"), (LOCAL, "0.72 against 0.65, not tested")):
        row = _against(made, found[FULL], found[name], (_TITLES[FULL], _TITLES[name]), finished.setting.seed)
        made.comparisons.append(row)
        made.look_for(f"Both paths together have a higher AUC than the {_TITLES[name].lower()}", numbers, "higher", row)
    made.numbers |= {"summaries": summaries}
    made.drawings += [_drawing(name, one) for name, one in found.items()]
    if finished.setting.quick:
        made.notes.insert(0, _NARROW)
    made.notes += _told(found, summaries)
    return made


def _classified(finished: Finished, arm: str) -> Classified:
    setting = finished.setting
    return classify_patients(
        list(finished.ground.patients.values()), finished.source(arm), finished.ledger(f"classified-{arm}"),
        cache=finished.ground.cache, scheduler=setting.scheduler,
        workers=None if setting.scheduler else setting.processes, progress=finished.progress,
    )  # fmt: skip


def _first(made: Report, finished: Finished, test: str) -> None:
    """Add Table 1: validation folds, test folds, external cohort."""
    table = with_paper(TABLE1)
    add_paper(table, TABLE1, ["both"])
    external, note = _external(finished)
    cells = [_validation(finished), test, external]
    table.add("Full model", "Full model", OURS, len(finished.ground.patients), cells, "folds")
    made.tables.append(table)
    made.notes.append(note)


def _validation(finished: Finished) -> str:
    setting, run = finished.setting, str(run_of(finished.setting, FULL))
    items = {f"fold {k}": {"run": run, "fold": k} for k in range(1, len(finished.splits[FULL].folds) + 1)}
    outcome = spread(
        "StrokeTrainLib.experiments.mittermeier_cv:score_validation", items, ledger=finished.ledger("validation"),
        scheduler=setting.scheduler, workers=None if setting.scheduler else setting.processes,
    )  # fmt: skip
    areas = []
    for result in (outcome.skipped | outcome.done).values():
        pairs = [pair for pair in result["pairs"].values() if None not in pair]
        areas.append(roc_curve([large for _, large in pairs], [probability for probability, _ in pairs]).auc)
    known = [area for area in areas if np.isfinite(area)]
    spread_sd = float(np.std(known, ddof=1)) if len(known) > 1 else np.nan
    return _over_folds({"mean": float(np.mean(known)) if known else np.nan, "sd": spread_sd, "folds": len(known)})


def _over_folds(found: dict[str, Any]) -> str:
    if not found["folds"]:
        return "–"
    sd = f" ({signed(found['sd'], 2)})" if np.isfinite(found["sd"]) else ""
    return f"{signed(found['mean'], 2)}{sd} [{found['folds']} folds]"


def _external(finished: Finished) -> tuple[str, str]:
    """Return the ensemble's AUC in another cohort, and a sentence on it."""
    setting = finished.setting
    if setting.external is None:
        return "–", "No external cohort was given (--external DIR)."
    patients, refused = _strangers(finished, setting.external)
    bundle = open_bundle(RunFolder(run_of(setting, FULL)).bundle)
    limit = float(np.median([finished.ground.volumes[name] for name in finished.ground.patients]))
    simulated = bool(patients) and all(patient.simulated for patient in patients)
    source = from_model(
        bundle, setting.output.absolute() / "external", patients, distinct=simulated, truth="cbv", limit_ml=limit
    )
    options = {"cache": finished.ground.cache, "scheduler": setting.scheduler}
    options["workers"] = None if setting.scheduler else setting.processes
    source = predict_model(source, bundle, patients, device=finished.ground.facts["device"], **options)
    found = classify_patients(patients, source, finished.ledger("external"), **options)
    area = delong(found.labels, found.probabilities)
    large = int(np.nansum(found.labels))
    return area.text(), (
        f"External cohort {setting.external.name}: {len(patients)} patients, {large} with a core above the training "
        f"cohort's median of {limit:.1f} mL (12 of 23 in the paper); AUC of the ensemble with DeLong's interval. "
        f"{area.note} {refused}".strip()
    )


def _strangers(finished: Finished, folder: Path) -> tuple[list[Patient], str]:
    """Return an external cohort's usable patients without those whose images are ours, and a sentence on these."""
    recipe = load_recipe(RunFolder(run_of(finished.setting, FULL)).recipe)
    chosen = select(index_cohort(folder), recipe.needs, None).kept
    away = [replace(patient, id=f"{patient.id} (external)", person="") for patient in chosen]
    marked = {p.id: p.problems for p in mark_twins([*finished.ground.patients.values(), *away])}
    known = [patient.id for patient in chosen if marked[f"{patient.id} (external)"]]
    told = f"Left out, their images are in the training cohort: {', '.join(known)}." if known else ""
    return [patient for patient in chosen if patient.id not in known], told


def _drawing(arm: str, found: Classified) -> Drawing:
    """Show the ROC curves of a network's test folds."""
    number = np.array([row["fold"] or 0 for row in found.rows])
    folds = [(found.labels[number == fold], found.probabilities[number == fold]) for fold in found.folds]
    return roc(f"{_TITLES[arm]}: ROC curves of the test folds, their mean and ± 1 SD.", folds, f"roc-{arm}")


def _against(
    made: Report, full: Classified, other: Classified, names: tuple[str, str], seed: int
) -> dict[str, Any]:
    """Compare both within every fold: what is large, and how probabilities are scaled, differs between folds."""
    folds = [np.nan if row["fold"] is None else row["fold"] for row in full.rows]
    found = auc_within_folds(full.labels, full.probabilities, other.probabilities, folds, seed=seed)
    row = row_of(found.comparison, "AUC", "Everybody, out of fold", *names)
    each = "; ".join(f"fold {number} {_of_fold(test)}" for number, test in found.folds.items())
    made.notes.append(
        f"{names[0]} minus {names[1][0].lower()}{names[1][1:]}, AUC fold by fold (DeLong's paired test): "
        f"{each or 'no fold with both classes'}. {found.comparison.note}".strip()
    )
    made.numbers[f"{names[1]}: difference of AUC by fold"] = {
        str(number): {"difference": test.shift.value, "p": test.p, "n": test.n} for number, test in found.folds.items()
    }
    return row


def _of_fold(test: Comparison) -> str:
    p = f"P {p_text(test.p)}" if np.isfinite(test.p) else "not testable"
    return f"{signed(test.shift.value, 2)} (n = {test.n}, {p})"


def _told(found: dict[str, Classified], summaries: dict[str, Any]) -> list[str]:
    limits = sorted({row["limit_ml"] for row in found[FULL].rows if row["limit_ml"] is not None})
    span = f"{limits[0]:.1f} to {limits[-1]:.1f}" if limits else "unknown"
    told = [
        f"A core is large above the median of the fold's own training part: {span} mL (32.4 mL in the paper, of its "
        "whole training cohort).",
        "Networks are compared by the mean over folds of the difference of their AUC; interval and P by drawing "
        "patients within fold and class, both probabilities together (2,000 times). Probabilities of different folds "
        "are not ranked against each other: both what is large and the networks' scale differ.",
    ]
    for name, summary in summaries.items():
        auc = summary["overall"]["auc"]
        interval = f"{signed(auc['low'], 2)} to {signed(auc['high'], 2)}" if np.isfinite(auc["low"]) else "no interval"
        area = signed(auc["value"], 2) if np.isfinite(auc["value"]) else "undefined"
        told.append(
            f"{_TITLES[name]}: AUC of the probabilities of all test folds together, for comparison only, {area} "
            f"({interval})."
        )
        told += [f"{_TITLES[name]}: {note}" for note in summary["notes"]]
    return told


EXPERIMENT = Experiment(
    name="mittermeier-cv",
    title="Mittermeier 2022, Tables 1 and 2: core classifier in cross-validation, its two paths, external cohort",
    paper=PAPER,
    needs="CT patients with a CT perfusion series, from which CBV is computed where there is no map.",
    folds=10,
    arms=(
        Arm(FULL, _TITLES[FULL], "mittermeier2022", quick=_QUICK, ensemble=True),
        Arm(GLOBAL, _TITLES[GLOBAL], "mittermeier2022-global", quick=_QUICK),
        Arm(LOCAL, _TITLES[LOCAL], "mittermeier2022-local", quick=_QUICK),
    ),
    deal=everybody_the_same((Arm(FULL, "", ""), Arm(GLOBAL, "", ""), Arm(LOCAL, "", ""))),
    report=report,
    quick_folds=5,
)
