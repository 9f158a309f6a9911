"""Losses against their formulas, written out in NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from StrokeTrainLib.data import BACKGROUND, IGNORE, LESION, TISSUE
from StrokeTrainLib.losses import build_loss
from StrokeTrainLib.recipes import load_recipe

EPSILON = 1e-5  # MONAI's smoothing


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(logits, truth, weight=1.0):
    p = sigmoid(logits)
    return float(np.mean(-(weight * truth * np.log(p) + (1 - truth) * np.log(1 - p))))


def soft_dice(p, g):
    return (2 * (p * g).sum() + EPSILON) / (p.sum() + g.sum() + EPSILON)


def tversky(p, g, alpha, beta):
    hit, false_alarm, missed = (p * g).sum(), (p * (1 - g)).sum(), ((1 - p) * g).sum()
    return 1 - (hit + EPSILON) / (hit + alpha * false_alarm + beta * missed + EPSILON)


def of(name, **overrides):
    return build_loss(load_recipe(name, overrides))


def classes(generator, shape, ignore=False):
    found = generator.choice([LESION, TISSUE, BACKGROUND], size=shape, p=[0.2, 0.5, 0.3]).astype(np.uint8)
    if ignore:
        found[1, -2:] = IGNORE
    return found


def call(loss, logits, y):
    return loss(torch.from_numpy(logits).float(), torch.from_numpy(y)).item()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.floats(1, 20))
def test_multiclass_dice_is_milletaris_with_the_lesion_weighed(seed, weight):
    generator = np.random.default_rng(seed)
    logits, y = generator.normal(size=(3, 3, 8, 10)), classes(generator, (3, 8, 10))
    p = softmax(logits)
    each = []
    for label in (LESION, TISSUE, BACKGROUND):
        g = (y == label).astype(float)
        each.append((2 * (p[:, label] * g).sum() + EPSILON) / ((p[:, label] ** 2).sum() + (g**2).sum() + EPSILON))
    expected = 1 - np.average(each, weights=[weight, 1, 1])
    assert call(of("debs2021", **{"loss.lesion_weight": str(weight)}), logits, y) == pytest.approx(expected, abs=1e-5)


def test_debs_default_weighs_the_lesion_eight_times():
    generator = np.random.default_rng(0)
    y = classes(generator, (2, 12, 12))
    sure = {label: np.full((2, 3, 12, 12), -9.0) for label in (LESION, TISSUE)}
    right = 18.0 * np.eye(3)[y].transpose(0, 3, 1, 2) - 9
    wrong = {}
    for label in sure:  # everything right but one class, which is called background
        wrong[label] = np.where((y == label)[:, None], np.array([-9, -9, 9.0])[:, None, None], right)
    loss = of("debs2021")
    assert call(loss, right, y) < 1e-3
    # Both faults cost the background's Dice something too; the rest of the loss is the class's weight out of ten.
    assert call(loss, wrong[LESION], y) == pytest.approx(0.8, abs=0.05)
    assert 0.1 < call(loss, wrong[TISSUE], y) < 0.2


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.5, 5))
def test_bce_dice(seed, weight):
    generator = np.random.default_rng(seed)
    logits, y = generator.normal(size=(3, 1, 8, 10)), classes(generator, (3, 8, 10))
    truth = (y == LESION).astype(float)
    expected = cross_entropy(logits[:, 0], truth, weight) + 1 - soft_dice(sigmoid(logits[:, 0]), truth)
    assert call(of("yu2020", **{"loss.lesion_weight": str(weight)}), logits, y) == pytest.approx(expected, abs=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.1, 0.9))
def test_tversky_is_a_patients_and_blind_to_what_fills_up(seed, alpha):
    generator = np.random.default_rng(seed)
    logits, y = generator.normal(size=(2, 5, 1, 6, 7)), classes(generator, (2, 5, 6, 7), ignore=True)
    loss = of("alis2020", **{"loss.alpha": str(alpha), "loss.beta": str(1 - alpha)})
    parts = [(logits[0, :, 0], y[0]), (logits[1, :3, 0], y[1, :3])]
    expected = np.mean([tversky(sigmoid(x), (t == LESION).astype(float), alpha, 1 - alpha) for x, t in parts])
    assert call(loss, logits, y) == pytest.approx(expected, abs=1e-5)
    halves = [call(loss, logits[n : n + 1], y[n : n + 1]) for n in range(2)]
    assert np.mean(halves) == pytest.approx(call(loss, logits, y), abs=1e-6)


def test_tverskys_gradient_is_nought_where_nothing_is_and_finite_everywhere():
    generator = np.random.default_rng(3)
    logits = torch.from_numpy(generator.normal(size=(2, 5, 1, 6, 7))).float().requires_grad_()
    y = torch.from_numpy(classes(generator, (2, 5, 6, 7), ignore=True))
    of("alis2020")(logits, y).backward()
    assert torch.isfinite(logits.grad).all()
    assert not logits.grad[1, -2:].any()
    assert logits.grad[1, 0].any()


def test_tversky_at_a_half_is_dice():
    generator = np.random.default_rng(1)
    logits, y = generator.normal(size=(1, 4, 1, 6, 7)), classes(generator, (1, 4, 6, 7))
    dice = soft_dice(sigmoid(logits[0, :, 0]), (y[0] == LESION).astype(float))
    assert call(of("alis2020"), logits, y) == pytest.approx(1 - dice, abs=1e-5)


def test_deeper_outputs_count_half_as_much_each():
    generator = np.random.default_rng(2)
    outputs = [torch.from_numpy(generator.normal(size=(2, 1, 8, 8))).float() for _ in range(3)]
    y = torch.from_numpy(classes(generator, (2, 8, 8)))
    loss = of("baseline")
    each = [loss(output, y).item() for output in outputs]
    assert loss(outputs, y).item() == pytest.approx(np.average(each, weights=[1, 0.5, 0.25]), abs=1e-6)


def test_classifier_loss_is_cross_entropy():
    logits, y = np.array([[0.3], [-1.2], [2.0]]), np.array([[1.0], [0.0], [0.0]], np.float32)
    assert call(of("mittermeier2022"), logits, y) == pytest.approx(cross_entropy(logits, y), abs=1e-6)


def test_dice_ce_on_three_classes_adds_weighted_cross_entropy():
    generator = np.random.default_rng(4)
    logits, y = generator.normal(size=(2, 3, 6, 6)), classes(generator, (2, 6, 6))
    more = {"loss.name": "dice-ce", "training.monitor": "loss"}
    weights = np.array([8.0, 1.0, 1.0])[y]
    picked = np.take_along_axis(np.log(softmax(logits)), y[:, None].astype(int), axis=1)[:, 0]
    expected = call(of("debs2021"), logits, y) - (weights * picked).sum() / weights.sum()
    assert call(of("debs2021", **more), logits, y) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", ["debs2021", "yu2020", "alis2020", "baseline"])
def test_a_batch_without_lesion_gives_a_finite_loss_and_gradient(name):
    shape = {"debs2021": (2, 3, 8, 8), "alis2020": (2, 4, 1, 8, 8)}.get(name, (2, 1, 8, 8))
    logits = torch.zeros(shape, requires_grad=True)
    y = torch.full((*shape[:-3], 8, 8) if name == "alis2020" else (2, 8, 8), TISSUE, dtype=torch.uint8)
    loss = of(name)(logits, y)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
