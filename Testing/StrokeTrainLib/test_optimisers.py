"""Optimisers and schedules against the frameworks' formulas."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from StrokeTrainLib.optimisers import build_optimiser
from StrokeTrainLib.recipes import load_recipe


def small_network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.ConvTranspose2d(3, 2, 2, stride=2), nn.Conv2d(2, 1, 1)
    )


def test_keras_decay_is_the_papers():
    network = small_network()
    optimiser, schedule, per_epoch = build_optimiser(load_recipe("debs2021"), network)
    assert per_epoch is None
    for iteration in range(2001):
        if iteration in (0, 1, 100, 2000):
            expected = 1e-4 / (1 + 5e-4 * iteration)
            assert all(group["lr"] == pytest.approx(expected, rel=1e-9) for group in optimiser.param_groups)
        optimiser.step()
        schedule.step()


def test_l2_is_the_gradient_of_keras_penalty_on_convolution_kernels_only():
    """One Adam step with our groups equals one with λ‖w‖² written into the loss."""
    ours, theirs = small_network(), small_network()
    x = torch.randn(4, 2, 8, 8)
    recipe = load_recipe("debs2021", {"optimiser.l2": "0.05"})
    optimiser, _, _ = build_optimiser(recipe, ours)
    reference = torch.optim.Adam(theirs.parameters(), lr=1e-4, eps=1e-7)
    for _ in range(3):
        optimiser.zero_grad()
        ours(x).square().mean().backward()
        optimiser.step()
        reference.zero_grad()
        penalty = sum(theirs[n].weight.square().sum() for n in (0, 3, 4))
        (theirs(x).square().mean() + 0.05 * penalty).backward()
        reference.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(mine, other, rtol=1e-5, atol=1e-7)


def test_the_papers_penalty_adds_four_ten_thousandths_of_the_weight():
    optimiser, _, _ = build_optimiser(load_recipe("debs2021"), small_network())
    assert sorted(group["weight_decay"] for group in optimiser.param_groups) == [0.0, pytest.approx(4e-4)]


def test_adam_is_keras_adam():
    weight = nn.Linear(1, 1, bias=False).double()
    value, m, v = weight.weight.item(), 0.0, 0.0
    optimiser, _, _ = build_optimiser(load_recipe("alis2020"), weight)
    for step, gradient in enumerate((3e-7, -1e-7, 2e-7), start=1):
        weight.weight.grad = torch.tensor([[gradient]], dtype=torch.float64)
        optimiser.step()
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        value -= 1e-5 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-7)
        assert weight.weight.item() == pytest.approx(value, rel=1e-12)


def test_rmsprop_has_keras_numbers():
    weight = nn.Linear(1, 1, bias=False)
    value, mean = weight.weight.item(), 0.0
    optimiser, iteration, epoch = build_optimiser(load_recipe("mittermeier2022"), weight)
    assert iteration is None
    assert epoch is None
    for gradient in (0.3, -0.1):
        weight.weight.grad = torch.tensor([[gradient]])
        optimiser.step()
        mean = 0.9 * mean + 0.1 * gradient**2
        value -= 1e-3 * gradient / (np.sqrt(mean) + 1e-7)
        assert weight.weight.item() == pytest.approx(value, abs=1e-7)


def test_cosine_falls_from_the_rate_to_nought_over_the_epochs():
    optimiser, per_iteration, schedule = build_optimiser(load_recipe("fate"), small_network())
    assert per_iteration is None
    seen = []
    for _ in range(101):
        seen.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    assert seen[0] == pytest.approx(1e-3)
    assert seen[50] == pytest.approx(5e-4)
    assert seen[100] == pytest.approx(0, abs=1e-12)
    assert np.all(np.diff(seen) <= 0)


def test_schedules_go_on_from_their_state():
    network = small_network()
    optimiser, schedule, _ = build_optimiser(load_recipe("debs2021"), network)
    for _ in range(5):
        optimiser.step()
        schedule.step()
    other, again, _ = build_optimiser(load_recipe("debs2021"), network)
    other.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    again.load_state_dict(schedule.state_dict())
    for one, two in ((optimiser, schedule), (other, again)):
        one.step()
        two.step()
    assert other.param_groups[0]["lr"] == optimiser.param_groups[0]["lr"]


def test_frozen_parameters_are_left_alone_and_every_other_is_taken_once():
    network = small_network()
    network[0].requires_grad_(False)
    for name in ("debs2021", "fate", "mittermeier2022"):
        optimiser, _, _ = build_optimiser(load_recipe(name), network)
        taken = [id(p) for group in optimiser.param_groups for p in group["params"]]
        assert sorted(taken) == sorted(id(p) for p in network.parameters() if p.requires_grad)
