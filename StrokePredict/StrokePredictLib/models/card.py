"""What a model bundle says of itself: the card, a part of MONAI's ``metadata.json``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..case import ROLES
from ..segments import SEGMENTS
from .calibration import Calibration

#: Where weights may lie in a bundle.
WeightsPath = Annotated[str, Field(pattern=r"^models/[a-z0-9][a-z0-9._-]*\.safetensors$")]
WEIGHTS = "models/model.safetensors"


class Channel(BaseModel):
    """One input image of a network.

    Attributes
    ----------
    role : str
        Which volume of a case (`StrokePredictLib.case.ROLES`).
    unit : str
        Of the values before normalisation.
    normalisation : str
        ``"brain-median"``: value / (``scale`` × median inside the brain); ``"brain-mean"``: the same with the mean;
        ``"fixed"``: value / ``scale``; ``"percentiles"``: from the ``low``-th to the ``high``-th percentile inside the
        brain, times 1 / ``scale``; ``"above"``, ``"below"``: 1 where value > ``scale``, or 0 < value < ``scale``, else
        0; ``"zscore"``: zero mean and unit variance of the whole input, for series; ``"enhancement"``: the same of what
        a series rises above its first time points inside the brain. All but the last two are clipped to 0 to
        ``ceiling`` and set to 0 outside the brain.
    scale : float
        See above.
    ceiling : float, optional
        Largest value after normalisation; None: no limit.
    low, high : float
        Percentiles.
    optional : bool
        Whether the network can do without it.
    """

    model_config = ConfigDict(extra="forbid")
    role: str
    unit: str
    normalisation: Literal[
        "brain-median", "brain-mean", "fixed", "percentiles", "above", "below", "zscore", "enhancement"
    ]
    scale: float = Field(gt=0)
    ceiling: float | None = Field(1.0, gt=0)
    low: float = Field(0.0, ge=0, lt=100)
    high: float = Field(100.0, gt=0, le=100)
    optional: bool = False


class Network(BaseModel):
    """Which architecture of our fixed list, with its options.

    Attributes
    ----------
    external_features : bool
        The weights of the frozen image features are not in the bundle but in torchvision's VGG19 file.
    """

    model_config = ConfigDict(extra="forbid")
    name: str
    options: dict[str, int | float | str | bool] = {}
    lesion_class: int = Field(0, ge=0)
    external_features: bool = False


class Training(BaseModel):
    """On what it was trained.

    Attributes
    ----------
    patient_hashes, calibration_hashes : list of str
        Salted hashes of whom it has seen, and of those who made its volume interval and did nothing else.
    ancestors : list of str
        Hashes of the models that training started from, of theirs, and of the other models of the same runs: an outline
        that began as a prediction of one of them must not test this one.
    phantom : str
        Fingerprint of the simulator that made the patients, where it is one.
    commands : list of str
        Command lines that made it, from the cohort on, where they are known.
    """

    model_config = ConfigDict(extra="forbid")
    data: str
    simulated: bool
    patients: int = Field(ge=0)
    salt: str
    patient_hashes: list[str]
    seed: int
    ancestors: list[str] = []
    calibration_hashes: list[str] = []
    phantom: str = ""
    commands: list[str] = []


class Card(BaseModel):
    """The card of a model.

    Attributes
    ----------
    name, title : str
        For files and for readers.
    target : str
        ``"acute-core"`` or ``"final-infarct"``.
    segment : str
        Segment key under which its mask is shown.
    reperfusion : str
        For whom it predicts: patients ``"reperfused"``, ``"not-reperfused"``, or ``"any"``.
    channels : list of Channel
        In the network's order.
    arrangement : str
        What the network sees at once: one ``"section"``; a ``"stack"`` of ``sections`` consecutive ones for its centre;
        the whole patient as a ``"sequence"`` of sections; or a ``"series"``, ``sections`` sections over time.
    sections : int
        See above.
    times, interval_s : int, float
        Of a series: time points and seconds between them.
    output : str
        ``"map"``: a probability a voxel; ``"probability"``: one a patient, never drawn over the image.
    mirror : bool
        Whether the mean with the prediction of the mirrored image is taken.
    weights : list of str
        Weight files; several are an ensemble, whose mean is the answer.
    weights_from : str
        Where to get the weights where they do not come with the bundle.
    calibration : Calibration, optional
        Errors on patients used for nothing else, for the volume interval.
    spacing_mm : tuple of float
        In-plane voxel size ``(x, y)`` that the network sees; sections stay as they are.
    matrix : tuple of int
        In-plane size ``(width, height)``.
    orientation : str
        Always ``"LPS"``: x to the patient's left, y to the back, sections from foot to head.
    threshold : float
        Probability from which a voxel is predicted.
    """

    model_config = ConfigDict(extra="forbid")
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str
    target: Literal["acute-core", "final-infarct"]
    segment: str
    reperfusion: Literal["any", "reperfused", "not-reperfused"] = "any"
    network: Network
    channels: list[Channel] = Field(min_length=1)
    arrangement: Literal["section", "stack", "sequence", "series"] = "section"
    sections: int = Field(1, ge=1)
    times: int = Field(32, ge=2)
    interval_s: float = Field(1.5, gt=0)
    output: Literal["map", "probability"] = "map"
    mirror: bool = False
    weights: list[WeightsPath] = Field([WEIGHTS], min_length=1)
    weights_from: str = ""
    calibration: Calibration | None = None
    spacing_mm: tuple[float, float]
    matrix: tuple[int, int]
    orientation: Literal["LPS"] = "LPS"
    threshold: float = Field(gt=0, lt=1)
    demonstration: bool
    intended_use: str
    licence: str
    scores: dict[str, float | str]
    training: Training

    @model_validator(mode="after")
    def _consistent(self) -> Card:
        unknown = [channel.role for channel in self.channels if channel.role not in ROLES]
        if unknown:
            raise ValueError(f"unknown image roles {', '.join(unknown)}; known: {', '.join(ROLES)}")
        if self.segment not in SEGMENTS:
            raise ValueError(f"unknown segment '{self.segment}'; known: {', '.join(SEGMENTS)}")
        if self.arrangement == "stack" and self.sections % 2 != 1:
            raise ValueError("a stack has an odd number of sections, so that one is its centre")
        if (self.output == "probability") != (self.arrangement == "series"):
            raise ValueError("a series gives one probability, everything else a map")
        of_series = [channel.normalisation in ("zscore", "enhancement") for channel in self.channels]
        if self.arrangement == "series" and of_series != [True]:
            raise ValueError("a series is one channel with zscore or enhancement normalisation")
        if self.arrangement != "series" and any(of_series):
            raise ValueError("zscore normalisation is for series, and so is enhancement")
        if any(channel.low >= channel.high for channel in self.channels):
            raise ValueError("a channel's low percentile lies above its high one")
        return self

    @property
    def conditioned(self) -> bool:
        """Whether the network can be asked about another course of events."""
        return self.network.name == "fate"
