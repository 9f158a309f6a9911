"""A volume interval by split-conformal prediction."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Calibration(BaseModel):
    """How far the predicted volume was off in patients used for nothing else.

    For a new patient exchangeable with them, the interval covers the true volume with at least the asked probability,
    whatever the model (Lei et al. 2018, J Am Stat Assoc 113:1094, split conformal).

    Attributes
    ----------
    errors : list of float
        |f(true volume) − f(predicted volume)|, one a patient.
    scale : str
        f: ``"cube-root"`` of the volume in mL (errors grow with the lesion), or ``"ml"`` itself.
    """

    model_config = ConfigDict(extra="forbid")
    errors: list[float] = Field(min_length=1)
    scale: Literal["cube-root", "ml"] = "cube-root"

    def interval(self, volume_ml: float, coverage: float = 0.9) -> tuple[float, float] | None:
        """Return the interval around a predicted volume in mL.

        Parameters
        ----------
        volume_ml : float
            Predicted.
        coverage : float
            Probability, 0 to 1, with which the true volume lies within.

        Returns
        -------
        tuple of float, or None
            None where too few patients were kept for this coverage: the interval would be unbounded.
        """
        rank = math.ceil((len(self.errors) + 1) * coverage - 1e-9)
        if rank > len(self.errors):
            return None
        width = sorted(self.errors)[max(rank, 1) - 1]
        power = 3.0 if self.scale == "cube-root" else 1.0
        centre = volume_ml ** (1 / power)
        return max(0.0, centre - width) ** power, (centre + width) ** power
