"""The convolutional part of VGG19 (Simonyan and Zisserman 2015), its parameters named as torchvision names them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from ..errors import StrokeError

#: Filters of the 3×3 convolutions, in multiples of the first one's; 0 is 2×2 max-pooling.
LAYOUT = (1, 1, 0, 2, 2, 0, 4, 4, 4, 4, 0, 8, 8, 8, 8, 0, 8, 8, 8, 8, 0)
#: Filters of the first convolution.
FILTERS = 64
#: torchvision's file of ImageNet weights (VGG19_Weights.IMAGENET1K_V1); its name ends in the start of its SHA-256.
FILE = "vgg19-dcbb9e9d.pth"
PREFIX = "features."


def vgg19_features(filters: int = FILTERS, batch_norm: bool = False) -> nn.Sequential:
    """Return the layers ``features.0`` to ``features.36``, untrained: 20,024,384 parameters.

    ``(batch, 3, height, width)`` becomes ``(batch, 512, height / 32, width / 32)``.

    Parameters
    ----------
    filters : int
        Of the first convolution; the others have theirs in proportion, the last ones 8 times as many. Only VGG19's own
        64 take ImageNet's weights.
    batch_norm : bool
        Batch normalisation after every convolution: a network of this depth hardly learns from scratch without it.
    """
    layers: list[nn.Module] = []
    inputs = 3
    for multiple in LAYOUT:
        if multiple == 0:
            layers.append(nn.MaxPool2d(2))
            continue
        width = multiple * filters
        layers.append(nn.Conv2d(inputs, width, kernel_size=3, padding=1))
        layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True)] if batch_norm else [nn.ReLU(inplace=True)]
        inputs = width
    return nn.Sequential(*layers)


def read_torchvision_file(path: Path | str) -> dict[str, torch.Tensor]:
    """Return the ``features.*`` tensors of torchvision's VGG19 file.

    The file is a pickle: only tensors are unpickled (``weights_only``), so nothing in it can run.

    Raises
    ------
    StrokeError
        If the file is missing, unreadable, or of another network.
    """
    path = Path(path)
    if not path.is_file():
        raise StrokeError(f"{path}: no such file; torchvision's {FILE} (VGG19, ImageNet) is needed.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler raises many kinds for a broken or dangerous file
        reason = " ".join(str(error).split())[:120]
        raise StrokeError(f"{path}: is no readable file of weights ({reason}); download {FILE} again.") from error
    expected = {f"{PREFIX}{name}": tensor.shape for name, tensor in vgg19_features().state_dict().items()}
    if not isinstance(state, dict) or any(getattr(state.get(k), "shape", None) != s for k, s in expected.items()):
        raise StrokeError(f"{path}: does not hold VGG19's convolutions; torchvision's {FILE} is needed.")
    return {name: state[name] for name in expected}
