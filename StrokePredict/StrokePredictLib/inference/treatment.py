"""What reperfusion changes: two predictions of one patient compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..case import StrokeCase
from ..models.bundle import Bundle
from ..progress import Progress, part, silent
from ..study import ASSOCIATION
from ..thresholds import volume_ml
from .prediction import Prediction

#: Debs 2021: a responder's two predictions overlap by less than this (Dice) …
RESPONDER_DICE = 0.5
#: … and the one without reperfusion is at least this many times as large.
RESPONDER_RATIO = 1.2


@dataclass(frozen=True)
class TreatmentEffect:
    """Two scenarios of one patient.

    Attributes
    ----------
    reperfused_ml, not_reperfused_ml : float
        Predicted final infarct in mL.
    saved_ml : float
        Without minus with reperfusion; may be negative.
    dice : float
        Overlap of the two masks; 1 where both are empty.
    responder : bool
        Debs et al. 2021: Dice below 0.5 and at least 20 % more infarct without reperfusion.
    """

    reperfused_ml: float
    not_reperfused_ml: float
    saved_ml: float
    dice: float
    responder: bool

    def record(self) -> dict[str, Any]:
        """Return what goes into ``prediction.json``."""
        values = asdict(self)
        numbers = {name: value if isinstance(value, bool) else round(value, 3) for name, value in values.items()}
        rule = "Debs 2021: Dice < 0.5 and at least 20 % larger if not reperfused"
        return numbers | {"rule": rule, "note": ASSOCIATION}


def treatment_effect(reperfused: Prediction, not_reperfused: Prediction) -> TreatmentEffect:
    """Compare a patient's predicted infarct with and without reperfusion.

    Raises
    ------
    StrokeError
        If the two lie on different grids.
    """
    a, b = reperfused.mask, not_reperfused.mask
    a.require_same_grid(b)
    total = int(np.count_nonzero(a.array)) + int(np.count_nonzero(b.array))
    dice = 2.0 * int(np.count_nonzero(a.array & b.array)) / total if total else 1.0
    with_ml, without_ml = volume_ml(a), volume_ml(b)
    # A hair's breadth of tolerance: 20 % more voxels is 20 % more, whatever the rounding of a voxel's volume.
    larger = without_ml >= RESPONDER_RATIO * with_ml * (1 - 1e-9)
    return TreatmentEffect(with_ml, without_ml, without_ml - with_ml, dice, dice < RESPONDER_DICE and larger)


def both_scenarios(
    case: StrokeCase,
    model: Bundle,
    without: Bundle | None = None,
    *,
    device: str = "auto",
    progress: Progress = silent,
) -> tuple[Prediction, Prediction, TreatmentEffect]:
    """Predict a patient with and without reperfusion and compare the two, in one call.

    Parameters
    ----------
    case : StrokeCase
        With what the models need.
    model : Bundle
        A conditioned model, which answers for both; or one of reperfused patients.
    without : Bundle, optional
        The model of not reperfused patients, where ``model`` is one of reperfused ones.
    """
    from .predict import predict
    from .what_if import WhatIf

    if model.card.conditioned:
        what_if = WhatIf(case, model, device=device, progress=part(progress, 0.0, 0.5))
        pair = tuple(what_if.answer(course) for course in what_if.extremes())
    else:
        chosen = (model, without or model)
        pair = tuple(
            predict(case, bundle, device=device, progress=part(progress, number / 2, (number + 1) / 2))
            for number, bundle in enumerate(chosen)
        )
    return pair[0], pair[1], treatment_effect(*pair)

