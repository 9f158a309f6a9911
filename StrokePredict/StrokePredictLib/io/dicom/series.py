"""Frames to images: sorted by place, time and diffusion weighting, with what is missing found out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .clock import frame_times, in_order, ranks
from .header import Frame, Header, Unusable

#: Two sections closer than this (mm) lie at the same place.
SAME_PLACE_MM = 0.05
#: Steps between sections may differ by this share of the usual one.
UNEVEN = 0.02


@dataclass
class DicomImage:
    """One image of an export: a volume, or a series of them.

    Attributes
    ----------
    grid : list of list of Frame
        By time (or gradient direction), then by section along the normal.
    headers : dict of Path to Header
        The files it lies in.
    affine : numpy.ndarray
        4×4, voxel indices ``(x, y, z)`` to LPS mm.
    b_value : float or None
        s/mm².
    averaged : bool
        The first axis is gradient directions, whose geometric mean is the trace image.
    times : numpy.ndarray or None
        ``(t,)`` or ``(t, z)`` s of a series.
    clock : str
        The tag that the times came from.
    notes : list of str
        What a reader should know.
    tilt : numpy.ndarray
        LPS mm by which each section lies aside of the one below it (gantry tilt).
    """

    grid: list[list[Frame]]
    headers: dict[Any, Header]
    affine: np.ndarray
    b_value: float | None = None
    averaged: bool = False
    times: np.ndarray | None = None
    clock: str = ""
    notes: list[str] = field(default_factory=list)
    tilt: np.ndarray = field(default_factory=lambda: np.zeros(3))

    @property
    def first(self) -> Header:
        """The header of its first file."""
        return self.headers[self.grid[0][0].path]

    @property
    def name(self) -> str:
        """What messages call it: series number and description, no patient's name."""
        facts = self.first.facts
        return f"DICOM series {facts['series_number']} ({facts['description'] or 'no description'})"

    @property
    def count(self) -> int:
        """Number of time points; 1 for a volume."""
        return 1 if self.averaged else len(self.grid)

    def describe(self) -> str:
        """Return size and spacing in words."""
        rows, columns = self.grid[0][0].size
        spacing = np.linalg.norm(self.affine[:3, :3], axis=0)
        size = f"{columns}×{rows}×{len(self.grid[0])}" + (f"×{self.count}" if self.count > 1 else "")
        return f"{size} at {'×'.join(f'{s:.2f}' for s in spacing)} mm"


def sort_images(headers: list[Header]) -> tuple[list[DicomImage], list[str]]:
    """Sort headers into images.

    Returns
    -------
    tuple of (list of DicomImage, list of str)
        The images by series number, and one sentence for each group of files that makes none.
    """
    groups: dict[tuple, list[tuple[Header, Frame]]] = defaultdict(list)
    orientations: dict[str, set] = defaultdict(set)
    for header in headers:
        for frame in header.frames:
            axes = tuple(np.round(frame.axes.ravel(), 2) + 0.0)
            orientations[header.series].add(axes)
            echo = None if frame.echo is None else round(frame.echo, 1)
            key = (header.series, header.kind, axes, frame.size, tuple(np.round(frame.spacing, 3)), echo)
            groups[key].append((header, frame))
    images: list[DicomImage] = []
    skipped: list[str] = []
    for key, members in groups.items():
        header = members[0][0]
        try:
            _refuse_scouts(header, len(members), len(orientations[key[0]]))
            _require_decoder(header)
            images += _images(members)
        except Unusable as reason:
            facts = header.facts
            skipped.append(f"series {facts['series_number']} ({facts['description'] or 'no description'}): {reason}")
    images.sort(key=lambda image: (image.first.facts["series_number"], image.b_value or 0.0))
    return images, skipped


def _refuse_scouts(header: Header, count: int, orientations: int) -> None:
    words = header.facts["words"].lower()
    if "LOCALIZER" in header.kind or any(word in words for word in ("scout", "localizer", "topogram", "survey")):
        raise Unusable("a scout")
    if orientations > 1 and count < 6:
        raise Unusable(f"a scout: {orientations} orientations in one series")


def _require_decoder(header: Header) -> None:
    from pydicom.pixels import get_decoder
    from pydicom.uid import UID

    syntax = UID(header.facts["syntax"])
    if not syntax or not syntax.is_compressed or syntax.is_deflated:
        return
    try:
        available = get_decoder(syntax).is_available
    except NotImplementedError:
        available = False
    if not available:
        raise Unusable(
            f"compressed as {syntax.name} without a decoder for it; install pylibjpeg with its plug-ins, or have the "
            "archive send it uncompressed"
        )


def _images(members: list[tuple[Header, Frame]]) -> list[DicomImage]:
    """Split one group by diffusion weighting and build an image of each part."""
    by_b: dict[float | None, list[Frame]] = defaultdict(list)
    for _, frame in members:
        by_b[None if frame.b_value is None else round(frame.b_value, -1)].append(frame)
    headers = {header.path: header for header, _ in members}
    if len(by_b) == 1 and 0 in by_b:
        by_b = {None: by_b[0]} if _moves_on(by_b[0]) else by_b
    return [_image(frames, headers, b) for b, frames in by_b.items()]


def _moves_on(frames: list[Frame]) -> bool:
    """Whether frames of b = 0 alone are a time series: some software writes b = 0 on everything."""
    places = len({tuple(np.round(frame.position, 2)) for frame in frames})
    return len(frames) >= 10 * places


def _image(frames: list[Frame], headers: dict[Any, Header], b_value: float | None) -> DicomImage:
    normal = np.cross(*frames[0].axes)
    places = _places(frames, normal)
    affine = _affine([group[0] for group in places], normal, next(iter(headers.values())).facts["section_mm"])
    notes: list[str] = []
    counts = [len(group) for group in places]
    if max(counts) != min(counts):
        if min(counts) < 2 or max(counts) - min(counts) > 1:
            raise Unusable(
                f"{min(counts)} to {max(counts)} images at its {len(places)} sections: some are missing or there twice"
            )
        _require_the_rest_whole([in_order(group) for group in places])
        notes.append(f"the last of {max(counts)} time points is incomplete and left out")
    ordered = [in_order(group)[: min(counts)] for group in places]
    grid = [list(row) for row in zip(*ordered, strict=True)]
    tilt = _tilt(grid[0], normal)
    if tilt.any():
        degrees = np.degrees(np.arctan(np.linalg.norm(tilt) / np.linalg.norm(affine[:3, 2])))
        notes.append(f"gantry tilt of {degrees:.1f}° taken out by shifting its sections")
    image = DicomImage(grid, headers, affine, b_value, notes=notes, tilt=tilt)
    if len(grid) > 1:
        _tell_apart(image, b_value)
    return image


def _require_the_rest_whole(groups: list[list[Frame]]) -> None:
    """Raise `Unusable` where the image that a section lacks is not its last: the rest would slip by one time point.

    A section's times differ from its neighbour's by much the same all along; from a missing image on they differ by a
    time point more.
    """
    full = max(len(group) for group in groups)
    whole = [n for n, group in enumerate(groups) if len(group) == full]
    for n, group in enumerate(groups):
        if len(group) == full:
            continue
        beside = ranks(groups[min(whole, key=lambda other: abs(other - n))])
        apart = ranks(group) - beside[: len(group)]
        step = float(np.median(np.diff(beside)))
        # Slipped from some time point on, or from the very first.
        if np.ptp(apart) > 0.5 * step or abs(np.median(apart)) > 0.9 * step:
            raise Unusable("a time point in its middle is incomplete (an image is missing, or of another size)")


def _tell_apart(image: DicomImage, b_value: float | None) -> None:
    """Say what several images at one place are: gradient directions, time points, or copies."""
    directions = {row[0].direction for row in image.grid}
    if b_value is not None:
        image.averaged = True
        if len(image.grid) > 1:
            image.notes.append(
                f"geometric mean of {len(image.grid)} images at b = {b_value:g} s/mm² ({len(directions)} directions)"
            )
        return
    if len(image.grid) == 2 and _same_moment(image.grid):
        raise Unusable("every section is there twice, at the same time")
    image.times, image.clock = frame_times(image.grid, image.first.facts)
    if image.clock in ("TemporalResolution", "RepetitionTime"):
        image.notes.append(f"no clock in its frames: times are counted by {image.clock}")


def _same_moment(grid: list[list[Frame]]) -> bool:
    told = ({k: v for k, v in row[0].times.items() if k != "InstanceNumber"} for row in grid)
    return len({tuple(sorted(t.items())) for t in told}) == 1


def _places(frames: list[Frame], normal: np.ndarray) -> list[list[Frame]]:
    """Return the frames grouped by their place along the normal, in its direction."""
    depth = np.array([float(frame.position @ normal) for frame in frames])
    order = np.argsort(depth, kind="stable")
    groups: list[list[Frame]] = []
    last = -np.inf
    for n in order:
        if depth[n] - last > SAME_PLACE_MM:
            groups.append([])
        groups[-1].append(frames[n])
        last = depth[n]
    return groups


def _affine(sections: list[Frame], normal: np.ndarray, section_mm: float | None) -> np.ndarray:
    """Return the affine of evenly stacked sections.

    Raises
    ------
    Unusable
        If sections are missing, or unevenly spaced or shifted.
    """
    first = sections[0]
    steps = np.diff([section.position for section in sections], axis=0)
    if len(steps):
        along = steps @ normal
        usual = float(np.median(along))
        worst = int(np.argmax(np.abs(along - usual)))
        if abs(along[worst] - usual) > max(UNEVEN * usual, 0.02):
            what = "a section is missing" if along[worst] > usual else "its sections are unevenly spaced"
            raise Unusable(f"{what} (step {along[worst]:.2f} mm, usually {usual:.2f} mm)")
        step = (sections[-1].position - first.position) / len(steps)
        if _tilt(sections, normal).any():
            step = float(step @ normal) * normal
    else:
        step = normal * (section_mm or 1.0)
    affine = np.eye(4)
    affine[:3, 0] = first.axes[0] * first.spacing[0]
    affine[:3, 1] = first.axes[1] * first.spacing[1]
    affine[:3, 2] = step
    # A tilted stack is laid out around its middle section, which stays where it is.
    affine[:3, 3] = first.position + (len(sections) - 1) / 2 * _tilt(sections, normal)
    return affine


def _tilt(sections: list[Frame], normal: np.ndarray) -> np.ndarray:
    """Return how far each section lies aside of the one below it, LPS mm; zeros for an upright stack.

    Raises
    ------
    Unusable
        If sections are shifted unevenly.
    """
    if len(sections) < 2:
        return np.zeros(3)
    steps = np.diff([section.position for section in sections], axis=0)
    aside = steps - np.outer(steps @ normal, normal)
    usual = np.median(aside, axis=0)
    if np.linalg.norm(aside - usual, axis=1).max() > 0.05:
        raise Unusable("its sections are shifted unevenly against each other")
    total = (len(sections) - 1) * np.linalg.norm(usual)
    return usual if total > 0.05 else np.zeros(3)
