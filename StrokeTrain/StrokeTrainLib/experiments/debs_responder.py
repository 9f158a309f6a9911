"""Debs 2021, the treatment effect: volumes predicted with and without reperfusion, and who would respond."""

from __future__ import annotations

from typing import Any

import numpy as np

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.inference.treatment import treatment_effect

from ..evaluation.patient import one_line, read_prediction
from ..evaluation.sources import Place, Source
from ..spread.work import spread
from ..statistics.agreement import lin_concordance
from ..statistics.compare import p_text
from ..statistics.intervals import proportion
from . import debs
from .comparing import paired
from .debs import WITH, WITHOUT
from .drawing import Drawing, groups
from .experiment import Experiment, Finished, Report
from .published.debs2021 import PAPER, RESPONDERS
from .table import OURS, add_paper, median_iqr, with_paper
from .truths import true_volumes

SETS = {WITH: WITH, WITHOUT: WITHOUT}
_MORE = "Predicted infarct (mL)"


class _Masked:
    """What `treatment_effect` looks at of a prediction."""

    def __init__(self, mask: Any) -> None:
        self.mask = mask


def compare_one(reperfused: dict[str, Any], not_reperfused: dict[str, Any]) -> dict[str, Any]:
    """Compare both predictions of a patient; where one is missing, ``note`` says why."""
    try:
        masks = []
        for place in (reperfused, not_reperfused):
            mask, _ = read_prediction(Place(**place))
            masks.append(mask.with_array(mask.array > 0.5))
        found = treatment_effect(_Masked(masks[0]), _Masked(masks[1]))
    except StrokeError as error:
        return {"note": one_line(error)}
    return {
        "reperfused_ml": found.reperfused_ml, "not_reperfused_ml": found.not_reperfused_ml, "dice": found.dice,
        "responder": bool(found.responder), "note": "",
    }  # fmt: skip


def report(finished: Finished) -> Report:
    """Compare both models' predictions of everybody who was tested."""
    sources = [finished.source(name) for name in SETS]
    found = _compared(finished, sources)
    known = {patient: row for patient, row in found.items() if "dice" in row}
    less, more = (np.array([row[f"{name}_ml"] for row in known.values()]) for name in ("reperfused", "not_reperfused"))
    row = paired(more, less, _MORE, "All tested patients", ("Non-reperfused", "Reperfused"))
    count = sum(row["responder"] for row in known.values())
    share = proportion(count, len(known))
    made, table = Report(), with_paper(RESPONDERS)
    add_paper(table, RESPONDERS, ["all"])
    told = f"{count} of {len(known)} ({100 * share.value:.0f} %; {100 * share.low:.0f} to {100 * share.high:.0f} %)"
    cells = [f"{median_iqr(less, 1)}", f"{median_iqr(more, 1)}", p_text(row["p"]), told if known else "–"]
    table.add("All tested patients", "All tested patients", OURS, len(known), cells)
    made.tables.append(table)
    made.comparisons.append(row)
    made.look_for("The non-reperfused model predicts larger infarcts than the reperfused one",
                  "39.7 against 17.5 mL, p = 4.5e-16", "higher", row)  # fmt: skip
    made.numbers["patients"] = found
    made.notes += [f"{patient}: {row['note']}" for patient, row in found.items() if row["note"]]
    _against_truth(made, finished, known)
    made.drawings.append(_drawing(finished, known, less, more))
    made.require_learnt(debs.own_kind(finished.results(sources), SETS))
    return made


def _drawing(
    finished: Finished, known: dict[str, dict[str, Any]], less: np.ndarray, more: np.ndarray
) -> Drawing:
    """Show both predicted volumes by responder, beside both true ones where they are known."""
    values = {"Predicted with reperfusion": less, "Predicted without": more}
    pairs = [true_volumes(finished.ground.patients[name], finished.setting.data) for name in known]
    if any(pair is not None for pair in pairs):
        both = np.array([(np.nan, np.nan) if pair is None else pair for pair in pairs])
        values |= {"True with reperfusion": both[:, 1], "True without": both[:, 0]}
    labels = ["Responder" if row["responder"] else "No responder" for row in known.values()]
    return groups("volumes-by-responder", "Infarct volumes with and without reperfusion, by predicted response.",
                  values, labels, "Infarct volume (mL)", ("Responder", "No responder"))  # fmt: skip


def _compared(finished: Finished, sources: list[Source]) -> dict[str, dict[str, Any]]:
    ground, setting = finished.ground, finished.setting
    items = {}
    for patient in sorted(ground.patients):
        if all(patient in source.places for source in sources):
            places = {name.replace("-", "_"): source.places[patient].record()
                      for name, source in zip((WITH, WITHOUT), sources, strict=True)}  # fmt: skip
            items[patient] = places
    outcome = spread(
        "StrokeTrainLib.experiments.debs_responder:compare_one", items, ledger=finished.ledger("responders"),
        scheduler=setting.scheduler, workers=None if setting.scheduler else setting.processes,
        progress=finished.progress,
    )  # fmt: skip
    rows = outcome.skipped | outcome.done
    return {patient: rows.get(patient) or {"note": outcome.failed.get(patient, "Not compared.")} for patient in items}


def _against_truth(made: Report, finished: Finished, known: dict[str, dict[str, Any]]) -> None:
    """Say how the predicted effect compares with the true one, which simulated patients have."""
    truths = {name: true_volumes(finished.ground.patients[name], finished.setting.data) for name in known}
    truths = {name: pair for name, pair in truths.items() if pair is not None}
    if len(truths) < 2:
        return
    saved = np.array([known[name]["not_reperfused_ml"] - known[name]["reperfused_ml"] for name in truths])
    true = np.array([pair[0] - pair[1] for pair in truths.values()])
    agreement = lin_concordance(saved, true)
    made.numbers["true_effect"] = {"n": len(truths), "concordance": agreement.rho.value}
    made.notes.append(
        f"Simulated truth of both courses ({len(truths)} patients): predicted effect minus true effect "
        f"{median_iqr(saved - true, 1)} mL; true effect (with the swelling that the outline has) {median_iqr(true, 1)} "
        f"mL; Lin's concordance {agreement.rho.text()}."
    )


EXPERIMENT = Experiment(
    name="debs-responder",
    title="Debs 2021, sections 3.1 and 4.1: predicted treatment effect and responders",
    paper=PAPER,
    needs=debs.NEEDS,
    folds=5,
    arms=tuple(debs.arm(name) for name in SETS),
    deal=debs.dealer(SETS),
    report=report,
)
