"""What a recipe is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models.card import Channel, Network

from .parts import (
    Augmentation,
    Condition,
    Loss,
    Optimiser,
    Part,
    Sampling,
    Schedule,
    Selection,
    Split,
    Training,
    View,
)

#: Size and spacing are part of the meaning of ``pixels``: a reduced preset has fewer and larger ones.
PRESETS = ("paper", "small")
#: In-plane pixels along an axis; images of the brain have 512 at most.
LARGEST_MATRIX = 1024


class Recipe(Part):
    """All that decides how a network is trained; saved as JSON with the run and read back equal.

    Attributes
    ----------
    name, title, paper : str
        For files, for readers, and whose it is.
    preset : str
        ``"paper"`` or ``"small"``: a reduced size for a machine with two cores; what it changes is in the card.
    target : str
        Label that is learnt: ``"acute-core"`` or ``"final-infarct"``.
    task : str
        ``"segmentation"`` or ``"classification"``.
    label : str
        Of a classifier: core volume from the reader's ``"outline"`` or from the ``"cbv"`` map (< 1.14 mL/100 g).
    segment : str
        Under which the mask is shown (`StrokePredictLib.segments.SEGMENTS`).
    selection : Selection
        Which patients.
    network : Network
        Architecture and options, as in the model's card.
    initialisation : str
        Weights at the start: ``"torch"``'s defaults; ``"keras"``' (Glorot, biases 0, orthogonal recurrent kernels); or
        ``"he"`` (normal, by fan-out, biases 0), as VGG has it.
    lesion_prior : float, optional
        Probability that a map begins with everywhere, by the last convolution's bias (Lin et al. 2017 took 0.01); None:
        as ``initialisation`` leaves it, about 0.5. Where the lesion is a thousandth of the image, the gradient of a
        Dice-like loss then grows by orders of magnitude as soon as the background is recognised, which Adam answers
        with steps that end in an empty prediction.
    channels : list of Channel
        Inputs, as in the card: the same code prepares them for training and for use.
    view : View
        What the network sees at once.
    spacing_mm, matrix : tuple
        In-plane voxel size and number of pixels, ``(x, y)``.
    threshold : float
        Probability from which a voxel is predicted.
    mirror : bool
        Whether, in use, the mean with the mirrored image's prediction is taken.
    sampling, augmentation, condition, loss, optimiser, schedule, training, split
        See `StrokeTrainLib.recipes.parts`.
    final : str
        The model that is handed over: the ``"ensemble"`` of the folds or the ``"best-fold"`` by validation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str
    paper: str
    preset: Literal["paper", "small"] = "paper"
    target: Literal["acute-core", "final-infarct"]
    task: Literal["segmentation", "classification"] = "segmentation"
    label: Literal["outline", "cbv"] = "outline"
    segment: str = "infarct_predicted"
    selection: Selection = Selection()
    network: Network
    initialisation: Literal["torch", "keras", "he"] = "torch"
    lesion_prior: float | None = Field(None, gt=0, lt=1)
    channels: list[Channel] = Field(min_length=1)
    view: View = View()
    spacing_mm: tuple[float, float]
    matrix: tuple[int, int]
    threshold: float = Field(0.5, gt=0, lt=1)
    mirror: bool = False
    sampling: Sampling = Sampling()
    augmentation: Augmentation = Augmentation()
    condition: Condition | None = None
    loss: Loss
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    training: Training = Training()
    split: Split = Split()
    final: Literal["ensemble", "best-fold"] = "ensemble"

    @field_validator("spacing_mm", "matrix")
    @classmethod
    def _positive(cls, value: tuple[float, float]) -> tuple[float, float]:
        if min(value) <= 0:
            raise ValueError("both numbers must be above 0")
        return value

    @field_validator("matrix")
    @classmethod
    def _usual(cls, value: tuple[int, int]) -> tuple[int, int]:
        if max(value) > LARGEST_MATRIX:
            raise ValueError(f"both numbers must be at most {LARGEST_MATRIX}")
        return value

    @field_validator("channels", "network")
    @classmethod
    def _finite(cls, value: Any) -> Any:
        parts = value if isinstance(value, list) else [value]
        for number in (n for part in parts for n in _numbers(part.model_dump())):
            if not math.isfinite(number):
                raise ValueError(f"every number must be finite, {number} is not")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        from ..cards import input_card  # which imports this package

        try:
            input_card(self)  # the card's own rules hold for the recipe that leads to it
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error
        classifier = self.task == "classification"
        if classifier != (self.view.arrangement == "series") or classifier != (self.loss.name == "bce"):
            raise ValueError("a classification goes with view.arrangement=series and loss.name=bce, and neither else")
        if self.loss.name == "multiclass-dice" and self.network.name != "debs2021":
            raise ValueError("loss.name=multiclass-dice is for debs2021; the other networks give a single map")
        if self.network.name == "debs2021" and self.loss.name not in ("multiclass-dice", "dice-ce"):
            raise ValueError("debs2021 gives three classes: loss.name must be multiclass-dice or dice-ce")
        if (self.condition is not None) != (self.network.name == "fate"):
            raise ValueError("condition is for the network fate, which needs one")
        if self.lesion_prior is not None and (classifier or self.network.name == "debs2021"):
            raise ValueError("lesion_prior is for networks that give a single map")
        if self.training.monitor == "multiclass-dice" and self.loss.name != "multiclass-dice":
            raise ValueError("training.monitor=multiclass-dice goes with that loss; take dice or loss")
        if self.training.monitor == ("dice" if classifier else "auc"):
            raise ValueError("training.monitor=auc is for a classifier, dice for maps")
        if classifier and self.label == "outline" and self.target != "acute-core":
            raise ValueError("a core classifier's target is acute-core")
        return self

    @property
    def needs(self) -> tuple[str, ...]:
        """Roles of the images that a patient must have, each once."""
        roles = [channel.role for channel in self.channels if not channel.optional]
        if self.task == "classification" and self.label == "cbv":
            roles.append("cbv")
        return tuple(dict.fromkeys(roles))

    @property
    def uses(self) -> tuple[str, ...]:
        """Roles of all images that it takes in, optional ones too."""
        return tuple(dict.fromkeys([*(channel.role for channel in self.channels), *self.needs]))

    @property
    def needs_label(self) -> bool:
        """Whether a patient must have an outline of the target."""
        return not (self.task == "classification" and self.label == "cbv")


def _numbers(values: dict[str, Any]) -> Iterator[float]:
    for value in values.values():
        if isinstance(value, dict):
            yield from _numbers(value)
        elif isinstance(value, float):
            yield value


def validated(values: dict[str, Any], source: str) -> Recipe:
    """Return the recipe of these values, or raise `StrokeError` in one line that names the allowed ones.

    Parameters
    ----------
    values : dict
        As `Recipe.model_dump` gives them.
    source : str
        What the message calls them.
    """
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StrokeError(f"{source}: {where or 'the recipe'}: {_in_words(first)}.") from error


def _in_words(fault: dict[str, Any]) -> str:
    words = fault["msg"].removeprefix("Value error, ")
    given = fault.get("input")
    shown = f" (given: {given!r})" if isinstance(given, (str, int, float, bool)) else ""
    return words[:1].lower() + words[1:] + shown
