"""A network, its data and its rules so small that a whole training takes a second."""

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import nn

from StrokePredictLib.networks import create

LESION, TISSUE, BACKGROUND = 0, 1, 2


@dataclass
class SmallBatch:
    x: dict
    y: torch.Tensor
    ids: list
    sections: list = field(default_factory=list)
    share: float = 1.0

    def to(self, device):
        return replace(self, x={k: v.to(device) for k, v in self.x.items()}, y=self.y.to(device))


class SmallBatches:
    """Discs on noise; everything follows from (seed, epoch, step), and a rank gets its slice of the global batch."""

    def __init__(self, part, epoch, *, steps=3, batch=4, size=16, channels=2, sections=0, rank=0, world=1, pause=0.0):
        self.part, self.epoch, self.steps, self.batch = part, epoch, steps, batch
        self.size, self.channels, self.sections = size, channels, sections
        self.rank, self.world, self.pause = rank, world, pause

    def __len__(self):
        return self.steps

    def __iter__(self):
        import time

        for step in range(self.steps):
            time.sleep(self.pause)
            yield self.make(np.random.default_rng([self.part == "train", self.epoch, step]), step)

    def make(self, generator, step):
        shape = (self.batch, self.sections or 1, self.channels, self.size, self.size)
        x = generator.normal(0.3, 0.1, shape).astype(np.float32)
        row, column = np.ogrid[: self.size, : self.size]
        y = np.full((self.batch, self.sections or 1, self.size, self.size), TISSUE, np.uint8)
        for one in range(self.batch):
            centre = generator.uniform(4, self.size - 4, 2)
            disc = np.hypot(row - centre[0], column - centre[1]) < 3
            x[one, :, :, disc] += 0.4
            y[one, :, disc] = LESION
        if not self.sections:
            x, y = x[:, 0], y[:, 0]
        share = self.batch // self.world
        mine = slice(self.rank * share, (self.rank + 1) * share)
        ids = [f"sub-{step}{i}" for i in range(self.batch)][mine]
        return SmallBatch({"x": torch.from_numpy(x[mine])}, torch.from_numpy(y[mine]), ids)


class Tiny(nn.Module):
    """Batch normalisation and dropout, whose states a resume must not lose."""

    def __init__(self, channels=2):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.3),
            nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 1, 1),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x)


def lesion_loss(output, y):
    """Cross-entropy of lesion against the rest."""
    return nn.functional.binary_cross_entropy_with_logits(output.squeeze(-3), (y == LESION).float())


def small_parts(network=None, rate=1e-2, **data):
    """A whole set of parts around a tiny network."""
    from StrokeTrainLib.training.parts import Parts

    if network is None:
        torch.manual_seed(11)
        network = Tiny()
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda i: 1 / (1 + 0.01 * i))
    return Parts(
        network, optimiser, lesion_loss, lambda part, epoch: SmallBatches(part, epoch, **data), per_iteration=schedule
    )


def small_alis(seed=5):
    torch.manual_seed(seed)
    return create("alis2020", channels=2)
