"""The baseline is MONAI's DynUNet, arranged so that it can be saved and copied."""

import copy

import pytest
import torch
from monai.networks.nets import DynUNet

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.networks import create, trainable_parameters

OPTIONS = {"channels": 2, "sections": 3, "filters": 4, "levels": 5}


def monais():
    strides = [1, 2, 2, 2, 2]
    return DynUNet(
        2, 6, 1, [3] * 5, strides, strides[1:], filters=[4, 8, 16, 32, 64], deep_supervision=True, deep_supr_num=2
    )


def test_same_weights_same_answers_as_monais_network():
    theirs, ours = monais(), create("dynunet", **OPTIONS)
    ours.downs.load_state_dict(
        torch.nn.ModuleList([theirs.input_block, *theirs.downsamples, theirs.bottleneck]).state_dict()
    )
    for mine, other in (
        (ours.ups, theirs.upsamples),
        (ours.head, theirs.output_block),
        (ours.deeper, theirs.deep_supervision_heads),
    ):
        mine.load_state_dict(other.state_dict())
    x = torch.randn(2, 6, 32, 32)
    with torch.no_grad():
        assert torch.equal(ours.eval()(x), theirs.eval()(x))
        expected, found = theirs.train()(x), ours.train()(x)
    assert len(found) == 3
    assert all(torch.allclose(mine, expected[:, n], atol=1e-6) for n, mine in enumerate(found))
    assert trainable_parameters(ours) == trainable_parameters(theirs)


def test_no_tensor_is_held_twice_and_a_used_network_can_be_copied():
    network = create("dynunet", **OPTIONS)
    network(torch.rand(1, 6, 32, 32))[0].mean().backward()
    pointers = [tensor.data_ptr() for tensor in network.state_dict().values()]
    assert len(set(pointers)) == len(pointers)
    copy.deepcopy(network)


@pytest.mark.parametrize("options", [{"sections": 2}, {"levels": 2}])
def test_options_that_make_no_network(options):
    with pytest.raises(StrokeError, match=r"needed|centre"):
        create("dynunet", **options)
