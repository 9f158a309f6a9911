"""A folder of DICOM files as one patient's images."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ...errors import StrokeError
from .choose import choose_roles
from .pixels import read_volume
from .scan import scan
from .series import DicomImage, sort_images

__all__ = ["DicomExport", "open_export", "read_volume"]


@dataclass
class DicomExport:
    """What an export holds.

    Attributes
    ----------
    folder : Path
        Where.
    images : list of DicomImage
        All images.
    roles : dict of str to DicomImage
        The image of each role.
    reasons : dict of str to str
        By role, the rule that chose it.
    left : list of str
        One sentence for each image without a role, or second to another.
    skipped : list of str
        One sentence for each reason for which files make no image.
    """

    folder: Path
    images: list[DicomImage]
    roles: dict[str, DicomImage]
    reasons: dict[str, str]
    left: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def doubts(self) -> list[str]:
        """What a reader should know of the chosen images."""
        told = [f"{image.name}: {note}." for image in self.roles.values() for note in image.notes]
        frames = {image.first.facts["frame_of_reference"] for image in self.roles.values()} - {""}
        if len(frames) > 1:
            told.append(f"The images lie in {len(frames)} frames of reference: between them only registration helps.")
        studies = {image.first.facts["study"] for image in self.roles.values()}
        if len(studies) > 1:
            told.append(f"The images come from {len(studies)} studies: check that they are of one day.")
        return told


def open_export(folder: Path) -> DicomExport:
    """Sort a folder of DICOM files, headers only.

    Raises
    ------
    StrokeError
        If it holds several patients, or nothing that can be used.
    """
    found = scan(folder)
    images, unsorted = sort_images(found.headers)
    skipped = [*unsorted, *found.skipped]
    if not images:
        why = f" ({skipped[0]}{' and more' if len(skipped) > 1 else ''})" if skipped else ""
        raise StrokeError(f"{folder}: no DICOM image in it can be used{why}.")
    roles, reasons, left = choose_roles(images)
    return DicomExport(folder, images, roles, reasons, left, skipped)
