"""The truth that is learnt: outlines by vote, the core's volume, what happened to the patient."""

from __future__ import annotations

from StrokePredictLib.case import StrokeCase
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.networks.course import Course
from StrokePredictLib.volume import Volume

from ..cohort.reperfusion import Reperfusion, from_table
from ..cohort.table import Patient
from ..cohort.votes import truth

#: Core by blood volume: 1.2 mL/100 mL of tissue of density 1.05 g/mL, in mL/100 g.
CBV_CORE = 1.14
#: mTICI grades and what they mean for a conditioned network.
_MTICI = dict.fromkeys(("0", "1"), "none") | dict.fromkeys(("2", "2a"), "partial")
_MTICI |= dict.fromkeys(("2b", "2c", "3"), "complete")
_YU = {"minimal": "none", "partial": "partial", "major": "complete"}
_DEBS = {"no": "none", "yes": "complete"}


def lesion_of(patient: Patient, target: str, case: StrokeCase) -> Volume:
    """Return a patient's lesion, bool on the case's reference grid; the majority where there are several reads.

    Raises
    ------
    StrokeError
        If there is no outline, or it lies on another grid and cannot be brought over with its follow-up image.
    """
    outline = truth(patient, target, case=case).mask
    reference = case.reference
    if not outline.same_grid(reference):
        raise StrokeError(
            f"{outline.name}: lies on another grid ({outline.describe_grid()}) than the baseline of {patient.id} "
            f"({reference.describe_grid()}); draw it there, or resample it to there by nearest neighbour."
        )
    return reference.with_array(outline.array, name=f"{target} of {patient.id}")


def core_by_cbv(case: StrokeCase) -> Volume:
    """Return where 0 < CBV < `CBV_CORE` inside the brain (Mittermeier 2022: < 1.2 mL/100 mL)."""
    cbv, brain = case.require("cbv", "brain")
    cbv.require_same_grid(brain)
    return cbv.with_array((cbv.array > 0) & (cbv.array < CBV_CORE) & brain.array, name="CBV core")


def what_happened(patient: Patient, found: Reperfusion | None = None) -> Course:
    """Return a patient's course of events: Yu's class, else mTICI, else Debs' class, else unknown.

    Parameters
    ----------
    patient : Patient
        Of a cohort.
    found : Reperfusion, optional
        The classes; what the table says if left out.
    """
    facts, told = patient.facts, found or from_table(patient)
    known = facts.get("onset_known") is not False
    onset = facts.get("onset_to_imaging_min") if known else None
    for word, meaning in ((told.yu, _YU), (facts.get("mtici"), _MTICI), (told.debs, _DEBS)):
        if word in meaning:
            return Course(meaning[word], onset)
    return Course("unknown", onset)
