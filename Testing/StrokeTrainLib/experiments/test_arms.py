"""Who learns, who chooses and who is tested in an arm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from StrokePredictLib.errors import StrokeError
from StrokeTrainLib.cohort.parts import Fold, Splits
from StrokeTrainLib.experiments.arms import Arm, narrowed, recipe_of, require_trainable
from StrokeTrainLib.experiments.setting import Setting

NAMES = [f"p{number}" for number in range(10)]


def splits_of(names):
    sets = [tuple(names[k::5]) for k in range(5)]
    folds = []
    for k in range(5):
        rest = [name for n in range(5) if n not in (k, (k + 1) % 5) for name in sets[n]]
        folds.append(Fold(tuple(sorted(rest)), sets[(k + 1) % 5], sets[k]))
    return Splits("5-fold", 0, tuple(folds))


@given(st.sets(st.sampled_from(NAMES)))
def test_only_the_chosen_learn_and_everybody_is_tested(keep):
    whole = splits_of(NAMES)
    made = narrowed(whole, keep)
    for before, fold in zip(whole.folds, made.folds, strict=True):
        assert set(fold.train) == set(before.train) & keep
        assert set(fold.validation) == set(before.validation) & keep
        assert fold.test == before.test
        assert not set(fold.test) & {*fold.train, *fold.validation}
    assert sorted(name for fold in made.folds for name in fold.test) == sorted(NAMES)


def test_a_training_part_without_lesion_is_refused_and_an_empty_validation_part_is_said():
    whole = splits_of(NAMES)
    arm = Arm("x", "Reperfused", "debs2021")
    with pytest.raises(StrokeError, match=r"Reperfused: fold 1 has 6 patients to learn from, none of them"):
        require_trainable(whole, arm, dict.fromkeys(NAMES, False))
    told = require_trainable(narrowed(whole, {"p0", "p2"}), arm, dict.fromkeys(NAMES, True))
    assert len(told) == 3  # p0 and p2 choose the epoch in one fold each
    assert "the last epoch counts" in told[0]


def test_recipes_take_the_preset_the_arm_and_then_the_command(tmp_path):
    arm = Arm("x", "X", "debs2021", values={"loss.lesion_weight": 4.0}, quick={"training.epochs": 7})
    full = recipe_of(arm, Setting(tmp_path, tmp_path), "5-fold")
    assert (full.preset, full.loss.lesion_weight, full.training.epochs, full.matrix) == ("paper", 4.0, 500, (192, 192))
    assert full.split.calibration == 0
    quick = recipe_of(arm, Setting(tmp_path, tmp_path, quick=True), "3-fold")
    assert (quick.preset, quick.training.epochs, quick.split.scheme) == ("small", 7, "3-fold")
    own = recipe_of(arm, Setting(tmp_path, tmp_path, quick=True, values={"training.epochs": "2"}), "5-fold")
    assert own.training.epochs == 2
