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


def hashes(patients: Iterable[Patient], salt: str) -> list[str]:
    """Return the hashes of patients, and of the persons whose records they are, sorted."""
    names = {name for patient in patients for name in (patient.id, patient.person)}
    return sorted(hashed(salt, name) for name in names)


def seen(card: Card, patients: Iterable[Patient]) -> list[Patient]:
    """Return those of the patients whom a model, or one that it was made from, was trained on."""
    known = set(card.training.patient_hashes)
    salt = card.training.salt
    return [p for p in patients if known & {hashed(salt, p.id), hashed(salt, p.person)}]
