"""What a training step gets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

#: Classes of a voxel; `IGNORE`: sections that only fill up a batch of unequal stacks.
LESION, TISSUE, BACKGROUND, IGNORE = 0, 1, 2, 255


@dataclass(frozen=True)
class Batch:
    """Some samples.

    Attributes
    ----------
    x : dict of str to torch.Tensor
        By the name of the network's argument: ``network(**batch.x)``.
    y : torch.Tensor
        uint8 classes ``(batch, y, x)``, or ``(batch, section, y, x)`` of whole stacks; of a classifier float32
        ``(batch, 1)``.
    ids : list of str
        Patient of every sample.
    sections : list of int
        Section of every sample in its `Entry`; −1: the whole patient.
    share : float
        By which to multiply the loss before going backwards: 1 in one process. Where several share a batch, it makes
        the mean of their gradients that of the whole batch; 0 in a process that has nothing left and only keeps up.
    """

    x: dict[str, torch.Tensor]
    y: torch.Tensor
    ids: list[str]
    sections: list[int]
    share: float = 1.0

    def __len__(self) -> int:
        return len(self.ids)

    def to(self, device: Any, *, channels_last: bool = False) -> Batch:
        """Return it on a device; images of single sections with the channels last in memory if asked to."""
        import torch

        def moved(tensor: torch.Tensor) -> torch.Tensor:
            if channels_last and tensor.ndim == 4 and tensor.is_floating_point():
                return tensor.to(device, non_blocking=True, memory_format=torch.channels_last)
            return tensor.to(device, non_blocking=True)

        return replace(self, x={name: moved(tensor) for name, tensor in self.x.items()}, y=moved(self.y))

    def pinned(self) -> Batch:
        """Return it in memory from which a GPU copies fastest."""
        return replace(self, x={name: tensor.pin_memory() for name, tensor in self.x.items()}, y=self.y.pin_memory())
