"""Yu 2020: parameter counts, five sections in, the centre out, and gates that gate."""

import pytest
import torch

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.networks import create, trainable_parameters


@pytest.fixture
def network():
    torch.manual_seed(0)
    return create("yu2020", filters=4).eval()


def test_parameter_counts():
    assert trainable_parameters(create("yu2020")) == 7_865_373
    assert trainable_parameters(create("yu2020", filters=16)) == 1_971_989


def test_a_gate_has_the_count_that_oktays_formula_gives():
    # 1×1 convolutions with bias and batch normalisation (2 a channel): x and g to F/2, then F/2 to 1.
    for gate, filters in zip(create("yu2020").gates, (256, 128, 64, 32), strict=True):
        inner = filters // 2
        assert trainable_parameters(gate) == 2 * (filters * inner + inner + 2 * inner) + inner + 1 + 2


def test_monais_attention_block_gives_the_same_weights():
    """An independent implementation of the same gate, with our weights put in."""
    from monai.networks.nets.attentionunet import AttentionBlock

    ours = create("yu2020", filters=8).gates[-1].eval()
    theirs = AttentionBlock(spatial_dims=2, f_int=4, f_g=8, f_l=8).eval()
    for mine, other in ((ours.of_skip, theirs.W_x), (ours.of_gating, theirs.W_g), (ours.psi, theirs.psi)):
        torch.nn.init.normal_(mine[1].running_mean)
        other[0].conv.load_state_dict(mine[0].state_dict())
        other[1].load_state_dict(mine[1].state_dict())
    skip, gating = torch.randn(2, 8, 6, 6), torch.randn(2, 8, 6, 6)
    with torch.no_grad():
        assert torch.allclose(ours(skip, gating), theirs(gating, skip), atol=1e-6)


def test_five_sections_of_eight_images_in_one_map_out(network):
    assert network.encoders[0][0].in_channels == 40
    with torch.no_grad():
        assert network(torch.randn(2, 40, 32, 48)).shape == (2, 1, 32, 48)


def test_every_section_of_the_stack_is_seen(network):
    x = torch.randn(1, 40, 32, 32, requires_grad=True)
    network(x).sum().backward()
    seen = x.grad.abs().sum(dim=(0, 2, 3)).reshape(5, 8)
    assert (seen > 0).all()


def test_gates_weigh_between_0_and_1_and_closed_gates_cut_the_skip(network):
    gate = network.gates[0]
    skip, gating = torch.randn(1, 32, 8, 8), torch.randn(1, 32, 8, 8)
    with torch.no_grad():
        weights = gate.weights(skip, gating)
        assert weights.shape == (1, 1, 8, 8)
        assert 0 < weights.min() < weights.max() < 1
        gate.psi[1].bias.fill_(-50.0)  # sigmoid(−50) is 0
        assert gate(skip, gating).abs().max() < 1e-15


def test_an_even_stack_has_no_centre():
    with pytest.raises(StrokeError, match="odd number"):
        create("yu2020", sections=4)
