"""Debs 2021: the paper's parameter counts, and what a network must do whatever its weights."""

from itertools import pairwise

import pytest
import torch

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.networks import create, trainable_parameters


@pytest.mark.parametrize(
    ("channels", "fusion", "count"),
    [(5, "late", 1_997_851), (3, "late", 1_242_603), (1, "late", 487_355), (5, "early", 487_643)],
)
def test_published_parameter_counts(channels, fusion, count):
    assert trainable_parameters(create("debs2021", channels=channels, fusion=fusion)) == count


def test_a_branch_has_the_count_that_the_blocks_give():
    # Two 3×3 convolutions with bias and two batch normalisations a block, written out.
    widths = [1, 8, 16, 32, 64, 128]
    expected = sum((9 * a * b + b) + (9 * b * b + b) + 4 * b for a, b in pairwise(widths))
    encoder = create("debs2021", channels=2).encoders[0]
    assert trainable_parameters(encoder) == expected == 295_896


@pytest.mark.parametrize("size", [(192, 192), (128, 96)])
def test_output_has_three_classes_at_full_resolution(size):
    network = create("debs2021", channels=2).eval()
    with torch.inference_mode():
        assert network(torch.zeros(3, 2, *size)).shape == (3, 3, *size)


def test_late_fusion_keeps_inputs_apart_until_the_bottleneck():
    network = create("debs2021", channels=2).eval()
    x = torch.randn(1, 2, 32, 32)
    with torch.no_grad():
        before = network.encoders[0](x[:, :1])[1]
        x[:, 1] += 5
        assert torch.equal(before, network.encoders[0](x[:, :1])[1])
        assert len(network.encoders) == 2


def test_every_parameter_learns():
    network = create("debs2021", channels=2)
    network(torch.randn(2, 2, 32, 32)).square().mean().backward()
    assert all(p.grad is not None for p in network.parameters())


def test_unknown_names_and_options():
    with pytest.raises(StrokeError, match="no network 'unet9000'"):
        create("unet9000")
    with pytest.raises(StrokeError, match="fusion"):
        create("debs2021", fusion="sideways")
    with pytest.raises(StrokeError, match="cannot be built"):
        create("debs2021", colour="red")


def test_fewer_filters_keep_the_shape_and_scale_every_block():
    widths = [1, 4, 8, 16, 32, 64]
    expected = sum((9 * a * b + b) + (9 * b * b + b) + 4 * b for a, b in pairwise(widths))
    narrow = create("debs2021", channels=2, filters=4).eval()
    assert trainable_parameters(narrow.encoders[0]) == expected
    with torch.inference_mode():
        assert narrow(torch.zeros(1, 2, 32, 48)).shape == (1, 3, 32, 48)
