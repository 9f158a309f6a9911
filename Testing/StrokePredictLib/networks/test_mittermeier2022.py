"""Mittermeier 2022: counts, torchvision's names, and what the temporal paths see."""

from itertools import pairwise

import pytest
import torch

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.networks import create, trainable_parameters
from StrokePredictLib.networks.vgg19 import vgg19_features


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return create("mittermeier2022").eval()


def test_counts(network):
    assert trainable_parameters(network) == 43_469
    assert sum(p.numel() for p in network.features.parameters()) == 20_024_384
    assert trainable_parameters(create("mittermeier2022", freeze=False)) == 43_469 + 20_024_384


@pytest.mark.parametrize(("paths", "kernels"), [("local", [3]), ("global", [11]), ("both", [3, 11])])
def test_ablations_have_their_kernel_alone(paths, kernels):
    network = create("mittermeier2022", paths=paths)
    for temporal in network.temporal:
        assert [c.kernel_size[0] for c in temporal.convolutions] == kernels
    expected = 2 * sum(512 * 3 * k + 3 for k in kernels) + (6 * len(kernels) * 32 + 32) + 33
    assert trainable_parameters(network) == expected


#: Where torchvision's vgg19() has its convolutions (configuration "E" without batch normalisation).
TORCHVISION = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]


def torchvision_file(path):
    """A file with the names and shapes of torchvision's, with its classifier, and numbers of our own."""
    generator = torch.Generator().manual_seed(3)
    widths = [3, 64, 64, 128, 128, *[256] * 4, *[512] * 8]
    state = {}
    for place, (a, b) in zip(TORCHVISION, pairwise(widths), strict=True):
        state[f"features.{place}.weight"] = torch.randn(b, a, 3, 3, generator=generator) / (3 * a**0.5)
        state[f"features.{place}.bias"] = torch.full((b,), place / 100)
    state["classifier.0.bias"] = torch.zeros(4096)
    torch.save(state, path)
    return state


def test_torchvisions_file_loads_by_name(tmp_path):
    state = torchvision_file(tmp_path / "vgg19.pth")
    network = create("mittermeier2022")
    network.load_features(tmp_path / "vgg19.pth")
    for place in TORCHVISION:
        assert torch.equal(network.features[place].weight, state[f"features.{place}.weight"])
    assert not any(p.requires_grad for p in network.features.parameters())


def test_another_file_is_refused_and_nothing_in_it_runs(tmp_path):
    network = create("mittermeier2022")
    with pytest.raises(StrokeError, match="no such file"):
        network.load_features(tmp_path / "absent.pth")
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(StrokeError, match="does not hold VGG19"):
        network.load_features(tmp_path / "other.pth")

    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save({"features.0.weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(StrokeError, match="no readable file of weights"):
        network.load_features(tmp_path / "trap.pth")
    assert not (tmp_path / "sprung").exists()


def test_features_have_the_papers_size():
    with torch.no_grad():
        assert vgg19_features()(torch.zeros(1, 3, 128, 128)).shape == (1, 512, 4, 4)


def test_one_network_looks_at_all_times_and_both_sections(network):
    frames = torch.randn(1, 2, 4, 32, 32)
    with torch.no_grad():
        alone = network.look(frames[0, 1, 2:3])
        together = network.look(frames.flatten(0, 2)).unflatten(0, (1, 2, 4))
    assert torch.allclose(together[0, 1, 2], alone[0], atol=1e-5)


@pytest.mark.parametrize(("kernel", "reach"), [(0, 1), (1, 5)])
def test_a_path_sees_as_far_in_time_as_its_kernel(network, kernel, reach):
    convolution = network.temporal[0].convolutions[kernel]
    x = torch.zeros(1, 512, 32)
    plain = convolution(x)
    x[0, :, 16] = 1
    changed = (convolution(x) - plain).abs().sum(dim=(0, 1)) > 0
    assert torch.nonzero(changed).flatten().tolist() == list(range(16 - reach, 16 + reach + 1))


def test_each_section_has_temporal_weights_of_its_own(network):
    features = torch.randn(1, 2, 32, 512)
    with torch.no_grad():
        assert (network.decide(features) - network.decide(features.flip(1))).abs() > 1e-5


def test_whole_is_the_sum_of_its_parts(network):
    x = torch.randn(1, 2, 3, 32, 32)
    with torch.no_grad():
        looked = torch.stack([network.look(x[0, section]) for section in range(2)])[None]
        assert torch.allclose(network(x), network.decide(looked), atol=1e-6)
        assert network(x).shape == (1, 1)


def test_a_narrow_extractor_has_vgg19s_depth_and_no_imagenet_weights(tmp_path):
    torchvision_file(tmp_path / "vgg19.pth")
    narrow = create("mittermeier2022", filters=8, batch_norm=True, freeze=False).eval()
    convolutions = [layer for layer in narrow.features if isinstance(layer, torch.nn.Conv2d)]
    widths = [layer.out_channels for layer in convolutions]
    assert widths == [8, 8, 16, 16, *[32] * 4, *[64] * 8]
    assert [layer.num_features for layer in narrow.features if isinstance(layer, torch.nn.BatchNorm2d)] == widths
    with torch.no_grad():
        assert narrow(torch.randn(1, 2, 4, 32, 32)).shape == (1, 1)
    with pytest.raises(StrokeError, match="for 64 filters without batch normalisation"):
        narrow.load_features(tmp_path / "vgg19.pth")
