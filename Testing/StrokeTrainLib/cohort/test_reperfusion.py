"""Yu's and Debs' rules at their limits, from the table and measured on maps."""

from pathlib import Path

import numpy as np
import pytest
from support.cohorts import save

from StrokeTrainLib.cohort.reperfusion import assess, debs_class, from_table, yu_class, yu_rate
from StrokeTrainLib.cohort.table import Patient


@pytest.mark.parametrize(
    ("v0", "v24", "rate", "word"),
    [
        (100, 80, 20, "minimal"), (100, 79, 21, "partial"), (100, 20, 80, "major"), (100, 21, 79, "partial"),
        (100, 150, -50, "minimal"), (50, 0, 100, "major"), (100, 100, 0, "minimal"),
    ],
)  # fmt: skip
def test_yu(v0, v24, rate, word):
    assert yu_rate(v0, v24) == pytest.approx(rate)
    assert yu_class(yu_rate(v0, v24)) == word


def test_yu_without_baseline_lesion_or_follow_up():
    assert yu_rate(0, 10) is None
    assert yu_class(None) == "unknown"
    with pytest.raises(ValueError, match="numbers from 0 on"):
        yu_rate(-1, 0)


@pytest.mark.parametrize(
    ("grade", "share", "word"),
    [("0", None, "no"), ("1", 0.9, "no"), ("2a", None, "no"), ("2b", None, "yes"), ("2c", None, "yes"),
     ("3", 0.1, "yes"), ("2", None, "unknown"), (None, None, "unknown"), (None, 0.5, "yes"), (None, 0.499, "no"),
     ("2", 0.6, "yes")],
)  # fmt: skip
def test_debs(grade, share, word):
    assert debs_class(grade, share) == word


def known(**facts):
    return from_table(Patient("sub-0001", Path("c"), "bids", {}, facts=facts))


def test_numbers_stand_before_words_and_contradictions_are_said():
    found = known(reperfusion_rate=85.0, reperfusion_yu="partial", mtici="2a", reperfusion_debs="no")
    assert (found.yu, found.debs) == ("major", "no")
    assert found.notes == ("sub-0001: reperfusion_yu is 'partial', but rate 85.0 % means 'major', which is taken.",)
    assert known(reperfusion_yu="minimal", reperfusion_debs="yes").yu == "minimal"
    assert known().debs == "unknown"
    assert known(hypoperfusion_ml=0.0).without_lesion
    assert not known().without_lesion


GRID = {"shape": (40, 40, 6), "spacing": (4, 4, 5)}
VOXEL_ML = 4 * 4 * 5 / 1000


def tmax(block, level=9.0):
    """Return a Tmax map, 2 s in the brain's ellipse and `level` in columns of a block of its right half."""
    x, y = np.mgrid[:40, :40]
    brain = ((x - 19.5) / 15) ** 2 + ((y - 19.5) / 17) ** 2 < 1
    field = np.where(brain, 2.0, 0.0)[..., None].repeat(6, axis=2)
    field[8:14, 12 : 12 + block, 1:5] = level
    return field


@pytest.fixture
def mapped(tmp_path):
    """Return a patient with maps at 0, 3 and 24 h: 6×10×4 voxels late at 0 h, 6×6×4 at 3 h, 6×1×4 at 24 h."""

    def at(session, block, level=9.0):
        return save(tmp_path / session / "tmax.nii.gz", tmax(block, level), **GRID)

    def make(*, hours=6, day=1, baseline=10, level=9.0):
        later = {}
        if hours is not None:
            later["3h"] = {"tmax": at("3h", hours)}
        if day is not None:
            later["24h"] = {"tmax": at("24h", day)}
        return Patient("sub-0001", tmp_path, "bids", {"tmax": at("0", baseline, level)}, later=later)

    return make


def test_measured_on_maps(mapped):
    found = assess(mapped(day=5))
    # The cleaning drops islands below 3 mL; these blocks are larger: 19.2 and 9.6 mL, a rate of 50 %.
    assert found.v0_ml == pytest.approx(240 * VOXEL_ML)
    assert found.v24_ml == pytest.approx(120 * VOXEL_ML)
    assert found.rate == pytest.approx(50)
    assert found.yu == "partial"
    assert found.share == pytest.approx(1 - 6 / 10)
    assert found.debs == "no"
    assert len(found.notes) == 2


def test_measured_major_and_reperfused(mapped):
    found = assess(mapped(hours=3, day=0))
    assert (found.v24_ml, found.rate, found.yu) == (0.0, 100.0, "major")
    assert found.share == pytest.approx(0.7)
    assert found.debs == "yes"


def test_six_seconds_exactly_count_for_debs_alone(mapped):
    found = assess(mapped(level=6.0, hours=0))
    assert found.v0_ml == 0
    assert found.without_lesion
    assert found.yu == "unknown"
    assert found.share == 1.0


def test_no_lesion_and_no_later_maps(mapped):
    found = assess(mapped(baseline=0, hours=None, day=None))
    assert found.without_lesion
    assert (found.yu, found.debs) == ("unknown", "unknown")


def test_what_the_table_says_is_not_measured_again(mapped):
    patient = mapped()
    patient.facts.update(mtici="0", reperfusion_rate=10.0, hypoperfusion_ml=33.0)
    found = assess(patient)
    assert (found.yu, found.debs, found.v0_ml, found.share) == ("minimal", "no", 33.0, None)
