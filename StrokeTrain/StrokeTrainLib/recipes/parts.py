"""The parts of a recipe, each with its limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """What every part has in common: nothing unknown and no infinite number gets in, and nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Selection(Part):
    """Which patients a network is trained for.

    Attributes
    ----------
    reperfusion : str
        ``"any"``, or only those with or without reperfusion.
    rule : str
        Whose definition: ``"debs"`` (mTICI 2b to 3, or half of the Tmax lesion gone) or ``"yu"`` (rate ≥ 80 %, ≤ 20 %).
    exclusions : str
        Whose further criteria leave patients out: ``"yu"``'s, ``"debs"``'s, or ``"none"``.
    """

    reperfusion: Literal["any", "reperfused", "not-reperfused"] = "any"
    rule: Literal["debs", "yu"] = "debs"
    exclusions: Literal["none", "yu", "debs"] = "none"


class View(Part):
    """What the network sees at once (`StrokePredictLib.models.card.Card.arrangement`).

    Attributes
    ----------
    arrangement : str
        ``"section"``, ``"stack"`` of neighbours, ``"sequence"`` of all sections, ``"series"`` over time.
    context : int
        Sections at once; of a series: how many are chosen.
    times, interval_s : int, float
        Of a series: time points and seconds between them.
    """

    arrangement: Literal["section", "stack", "sequence", "series"] = "section"
    context: int = Field(1, ge=1, le=255)
    times: int = Field(32, ge=2, le=1000)
    interval_s: float = Field(1.5, gt=0)


class Sampling(Part):
    """Which sections are shown.

    Attributes
    ----------
    train, validation : str
        ``"lesion"``: sections with lesion; ``"brain"``: sections with brain. Sequences and series are always whole.
    healthy : float
        With ``"lesion"``, in training: brain sections without lesion, drawn anew every epoch, as a share of those with.
    normalise_by : str
        Of a series: zero mean and unit variance of each training ``"batch"`` or of each ``"patient"``. Validation and
        inference are always by patient.
    """

    train: Literal["lesion", "brain"] = "brain"
    validation: Literal["lesion", "brain"] = "brain"
    healthy: float = Field(0.0, ge=0, le=100)
    normalise_by: Literal["batch", "patient"] = "patient"


class Augmentation(Part):
    """Random changes of a training sample, on the fly; the label moves along.

    Attributes
    ----------
    enabled : bool
        Whether any is made.
    mirror, flip : float
        Probability of left-right and of front-back mirroring.
    probability : float
        Of a rotation, shift, crop and elastic deformation, made in one interpolation.
    rotation_deg, shift_px : float
        Largest rotation either way, largest shift along each axis.
    crop : float
        Largest share of width and height that is cut away before scaling up again.
    elastic_px : float
        Standard deviation of the displacements, in pixels, on a grid of control points ``elastic_spacing_px`` apart.
    gain : float
        Each channel is multiplied by a factor from 1 − gain to 1 + gain.
    """

    enabled: bool = True
    mirror: Share = 0.0
    flip: Share = 0.0
    probability: Share = 1.0
    rotation_deg: float = Field(0.0, ge=0, le=180)
    shift_px: float = Field(0.0, ge=0)
    crop: float = Field(0.0, ge=0, lt=0.9)
    elastic_px: float = Field(0.0, ge=0)
    elastic_spacing_px: int = Field(32, ge=4)
    gain: float = Field(0.0, ge=0, lt=1)


class Condition(Part):
    """What a conditioned network is told while it learns: what happened, at times hidden from it.

    Attributes
    ----------
    unknown : float
        Probability that the reperfusion is withheld, so that the state "unknown" is learnt too.
    onset_unknown : float
        Probability that the onset-to-imaging time is withheld.
    image_missing : float
        Probability, for each image, that it is taken away; one always stays.
    """

    unknown: Share = 0.25
    onset_unknown: Share = 0.1
    image_missing: Share = 0.1


class Loss(Part):
    """The loss function.

    Attributes
    ----------
    name : str
        ``"multiclass-dice"`` (softmax; lesion weighs ``lesion_weight``), ``"bce-dice"``, ``"tversky"`` (``alpha`` false
        positives, ``beta`` false negatives), ``"dice-ce"``, or ``"bce"`` for a classifier.
    lesion_weight : float
        Weight of the lesion against 1 for every other class; of ``"bce…"`` and ``"dice-ce"``: of lesion voxels in the
        cross-entropy.
    alpha, beta : float
        Of Tversky's index.
    """

    name: Literal["multiclass-dice", "bce-dice", "tversky", "dice-ce", "bce"]
    lesion_weight: float = Field(1.0, gt=0)
    alpha: float = Field(0.5, ge=0)
    beta: float = Field(0.5, ge=0)


class Optimiser(Part):
    """The optimiser.

    Attributes
    ----------
    name : str
        Which.
    rate : float
        Learning rate at the start.
    epsilon : float
        Keras has 1e-7, torch 1e-8.
    l2 : float
        λ of a penalty λ‖w‖² on convolution kernels, added to the loss as Keras does: its gradient is 2λw.
    weight_decay : float
        Decoupled, on all kernels; of ``"adamw"``.
    rho : float
        Of RMSprop.
    """

    name: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    rate: float = Field(1e-4, gt=0, lt=10)
    epsilon: float = Field(1e-7, gt=0, le=1)
    l2: float = Field(0.0, ge=0)
    weight_decay: float = Field(0.0, ge=0)
    rho: float = Field(0.9, gt=0, lt=1)


class Schedule(Part):
    """How the learning rate falls.

    Attributes
    ----------
    name : str
        ``"constant"``; ``"keras-decay"``: rate / (1 + ``decay`` × iteration); ``"cosine"`` over the epochs, to 0.
    decay : float
        See above.
    """

    name: Literal["constant", "keras-decay", "cosine"] = "constant"
    decay: float = Field(0.0, ge=0)


class Training(Part):
    """How long, in which portions, and when to stop.

    Attributes
    ----------
    epochs, batch : int
        Largest number of epochs; samples a step, over all processes together.
    patience : int, optional
        Epochs without a gain of more than ``min_delta`` in ``monitor`` after which training ends; None: never.
    min_delta : float
        See above.
    monitor : str
        On the validation part: its ``"loss"``, the mean over patients of the lesion's ``"dice"``, the
        ``"multiclass-dice"`` (1 − that loss), or a classifier's ``"auc"``. The best epoch's weights are kept.
    part : str
        Which part of the fold it learns from: ``"train"``, or ``"validation"`` as Alis' fine-tuning does.
    init : str
        Whether it starts from another model's weights: ``"optional"`` or ``"required"``.
    mixed_precision : bool
        On a GPU.
    clip : float, optional
        Largest norm of the gradient.
    """

    epochs: int = Field(100, ge=1, le=1_000_000)
    batch: int = Field(12, ge=1, le=100_000)
    patience: int | None = Field(None, ge=1)
    min_delta: float = Field(0.0, ge=0)
    monitor: Literal["loss", "dice", "multiclass-dice", "auc"] = "loss"
    part: Literal["train", "validation"] = "train"
    init: Literal["optional", "required"] = "optional"
    mixed_precision: bool = True
    clip: float | None = Field(None, gt=0)


class Split(Part):
    """How the cohort is divided, patient by patient.

    Attributes
    ----------
    scheme : str
        ``"5-fold"`` (3:1:1), ``"10-fold"`` (8:1:1), ``"80-10-10"``, or ``"K-fold"`` with any number.
    stratify : list of str
        What is spread evenly: ``"reperfusion"``, ``"volume"`` of the label, ``"center"``, ``"vendor"``.
    calibration : float
        Share of the patients kept for the volume interval (conformal calibration) and used for nothing else.
    locked : float
        Share kept as a test set that no run touches.
    """

    scheme: str = Field("5-fold", pattern=r"^([2-9]|[1-9][0-9]+)-fold$|^80-10-10$")
    stratify: tuple[Literal["reperfusion", "volume", "center", "vendor"], ...] = ()
    calibration: float = Field(0.1, ge=0, le=0.5)
    locked: float = Field(0.0, ge=0, le=0.5)
