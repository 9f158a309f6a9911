"""From patients to batches: prepared once on disk, read by memory map, changed on the fly."""

from .batch import BACKGROUND, IGNORE, LESION, TISSUE, Batch
from .batches import build_batches, label_limit
from .cache import cache_folder
from .entry import Entry
from .patients import patient_case, prepare_patient

__all__ = [
    "BACKGROUND",
    "IGNORE",
    "LESION",
    "TISSUE",
    "Batch",
    "Entry",
    "build_batches",
    "cache_folder",
    "label_limit",
    "patient_case",
    "prepare_patient",
]
