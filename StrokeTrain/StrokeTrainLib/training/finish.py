"""A run's end: the model that is handed over, with what it scored and how far its volumes were off."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from StrokePredictLib.io.output import write_text
from StrokePredictLib.models.bundle import Bundle
from StrokePredictLib.models.calibration import Calibration

from .bundles import write_model
from .fold import best_weights, summary
from .plan import Plan
from .predictions import predict_patients
from .ranks import usable
from .telling import Teller

SUMMARY = "summary.json"


def finish(plan: Plan, results: Sequence[dict[str, Any]], teller: Teller) -> dict[str, Any]:
    """Write ``RUN/bundle`` and ``RUN/summary.json``.

    The model is the ensemble of the folds or the best of them, as the recipe says. Its volume interval is calibrated on
    patients who were used for nothing else (split conformal).

    Parameters
    ----------
    plan : Plan
        Of the run.
    results : sequence of dict
        Of every fold (`StrokeTrainLib.training.fold.train_fold`).
    teller : Teller
        Told what is being done.
    """
    chosen = [result["fold"] for result in results]
    if plan.recipe.final == "best-fold":
        chosen = [max(results, key=lambda result: result["best_score"])["fold"]]
    everybody = {name: scored for result in results for name, scored in result["patients"].items()}
    figures: dict[str, Any] = summary(everybody)
    scores = {key: value for key, value in figures.items() if key != "patients"}
    scores["measured on"] = f"{len(everybody)} patients, each by the fold that had not seen them"
    limits = [result["label_above"] for result in results if result["fold"] in chosen]
    limit = sum(limits) / len(limits) if limits[0] is not None else None
    found = [best_weights(plan.folder.fold(fold)) for fold in chosen]
    weights = [state for state, _ in found]
    model = {"scores": scores, "label_above": limit}
    # Calibrated elsewhere, so that the run has no model before it has the one that is handed over.
    with tempfile.TemporaryDirectory(prefix="calibration-") as place:
        calibration = calibrate(plan, write_model(plan, Path(place) / "bundle", weights, chosen, **model), teller)
    bundle = write_model(plan, plan.folder.bundle, weights, chosen, **model, calibration=calibration)
    whole = {
        "recipe": plan.recipe.name,
        "folds": [{key: value for key, value in result.items() if key != "patients"} for result in results],
        "members": chosen,
        "scores": figures,
        "calibration": len(calibration.errors) if calibration else 0,
        "bundle": str(plan.folder.bundle),
        "sha256": bundle.sha256,
        "excluded": excluded(plan),
        "notes": [
            *plan.facts["notes"],
            *(note for result in results for note in result.get("notes", [])),
            *(note for _, note in found if note),
        ],
    }
    write_text(plan.folder.path / SUMMARY, json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    return whole


def excluded(plan: Plan) -> list[dict[str, str]]:
    """Return who took no part, with the reason."""
    unusable = [{"patient": name, "reason": reason} for name, reason in plan.facts["unusable"].items()]
    return [*plan.facts["selection"]["excluded"], *unusable]


def calibrate(plan: Plan, bundle: Bundle, teller: Teller) -> Calibration | None:
    """Return how far the model's volumes are off in the patients kept for this; None where there are none."""
    kept = [plan.patients[name] for name in plan.splits.calibration]
    if not kept or plan.recipe.task == "classification":
        return None
    found = predict_patients(
        kept, bundle, plan.recipe, plan.cache, device=usable(plan.facts["device"]),
        progress=lambda fraction, words: teller.words("calibrating", 0.98, words),
    )  # fmt: skip
    errors = [abs(s["true_ml"] ** (1 / 3) - s["volume_ml"] ** (1 / 3)) for s in found.values()]
    return Calibration(errors=[round(error, 5) for error in errors], scale="cube-root")
