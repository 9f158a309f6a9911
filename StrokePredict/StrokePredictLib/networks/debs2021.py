"""The late-fusion U-Net of Debs et al., NeuroImage: Clinical 2021;29:102548."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from .blocks import ConvBlock

LEVELS = 5


class Encoder(nn.Module):
    """One branch: five Conv Blocks with 2×2 max-pooling between, dropout at the two deepest levels (Table 1)."""

    def __init__(self, channels: int, widths: list[int], dropout: float) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ConvBlock(a, b) for a, b in pairwise([channels, *widths]))
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Return the skips of the four upper levels, and the bottleneck."""
        skips = []
        for level, block in enumerate(self.blocks[:-1]):
            x = block(x)
            skips.append(x)
            x = self.pool(self.dropout(x) if level == len(self.blocks) - 2 else x)
        return skips, self.dropout(self.blocks[-1](x))


class Debs2021(nn.Module):
    """U-Net with one encoder an input (late fusion) or one for all (early fusion).

    The branches meet at the bottleneck by concatenation; each decoder level is a 2×2 transposed convolution,
    concatenated with that level's skips of all branches, then a Conv Block. Trainable parameters: 1,997,851 (5 inputs),
    1,242,603 (3), 487,355 (1); early fusion with 5 channels 487,643.

    The paper does not state the activations: ReLU after each convolution is ours.

    Parameters
    ----------
    channels : int
        Number of input images.
    fusion : {"late", "early"}
        One branch an image, or one branch for all.
    classes : int
        Output classes: lesion, healthy tissue, background.
    dropout : float
        Probability; 0.5 in the paper.
    filters : int
        Of the first level; each deeper one has twice as many. 8 in the paper.
    """

    #: Input height and width must be multiples of this.
    multiple = 16
    #: What the first axis of an input is (`StrokePredictLib.models.card.Card.arrangement`).
    arrangement = "section"

    def __init__(
        self, channels: int = 5, fusion: str = "late", classes: int = 3, dropout: float = 0.5, filters: int = 8
    ) -> None:
        super().__init__()
        if fusion not in ("late", "early"):
            raise ValueError(f"fusion is 'late' or 'early', not '{fusion}'")
        self.channels, self.fusion = channels, fusion
        branches = channels if fusion == "late" else 1
        widths = [filters * 2**level for level in range(LEVELS)]
        self.encoders = nn.ModuleList(Encoder(channels // branches, widths, dropout) for _ in range(branches))
        self.ups, self.decoders = nn.ModuleList(), nn.ModuleList()
        width = widths[-1] * branches
        for narrower in widths[-2::-1]:
            self.ups.append(nn.ConvTranspose2d(width, narrower, kernel_size=2, stride=2))
            self.decoders.append(ConvBlock(narrower * (1 + branches), narrower))
            width = narrower
        self.head = nn.Conv2d(width, classes, kernel_size=3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : torch.Tensor
            ``(batch, channels, height, width)``, each channel scaled to 0..1; height and width multiples of 16.

        Returns
        -------
        torch.Tensor
            ``(batch, classes, height, width)``; softmax gives probabilities, class 0 is the lesion.
        """
        parts = x.split(1, dim=1) if self.fusion == "late" else [x]
        skips, deepest = zip(*(encoder(part) for encoder, part in zip(self.encoders, parts, strict=True)), strict=True)
        x = torch.cat(deepest, dim=1)
        for level, (up, decoder) in enumerate(zip(self.ups, self.decoders, strict=True)):
            beside = [branch[-1 - level] for branch in skips]
            x = decoder(torch.cat([up(x), *beside], dim=1))
        return self.head(x)
