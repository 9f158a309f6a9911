"""A prepared patient on disk."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from StrokePredictLib.networks.course import Course

META, INPUTS, CLASSES = "entry.json", "inputs.npy", "classes.npy"


@dataclass(frozen=True)
class Entry:
    """What is known of a prepared patient without reading a voxel.

    Attributes
    ----------
    id : str
        The patient.
    folder : Path
        Of the cache.
    shape : tuple of int
        Of the inputs: ``(section, channel, y, x)``, or ``(section, time, y, x)`` of a series.
    lesion, brain : tuple of int
        Voxels of lesion and of brain in every section; empty for a classifier.
    lesion_ml : float
        Volume of the label on the patient's own grid (for a classifier: the core's).
    present : tuple of str
        Roles of the images that the patient has.
    modality : str
        ``"MR"`` or ``"CT"``.
    mean, deviation : float
        Of a series, which is stored in its own unit.
    notes : tuple of str
        What a reader should know.
    course : Course
        What happened, for a conditioned network; not part of the cache.
    """

    id: str
    folder: Path
    shape: tuple[int, ...]
    lesion: tuple[int, ...]
    brain: tuple[int, ...]
    lesion_ml: float
    present: tuple[str, ...]
    modality: str
    mean: float = 0.0
    deviation: float = 1.0
    notes: tuple[str, ...] = ()
    course: Course = field(default_factory=Course)

    @property
    def sections(self) -> int:
        """Number of sections."""
        return self.shape[0]

    @property
    def has_lesion(self) -> tuple[bool, ...]:
        """Whether each section shows lesion."""
        return tuple(count > 0 for count in self.lesion)

    def inputs(self) -> np.ndarray:
        """Return the inputs, float32, as a memory map."""
        return np.load(self.folder / INPUTS, mmap_mode="r")

    def classes(self) -> np.ndarray:
        """Return the classes, uint8 ``(section, y, x)`` (`StrokeTrainLib.data.batch`), as a memory map."""
        return np.load(self.folder / CLASSES, mmap_mode="r")

    def record(self) -> dict[str, Any]:
        """Return what lies in the cache as `META`."""
        return {key: value for key, value in asdict(self).items() if key not in ("folder", "course")}


def read_entry(folder: Path, course: Course) -> Entry:
    """Return the entry of a folder of the cache."""
    values = json.loads((folder / META).read_text(encoding="utf-8"))
    lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
    return Entry(folder=folder, course=course, **(values | lists))
