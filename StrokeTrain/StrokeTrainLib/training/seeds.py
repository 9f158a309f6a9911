"""Where randomness comes from: never from a state that would have to be saved."""

from __future__ import annotations

import numpy as np


def derived_seed(seed: int, *place: int) -> int:
    """Return a seed for one place of a run, such as ``(fold, epoch, rank)``.

    The same numbers give the same seed on every machine; neighbouring places give unrelated ones
    (`numpy.random.SeedSequence`).
    """
    return int(np.random.SeedSequence([seed, *place]).generate_state(1, np.uint64)[0] >> 1)


def seed_torch(seed: int, *place: int) -> None:
    """Seed torch's global generators, which dropout and initialisation read, for one place of a run."""
    import torch

    torch.manual_seed(derived_seed(seed, *place))
