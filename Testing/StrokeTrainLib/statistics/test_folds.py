"""Areas compared within folds: against scikit-learn fold by fold, and resampling written out."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from StrokeTrainLib.statistics.folds import auc_within_folds
from StrokeTrainLib.statistics.roc import delong_paired


def made(seed=0, patients=24, folds=3):
    """Return labels, two scores with ties, and folds; every fold's scores have a level of their own."""
    rng = np.random.default_rng(seed)
    fold = np.arange(patients) % folds + 1
    y = rng.random(patients) < 0.5
    good = np.round(y + rng.normal(0, 0.8, patients), 1) + 10 * fold
    poor = np.round(y + rng.normal(0, 2.0, patients), 1) - 10 * fold
    return y, good, poor, fold


def areas(y, a, b, fold, chosen):
    """Return the mean difference over folds of patients by their numbers, with scikit-learn."""
    found = []
    for number in np.unique(fold):
        mine = [i for i in chosen if fold[i] == number]
        found.append(roc_auc_score(y[mine], a[mine]) - roc_auc_score(y[mine], b[mine]))
    return np.mean(found)


def by_pairs(y, a, b, fold, chosen):
    """As `areas`, by the share of pairs ranked rightly: quick enough to be drawn 1,500 times."""
    found = []
    for number in np.unique(fold):
        mine = chosen[fold[chosen] == number]
        large, small = mine[y[mine]], mine[~y[mine]]
        for_pair = [np.sign(s[large][:, None] - s[small][None]) / 2 + 0.5 for s in (a, b)]
        found.append(for_pair[0].mean() - for_pair[1].mean())
    return np.mean(found)


def test_value_interval_and_p_as_by_scikit_learn_on_drawn_patients():
    y, a, b, fold = made()
    found = auc_within_folds(y, a, b, fold, seed=1, resamples=4000).comparison
    assert found.shift.value == pytest.approx(areas(y, a, b, fold, range(24)))
    assert by_pairs(y, a, b, fold, np.arange(24)) == pytest.approx(found.shift.value)
    rng = np.random.default_rng(5)
    groups = [np.flatnonzero((fold == number) & (y == large)) for number in (1, 2, 3) for large in (True, False)]
    drawn = [by_pairs(y, a, b, fold, np.concatenate([rng.choice(g, g.size) for g in groups])) for _ in range(1500)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert (found.shift.low, found.shift.high) == pytest.approx((low, high), abs=0.03)
    below, at = np.mean(np.array(drawn) < -1e-9), np.mean(np.abs(drawn) <= 1e-9)
    assert found.p == pytest.approx(2 * min(below + at / 2, 1 - below - at / 2), abs=0.03)
    assert found.n == 24


def test_levels_of_folds_do_not_matter_as_they_do_to_pooled_areas():
    y, a, b, fold = made()
    found = auc_within_folds(y, a, b, fold, seed=1).comparison
    level = auc_within_folds(y, a - 10 * fold, b + 10 * fold, fold, seed=1).comparison
    assert (found.shift, found.p) == (level.shift, level.p)
    assert abs(delong_paired(y, a, b).shift.value - delong_paired(y, a - 10 * fold, b + 10 * fold).shift.value) > 0.05


def test_each_fold_has_delongs_test():
    y, a, b, fold = made()
    found = auc_within_folds(y, a, b, fold, seed=1).folds
    assert set(found) == {1, 2, 3}
    for number, test in found.items():
        mine = fold == number
        expected = delong_paired(y[mine], a[mine], b[mine])
        assert (test.p, test.n) == (expected.p, 8)
        assert test.shift.value == pytest.approx(expected.shift.value)


def test_a_fold_of_one_class_is_left_out_and_said():
    y, a, b, fold = made()
    y[fold == 2] = True
    found = auc_within_folds(y, a, b, fold, seed=1)
    kept = fold != 2
    assert found.comparison.shift.value == pytest.approx(areas(y[kept], a[kept], b[kept], fold[kept], range(16)))
    assert found.comparison.n == 16
    assert "1 of 3 folds left out" in found.comparison.note
    assert set(found.folds) == {1, 3}


def test_a_patient_without_a_score_is_left_out_and_said():
    y, a, b, fold = made()
    lost = a.copy()
    lost[4] = np.nan
    found = auc_within_folds(y, lost, b, fold, seed=1).comparison
    rest = np.delete(np.arange(24), 4)
    assert found.shift.value == pytest.approx(areas(y, a, b, fold, rest))
    assert "1 of 24 patients left out" in found.note


def test_nothing_to_compare_is_said_and_never_significant():
    y, a, _, fold = made()
    same = auc_within_folds(y, a, a, fold, seed=1).comparison
    assert (same.p, same.shift.value) == (1.0, 0.0)
    opposite = auc_within_folds(y, y * 1.0, 1.0 - y, fold, seed=1).comparison
    assert opposite.shift.value == 1.0
    assert np.isnan(opposite.p)
    assert "does not vary" in opposite.note
    nobody = auc_within_folds(np.ones(6), a[:6], a[:6], fold[:6], seed=1).comparison
    assert np.isnan(nobody.p)
    assert np.isnan(nobody.shift.value)
    assert nobody.n == 0


def test_the_same_seed_gives_the_same_interval():
    y, a, b, fold = made()
    first, second = (auc_within_folds(y, a, b, fold, seed=7).comparison for _ in range(2))
    assert first == second
