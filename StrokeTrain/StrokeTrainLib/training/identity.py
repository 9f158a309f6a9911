"""Whom a model has seen, without saying who they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from StrokePredictLib.models.card import Card

    from ..cohort.table import Patient


def hashed(salt: str, name: str) -> str:
    """Return a patient's salted hash, as a card lists it."""
    return hashlib.sha256(f"{salt}:{name}".encode()).hexdigest()[:16]


def names_of(patient: Patient) -> set[str]:
    """Return by what names a patient is known to models.

    Who was imaged: the record's and the person's. Who is simulated is nobody of the same name who was imaged; every
    simulated cohort calls its patients alike, and the table's ``person`` tells those of one seed from another's.
    """
    if patient.simulated:
        return {f"simulated {patient.person}"}
    return {patient.id, patient.person}


def hashes(patients: Iterable[Patient], salt: str) -> list[str]:
    """Return the hashes of patients, and of the persons whose records they are, sorted."""
    return sorted({hashed(salt, name) for patient in patients for name in names_of(patient)})


def seen(card: Card, patients: Iterable[Patient]) -> list[Patient]:
    """Return those of the patients whom a model, or one that it was made from, was trained on."""
    return _known(card.training.patient_hashes, card, patients)


def calibrated_on(card: Card, patients: Iterable[Patient]) -> list[Patient]:
    """Return those of the patients who made a model's volume interval, as its card tells."""
    return _known(card.training.calibration_hashes, card, patients)


def _known(listed: Iterable[str], card: Card, patients: Iterable[Patient]) -> list[Patient]:
    known, salt = set(listed), card.training.salt
    return [p for p in patients if known & {hashed(salt, name) for name in names_of(p)}]
