"""A cohort as a table: patients with their images, labels and facts. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: What a label may outline.
TARGETS = ("acute-core", "final-infarct")
ROLES = ("any", "train-only")


@dataclass(frozen=True)
class Label:
    """One outline of a lesion.

    Attributes
    ----------
    target : str
        ``"acute-core"`` (baseline) or ``"final-infarct"`` (follow-up).
    path : Path
        The mask.
    reader : str or None
        Who drew it; None where the file does not say.
    read : int or None
        Which of the reader's reads.
    start : str or None
        What a correction started from: a model's name, or None.
    start_hash : str or None
        That model's hash; a case started from a model never tests that model or its descendants.
    grid : str
        ``"baseline"``: on the grid of a baseline image; ``"follow-up"``: on a follow-up image's alone, to be registered
        (`StrokePredictLib.io.follow_up.load_follow_up`); ``"other"``: on neither, unusable; ``"unknown"``: not looked.
    settles : bool
        Drawn by a reader who saw, without names, the outlines of others who differed: it is the truth.
    """

    target: str
    path: Path
    reader: str | None = None
    read: int | None = None
    start: str | None = None
    start_hash: str | None = None
    grid: str = "unknown"
    settles: bool = False

    def __post_init__(self) -> None:
        if self.target not in TARGETS:
            raise ValueError(f"target '{self.target}': there are {', '.join(TARGETS)}")

    @property
    def usable(self) -> bool:
        """False where the mask lies on a grid that nothing else of the patient shares."""
        return self.grid != "other"


@dataclass(frozen=True)
class Patient:
    """One patient of a cohort.

    Attributes
    ----------
    id : str
        As the folder is called; unique in the cohort.
    folder : Path
        The cohort folder, or the patient's own in ISLES'17, '18 and loose layouts: with `id` what
        `StrokePredictLib.io.load.load_case` takes (`load_arguments`).
    layout : str
        ``"bids"``, ``"isles"`` ('17 and '18) or ``"loose"``.
    images : dict of str to Path
        Baseline image by role (`StrokePredictLib.case.ROLES`), perfusion maps included.
    labels : tuple of Label
        Every outline, unusable ones too.
    facts : dict
        The row of ``participants.tsv``, typed; None where a cell is empty or cannot be used.
    role : str
        ``"any"``, or ``"train-only"``: in training parts alone, never tested.
    problems : tuple of str
        Why the patient cannot be used for anything, one line each; empty for most.
    notes : tuple of str
        What a reader should know but excludes nobody.
    later : dict of str to (dict of str to Path)
        By session (``"02"``, ``"24h"``, ``"3h"``) its images by role.
    person : str
        Who it is: the `id`, or the common name of several records of one person, who are never parted.
    simulated : bool
        The cohort says that nobody was imaged.
    """

    id: str
    folder: Path
    layout: str
    images: dict[str, Path]
    labels: tuple[Label, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    role: str = "any"
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    later: dict[str, dict[str, Path]] = field(default_factory=dict)
    person: str = ""
    simulated: bool = False

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"role '{self.role}': there are {', '.join(ROLES)}")
        if not self.person:
            object.__setattr__(self, "person", self.id)

    def labels_of(self, target: str) -> tuple[Label, ...]:
        """Return the usable outlines of a target."""
        return tuple(label for label in self.labels if label.target == target and label.usable)

    def label(self, target: str) -> Label | None:
        """Return the file to show where one is wanted: one without a reader's name before the first reader's first.

        Several reads of one reader are one truth by vote: `StrokeTrainLib.cohort.votes.truth`.
        """
        found = self.labels_of(target)
        return min(found, key=lambda label: (label.reader or "", label.read or 0, label.path.name), default=None)

    @property
    def vendor(self) -> str | None:
        """The scanner's maker, as the table says."""
        return self.facts.get("vendor")

    @property
    def center(self) -> str | None:
        """Where the patient was imaged, as the table says."""
        return self.facts.get("center")

    @property
    def load_arguments(self) -> dict[str, Any]:
        """Keyword arguments of `load_case` and `find_files` that name this patient."""
        return {"folder": self.folder, "patient": self.id if self.layout == "bids" else None}

    def has(self, role: str) -> bool:
        """Whether an image is there, or can be computed: maps from a series, ADC from b0 and DWI."""
        if role in self.images:
            return True
        if role in ("tmax", "cbf", "cbv", "mtt", "ttp"):
            return "pwi" in self.images or "ctp" in self.images
        return role == "brain" or (role == "adc" and {"b0", "dwi"} <= self.images.keys())


@dataclass(frozen=True)
class Cohort:
    """All patients of a folder, sorted by identifier; unusable ones too; notes of the whole."""

    root: Path
    patients: tuple[Patient, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        ids = [patient.id for patient in self.patients]
        if len(set(ids)) != len(ids):
            raise ValueError(f"an identifier stands twice: {sorted({i for i in ids if ids.count(i) > 1})[:5]}")

    def __iter__(self) -> Iterator[Patient]:
        return iter(self.patients)

    def __len__(self) -> int:
        return len(self.patients)

    def __getitem__(self, identifier: str) -> Patient:
        """Return a patient by identifier; `KeyError` where there is none."""
        for patient in self.patients:
            if patient.id == identifier:
                return patient
        raise KeyError(identifier)
