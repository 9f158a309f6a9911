"""The residual ConvLSTM U-Net of Alis et al., segmentation of acute infarcts on DWI over vendors (2020)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn

from .conv_lstm import ConvLSTM

LEVELS = 5
#: Sections that go through encoder blocks and decoder together when nothing is learnt.
AT_ONCE = 8


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with bias and ReLU; the first one's output is added to the second's."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, kernel_size=3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``(batch, outputs, height, width)``."""
        first = torch.relu(self.first(x))
        return torch.relu(self.second(first)) + first


class Alis2020(nn.Module):
    """U-Net over every section of a patient, with a bidirectional ConvLSTM on each of the five encoder levels.

    The paper reports 8,228,401 trainable parameters and draws the architecture. That the count is met exactly by 16 to
    256 filters, biases, no batch normalisation, parameter-free residuals, and one Keras ConvLSTM a level run in both
    directions with tied weights and summed, is inferred: 1,941,105 + 6,287,296 with three input channels. The text
    says two (DWI and ADC), which gives 8,228,257; that is the default here.

    Parameters
    ----------
    channels : int
        Images a section: 2, or 3 for the published count.
    filters : int
        Of the first level; each deeper one has twice as many. 16 in the paper.
    """

    multiple = 16
    arrangement = "sequence"

    def __init__(self, channels: int = 2, filters: int = 16) -> None:
        super().__init__()
        self.channels = channels
        widths = [filters * 2**level for level in range(LEVELS)]
        self.encoders = nn.ModuleList(ResidualBlock(a, b) for a, b in pairwise((channels, *widths)))
        self.recurrent = nn.ModuleList(ConvLSTM(width) for width in widths)
        self.pool = nn.MaxPool2d(2)
        up = list(pairwise(widths[::-1]))
        self.ups = nn.ModuleList(nn.ConvTranspose2d(a, b, kernel_size=2, stride=2) for a, b in up)
        self.decoders = nn.ModuleList(ResidualBlock(2 * b, b) for _, b in up)
        self.head = nn.Conv2d(filters, 1, kernel_size=1)

    def forward(self, x: torch.Tensor, present: torch.Tensor | None = None) -> torch.Tensor:
        """Return one logit a voxel of every section.

        Parameters
        ----------
        x : torch.Tensor
            ``(batch, sections, channels, height, width)``, sections from foot to head, each channel 0..1; height and
            width multiples of 16.
        present : torch.Tensor, optional
            bool ``(batch, sections)``: False where a section only fills up a batch of unequal stacks. Such sections
            change nothing in the others; what is returned for them means nothing.

        Returns
        -------
        torch.Tensor
            ``(batch, sections, 1, height, width)``; the sigmoid gives the probability.
        """
        size = x.shape[:2]
        skips = []
        for level, (block, recurrent) in enumerate(zip(self.encoders, self.recurrent, strict=True)):
            x = _in_parts(block, x.flatten(0, 1)).unflatten(0, size)
            x = recurrent(x, present).flatten(0, 1)
            if level < LEVELS - 1:
                skips.append(x)
                x = self.pool(x).unflatten(0, size)
        return _in_parts(self._decode, x, *skips).unflatten(0, size)

    def _decode(self, x: torch.Tensor, *skips: torch.Tensor) -> torch.Tensor:
        """Return the logits of single sections; the decoder looks at each alone."""
        for up, decoder, skip in zip(self.ups, self.decoders, skips[::-1], strict=True):
            x = decoder(torch.cat([up(x), skip], dim=1))
        return self.head(x)


def _in_parts(layer: Callable[..., torch.Tensor], *tensors: torch.Tensor) -> torch.Tensor:
    """Apply what looks at each section alone to a few sections at a time, unless gradients are wanted.

    A whole patient's feature maps at full resolution, several at once, would take more than a gigabyte.
    """
    if torch.is_grad_enabled():
        return layer(*tensors)
    parts = zip(*(tensor.split(AT_ONCE) for tensor in tensors), strict=True)
    return torch.cat([layer(*part) for part in parts])
