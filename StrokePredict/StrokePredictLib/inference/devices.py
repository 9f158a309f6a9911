"""Where a network runs, in batches of which size, and what is done when memory runs out."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import StrokeError

if TYPE_CHECKING:
    import torch
    from torch import nn

#: Bytes that the feature maps of one batch may take on a CPU: with weights and images, well below 1.5 GB in all.
CPU_BYTES = 200 * 2**20
#: Share of a GPU's free memory that one batch may take.
GPU_SHARE = 0.5
LARGEST_BATCH = {"cpu": 8, "cuda": 64, "mps": 16}


def choose_device(device: str) -> torch.device:
    """Return the torch device for ``auto``, ``cuda``, ``mps`` or ``cpu``.

    Raises
    ------
    StrokeError
        If the one asked for is not there.
    """
    import torch

    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if device == "auto":
        return torch.device(next(name for name, present in there.items() if present))
    if device not in there:
        raise StrokeError(f"no device '{device}'; there are auto, {', '.join(there)}.")
    if not there[device]:
        raise StrokeError(f"no {device} device on this machine; use --device auto or cpu.")
    return torch.device(device)


def feature_bytes(network: nn.Module, item: tuple[torch.Tensor, ...]) -> int:
    """Return the bytes of all feature maps that one item makes on its way through: an upper bound, nothing is computed.

    Parameters
    ----------
    network : torch.nn.Module
        On any device; a copy without data is run.
    item : tuple of torch.Tensor
        Inputs with a batch of one.
    """
    import torch

    total = 0

    def count(module: nn.Module, inputs: Any, output: Any) -> None:
        nonlocal total
        if isinstance(output, torch.Tensor) and not list(module.children()):
            total += output.numel() * output.element_size()

    # deepcopy would copy the weights first; the memo gives each a stand-in without data.
    empty = {id(p): torch.nn.Parameter(p.to("meta"), requires_grad=False) for p in network.parameters()}
    empty |= {id(b): b.to("meta") for b in network.buffers()}
    shadow = copy.deepcopy(network, empty)
    for module in shadow.modules():
        module.register_forward_hook(count)
    shadow(*(part.to("meta") for part in item))
    return max(total, 1)


def batch_size(network: nn.Module, item: tuple[torch.Tensor, ...], device: torch.device) -> int:
    """Return how many items fit the device's memory at once."""
    import torch

    budget = CPU_BYTES
    if device.type == "cuda":
        budget = int(GPU_SHARE * torch.cuda.mem_get_info(device)[0])
    return max(1, min(LARGEST_BATCH.get(device.type, 8), budget // feature_bytes(network, item)))


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device's memory is used up; torch raises three kinds."""
    import torch

    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in words or "can't allocate memory" in words)


@dataclass
class Runner:
    """Runs batches on a device; when memory runs out it goes on with less, and remembers that.

    Smaller batches first, then results kept in the computer's memory instead of the device's, then the CPU.

    Attributes
    ----------
    device : torch.device
        Where it runs now.
    batch : int
        Items at once; 0: not known yet.
    notes : list of str
        What was given up, for the record and the reader.
    """

    device: torch.device
    batch: int = 0
    results_on_device: bool = True
    notes: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """Return device, precision and notes."""
        precision = "float16 autocast" if self.device.type == "cuda" else "float32"
        return {"device": self.device.type, "precision": precision, "batch": self.batch, "notes": list(self.notes)}

    def run(
        self,
        network: nn.Module,
        inputs: tuple[torch.Tensor, ...],
        told: Callable[[float], None],
        *,
        call: Callable[..., Any] | None = None,
        size: Callable[[], int] | None = None,
    ) -> Any:
        """Return the network's output for all items, float32 on the CPU.

        Parameters
        ----------
        network : torch.nn.Module
            In evaluation mode.
        inputs : tuple of torch.Tensor
            On the CPU, one item an entry of the first axis.
        told : callable
            Gets the fraction done.
        call : callable, optional
            Called in the network's place with a batch; may return a list of tensors.
        size : callable, optional
            Returns how many items fit at once; `batch_size` of the first item if left out.

        Returns
        -------
        torch.Tensor or list of torch.Tensor
            As ``call`` gives it, for all items.

        Raises
        ------
        StrokeError
            If the computer's own memory is not enough either.
        """
        while True:
            try:
                if not self.batch:
                    item = tuple(part[:1] for part in inputs)
                    self.batch = size() if size else batch_size(network, item, self.device)
                return self._pass(network, inputs, told, call or network)
            except Exception as error:
                if not out_of_memory(error):
                    raise
            # Outside the handler: the traceback would hold the tensors that are to be freed.
            self._give_up_something(min(self.batch, len(inputs[0])))

    def _pass(
        self,
        network: nn.Module,
        inputs: tuple[torch.Tensor, ...],
        told: Callable[[float], None],
        call: Callable[..., Any],
    ) -> Any:
        import torch

        count = len(inputs[0])
        # On a CPU the convolutions are about 1.6 times faster with the channels last.
        layout = torch.channels_last if self.device.type == "cpu" else torch.contiguous_format
        network.to(self.device, memory_format=layout)
        half = torch.autocast("cuda", torch.float16) if self.device.type == "cuda" else contextlib.nullcontext()
        found: list[list[torch.Tensor]] = []
        single = True
        with torch.inference_mode(), half:
            for start in range(0, count, self.batch):
                batch = (part[start : start + self.batch].to(self.device) for part in inputs)
                output = call(*(part.to(memory_format=layout) if part.ndim == 4 else part for part in batch))
                single = not isinstance(output, (list, tuple))
                outputs = [part.float() for part in ([output] if single else output)]
                found.append(outputs if self.results_on_device else [part.cpu() for part in outputs])
                told(min(1.0, (start + self.batch) / count))
            joined = [torch.cat(parts).cpu() for parts in zip(*found, strict=True)]
        return joined[0] if single else joined

    def _give_up_something(self, batch: int) -> None:
        import torch

        kind = self.device.type
        if self.device.type == "cuda" and torch.cuda.is_available():
            torch.cuda.empty_cache()
        if batch > 1:
            self.batch = batch // 2
            self._say(f"The {kind} device ran out of memory; went on with {self.batch} sections at once.")
        elif kind != "cpu" and self.results_on_device:
            self.results_on_device = False
            self._say(f"The {kind} device ran out of memory; results were kept in the computer's memory.")
        elif kind != "cpu":
            self.device = torch.device("cpu")
            self.batch = 0
            self._say(f"The {kind} device ran out of memory; the prediction ran on the CPU.")
        else:
            raise StrokeError("the computer's memory is not enough for this prediction; close other programs.")

    def _say(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)
