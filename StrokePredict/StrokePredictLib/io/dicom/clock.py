"""DICOM's times of day, and when each frame of a series was taken."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .header import Frame

_DAY = 86400.0
#: Tags that give a frame's time in seconds, the most direct first.
_CLOCKS = (
    "TemporalPositionTimeOffset", "FrameReferenceDateTime", "FrameAcquisitionDateTime", "AcquisitionDateTime",
    "AcquisitionTime", "ContentTime", "TriggerTime",
)  # fmt: skip
#: Tags that order frames in time without saying when.
_RANKS = ("TemporalPositionIdentifier", "TemporalPositionIndex")


def seconds(value: Any) -> float | None:
    """Return seconds of a DICOM time ``HHMMSS.ffffff`` or date-time; None where it is neither.

    >>> seconds("101530.25")
    36930.25
    >>> seconds("20240102000001.5") - seconds("20240101235959.5")
    2.0
    """
    text = str(value or "").strip().split("+")[0].split("-")[0].replace(":", "")
    match = re.fullmatch(r"(\d{8})?(\d{2})(\d{2})?(\d{2})?(\.\d*)?", text)
    if not match:
        return None
    day, hour, minute, second, fraction = match.groups()
    days = 0
    if day:
        try:
            days = int(np.datetime64(f"{day[:4]}-{day[4:6]}-{day[6:]}", "D").astype(int))
        except ValueError:
            return None
    whole = int(hour) * 3600 + int(minute or 0) * 60 + int(second or 0)
    return days * _DAY + whole + float(fraction or 0)


def in_order(frames: list[Frame]) -> list[Frame]:
    """Return the frames of one position in the order of time."""
    names = [*_RANKS, *_CLOCKS, "AcquisitionNumber", "InstanceNumber"]
    return sorted(frames, key=lambda frame: [frame.times.get(name, 0.0) for name in names])


def ranks(frames: list[Frame]) -> np.ndarray:
    """Return what orders frames in time, ``(t,)``: the most direct tag that all of them carry and that rises."""
    for name in (*_CLOCKS, *_RANKS, "AcquisitionNumber", "InstanceNumber"):
        if all(name in frame.times for frame in frames):
            values = _over_midnight(np.array([float(frame.times[name]) for frame in frames]))
            if np.all(np.diff(values) > 0):
                return values
    return np.arange(len(frames), dtype=float)


def frame_times(grid: list[list[Frame]], facts: dict[str, Any]) -> tuple[np.ndarray | None, str]:
    """Return when the frames of a series were taken.

    Parameters
    ----------
    grid : list of list of Frame
        By time, then by section.
    facts : dict
        Of `header.Header`.

    Returns
    -------
    tuple of (numpy.ndarray or None, str)
        ``(t,)`` s, or ``(t, z)`` where sections have times of their own; the first is 0. None where the header says
        nothing. And the tag it came from.
    """
    for name in _CLOCKS:
        if not all(name in frame.times for row in grid for frame in row):
            continue
        times = np.array([[frame.times[name] for frame in row] for row in grid])
        times = _over_midnight(times)
        if np.all(np.diff(times, axis=0) > 0):
            times = times - times.min()
            return (times[:, 0] if np.ptp(times, axis=1).max() < 0.01 else times), name
    for tag, key in (("TemporalResolution", "resolution_ms"), ("RepetitionTime", "repetition_ms")):
        if facts[key]:
            return np.arange(len(grid)) * facts[key] / 1000.0, tag
    return None, ""


def _over_midnight(times: np.ndarray) -> np.ndarray:
    """Add a day to times of day after midnight."""
    if np.ptp(times) > _DAY / 2 and times.max() < 1.01 * _DAY:
        return np.where(times < _DAY / 2, times + _DAY, times)
    return times
