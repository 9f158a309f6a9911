"""MONAI's DynUNet, a U-Net as nnU-Net sets it up (Isensee et al., Nature Methods 2021;18:203): the strong baseline."""

from __future__ import annotations

import torch
from torch import nn

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
        self.net = DynUNet(
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
        found = self.net(x)
        return list(found.unbind(1)) if found.ndim == 5 else found
