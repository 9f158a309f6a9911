"""The truth that is learnt: outlines by vote, the core's volume, what happened to the patient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from StrokePredictLib.case import StrokeCase
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.images import read_image
from StrokePredictLib.networks.course import Course
from StrokePredictLib.volume import Volume

if TYPE_CHECKING:
    from ..cohort.table import Patient

#: Core by blood volume: 1.2 mL/100 mL of tissue of density 1.05 g/mL, in mL/100 g.
CBV_CORE = 1.14
#: mTICI grades and what they mean for a conditioned network.
_MTICI = {"0": "none", "1": "none", "2a": "partial", "2b": "complete", "2c": "complete", "3": "complete"}
_YU = {"minimal": "none", "partial": "partial", "major": "complete"}
_DEBS = {"no": "none", "yes": "complete"}


def lesion_of(patient: Patient, target: str, case: StrokeCase) -> Volume:
    """Return a patient's lesion, bool on the case's reference grid; the majority where there are several reads.

    Raises
    ------
    StrokeError
        If there is no outline, or one lies on another grid.
    """
    labels = patient.labels_of(target)
    if not labels:
        raise StrokeError(f"{patient.id}: no outline of the {target}; draw one, or leave the patient out.")
    reference = case.reference
    votes = np.zeros(reference.shape, dtype=np.int16)
    for label in labels:
        mask = read_image(label.path, series=False, may_be_empty=True)
        if not mask.same_grid(reference):
            raise StrokeError(
                f"{label.path}: lies on another grid ({mask.describe_grid()}) than the patient's baseline "
                f"({reference.describe_grid()}); bring it there before training (stroke check says more)."
            )
        votes += mask.array > 0.5
    return reference.with_array(2 * votes > len(labels), name=f"{target} of {patient.id}")


def core_by_cbv(case: StrokeCase) -> Volume:
    """Return where 0 < CBV < `CBV_CORE` inside the brain (Mittermeier 2022: < 1.2 mL/100 mL)."""
    cbv, brain = case.require("cbv", "brain")
    cbv.require_same_grid(brain)
    return cbv.with_array((cbv.array > 0) & (cbv.array < CBV_CORE) & brain.array, name="CBV core")


def what_happened(facts: dict[str, Any]) -> Course:
    """Return a patient's course of events: Yu's category, else mTICI, else Debs' category, else unknown."""
    known = facts.get("onset_known") is not False
    onset = facts.get("onset_to_imaging_min") if known else None
    for column, meaning in (("reperfusion_yu", _YU), ("mtici", _MTICI), ("reperfusion_debs", _DEBS)):
        found = meaning.get(str(facts.get(column) or "").strip().lower())
        if found:
            return Course(found, onset)
    return Course("unknown", onset)
