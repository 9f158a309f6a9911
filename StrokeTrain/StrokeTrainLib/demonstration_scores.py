"""What a demonstration model scores on patients whom it has not seen, by the code of ``stroke evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from StrokePredictLib.models.bundle import Bundle
from StrokePredictLib.models.card import Card
from StrokePredictLib.progress import Progress, part, silent

from .cohort.index import index_cohort
from .cohort.select import COURSES, select
from .cohort.table import Patient
from .evaluation.classification import classify_patients, summarise_classifier
from .evaluation.external import predict_model
from .evaluation.methods_text import limit_of, truth_of
from .evaluation.patients import evaluate_patients
from .evaluation.results import Results
from .evaluation.sources import Source, from_model
from .evaluation.summary import summarise
from .experiments.truths import true_volumes

#: What is told of a card's `reperfusion`.
_COURSE_WORDS = {"reperfused": "reperfused", "not-reperfused": "did not reperfuse"}


def measure(
    bundle: Bundle, data: Path | str, place: Path, cache: Path | None, progress: Progress = silent
) -> dict[str, float | str]:
    """Return a model's scores as its card holds them.

    A model for one course of events is scored on the patients who took it; its volumes in all patients are compared
    with what the simulator knows of that course.

    Parameters
    ----------
    bundle : Bundle
        The model.
    data : path-like
        Cohort of simulated patients; those of the role ``train-only`` do not test.
    place : Path
        Gets the predictions.
    cache : Path or None
        Where computed maps lie.
    progress : Progress
        Told how far it is.

    Raises
    ------
    StrokeError
        If nobody can be tested.
    """
    card = bundle.card
    classifier = card.output == "probability"
    by_cbv = classifier and truth_of(card) == "cbv"
    needs = [channel.role for channel in card.channels if not channel.optional] + (["cbv"] if by_cbv else [])
    kept = select(index_cohort(data), needs, None if by_cbv else card.target, measure=False).kept
    patients = [patient for patient in kept if patient.role != "train-only"]
    known = {"truth": "cbv" if by_cbv else "outline", "limit_ml": limit_of(card)} if classifier else {}
    source = from_model(bundle, place, patients, **known)
    source = predict_model(source, bundle, patients, cache=cache, workers=1, progress=part(progress, 0.0, 0.6))
    if classifier:
        found = classify_patients(patients, source, place / ".receipts", cache=cache, workers=1)
        return _of_classifier(summarise_classifier(found), found.rows)
    results = evaluate_patients(
        patients, [source], place / ".receipts", rules=False, cache=cache, workers=1, progress=part(progress, 0.6, 1.0)
    )
    return _of_maps(card, source, results, patients, Path(data))


def _of_maps(
    card: Card, source: Source, results: Results, patients: list[Patient], data: Path
) -> dict[str, float | str]:
    course = COURSES["debs"].get(card.reperfusion)
    of_course = np.array([course in (None, known) for known in results.fact("reperfusion_debs")])
    tested = results.where(of_course & results.scored(source.name))
    summary = summarise(tested, [source], subgroups=("vendor",))
    metrics, volumes = summary["methods"][source.name]["metrics"], summary["volumes"][source.name]
    dice = metrics["dice"]
    vendors = summary["subgroups"]["vendor"]["levels"]
    scores: dict[str, float | str] = {
        "patients tested": _tested(tested.fact("vendor"), len(results.patients), card.reperfusion),
        "median Dice": round(dice["median"], 3),
        "Dice quartiles": f"{dice['q1']:.3f} to {dice['q3']:.3f}",
        "median Dice by vendor": ", ".join(
            f"{vendor} {level['methods'][source.name]['dice']['median']:.3f}" for vendor, level in vendors.items()
        ),
        "median absolute volume error": f"{metrics['absolute_volume_error_ml']['median']:.1f} mL",
        "concordance of volumes": f"{volumes['concordance']:.3f} (Lin, of cube roots; 95 % CI "
        f"{volumes['concordance_low']:.3f} to {volumes['concordance_high']:.3f})",
    }
    if source.name in summary["conformal"]:
        scores["90 % volume interval"] = _covered(summary["conformal"][source.name])
    said = _if_so(card, source, results, patients, data) if course is not None else ""
    return scores | ({"volume if so, everybody": said} if said else {})


def _tested(vendors: list[Any], of: int, reperfusion: str) -> str:
    counts = ", ".join(f"{vendors.count(vendor)} of vendor {vendor}" for vendor in sorted(set(vendors)))
    which = f" who {_COURSE_WORDS[reperfusion]}" if reperfusion in _COURSE_WORDS else ""
    return f"{len(vendors)} of {of} unseen simulated patients{which} ({counts})"


def _covered(found: dict[str, Any]) -> str:
    return (
        f"holds {found['covered']} of {found['n']} true volumes: {found['share']:.0%}, 95 % CI {found['low']:.0%} to "
        f"{found['high']:.0%} (Clopper-Pearson). {found['note']}"
    )


def _if_so(card: Card, source: Source, results: Results, patients: list[Patient], data: Path) -> str:
    """Return in words how far volumes are off from the simulated outcome of the model's course, in all patients.

    Empty where no such outcome is known.
    """
    predicted = dict(zip(results.patients, results.column(source.name, "predicted_ml"), strict=True))
    errors = []
    for patient in patients:
        volumes = true_volumes(patient, data)
        if volumes is not None and np.isfinite(predicted.get(patient.id, np.nan)):
            errors.append(predicted[patient.id] - volumes[int(card.reperfusion == "reperfused")])
    if not errors:
        return ""
    return (
        f"median absolute error {np.median(np.abs(errors)):.1f} mL, mean error {np.mean(errors):+.1f} mL in all "
        f"{len(errors)}, against the simulated outcome of that course"
    )


def _of_classifier(summary: dict[str, Any], rows: Any) -> dict[str, float | str]:
    overall = summary["overall"]

    def interval(key: str) -> str:
        found = overall[key]
        return f"{found['value']:.2f} (95 % CI {found['low']:.2f} to {found['high']:.2f})"

    vendors = [row["vendor"] for row in rows if row["large"] is not None and row["probability"] is not None]
    return {
        "patients tested": _tested(vendors, len(rows), "any") + f", {overall['positives']} with a large core",
        "AUC": interval("auc"),
        "accuracy": interval("accuracy"),
        "sensitivity": interval("sensitivity"),
        "specificity": interval("specificity"),
    }
