"""A recipe to its network, ready to train."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models.weights import external_features_file
from StrokePredictLib.networks import create

from .initialisation import begin_with, initialise
from .recipes.describe import FROM_SCRATCH
from .recipes.override import overridden
from .recipes.registry import default, definitions
from .recipes.schema import Recipe, validated

if TYPE_CHECKING:
    from torch import nn

#: More weights than any of the networks has with options that make sense; 4 GB, and the optimiser's twice as much.
_MOST_WEIGHTS = 1_000_000_000


def settle(recipe: Recipe) -> tuple[Recipe, list[str]]:
    """Return the recipe as this machine can train it, and what had to be changed, in words.

    Where the ImageNet weights of a classifier's image features are not at hand, the features are trained, and by a
    lower rate than a user left at its default: at that of the frozen features the loss diverges.
    """
    if not recipe.network.external_features:
        return recipe, []
    try:
        path = external_features_file(recipe.name)
    except StrokeError as error:
        changed = dict(FROM_SCRATCH)
        said = f"The image features are trained from scratch instead of frozen: {error}"
        usual = default(recipe.name).optimiser.rate if recipe.name in definitions() else None
        if recipe.optimiser.rate == usual:
            said += f" The rate is {changed['optimiser.rate']:g} instead of {usual:g} (ours: at that it diverges)."
        else:
            del changed["optimiser.rate"]
        found = validated(overridden(recipe.model_dump(mode="json"), changed), recipe.name)
        return found, [said]
    return recipe, [f"The image features are ImageNet's, frozen, from {path.name}."]


def probe(recipe: Recipe) -> None:
    """Build everything that training needs and send one batch's shape through the network, without any memory for it.

    Raises
    ------
    StrokeError
        If a network cannot be built with the recipe's options, is too large, or cannot take the recipe's input: in one
        line, before hours are spent on preparing patients for it.
    """
    import torch

    from .losses import build_loss
    from .optimisers import build_optimiser

    try:
        with torch.device("meta"):
            network = create(recipe.network.name, **recipe.network.options).train()
            _require_weights(recipe, network)
            _require_fitting(recipe, network)
            network(**_example(recipe))
        build_loss(recipe)
        build_optimiser(recipe, network)
    except StrokeError:
        raise
    except Exception as error:  # torch and MONAI raise many kinds on an option that makes no sense
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise StrokeError(
            f"recipe {recipe.name}: network '{recipe.network.name}' cannot be trained with {recipe.network.options}, "
            f"matrix {recipe.matrix} and this optimiser ({reason}); change what was set."
        ) from error


def _require_weights(recipe: Recipe, network: nn.Module) -> None:
    sizes = [parameter.numel() for parameter in network.parameters()]
    if not sizes or 0 in sizes or sum(sizes) > _MOST_WEIGHTS:
        fault = f"{sum(sizes):,} weights, too many" if sum(sizes) > _MOST_WEIGHTS else "layers without weights"
        raise StrokeError(
            f"recipe {recipe.name}: network '{recipe.network.name}' with {recipe.network.options} has {fault}; change "
            "its options."
        )


def _example(recipe: Recipe) -> dict[str, Any]:
    """Return a batch of two as the network takes it, of zeros; sequences have three sections."""
    import torch

    from StrokePredictLib.networks.course import Course

    view, channels, size = recipe.view, len(recipe.channels), recipe.matrix[::-1]
    shapes = {
        "section": (channels,), "stack": (view.context * channels,), "sequence": (3, channels),
        "series": (view.context, view.times),
    }  # fmt: skip
    example = {"x": torch.zeros(2, *shapes[view.arrangement], *size)}
    if view.arrangement == "sequence":
        example["present"] = torch.ones(2, 3, dtype=torch.bool)
    if recipe.condition is not None:
        example["told"] = torch.zeros(2, len(Course().vector([], "MR")))
    return example


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
        if recipe.lesion_prior is not None:
            begin_with(network, recipe.lesion_prior)
    _require_fitting(recipe, network)
    if recipe.network.external_features:
        network.load_features(external_features_file(recipe.name))
    return network.train()


def _require_fitting(recipe: Recipe, network: nn.Module) -> None:
    """Raise `StrokeError` where a network does not take the recipe's input."""
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
