"""Whose predictions an evaluation counts: everybody who came is somewhere in the flow."""

import pytest

from StrokeTrainLib.cohort.parts import Fold, Splits
from StrokeTrainLib.evaluation.cohort_flow import NO_PREDICTION, REFUSED, run_flow

EVERYBODY = [f"p{number:02d}" for number in range(14)]


def flow_of(given):
    """A run of twelve selected patients (of fourteen), one of them unusable, whose network was given some of these."""
    folds = (Fold(given[2:4], given[4:5], given[:2]), Fold(given[:2], given[4:5], given[2:4]))
    splits = Splits("2-fold", 0, folds, calibration=("p08",), locked=("p09",), train_only=("p10",))
    assessed = {"assessed": 14, "excluded": [{"reason": "No usable label", "patients": 2}]}
    run = {"selection": {"kept": EVERYBODY[:12], "flow": assessed}, "unusable": {"p11": "no artery"}}
    facts = {name: {"reperfusion_debs": "yes"} for name in EVERYBODY}
    return run_flow(run, splits, EVERYBODY, given[:2], given[2:3], facts)


@pytest.mark.parametrize("given", [tuple(EVERYBODY[:8]), tuple(EVERYBODY[3:8])])
def test_patients_whom_a_network_was_not_given_are_counted_out(given):
    flow = flow_of(given)
    left = dict(flow.excluded)
    assert flow.included == sum(flow.groups.values()) == 2
    assert left[REFUSED] == left[NO_PREDICTION] == 1
    # Of eight who are in no other part, four are tested.
    assert left["In no test part"] == 4
    alone = ("Could not be prepared", "Kept for the volume interval's calibration", "Locked test set, not opened")
    assert [left[reason] for reason in (*alone, "For training only")] == [1, 1, 1, 1]
