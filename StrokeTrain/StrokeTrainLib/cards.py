"""A recipe to the card of the model that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from StrokePredictLib.models.calibration import Calibration
from StrokePredictLib.models.card import WEIGHTS, Card, Training

from .recipes.describe import changes

if TYPE_CHECKING:
    from .recipes.schema import Recipe

INTENDED_USE = "For research. Trained on the patients named under training; nothing is known of its use on others."


def input_card(recipe: Recipe) -> Card:
    """Return the card by which a patient is prepared: training and use share one code.

    Raises
    ------
    pydantic.ValidationError
        If the recipe breaks a rule of cards.
    """
    return Card(
        name=recipe.name,
        title=recipe.title,
        target=recipe.target,
        segment=recipe.segment,
        reperfusion=recipe.selection.reperfusion,
        network=recipe.network,
        channels=recipe.channels,
        arrangement=recipe.view.arrangement,
        sections=recipe.view.context,
        times=recipe.view.times,
        interval_s=recipe.view.interval_s,
        output="probability" if recipe.task == "classification" else "map",
        mirror=recipe.mirror,
        spacing_mm=recipe.spacing_mm,
        matrix=recipe.matrix,
        threshold=recipe.threshold,
        demonstration=False,
        intended_use="",
        licence="",
        scores={},
        training=Training(data="", simulated=False, patients=0, salt="", patient_hashes=[], seed=0),
    )


def to_card(
    recipe: Recipe,
    *,
    name: str | None = None,
    title: str | None = None,
    data: str = "",
    simulated: bool = False,
    patients: int = 0,
    salt: str = "",
    patient_hashes: Sequence[str] = (),
    ancestors: Sequence[str] = (),
    calibration_hashes: Sequence[str] = (),
    phantom: str = "",
    seed: int = 0,
    scores: Mapping[str, float | str] | None = None,
    weights: Sequence[str] = (WEIGHTS,),
    calibration: Calibration | None = None,
    label_above: float | None = None,
    intended_use: str = INTENDED_USE,
    licence: str = "not stated",
) -> Card:
    """Return the card of a model trained by a recipe.

    Parameters
    ----------
    recipe : Recipe
        What it was trained by; what differs from the paper's defaults is said in the card.
    name, title : str, optional
        The recipe's if left out.
    data : str
        On whom, in words.
    simulated : bool
        Whether nobody was imaged: the weights are demonstration weights then.
    patients, salt, patient_hashes, ancestors, calibration_hashes, phantom, seed
        Of the training (`StrokePredictLib.models.card.Training`).
    scores : mapping
        Measured on patients that no network of the model has seen.
    weights : sequence of str
        Files of the bundle, one a member.
    calibration : Calibration, optional
        For the volume interval.
    label_above : float, optional
        Of a core classifier: volume in mL from which the core is called large.
    """
    known = {
        "name": name or recipe.name,
        "title": title or recipe.title,
        "weights": list(weights),
        "calibration": calibration,
        "demonstration": simulated,
        "intended_use": intended_use,
        "licence": licence,
        "scores": dict(scores or {}),
        "training": Training(
            data=_data_in_words(recipe, data, label_above),
            simulated=simulated,
            patients=patients,
            salt=salt,
            patient_hashes=list(patient_hashes),
            ancestors=list(ancestors),
            calibration_hashes=list(calibration_hashes),
            phantom=phantom,
            seed=seed,
        ),
    }
    return Card.model_validate(dict(input_card(recipe)) | known)


def _data_in_words(recipe: Recipe, data: str, label_above: float | None) -> str:
    said = [data.rstrip(".")] if data else []
    if label_above is not None:
        said.append(f"Large: core above {label_above:.1f} mL, the median of the training patients")
    deviations = changes(recipe)
    if deviations:
        preset = " (reduced preset)" if recipe.preset == "small" else ""
        said.append(f"Recipe {recipe.name}{preset}, changed from its defaults: {'; '.join(deviations)}")
    else:
        said.append(f"Recipe {recipe.name} with its defaults")
    return ". ".join(said) + "."
