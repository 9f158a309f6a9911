"""One DICOM file's header to the frames in it, each with its place, time and contrast."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from . import private
from .clock import seconds
from .mosaic import mosaic_frames


class Unusable(Exception):
    """Why a file, or a series, is left out."""


@dataclass(frozen=True)
class Frame:
    """One section in one file.

    Attributes
    ----------
    path : Path
        The file.
    index : int
        Frame of a multi-frame file, tile of a mosaic, or 0.
    position : numpy.ndarray
        ``(3,)`` LPS mm of the first pixel's centre.
    axes : numpy.ndarray
        ``(2, 3)`` unit vectors along growing columns and growing rows.
    spacing : tuple of float
        mm between columns and between rows.
    size : tuple of int
        Rows and columns.
    b_value : float or None
        s/mm².
    direction : tuple of float or None
        Diffusion gradient.
    times : dict of str to float
        What the header says of the frame's time, by tag: seconds, or a rank.
    echo : float or None
        ms.
    """

    path: Path
    index: int
    position: np.ndarray
    axes: np.ndarray
    spacing: tuple[float, float]
    size: tuple[int, int]
    b_value: float | None
    direction: tuple[float, ...] | None
    times: dict[str, float]
    echo: float | None


@dataclass
class Header:
    """What is kept of a file's header.

    Attributes
    ----------
    path : Path
        The file.
    patient : str
        Who it belongs to; never shown.
    series : str
        SeriesInstanceUID.
    instance : str
        SOPInstanceUID.
    number : int
        InstanceNumber.
    kind : tuple of str
        ImageType.
    facts : dict
        What the series is told by: modality, words, manufacturer, frame of reference and the like.
    tiles : int
        Sections in a Siemens mosaic; 0 for other files.
    frames : list of Frame
        The sections in it.
    """

    path: Path
    patient: str
    series: str
    instance: str
    number: int
    kind: tuple[str, ...]
    facts: dict[str, Any]
    tiles: int = 0
    frames: list[Frame] = field(default_factory=list)


def read_header(path: Path, dataset: Any) -> Header:
    """Return what is needed of a dataset read without its pixels.

    Raises
    ------
    Unusable
        With the reason.
    """
    if int(dataset.get("SamplesPerPixel", 1) or 1) != 1:
        raise Unusable("a colour picture (secondary capture), no measured values")
    if not dataset.get("Rows") or not dataset.get("Columns"):
        raise Unusable("holds no image")
    _require_whole(path, dataset)
    patient = f"{dataset.get('PatientID', '')}|{dataset.get('PatientBirthDate', '')}"
    header = Header(
        path, patient, str(dataset.get("SeriesInstanceUID", "")), str(dataset.get("SOPInstanceUID", "")),
        int(dataset.get("InstanceNumber") or 0), tuple(str(w).upper() for w in dataset.get("ImageType") or ()),
        _facts(dataset),
    )  # fmt: skip
    if not header.series:
        raise Unusable("no SeriesInstanceUID")
    if "PerFrameFunctionalGroupsSequence" in dataset:
        if "MOSAIC" in header.kind:
            raise Unusable("a mosaic within an enhanced file; export it as classic, or as enhanced without mosaic")
        header.frames = list(_enhanced(path, dataset))
    else:
        header.frames = [_classic(path, dataset)]
        header.tiles, frames = mosaic_frames(header.frames[0], header.kind, dataset)
        header.frames = frames or header.frames
    return header


def _require_whole(path: Path, dataset: Any) -> None:
    """Raise `Unusable` where a file is shorter than the uncompressed image it should hold."""
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    if syntax is None or syntax.is_compressed:
        return
    bits = int(dataset.get("BitsAllocated") or 16)
    need = int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("NumberOfFrames") or 1) * bits // 8
    if path.stat().st_size < need:
        raise Unusable("a truncated file: shorter than its image")


def _facts(dataset: Any) -> dict[str, Any]:
    words = " ".join(str(dataset.get(name, "") or "") for name in ("SeriesDescription", "ProtocolName", "SequenceName"))
    return {
        "modality": str(dataset.get("Modality", "")),
        "words": words.strip(),
        "description": str(dataset.get("SeriesDescription", "") or ""),
        "series_number": int(dataset.get("SeriesNumber") or 0),
        "frame_of_reference": str(dataset.get("FrameOfReferenceUID", "")),
        "repetition_ms": _number(dataset.get("RepetitionTime")),
        "resolution_ms": _number(dataset.get("TemporalResolution")),
        "inversion_ms": _number(dataset.get("InversionTime")),
        "contrast": bool(str(dataset.get("ContrastBolusAgent", "") or "").strip()),
        "manufacturer": str(dataset.get("Manufacturer", "") or ""),
        "units": str(dataset.get("RescaleType", "") or dataset.get("Units", "") or ""),
        "section_mm": _number(dataset.get("SpacingBetweenSlices")) or _number(dataset.get("SliceThickness")),
        "study": str(dataset.get("StudyInstanceUID", "")),
        "syntax": str(getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", "")),
    }


def _classic(path: Path, dataset: Any) -> Frame:
    place, axes, spacing = (dataset.get(n) for n in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"))
    times = {
        "TemporalPositionIdentifier": _number(dataset.get("TemporalPositionIdentifier")),
        "AcquisitionDateTime": seconds(dataset.get("AcquisitionDateTime")),
        "AcquisitionTime": seconds(dataset.get("AcquisitionTime")),
        "ContentTime": seconds(dataset.get("ContentTime")),
        "TriggerTime": _ms(dataset.get("TriggerTime")),
        "AcquisitionNumber": _number(dataset.get("AcquisitionNumber")),
        "InstanceNumber": _number(dataset.get("InstanceNumber")),
    }
    gradient = dataset.get("DiffusionGradientOrientation") or private.direction(dataset)
    return _frame(
        path, 0, place, axes, spacing, dataset, _b_value(dataset), gradient, times, _number(dataset.get("EchoTime")),
    )  # fmt: skip


def _enhanced(path: Path, dataset: Any) -> list[Frame]:
    """Return the frames of an enhanced multi-frame object; what a frame leaves out, the shared groups say."""
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [None])[0]
    frames = []
    for index, own in enumerate(dataset.PerFrameFunctionalGroupsSequence):

        def told(sequence: str, name: str, own: Any = own) -> Any:
            for group in (own, shared):
                items = group.get(sequence) if group is not None else None
                if items and items[0].get(name) is not None:
                    return items[0].get(name)
            return None

        gradient = told("MRDiffusionSequence", "DiffusionGradientDirectionSequence")
        times = {
            "TemporalPositionIndex": _number(told("FrameContentSequence", "TemporalPositionIndex")),
            "TemporalPositionTimeOffset": _number(told("TemporalPositionSequence", "TemporalPositionTimeOffset")),
            "FrameAcquisitionDateTime": seconds(told("FrameContentSequence", "FrameAcquisitionDateTime")),
            "FrameReferenceDateTime": seconds(told("FrameContentSequence", "FrameReferenceDateTime")),
            "InstanceNumber": float(index),
        }
        frame = _frame(
            path, index, told("PlanePositionSequence", "ImagePositionPatient"),
            told("PlaneOrientationSequence", "ImageOrientationPatient"),
            told("PixelMeasuresSequence", "PixelSpacing"), dataset,
            _number(told("MRDiffusionSequence", "DiffusionBValue")),
            gradient[0].get("DiffusionGradientOrientation") if gradient else None, times,
            _number(told("MREchoSequence", "EffectiveEchoTime")),
        )  # fmt: skip
        frames.append(frame)
    return frames


def _frame(
    path: Path, index: int, place: Any, axes: Any, spacing: Any, dataset: Any, b: float | None, gradient: Any,
    times: dict[str, float | None], echo: float | None,
) -> Frame:  # fmt: skip
    for name, value, count in (
        ("ImagePositionPatient", place, 3), ("ImageOrientationPatient", axes, 6), ("PixelSpacing", spacing, 2),
    ):  # fmt: skip
        if value is None or len(value) != count:
            raise Unusable(f"no {name}: its place in the patient is unknown")
    pair = np.array([float(v) for v in axes]).reshape(2, 3)
    if not np.allclose(pair @ pair.T, np.eye(2), atol=1e-3):
        raise Unusable("its image axes are not at right angles")
    rows, columns = (float(v) for v in spacing)
    if not (rows > 0 and columns > 0):
        raise Unusable("PixelSpacing is not positive")
    return Frame(
        path, index, np.array([float(v) for v in place]), pair, (columns, rows),
        (int(dataset.Rows), int(dataset.Columns)), b,
        tuple(float(v) for v in gradient) if gradient is not None else None,
        {name: value for name, value in times.items() if value is not None}, echo,
    )  # fmt: skip


def _b_value(dataset: Any) -> float | None:
    """Return the b-value of a classic file: the standard's tag, or what its maker keeps."""
    told = _number(dataset.get("DiffusionBValue"))
    return told if told is not None else private.b_value(dataset)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _ms(value: Any) -> float | None:
    number = _number(value)
    return None if number is None else number / 1000.0
