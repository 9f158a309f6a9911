"""Weights to start from: another model's, if it is the same network on the same images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models.bundle import Bundle, find_bundle, open_bundle
from StrokePredictLib.models.card import Card

if TYPE_CHECKING:
    import torch

    from ..cohort.table import Patient
    from ..recipes.schema import Recipe

from .ancestry import lineage
from .identity import seen


def open_initial(name: str, recipe: Recipe) -> Bundle:
    """Return the model to start from.

    Parameters
    ----------
    name : str
        Of a model at hand, or a bundle's folder.
    recipe : Recipe
        What is to be trained.

    Raises
    ------
    StrokeError
        If there is no such model, or it is another network, or takes other images.
    """
    bundle = open_bundle(find_bundle(name))
    if _architecture(bundle.card) != _architecture(recipe):
        raise StrokeError(
            f"--init {name}: its network is {in_words(bundle.card)}, recipe '{recipe.name}' trains {in_words(recipe)}; "
            "give a model of the recipe's network, or leave out --init."
        )
    theirs, ours = ([channel.role for channel in side.channels] for side in (bundle.card, recipe))
    if theirs != ours:
        raise StrokeError(
            f"--init {name}: its images are {', '.join(theirs)}, those of recipe '{recipe.name}' {', '.join(ours)}; "
            "both must be the same, in the same order."
        )
    return bundle


def in_words(side: Card | Recipe) -> str:
    """Return a network's name and options."""
    options = ", ".join(f"{key}={value}" for key, value in sorted(side.network.options.items()))
    return f"'{side.network.name}'" + (f" ({options})" if options else "")


def _architecture(side: Any) -> tuple[str, dict[str, Any]]:
    """Return what decides the weights' shapes: name and options with the defaults filled in, dropout aside."""
    import inspect
    from importlib import import_module

    from StrokePredictLib.networks import NETWORKS

    module, cls = NETWORKS[side.network.name].split(":")
    network = getattr(import_module(f"StrokePredictLib.networks.{module}"), cls)
    parameters = inspect.signature(network).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    options = defaults | side.network.options
    return side.network.name, {key: value for key, value in options.items() if key not in ("dropout", "freeze")}


def initial_weights(bundle: Bundle, fold: int) -> dict[str, torch.Tensor]:
    """Return the weights for a fold: of an ensemble, a member each."""
    return bundle.load((fold - 1) % len(bundle.card.weights)).state_dict()


def only_for_training(bundle: Bundle, patients: list[Patient], target: str) -> list[str]:
    """Return patients who must not test what starts from a model.

    The model or one that it was made from has seen them, or their outline began as a prediction of one of its
    relatives (`StrokeTrainLib.training.ancestry.lineage`).
    """
    relatives = lineage(bundle)
    known = {patient.id for patient in seen(bundle.card, patients)}
    known |= {p.id for p in patients if any(relatives.holds(label.start_hash) for label in p.labels_of(target))}
    return sorted(known)
