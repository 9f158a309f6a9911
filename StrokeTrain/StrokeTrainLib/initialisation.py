"""Weights at the start of a training, as the papers' frameworks draw them."""

from __future__ import annotations

import math

import torch
from torch import nn

from StrokePredictLib.networks.conv_lstm import ConvLSTM

_KERNELS = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


def initialise(network: nn.Module, how: str) -> None:
    """Draw a network's weights anew from torch's random state, in place.

    Parameters
    ----------
    network : torch.nn.Module
        Built with torch's defaults.
    how : {"torch", "keras", "he"}
        Left as they are; Glorot's uniform distribution and biases 0, recurrent kernels orthogonal (over all gates
        together) and the forget gates' biases 1; or He's normal distribution by fan-out and biases 0.
    """
    if how == "torch":
        return
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, _KERNELS):
                if how == "keras":
                    nn.init.xavier_uniform_(module.weight)
                else:
                    nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    module.bias.zero_()
        for module in network.modules():
            if isinstance(module, ConvLSTM):
                _recurrent(module, orthogonal=how == "keras")


def begin_with(network: nn.Module, probability: float) -> None:
    """Set the bias of a network's last convolution so that its map begins near a probability, in place.

    Parameters
    ----------
    network : torch.nn.Module
        Whose ``head`` gives one logit a voxel.
    probability : float
        Of lesion, above 0 and below 1: the logit is log(p / (1 − p)) (Lin et al. 2017, Focal loss, section 3.3).
    """
    last = [module for module in network.head.modules() if isinstance(module, nn.Conv2d)][-1]
    with torch.no_grad():
        last.bias.fill_(math.log(probability / (1.0 - probability)))


def _recurrent(layer: ConvLSTM, orthogonal: bool) -> None:
    kernel = layer.of_state.weight  # (4 × channels, channels, 3, 3), gates in the order i, f, candidate, o
    channels = kernel.shape[1]
    layer.of_input.bias[channels : 2 * channels] = 1.0
    if orthogonal:
        # Keras draws it over kernel height, width and input as rows, all gates as columns.
        drawn = torch.empty(kernel[0].numel(), len(kernel))
        nn.init.orthogonal_(drawn)
        kernel.copy_(drawn.reshape(channels, *kernel.shape[2:], len(kernel)).movedim(-1, 0))
