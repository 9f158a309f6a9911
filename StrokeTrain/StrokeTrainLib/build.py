"""A recipe to its network, ready to train."""

from __future__ import annotations

from typing import TYPE_CHECKING

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models.weights import external_features_file
from StrokePredictLib.networks import create

from .initialisation import initialise
from .recipes.override import overridden
from .recipes.schema import Recipe, validated

if TYPE_CHECKING:
    from torch import nn


def settle(recipe: Recipe) -> tuple[Recipe, list[str]]:
    """Return the recipe as this machine can train it, and what had to be changed, in words.

    Where the ImageNet weights of a classifier's image features are not at hand, the features are trained.
    """
    if not recipe.network.external_features:
        return recipe, []
    try:
        path = external_features_file(recipe.name)
    except StrokeError as error:
        changed = {"network.external_features": False, "network.options.freeze": False, "initialisation": "he"}
        found = validated(overridden(recipe.model_dump(mode="json"), changed), recipe.name)
        return found, [f"The image features are trained from scratch instead of frozen: {error}"]
    return recipe, [f"The image features are ImageNet's, frozen, from {path.name}."]


def build_network(recipe: Recipe, seed: int = 0) -> nn.Module:
    """Return the recipe's network, its weights drawn from a seed, in training mode on the CPU.

    Raises
    ------
    StrokeError
        If an option is unknown, the network does not take the recipe's input, or weights lie in a file that is not
        there.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = create(recipe.network.name, **recipe.network.options)
        initialise(network, recipe.initialisation)
    taken = {
        "view.arrangement": (recipe.view.arrangement, network.arrangement),
        "channels": (len(recipe.channels), getattr(network, "channels", len(recipe.channels))),
        "view.context": (recipe.view.context, getattr(network, "sections", recipe.view.context)),
    }
    for what, (said, wanted) in taken.items():
        if said != wanted:
            name = recipe.network.name
            raise StrokeError(f"recipe {recipe.name}: {what} is {said}, but network '{name}' takes {wanted}.")
    if any(size % network.multiple for size in recipe.matrix):
        raise StrokeError(f"recipe {recipe.name}: matrix {recipe.matrix} must be multiples of {network.multiple}.")
    if recipe.network.external_features:
        network.load_features(external_features_file(recipe.name))
    return network.train()
