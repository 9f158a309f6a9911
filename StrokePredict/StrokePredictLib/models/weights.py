"""A network of our own list with a bundle's weights in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StrokeError
from .card import Card
from .store import user_folder

if TYPE_CHECKING:
    from torch import nn


def load_network(folder: Path, card: Card, weights: str) -> nn.Module:
    """Return the network that a card names, with the weights of a safetensors file, in evaluation mode on the CPU.

    Raises
    ------
    StrokeError
        If the file is no safetensors file, does not fit the network, or needs a file that is not there.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from ..networks import create

    network = create(card.network.name, **card.network.options)
    path = folder / weights
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise StrokeError(f"{path}: is no readable safetensors file ({error}); install the model again.") from error
    if card.network.external_features:
        network.load_features(external_features_file(card.name))
        own = network.state_dict()
        state = {name: own[name] for name in own if name.startswith("features.")} | state
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise StrokeError(f"{path}: its weights do not fit the network '{card.network.name}'.") from error
    _require_fit(network, card)
    return network.eval()


def _require_fit(network: nn.Module, card: Card) -> None:
    """Raise `StrokeError` where the card says something of the input that the network cannot take."""
    wanted = {
        "arrangement": (card.arrangement, network.arrangement),
        "channels": (len(card.channels), getattr(network, "channels", len(card.channels))),
        "sections": (card.sections, getattr(network, "sections", card.sections)),
    }
    for what, (said, taken) in wanted.items():
        if said != taken:
            raise StrokeError(f"model '{card.name}': its card says {what} {said}, its network takes {taken}.")
    if any(size % network.multiple for size in card.matrix):
        raise StrokeError(f"model '{card.name}': its matrix must be multiples of {network.multiple}.")


def external_features_file(model: str) -> Path:
    """Return where torchvision's VGG19 file lies: ``external`` in the user's model folder, or torch's own cache.

    Raises
    ------
    StrokeError
        If it is in neither, or is not the file that its name's hash says.
    """
    from ..networks.vgg19 import FILE
    from ..provenance import sha256_of

    cache = Path(os.environ.get("TORCH_HOME") or Path("~/.cache/torch").expanduser()) / "hub" / "checkpoints"
    places = [user_folder() / "external" / FILE, cache / FILE]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise StrokeError(
            f"model '{model}' needs torchvision's ImageNet weights {FILE}, which cannot be shipped: get them with "
            f"torchvision.models.vgg19(weights='IMAGENET1K_V1') or from its documentation, and put them at {places[0]}."
        )
    if not sha256_of(path).startswith(FILE.split("-")[1].removesuffix(".pth")):
        raise StrokeError(f"{path}: is not the file that its name says (its SHA-256 differs); download it again.")
    return path
