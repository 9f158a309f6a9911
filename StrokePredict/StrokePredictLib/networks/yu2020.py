"""The attention-gated 2.5D U-Net of Yu et al., JAMA Network Open 2020;3(3):e200772."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from .attention import AttentionGate
from .blocks import ConvBlock


class Yu2020(nn.Module):
    """U-Net with additive attention gates on its four skips; neighbouring sections are input channels.

    The paper states five consecutive sections of eight images (DWI, ADC, Tmax, MTT, CBF, CBV, and the masks Tmax > 6 s
    and ADC < 620), the probability of the centre section out. It does not state depth, filters, the gates' details or
    the loss: 32 to 512 filters over five levels and Oktay's gates (2018) are ours. 7,865,373 trainable parameters;
    1,971,989 with ``filters=16``.

    Parameters
    ----------
    channels : int
        Images a section.
    sections : int
        Consecutive sections, odd.
    filters : int
        Of the first level; each deeper one has twice as many.
    levels : int
        Depth.
    """

    #: What the first axis of an input is (`StrokePredictLib.models.card.Card.arrangement`).
    arrangement = "stack"

    def __init__(self, channels: int = 8, sections: int = 5, filters: int = 32, levels: int = 5) -> None:
        super().__init__()
        if sections % 2 != 1:
            raise ValueError(f"sections is {sections}; an odd number has a centre")
        self.channels, self.sections = channels, sections
        self.multiple = 2 ** (levels - 1)
        widths = [filters * 2**level for level in range(levels)]
        self.encoders = nn.ModuleList(ConvBlock(a, b) for a, b in pairwise([channels * sections, *widths]))
        self.pool = nn.MaxPool2d(2)
        up = list(pairwise(widths[::-1]))
        self.ups = nn.ModuleList(nn.ConvTranspose2d(a, b, kernel_size=2, stride=2) for a, b in up)
        self.gates = nn.ModuleList(AttentionGate(b, b, b // 2) for _, b in up)
        self.decoders = nn.ModuleList(ConvBlock(2 * b, b) for _, b in up)
        self.head = nn.Conv2d(filters, 1, kernel_size=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logit of the centre section.

        Parameters
        ----------
        x : torch.Tensor
            ``(batch, sections × channels, height, width)``, all channels of the first section, then of the next;
            height and width multiples of `multiple`.

        Returns
        -------
        torch.Tensor
            ``(batch, 1, height, width)``; the sigmoid gives the probability.
        """
        skips = []
        for block in self.encoders[:-1]:
            x = block(x)
            skips.append(x)
            x = self.pool(x)
        x = self.encoders[-1](x)
        for up, gate, decoder, skip in zip(self.ups, self.gates, self.decoders, skips[::-1], strict=True):
            x = up(x)
            x = decoder(torch.cat([gate(skip, x), x], dim=1))
        return self.head(x)
