"""The additive attention gate of Oktay et al. 2018 (Attention U-Net)."""

from __future__ import annotations

import torch
from torch import nn


class AttentionGate(nn.Module):
    """Weighs a skip connection by what the decoder is looking for.

    α = sigmoid(ψ(ReLU(W_x·x + W_g·g))), each of W_x, W_g and ψ a 1×1 convolution with batch normalisation; the gate
    returns α·x.

    Parameters
    ----------
    skip, gating : int
        Channels of the skip connection and of the gating signal, both at one resolution.
    inner : int
        Channels in which they meet.
    """

    def __init__(self, skip: int, gating: int, inner: int) -> None:
        super().__init__()
        self.of_skip = nn.Sequential(nn.Conv2d(skip, inner, kernel_size=1), nn.BatchNorm2d(inner))
        self.of_gating = nn.Sequential(nn.Conv2d(gating, inner, kernel_size=1), nn.BatchNorm2d(inner))
        self.psi = nn.Sequential(nn.Conv2d(inner, 1, kernel_size=1), nn.BatchNorm2d(1), nn.Sigmoid())

    def weights(self, skip: torch.Tensor, gating: torch.Tensor) -> torch.Tensor:
        """Return α, ``(batch, 1, height, width)``, 0 to 1."""
        return self.psi(torch.relu(self.of_skip(skip) + self.of_gating(gating)))

    def forward(self, skip: torch.Tensor, gating: torch.Tensor) -> torch.Tensor:
        """Return the weighed skip connection."""
        return skip * self.weights(skip, gating)
