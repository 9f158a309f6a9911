"""One truth of several outlines: a reader's reads by majority, another reader as the human to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from StrokePredictLib.case import StrokeCase
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.follow_up import load_follow_up
from StrokePredictLib.io.images import read_image
from StrokePredictLib.preprocess.registration import apply_rigid
from StrokePredictLib.volume import Volume

from .table import Label, Patient


@dataclass(frozen=True)
class Outline:
    """A lesion as one reader sees it.

    Attributes
    ----------
    mask : Volume
        bool; empty where there is no lesion.
    reader : str or None
        Who drew it.
    reads : int
        Of how many reads it is the majority.
    source : str
        Files and what was done, for the record.
    """

    mask: Volume
    reader: str | None
    reads: int
    source: str

    @property
    def ml(self) -> float:
        """Its volume in mL."""
        return float(np.count_nonzero(self.mask.array)) * self.mask.voxel_ml


def majority(masks: Sequence[np.ndarray]) -> np.ndarray:
    """Return where more than half of the masks are set: 2 of 3 reads (Alis 2020), both of 2.

    Parameters
    ----------
    masks : sequence of numpy.ndarray
        bool, of one shape; at least one.
    """
    if not masks or len({mask.shape for mask in masks}) != 1:
        raise ValueError("masks of one shape are needed, at least one")
    votes = np.zeros(masks[0].shape, dtype=np.int16)
    for mask in masks:
        votes += mask.astype(bool)
    return 2 * votes > len(masks)


def truth_reader(patient: Patient, target: str) -> str | None:
    """Return whose outline is the truth: who settled a dispute, who read several times, else nobody by name.

    Of several such readers who read most often, of those the first by name. `StrokeError` where the patient has no
    usable outline.
    """
    reads = _reads(patient, target)
    if not reads:
        raise StrokeError(f"{patient.id}: no usable label ({target}); a patient without label cannot train or test.")
    settled = settling(patient, target)
    if settled is not None:
        return settled.reader
    most = max(map(len, reads.values()))
    if most == 1 and None in reads:
        return None
    return min((reader for reader, found in reads.items() if len(found) == most), key=lambda reader: reader or "")


def settling(patient: Patient, target: str) -> Label | None:
    """Return the last outline that settled a dispute of readers; None where there is none."""
    found = [label for label in patient.labels_of(target) if label.settles]
    return max(found, key=lambda label: (label.read or 0, label.path.name), default=None)


def _reads(patient: Patient, target: str) -> dict[str | None, list[Label]]:
    """Return the usable outlines by reader; of those without a name the numbered reads, where there are such.

    Raises
    ------
    StrokeError
        If several outlines have neither reader nor number: nobody knows which is the truth.
    """
    reads: dict[str | None, list[Label]] = {}
    for label in patient.labels_of(target):
        reads.setdefault(label.reader, []).append(label)
    nameless = reads.get(None, [])
    reads |= {None: [label for label in nameless if label.read is not None] or nameless} if nameless else {}
    unnumbered = [label.path.name for label in reads.get(None, []) if label.read is None]
    if len(unnumbered) > 1:
        raise StrokeError(
            f"{patient.id}: {len(unnumbered)} outlines ({target}) without reader or read number "
            f"({', '.join(unnumbered[:4])}); keep one, or name them _rater-NAME_read-1 and so on."
        )
    return reads


def truth(patient: Patient, target: str, *, reader: str | None = None, case: StrokeCase | None = None) -> Outline:
    """Return a patient's truth: the outline, or the majority of one reader's reads.

    Parameters
    ----------
    patient : Patient
        Indexed with headers.
    target : str
        ``"acute-core"`` or ``"final-infarct"``.
    reader : str, optional
        Whose; `truth_reader`'s if left out.
    case : StrokeCase, optional
        The loaded baseline: a label on a follow-up image's grid is brought onto the case's by registration. Without it
        the outline stays on its own grid, which is enough for its volume.

    Raises
    ------
    StrokeError
        If there is no such label, it cannot be read, reads lie on different grids, or registration fails.
    """
    reader = reader if reader is not None else truth_reader(patient, target)
    labels = _reads(patient, target).get(reader, [])
    if not labels:
        raise StrokeError(f"{patient.id}: no usable label ({target}) of reader '{reader}'.")
    settled = settling(patient, target)
    if settled is not None and settled.reader == reader:
        labels = [settled]  # what the same reader drew before, without seeing the others, has no vote in it
    masks = [_read(label) for label in labels]
    for mask in masks[1:]:
        masks[0].require_same_grid(mask)
    voted = masks[0].with_array(majority([mask.array for mask in masks]))
    names = ", ".join(label.path.name for label in labels)
    source = names if len(masks) == 1 else f"majority of {len(masks)} reads: {names}"
    if case is not None and labels[0].grid == "follow-up":
        voted, moved = _brought(patient, voted, case)
        source += f"; {moved}"
    return Outline(voted, reader, len(masks), source)


def second_reader(patient: Patient, target: str, *, case: StrokeCase | None = None) -> Outline | None:
    """Return the outline of a reader who did not make the truth, the human reference (Alis 2020); None without one.

    Of several who read least often, of those the first by name.
    """
    other = other_reader(patient, target)
    return truth(patient, target, reader=other, case=case) if other is not None else None


def other_reader(patient: Patient, target: str) -> str | None:
    """Return who `second_reader` is; `StrokeError` as `truth_reader`."""
    first = truth_reader(patient, target)
    others = {reader: len(found) for reader, found in _reads(patient, target).items() if reader not in (first, None)}
    return min(others, key=lambda reader: (others[reader], reader), default=None)


def _read(label: Label) -> Volume:
    volume = read_image(label.path, series=False, may_be_empty=True)
    return volume.with_array(volume.array > 0.5)


def _brought(patient: Patient, mask: Volume, case: StrokeCase) -> tuple[Volume, str]:
    """Bring a mask from the follow-up's grid to the baseline's, by the registration of the follow-up image."""
    found = load_follow_up(patient.folder, case, patient.id if patient.layout != "loose" else None)
    if found is None:
        raise StrokeError(f"{mask.name}: the follow-up that it was drawn on is not found again; index the folder anew.")
    if found.registration is None:
        return found.lesion, found.source
    moved = apply_rigid(mask, case.reference, found.registration.matrix, is_mask=True)
    return moved.with_array(moved.array > 0.5), found.source
