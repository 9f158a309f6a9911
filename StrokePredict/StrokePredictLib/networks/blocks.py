"""Building blocks that several networks share."""

from __future__ import annotations

from torch import nn


class ConvBlock(nn.Sequential):
    """Two times 3×3 convolution (with bias), batch normalisation, ReLU.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        layers: list[nn.Module] = []
        for channels in (inputs, outputs):
            layers += [
                nn.Conv2d(channels, outputs, kernel_size=3, padding=1),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]
        super().__init__(*layers)
