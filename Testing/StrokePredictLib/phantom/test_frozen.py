"""The phantom is the one that networks were trained and judged on."""

import pytest

from StrokePredictLib.phantom import fate
from StrokePredictLib.phantom.freeze import MODULES, figures, fingerprint, parameters
from StrokePredictLib.phantom.frozen_record import FIGURES, FINGERPRINT

ADVICE = "the phantom has changed: intended? then python -m StrokePredictLib.phantom.freeze, and train again"


def test_constants_are_the_frozen_ones():
    assert fingerprint(FIGURES) == FINGERPRINT, ADVICE


def test_patients_are_the_frozen_ones():
    found = figures()
    assert found.keys() == FIGURES.keys()
    for patient, values in FIGURES.items():
        # Room for other platforms' rounding, less than any change that anyone would make on purpose.
        assert found[patient] == pytest.approx(values, rel=5e-3, abs=0.2), f"{patient}: {ADVICE}"


def test_any_constant_counts(monkeypatch):
    found = parameters()
    assert found["fate"]["LASTING_THRESHOLD"] == 17.5
    assert set(found) == set(MODULES)
    assert len([k for module in found.values() for k in module]) > 60
    monkeypatch.setattr(fate, "LASTING_THRESHOLD", 17.6)
    assert fingerprint(FIGURES) != FINGERPRINT
