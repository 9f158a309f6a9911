"""The CT perfusion core classifier of Mittermeier et al., Diagnostics 2022;12:1142."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from ..errors import StrokeError
from .vgg19 import FILTERS, LAYOUT, PREFIX, read_torchvision_file, vgg19_features

#: Kernel of the temporal convolution of each path, in time points.
PATHS = {"local": 3, "global": 11}
#: Filters of each temporal convolution.
TEMPORAL = 3


class TemporalPaths(nn.Module):
    """What one section's features do over time: a 1D convolution with three filters a path, then its maximum."""

    def __init__(self, features: int, paths: Sequence[str], filters: int, dropout: float) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(features, filters, kernel_size=PATHS[path], padding=PATHS[path] // 2) for path in paths
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``(batch, filters × paths)`` of ``(batch, features, times)``."""
        x = self.dropout(x)
        found = [self.dropout(torch.relu(convolution(x))).amax(dim=2) for convolution in self.convolutions]
        return self.dropout(torch.cat(found, dim=1))


class Mittermeier2022(nn.Module):
    """Probability that the infarct core is large, from two sections of a CT perfusion series.

    VGG19's features of every time point (one network for all times and both sections), their maximum over the section,
    then two temporal paths a section with weights of its own, and two dense layers. 43,469 trainable parameters over
    20,024,384 frozen ones.

    The paper starts from ImageNet's weights, which cannot be shipped: `load_features` takes torchvision's file by its
    parameters' names; without it the features must be trained (``freeze=False``).

    Parameters
    ----------
    sections : int
        2 in the paper: basal ganglia and supraganglionic level.
    paths : {"both", "local", "global"}
        Temporal kernels: 3 (local), 11 (global); one alone is the paper's ablation.
    freeze : bool
        Whether the features stay as they are.
    dropout : float
        Probability; the paper does not state it.
    filters : int
        Of the feature extractor's first convolution; the others in proportion (`vgg19.vgg19_features`). 64 is VGG19,
        the paper's; fewer make a narrow extractor of the same depth, for which there are no ImageNet weights.
    batch_norm : bool
        Whether the extractor has batch normalisation, which the paper's has not: for training it from scratch.
    """

    multiple = 32
    arrangement = "series"

    def __init__(
        self,
        sections: int = 2,
        paths: str = "both",
        freeze: bool = True,
        dropout: float = 0.5,
        filters: int = FILTERS,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        if paths not in ("both", *PATHS):
            raise ValueError(f"paths is 'both', 'local' or 'global', not '{paths}'")
        chosen = tuple(PATHS) if paths == "both" else (paths,)
        self.sections, self.ours = sections, filters != FILTERS or batch_norm
        self.features = vgg19_features(filters, batch_norm).requires_grad_(not freeze)
        features = LAYOUT[-2] * filters
        self.temporal = nn.ModuleList(TemporalPaths(features, chosen, TEMPORAL, dropout) for _ in range(sections))
        self.dense = nn.Sequential(nn.Linear(TEMPORAL * len(chosen) * sections, 32), nn.ReLU(), nn.Linear(32, 1))

    def load_features(self, path: Path | str) -> None:
        """Put torchvision's VGG19 weights in.

        Raises
        ------
        StrokeError
            If the file is missing or of another network, or this network's extractor is not VGG19's.
        """
        if self.ours:
            raise StrokeError(
                f"ImageNet's weights are for {FILTERS} filters without batch normalisation; train other features "
                "(network.external_features=false, network.options.freeze=false)."
            )
        state = read_torchvision_file(path)
        self.features.load_state_dict({name.removeprefix(PREFIX): tensor for name, tensor in state.items()})

    def look(self, frames: torch.Tensor) -> torch.Tensor:
        """Return the spatial features of single frames, ``(frames, features)`` of ``(frames, height, width)``."""
        return self.features(frames[:, None].expand(-1, 3, -1, -1)).amax(dim=(2, 3))  # VGG19 wants three colours

    def decide(self, features: torch.Tensor) -> torch.Tensor:
        """Return the logit, ``(batch, 1)``, of features ``(batch, sections, times, features)``."""
        found = [path(features[:, section].transpose(1, 2)) for section, path in enumerate(self.temporal)]
        return self.dense(torch.cat(found, dim=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logit of "the core is large".

        Parameters
        ----------
        x : torch.Tensor
            ``(batch, sections, times, height, width)``, zero mean and unit variance; 32 times at 1.5 s and 128×128
            over 200 mm in the paper.

        Returns
        -------
        torch.Tensor
            ``(batch, 1)``; the sigmoid gives the probability.
        """
        return self.decide(self.look(x.flatten(0, 2)).unflatten(0, x.shape[:3]))
