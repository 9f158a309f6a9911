"""One network for every state of reperfusion: a 2.5D attention U-Net whose decoder is told how the story goes on.

Ours; no paper has it. Yu and Debs train one network a group of patients and call for one that takes the time and the
reperfusion into account. Reperfusion was not assigned at random in any data it can learn from: what it shows for
"reopened" against "not reopened" is association, not causation.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from .attention import AttentionGate
from .blocks import ConvBlock
from .course import IMAGES, KNOWN, LENGTH, PRESENT


class Film(nn.Module):
    """Feature-wise linear modulation (Perez et al. 2018): x·(1 + γ(c)) + β(c), one γ and one β a channel."""

    def __init__(self, told: int, channels: int) -> None:
        super().__init__()
        self.to_both = nn.Linear(told, 2 * channels)
        with torch.no_grad():  # an untold network starts as if nothing had been said
            self.to_both.weight.mul_(0.1)
            self.to_both.bias.zero_()

    def forward(self, x: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        """Return the modulated features, ``(batch, channels, height, width)``."""
        gamma, beta = self.to_both(told)[:, :, None, None].chunk(2, dim=1)
        return x * (1 + gamma) + beta


class Encoder(nn.Module):
    """The contracting half; it is told what is known (modality, images present), not what may happen."""

    def __init__(self, inputs: int, widths: list[int]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ConvBlock(a, b) for a, b in pairwise([inputs, *widths]))
        self.films = nn.ModuleList(Film(KNOWN, width) for width in widths)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: torch.Tensor, known: torch.Tensor) -> list[torch.Tensor]:
        """Return the features of every level, from the finest."""
        found = []
        for block, film in zip(self.blocks, self.films, strict=True):
            x = film(block(self.pool(x) if found else x), known)
            found.append(x)
        return found


class Fate(nn.Module):
    """Final infarct, given how the reperfusion turns out.

    `encode` looks at the images once; `decode` answers for one course of events and can be asked again with another at
    a fraction of the price.

    Parameters
    ----------
    sections : int
        Consecutive sections, odd; the centre one is predicted.
    filters : int
        Of the first level; each deeper one has twice as many.
    levels : int
        Depth.
    """

    arrangement = "stack"
    channels = len(IMAGES)

    def __init__(self, sections: int = 5, filters: int = 16, levels: int = 5) -> None:
        super().__init__()
        if sections % 2 != 1:
            raise ValueError(f"sections is {sections}; an odd number has a centre")
        self.sections = sections
        self.multiple = 2 ** (levels - 1)
        widths = [filters * 2**level for level in range(levels)]
        self.encoder = Encoder(self.channels * sections, widths)
        up = list(pairwise(widths[::-1]))
        self.told = Film(LENGTH, widths[-1])
        self.ups = nn.ModuleList(nn.ConvTranspose2d(a, b, kernel_size=2, stride=2) for a, b in up)
        self.gates = nn.ModuleList(AttentionGate(b, b, b // 2) for _, b in up)
        self.decoders = nn.ModuleList(ConvBlock(2 * b, b) for _, b in up)
        self.films = nn.ModuleList(Film(LENGTH, b) for _, b in up)
        self.head = nn.Conv2d(filters, 1, kernel_size=1)

    def encode(self, x: torch.Tensor, told: torch.Tensor) -> list[torch.Tensor]:
        """Return the features of every level; they depend on images, modality and which images there are.

        Parameters
        ----------
        x : torch.Tensor
            ``(batch, sections × 6, height, width)``, all images (`IMAGES`) of the first section, then of the next;
            height and width multiples of `multiple`. Images that ``told`` says are missing are set to 0 here, whatever
            they hold.
        told : torch.Tensor
            ``(batch, 14)``, `StrokePredictLib.networks.course.Course.vector` of every entry.
        """
        present = told[:, PRESENT].to(x.dtype).repeat(1, self.sections)
        return self.encoder(x * present[:, :, None, None], told[:, :KNOWN])

    def decode(self, features: list[torch.Tensor], told: torch.Tensor) -> torch.Tensor:
        """Return the logit of the centre section, ``(batch, 1, height, width)``, for one course of events."""
        x = self.told(features[-1], told)
        steps = zip(self.ups, self.gates, self.decoders, self.films, features[-2::-1], strict=True)
        for up, gate, decoder, film, skip in steps:
            x = up(x)
            x = film(decoder(torch.cat([gate(skip, x), x], dim=1)), told)
        return self.head(x)

    def forward(self, x: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        """Return the logit of the centre section; see `encode`. The sigmoid gives the probability."""
        return self.decode(self.encode(x, told), told)
