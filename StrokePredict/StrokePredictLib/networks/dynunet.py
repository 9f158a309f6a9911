"""MONAI's DynUNet, a U-Net as nnU-Net sets it up (Isensee et al., Nature Methods 2021;18:203): the strong baseline."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import interpolate

from ..errors import StrokeError

#: Most filters of a level.
WIDEST = 512


class Dynunet(nn.Module):
    """2D U-Net with instance normalisation and leaky ReLU; neighbouring sections are input channels.

    Every level but the first halves the resolution by a strided convolution and doubles the filters.

    Parameters
    ----------
    channels : int
        Images a section.
    sections : int
        Consecutive sections, odd.
    filters : int
        Of the first level.
    levels : int
        Depth, at least 3.
    deep_supervision : bool
        Whether, in training, the decoder's deeper levels answer too.

    Raises
    ------
    StrokeError
        If MONAI is not installed.
    """

    #: What the first axis of an input is (`StrokePredictLib.models.card.Card.arrangement`).
    arrangement = "stack"

    def __init__(
        self, channels: int = 5, sections: int = 3, filters: int = 32, levels: int = 5, deep_supervision: bool = True
    ) -> None:
        super().__init__()
        if sections % 2 != 1:
            raise ValueError(f"sections is {sections}; an odd number has a centre")
        if levels < 3:
            raise ValueError(f"levels is {levels}; at least 3 are needed")
        try:
            from monai.networks.nets import DynUNet
        except ImportError as error:
            raise StrokeError("network 'dynunet' needs MONAI; install it (pip install monai).") from error
        self.channels, self.sections = channels, sections
        self.multiple = 2 ** (levels - 1)
        strides = [1] + [2] * (levels - 1)
        net = DynUNet(
            spatial_dims=2,
            in_channels=channels * sections,
            out_channels=1,
            kernel_size=[3] * levels,
            strides=strides,
            upsample_kernel_size=strides[1:],
            filters=[min(filters * 2**level, WIDEST) for level in range(levels)],
            deep_supervision=deep_supervision,
            deep_supr_num=max(1, levels - 3),
        )
        # Its parts, without the chain that holds each a second time (and keeps the last outputs): such a network can
        # be neither written as safetensors nor copied.
        self.downs = nn.ModuleList([net.input_block, *net.downsamples, net.bottleneck])
        self.ups = net.upsamples
        self.head = net.output_block
        self.deeper = net.deep_supervision_heads if deep_supervision else nn.ModuleList()

    def forward(self, x: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        """Return the logit of the centre section.

        Parameters
        ----------
        x : torch.Tensor
            ``(batch, sections × channels, height, width)``, all channels of the first section, then of the next;
            height and width multiples of `multiple`.

        Returns
        -------
        torch.Tensor or list of torch.Tensor
            ``(batch, 1, height, width)``; in training with deep supervision a list of such, the finest level first.
        """
        size = x.shape[2:]
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
        levels = []
        for up, skip in zip(self.ups, skips[-2::-1], strict=True):
            x = up(x, skip)
            levels.append(x)
        found = self.head(x)
        if not (self.training and len(self.deeper)):
            return found
        # The finest level answers through the head; the next coarser ones through heads of their own.
        coarser = levels[-2 : -2 - len(self.deeper) : -1]
        return [found] + [interpolate(head(x), size) for head, x in zip(self.deeper, coarser, strict=True)]
