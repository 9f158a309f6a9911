"""What the network `fate` is told besides images, as numbers. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..errors import StrokeError

#: The images that the network knows, in the order of its channels.
IMAGES = ("dwi", "adc", "tmax", "cbf", "cbv", "mtt")
#: States of reperfusion; "unknown" is one of them.
REPERFUSION = ("none", "partial", "complete", "unknown")
MODALITIES = ("MR", "CT")
#: Onset-to-imaging times beyond this (minutes) count as this: nobody treats later.
LONGEST_MIN = 24 * 60.0
#: The vector's parts: modality and images (all that the encoder is told), then reperfusion and onset.
PRESENT = slice(len(MODALITIES), len(MODALITIES) + len(IMAGES))
KNOWN = PRESENT.stop
LENGTH = KNOWN + len(REPERFUSION) + 2


@dataclass(frozen=True)
class Course:
    """How the story goes on.

    Attributes
    ----------
    reperfusion : str or float
        One of `REPERFUSION`, or a degree from 0 (none) over 0.5 (partial) to 1 (complete), between which the network
        is told a linear mixture.
    onset_min : float, optional
        Minutes from onset to imaging; None is unknown, which the network has a state for.
    """

    reperfusion: str | float = "unknown"
    onset_min: float | None = None

    def __post_init__(self) -> None:
        known = self.reperfusion in REPERFUSION
        if isinstance(self.reperfusion, str) and not known:
            raise StrokeError(
                f"reperfusion is '{self.reperfusion}'; there are {', '.join(REPERFUSION)}, or a degree from 0 to 1."
            )
        if not isinstance(self.reperfusion, str) and not 0 <= self.reperfusion <= 1:
            raise StrokeError(f"degree of reperfusion is {self.reperfusion}; a number from 0 to 1 is needed.")
        if self.onset_min is not None and not 0 <= self.onset_min < float("inf"):
            raise StrokeError(f"onset-to-imaging time is {self.onset_min} min; a number from 0 on is needed, or none.")

    def vector(self, present: Collection[str], modality: str = "MR") -> list[float]:
        """Return what the network is told, `LENGTH` numbers.

        Parameters
        ----------
        present : collection of str
            Those of `IMAGES` that the patient has.
        modality : {"MR", "CT"}
            Of the patient's images.
        """
        if modality not in MODALITIES:
            raise StrokeError(f"modality is '{modality}'; there are {', '.join(MODALITIES)}.")
        known = self.onset_min is not None
        onset = [min(self.onset_min, LONGEST_MIN) / LONGEST_MIN, 1.0] if known else [0.0, 0.0]
        images = [float(name in present) for name in IMAGES]
        return [float(modality == name) for name in MODALITIES] + images + self._weights() + onset

    def _weights(self) -> list[float]:
        if isinstance(self.reperfusion, str):
            return [float(self.reperfusion == name) for name in REPERFUSION]
        degree = float(self.reperfusion)
        return [max(0.0, 1 - 2 * degree), 1 - abs(2 * degree - 1), max(0.0, 2 * degree - 1), 0.0]
