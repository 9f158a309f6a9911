"""One patient: named volumes on one reference grid, and the clinical facts."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from .errors import StrokeError
from .volume import Volume

#: The roles that a volume of a case may play, with what a reader calls them and the unit of their values.
ROLES: dict[str, tuple[str, str]] = {
    "b0": ("DWI b0", "a.u."),
    "dwi": ("DWI", "a.u."),
    "adc": ("ADC", "10⁻⁶ mm²/s"),
    "flair": ("FLAIR", "a.u."),
    "pwi": ("Perfusion MRI series", "a.u."),
    "ctp": ("CT perfusion series", "HU"),
    "ncct": ("Non-contrast CT", "HU"),
    "cbf": ("CBF", "mL/100 g/min"),
    "cbv": ("CBV", "mL/100 g"),
    "mtt": ("MTT", "s"),
    "tmax": ("Tmax", "s"),
    "ttp": ("TTP", "s"),
    "brain": ("Brain mask", ""),
}
#: Which role gives the reference grid, the first one present: DWI for MR, CTP for CT.
REFERENCE_ORDER = ("dwi", "adc", "b0", "ctp", "tmax", "cbf", "pwi", "ncct")
SERIES_ROLES = ("pwi", "ctp")


@dataclass(frozen=True)
class ClinicalFacts:
    """What is known of the patient besides the images. None means unknown and is never guessed.

    Attributes
    ----------
    age : float
        Years.
    sex : str
        ``"F"``, ``"M"`` or other words of the site.
    nihss : float
        NIH Stroke Scale at admission, 0 to 42.
    onset_to_imaging_min : float
        Minutes from onset (or last known well, where ``onset_known`` is False) to the baseline imaging.
    onset_known : bool
        False for wake-up and unwitnessed strokes.
    imaging_to_reperfusion_min : float
        Minutes from imaging to reperfusion.
    mtici : str
        ``"0"`` to ``"3"`` with 2a, 2b, 2c.
    reperfusion_yu, reperfusion_debs : str
        The two papers' categories.
    """

    age: float | None = None
    sex: str | None = None
    nihss: float | None = None
    onset_to_imaging_min: float | None = None
    onset_known: bool | None = None
    imaging_to_reperfusion_min: float | None = None
    mtici: str | None = None
    reperfusion_yu: str | None = None
    reperfusion_debs: str | None = None

    @classmethod
    def from_row(cls, row: dict[str, str], source: str) -> ClinicalFacts:
        """Read the known columns of a ``participants.tsv`` row; empty and ``n/a`` cells are unknown.

        Raises
        ------
        StrokeError
            If a number is none, or lies outside what a patient can have.
        """
        values: dict[str, Any] = {}
        for item in fields(cls):
            text = (row.get(item.name) or "").strip()
            if text.lower() in ("", "n/a", "na", "nan", "unknown", "none"):
                continue
            if item.name == "onset_known":
                values[item.name] = text.lower() in ("1", "true", "yes", "known")
            elif item.name in _LIMITS:
                values[item.name] = _number(text, item.name, source)
            else:
                values[item.name] = text
        return cls(**values)


_LIMITS = {
    "age": (0, 120),
    "nihss": (0, 42),
    "onset_to_imaging_min": (0, 60 * 24 * 30),
    "imaging_to_reperfusion_min": (0, 60 * 24 * 30),
}


def _number(text: str, name: str, source: str) -> float:
    low, high = _LIMITS[name]
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise StrokeError(f"{source}: {name} is '{text}'; a number from {low} to {high} is needed, or leave it empty.")
    return value


@dataclass
class StrokeCase:
    """A patient's images on one reference grid.

    Attributes
    ----------
    patient : str
        Identifier shown to the reader.
    volumes : dict of str to Volume
        By role (`ROLES`). 3D roles lie on `reference`'s grid; a series keeps its own.
    facts : ClinicalFacts
        What is known besides the images.
    sources : dict of str to str
        By role, the file and the rule by which it plays that role.
    doubts : list of str
        Sentences for the reader; shown in every report.
    measured : dict of str to Volume
        By kind of image (``"perfusion"``), bool on the reference grid: where it was measured. Absent: everywhere.
    simulated : bool
        True for phantom patients; every page says so.
    """

    patient: str
    volumes: dict[str, Volume]
    facts: ClinicalFacts = field(default_factory=ClinicalFacts)
    sources: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    measured: dict[str, Volume] = field(default_factory=dict)
    simulated: bool = False

    @property
    def reference(self) -> Volume:
        """The volume whose grid everything lies on; for a series its first frame's grid.

        Raises
        ------
        StrokeError
            If the case holds no image.
        """
        for role in REFERENCE_ORDER:
            if role in self.volumes:
                volume = self.volumes[role]
                return volume.with_array(volume.array[0]) if volume.is_series else volume
        raise StrokeError(f"{self.patient}: no image in this case; a DWI, ADC, perfusion map or series is needed.")

    @property
    def modality(self) -> str:
        """``"CT"`` where a CT image is present and no diffusion, else ``"MR"``."""
        ct = any(role in self.volumes for role in ("ctp", "ncct"))
        return "CT" if ct and not any(role in self.volumes for role in ("dwi", "adc", "b0")) else "MR"

    def require(self, *roles: str) -> list[Volume]:
        """Return the volumes of these roles; `StrokeError` names all that are missing."""
        missing = [ROLES[role][0] for role in roles if role not in self.volumes]
        if missing:
            present = ", ".join(ROLES[r][0] for r in self.volumes) or "nothing"
            raise StrokeError(f"{self.patient}: {', '.join(missing)} missing (present: {present}).")
        return [self.volumes[role] for role in roles]
