"""Whom a model must not be tested on: patients it has seen, and outlines that began as its own prediction."""

from __future__ import annotations

from StrokePredictLib.models.bundle import Bundle

from ..cohort.table import Patient
from ..training.ancestry import Lineage, lineage
from ..training.identity import calibrated_on, seen

__all__ = ["Lineage", "lineage", "refusal"]


def refusal(bundle: Bundle, known: Lineage, patient: Patient, target: str, *, distinct: bool = False) -> str:
    """Return why a model may not be tested on a patient, one sentence; empty where it may.

    Parameters
    ----------
    bundle : Bundle
        The model.
    known : Lineage
        Its own.
    patient : Patient
        Whom it would be tested on.
    target : str
        Which outline is the truth.
    distinct : bool
        Patients of a name that the model knows are other people. A simulated patient and an imaged one always are.
    """
    name = bundle.card.name
    if any(known.holds(label.start_hash) for label in patient.labels_of(target)):
        return f"Refused: the outline began as a prediction of model '{name}' or of a relative of it."
    if distinct:
        return ""
    if seen(bundle.card, [patient]):
        return f"Refused: model '{name}' was trained on this patient."
    beside = patient.person in known.calibrated_on and patient.simulated == known.calibrated_simulated
    if beside or calibrated_on(bundle.card, [patient]):
        return f"Refused: the volume interval of model '{name}' was calibrated on this patient."
    return ""
