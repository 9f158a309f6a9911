"""Alis 2020: the published count, and a ConvLSTM like Keras', in both directions with the same weights."""

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate

from StrokePredictLib.networks import create, trainable_parameters
from StrokePredictLib.networks.conv_lstm import ConvLSTM


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return create("alis2020").eval()


def test_published_and_default_counts():
    assert trainable_parameters(create("alis2020", channels=3)) == 8_228_401
    assert trainable_parameters(create("alis2020")) == trainable_parameters(create("alis2020", channels=2)) == 8_228_257


def test_the_count_is_u_net_plus_keras_conv_lstms(network):
    # Keras' ConvLSTM2D, 3×3, f → f: four gates, kernel and recurrent kernel, one bias.
    recurrent = sum(4 * (9 * 2 * f * f + f) for f in (16, 32, 64, 128, 256))
    assert trainable_parameters(network.recurrent) == recurrent == 6_287_296
    assert trainable_parameters(create("alis2020", channels=3)) - recurrent == 1_941_105


def reference(x, layer):
    """One direction of a ConvLSTM, gate by gate in NumPy. x: (sections, channels, y, x)."""
    f = x.shape[1]
    w, b = layer.of_input.weight.detach().double().numpy(), layer.of_input.bias.detach().double().numpy()
    u = layer.of_state.weight.detach().double().numpy()

    def convolve(kernel, image):
        found = [sum(correlate(c, k, mode="constant") for c, k in zip(image, out, strict=True)) for out in kernel]
        return np.stack(found)

    def hard_sigmoid(a):
        return np.clip(0.2 * a + 0.5, 0, 1)

    hidden = cell = np.zeros(x.shape[1:])
    states = []
    for section in x:
        a = convolve(w, section) + b[:, None, None] + convolve(u, hidden)
        i, forget, candidate, o = a[:f], a[f : 2 * f], a[2 * f : 3 * f], a[3 * f :]
        cell = hard_sigmoid(forget) * cell + hard_sigmoid(i) * np.tanh(candidate)
        hidden = hard_sigmoid(o) * np.tanh(cell)
        states.append(hidden)
    return np.stack(states)


def test_both_directions_with_tied_weights_summed():
    torch.manual_seed(1)
    layer = ConvLSTM(2)
    x = torch.randn(1, 4, 2, 5, 6)
    with torch.no_grad():
        found = layer(x)[0].numpy()
    forwards, backwards = reference(x[0].double().numpy(), layer), reference(x[0].double().numpy()[::-1], layer)[::-1]
    assert np.abs(found - (forwards + backwards)).max() < 1e-5


def test_the_forget_bias_starts_at_1_and_the_others_at_0():
    bias = ConvLSTM(3).of_input.bias
    assert bias[3:6].tolist() == [1, 1, 1]
    assert bias[:3].abs().sum() + bias[6:].abs().sum() == 0


def test_every_section_depends_on_every_other(network):
    """From the first section news travels to the last and back: the stack is one sequence, not a batch."""
    x = torch.randn(1, 4, 2, 16, 16)
    changed = x.clone()
    changed[:, 0] += 1
    with torch.no_grad():
        apart = (network(x) - network(changed)).abs().amax(dim=(0, 2, 3, 4))
        assert (apart > 0).all()
        changed = x.clone()
        changed[:, -1] += 1
        assert ((network(x) - network(changed)).abs().amax(dim=(0, 2, 3, 4)) > 0).all()


def test_patients_of_a_batch_stay_apart(network):
    x = torch.randn(2, 3, 2, 16, 16)
    with torch.no_grad():
        together = network(x)
        for patient in range(2):
            assert torch.allclose(together[patient], network(x[patient : patient + 1])[0], atol=1e-6)


def test_the_order_of_sections_matters_but_not_which_end_comes_first(network):
    """Tied weights and a sum make the network blind to which end is the head; a shuffled stack is another patient."""
    x = torch.randn(1, 5, 2, 16, 16)
    with torch.no_grad():
        plain = network(x)
        assert torch.allclose(network(x.flip(1)).flip(1), plain, atol=1e-6)
        order = torch.tensor([0, 2, 1, 4, 3])
        shuffled = network(x[:, order])[:, torch.argsort(order)]
    assert (shuffled - plain).abs().max() > 1e-4


@pytest.mark.parametrize("padding", [[3, 4], [0, 1], [2]])
def test_padded_sections_change_nothing(network, padding):
    """Filled-up sections may hold anything: the others get what the stack without them gets."""
    kept = [i for i in range(5) if i not in padding]
    x = torch.randn(1, 5, 2, 16, 16)
    present = torch.ones(1, 5, dtype=torch.bool)
    present[0, padding] = False
    x[:, padding] = 1e3
    with torch.no_grad():
        assert torch.allclose(network(x, present)[:, kept], network(x[:, kept]), atol=1e-5)


def test_every_parameter_learns():
    network = create("alis2020")
    network(torch.randn(1, 2, 2, 16, 16)).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_sections_in_parts_give_the_same_as_all_at_once(network):
    """Without gradients a few sections at a time go through what looks at each alone."""
    x = torch.randn(1, 19, 2, 16, 16)
    with torch.no_grad():
        parts = network(x)
    assert torch.allclose(parts, network(x).detach(), atol=1e-6)


def test_fewer_filters_scale_every_convolution():
    """Counts written out: residual blocks, ConvLSTMs of four gates, transposed convolutions, the 1×1 head."""
    w = [4, 8, 16, 32, 64]
    encoder = sum(9 * a * b + b + 9 * b * b + b for a, b in zip([2, *w[:-1]], w, strict=True))
    recurrent = sum(9 * b * 4 * b * 2 + 4 * b for b in w)
    decoder = sum(4 * 2 * b * b + b + 9 * 2 * b * b + b + 9 * b * b + b for b in w[:-1])
    assert trainable_parameters(create("alis2020", filters=4)) == encoder + recurrent + decoder + w[0] + 1
