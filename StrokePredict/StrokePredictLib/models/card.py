"""What a model bundle says of itself: the card, a part of MONAI's ``metadata.json``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Channel(BaseModel):
    """One input image of a network.

    Attributes
    ----------
    role : str
        Which volume of a case (`StrokePredictLib.case.ROLES`).
    unit : str
        Of the values before normalisation.
    normalisation : str
        ``"brain-median"``: value / (``scale`` × median inside the brain); ``"fixed"``: value / ``scale``. Both are
        clipped to 0..1 and set to 0 outside the brain.
    scale : float
        See above.
    """

    model_config = ConfigDict(extra="forbid")
    role: str
    unit: str
    normalisation: Literal["brain-median", "fixed"]
    scale: float = Field(gt=0)


class Network(BaseModel):
    """Which architecture of our fixed list, with its options."""

    model_config = ConfigDict(extra="forbid")
    name: str
    options: dict[str, int | float | str | bool] = {}
    lesion_class: int = Field(0, ge=0)


class Training(BaseModel):
    """On what it was trained."""

    model_config = ConfigDict(extra="forbid")
    data: str
    simulated: bool
    patients: int = Field(ge=0)
    salt: str
    patient_hashes: list[str]
    seed: int


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
    channels : list of Channel
        In the network's order.
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
    network: Network
    channels: list[Channel] = Field(min_length=1)
    spacing_mm: tuple[float, float]
    matrix: tuple[int, int]
    orientation: Literal["LPS"] = "LPS"
    threshold: float = Field(gt=0, lt=1)
    demonstration: bool
    intended_use: str
    licence: str
    scores: dict[str, float | str]
    training: Training
