"""Where a series' frame times and echo time come from: sidecar, CSV, interval, header."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import StrokeError
from ..volume import Volume

#: An echo time above this is in ms: no perfusion sequence echoes after 1 s.
LONGEST_ECHO = 1.0
#: s per unit of time in a NIfTI header (xyzt_units).
NIFTI_UNITS = {8: (1.0, "s"), 16: (1e-3, "ms"), 24: (1e-6, "µs")}


@dataclass(frozen=True)
class Timing:
    """Frame times with their origin.

    Attributes
    ----------
    times : numpy.ndarray
        ``(t,)`` s.
    source : str
        Where they were found, for the record.
    echo_time : float or None
        TE in s.
    warnings : tuple of str
        What a reader should know about them.
    """

    times: np.ndarray
    source: str
    echo_time: float | None = None
    warnings: tuple[str, ...] = ()


def find_timing(
    series: Volume,
    path: Path,
    *,
    interval: float | None = None,
    times: Path | None = None,
    echo_time: float | None = None,
) -> Timing:
    """Return frame times by the first that is there: CSV, interval, sidecar, header.

    Parameters
    ----------
    series : Volume
        The series, for its number of frames and its header.
    path : pathlib.Path
        Its file; the sidecar is the ``.json`` beside it.
    interval : float, optional
        s between frames.
    times : pathlib.Path, optional
        CSV or text file of times, one a frame; more columns are slices.
    echo_time : float, optional
        TE in s (or ms, recognised).

    Raises
    ------
    StrokeError
        If no time is found anywhere, or what was found does not fit.
    """
    sidecar = read_sidecar(path)
    found = _find_frame_times(series, path, sidecar, interval, times, echo_time)
    if times is None:
        return _with_slices(found, series, sidecar)
    return found


def _find_frame_times(
    series: Volume, path: Path, sidecar: dict, interval: float | None, times: Path | None, echo_time: float | None
) -> Timing:
    frames = series.array.shape[0]
    warnings: list[str] = []
    te = _echo(echo_time if echo_time is not None else sidecar.get("EchoTime"), path, warnings)
    if times is not None:
        return Timing(read_times(times), f"file {Path(times).name}", te, tuple(warnings))
    if interval is not None:
        if not np.isfinite(interval) or interval <= 0:
            raise StrokeError(f"interval {interval:g} s: must be above 0; give the time between frames in s.")
        return Timing(interval * np.arange(frames), "interval given", te, tuple(warnings))
    if "VolumeTiming" in sidecar:
        listed = _numbers(sidecar["VolumeTiming"], path, "VolumeTiming")
        return Timing(listed, "sidecar VolumeTiming", te, tuple(warnings))
    if "RepetitionTime" in sidecar:
        step = float(_numbers([sidecar["RepetitionTime"]], path, "RepetitionTime")[0])
        return Timing(step * np.arange(frames), "sidecar RepetitionTime", te, tuple(warnings))
    step, unit = header_interval(series)
    if step is None:
        raise StrokeError(
            f"{path}: no frame times found (no sidecar, none in the header); give --interval in s or --times FILE."
        )
    warnings.append(f"frame interval {step:g} s read from the file's header ({unit}): check it against the scanner's")
    return Timing(step * np.arange(frames), "header of the file", te, tuple(warnings))


def _with_slices(timing: Timing, series: Volume, sidecar: dict) -> Timing:
    """Add the sidecar's SliceTiming (s after the frame began), where it fits the slices and the interval."""
    offsets = sidecar.get("SliceTiming")
    if offsets is None or timing.times.ndim != 1 or len(timing.times) < 2:
        return timing
    step = float(np.median(np.diff(timing.times)))
    try:
        shift = np.array(offsets, dtype=np.float64)
    except (TypeError, ValueError):
        shift = np.empty(0)
    if shift.shape != (series.shape[0],) or not np.all((shift >= 0) & (shift <= step)):
        said = "SliceTiming in the sidecar was not used: it does not fit the slices and the interval"
        return replace(timing, warnings=(*timing.warnings, said))
    if np.ptp(shift) == 0:
        return timing
    return replace(timing, times=timing.times[:, None] + shift, source=f"{timing.source} and SliceTiming")


def read_sidecar(path: Path) -> dict:
    """Return the JSON beside an image file, or an empty dict."""
    name = Path(path).name
    stem = name[:-7] if name.lower().endswith(".nii.gz") else Path(name).stem
    sidecar = Path(path).with_name(stem + ".json")
    if not sidecar.is_file():
        return {}
    try:
        found = json.loads(sidecar.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError) as error:
        raise StrokeError(f"{sidecar}: is no readable JSON; correct it, or give --interval and remove it.") from error
    return found if isinstance(found, dict) else {}


def read_table(path: Path) -> np.ndarray:
    """Return ``(rows, columns)`` numbers of a CSV, semicolon, tab or blank separated file; one header line is skipped.

    Raises
    ------
    StrokeError
        If it is missing or not a table of numbers.
    """
    path = Path(path)
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise StrokeError(f"{path}: no readable text file; check the name.") from error
    rows: list[list[float]] = []
    for number, line in enumerate(lines):
        fields = [f for f in line.replace(";", ",").replace("\t", ",").replace(" ", ",").split(",") if f]
        try:
            rows.append([float(f) for f in fields])
        except ValueError as error:
            if number:
                raise StrokeError(f"{path}: line {number + 1} is not numbers; one row of numbers a frame.") from error
    if not rows or len({len(r) for r in rows}) != 1 or not np.all(np.isfinite(rows)):
        raise StrokeError(f"{path}: not a table of numbers with equally long rows; correct it.")
    return np.array(rows)


def read_times(path: Path) -> np.ndarray:
    """Return ``(t,)`` or, one column a slice, ``(t, z)`` times."""
    table = read_table(path)
    if table.shape[0] == 1 and table.shape[1] > 1:
        return table[0]
    return table[:, 0] if table.shape[1] == 1 else table


def header_interval(series: Volume) -> tuple[float | None, str]:
    """Return the header's time step in s with its unit in words; None where it says nothing usable."""
    header = series.header
    if header is None or not hasattr(header, "get_zooms") or len(header.get_zooms()) < 4:
        return None, ""
    step = float(header["pixdim"][4])
    factor, unit = NIFTI_UNITS.get(int(header["xyzt_units"]) & 0x38, (1.0, "no unit given, taken as s"))
    if not np.isfinite(step) or step <= 0:
        return None, ""
    return step * factor, unit


def _echo(value: float | None, path: Path, warnings: list[str]) -> float | None:
    if value is None:
        return None
    try:
        value = float(value)
    except (TypeError, ValueError) as error:
        raise StrokeError(f"{path}: EchoTime {value!r} in its sidecar is no number; correct it.") from error
    if not np.isfinite(value) or value <= 0:
        raise StrokeError(f"echo time {value:g}: must be above 0; give TE in s.")
    if value > LONGEST_ECHO:
        warnings.append(f"echo time {value:g} was taken as ms")
        value /= 1000.0
    return value


def _numbers(values: object, path: Path, name: str) -> np.ndarray:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StrokeError(f"{path}: {name} in its sidecar is not numbers; correct it or give --interval.") from error
    if array.ndim != 1 or not np.all(np.isfinite(array)) or (array.size == 1 and array[0] <= 0):
        raise StrokeError(f"{path}: {name} in its sidecar is not usable; correct it or give --interval.")
    return array
