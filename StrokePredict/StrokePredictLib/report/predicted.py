"""What models say of a patient, in sentences: intervals, what treatment changes, and classifications."""

from __future__ import annotations

from typing import Any

from ..segments import AT, segment_for

#: What a segment's or a map's name carries where simulated patients were all that the model learnt from.
MARK = "demonstration"


def model_label(model: dict[str, Any]) -> str:
    """Return a model's title; with its name where another model answers the same question.

    Parameters
    ----------
    model : dict
        Record of ``prediction.json``.
    """
    title = str(model.get("title") or model["name"])
    own = (model.get("segment") or "").partition(AT)[2]
    return f"{title} ({own})" if own and own.lower() not in title.lower() else title


def segment_names(prediction: dict[str, Any] | None) -> dict[str, str]:
    """Return the names of the models' segments by key; one of demonstration weights says so.

    Parameters
    ----------
    prediction : dict, optional
        What ``prediction.json`` holds.
    """
    models = [model for model in (prediction or {}).get("models", []) if model.get("segment")]
    return {
        model["segment"]: segment_for(model["segment"]).name + (f", {MARK}" if model.get("demonstration") else "")
        for model in models
    }


def interval_text(model: dict[str, Any]) -> str:
    """Return the interval of a model's volume as ``low to high``, in mL; empty where its card allows none."""
    interval = model.get("volume_interval_ml")
    return f"{interval['low']:.1f} to {interval['high']:.1f}" if interval else ""


def interval_coverage(prediction: dict[str, Any] | None) -> float | None:
    """Return with which probability the intervals hold the true volume; None where there are none."""
    found = [model.get("volume_interval_ml") for model in (prediction or {}).get("models", [])]
    return next((interval["coverage"] for interval in found if interval), None)


def interval_sentences(prediction: dict[str, Any] | None) -> list[str]:
    """Return what the intervals of the volumes are, once for all models that were tested on as many patients."""
    groups: dict[tuple[float, int], list[str]] = {}
    for model in (prediction or {}).get("models", []):
        interval = model.get("volume_interval_ml")
        if interval:
            groups.setdefault((interval["coverage"], interval["patients"]), []).append(model["name"])
    return [
        f"{coverage:.0%} intervals by split-conformal prediction from {patients} held-out patients "
        f"({', '.join(names)}); they hold for patients like those."
        for (coverage, patients), names in groups.items()
    ]


def treatment_sentences(prediction: dict[str, Any] | None) -> list[str]:
    """Return a sentence a pair of predictions with and without reperfusion, and the note that goes with them."""
    effects = (prediction or {}).get("treatment") or []
    lines = [_treatment(effect) for effect in effects]
    notes = dict.fromkeys(effect["note"] for effect in effects if effect.get("note"))
    return [*lines, *notes]


def _treatment(effect: dict[str, Any]) -> str:
    saved = effect["saved_ml"]
    change = f"{saved:.1f} mL less" if saved >= 0 else f"{-saved:.1f} mL more"
    verdict = "responder" if effect["responder"] else "no responder"
    return (
        f"{effect['reperfused_ml']:.1f} mL if reperfused, {effect['not_reperfused_ml']:.1f} mL if not: {change} with "
        f"reperfusion, Dice {effect['dice']:.2f}: {verdict} ({effect['rule']}). Models: {', '.join(effect['models'])}."
    )


def classification_sentences(prediction: dict[str, Any] | None) -> list[str]:
    """Return a sentence a model that gives one probability for the patient."""
    lines = []
    for found in (prediction or {}).get("classifications") or []:
        mark = f" ({MARK})" if found.get("demonstration") else ""
        sections = ", ".join(str(level + 1) for level in found.get("sections", []))
        where = f", sections {sections} {found.get('sections_by', '')}".rstrip() if sections else ""
        lines.append(f"{found.get('title') or found['name']}{mark}: probability {found['probability']:.2f}{where}.")
    return lines


def skipped_sentences(prediction: dict[str, Any] | None) -> list[str]:
    """Return a sentence a model that could not answer."""
    return [f"{item['name']}: no answer, {item['reason']}" for item in (prediction or {}).get("skipped") or []]


def joined_predictions(before: dict[str, Any] | None, now: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what models said, with what others said before on the same maps.

    Parameters
    ----------
    before, now : dict, optional
        What ``prediction.json`` holds.
    """
    if not before or not now:
        return now or before
    keys = {model.get("segment") for model in now["models"]}
    old = [model for model in before.get("models", []) if model["name"] not in _names(now, "models")]
    old = [model for model in old if model.get("segment") not in keys]
    models = [*old, *now["models"]]
    there = {model["name"] for model in models}
    pairs = {tuple(effect["models"]) for effect in now.get("treatment") or []}
    effects = [effect for effect in before.get("treatment") or [] if tuple(effect["models"]) not in pairs]
    effects = [effect for effect in effects if there >= set(effect["models"])]
    said = _names(now, "classifications")
    classified = [found for found in before.get("classifications") or [] if found["name"] not in said]
    return now | {
        "models": models,
        "treatment": [*effects, *(now.get("treatment") or [])],
        "classifications": [*classified, *(now.get("classifications") or [])],
        "doubts": list(dict.fromkeys([*(before.get("doubts") or []), *(now.get("doubts") or [])])),
    }


def _names(prediction: dict[str, Any], kind: str) -> set[str]:
    return {found["name"] for found in prediction.get(kind) or []}
