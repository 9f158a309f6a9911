"""The units that files arrive in, recognised once at the door."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from ..errors import StrokeError
from ..volume import Volume

#: Name of the unit a file may use for ADC, and the factor to 10⁻⁶ mm²/s.
ADC_UNITS = {"mm²/s": 1e6, "10⁻³ mm²/s": 1e3, "10⁻⁶ mm²/s": 1.0}
#: Units that only whole numbers are stored in: a tenth or ten times of 10⁻⁶ mm²/s, to fit 12 bits or keep a digit.
SCALED_ADC_UNITS = {"10⁻⁵ mm²/s": 10.0, "10⁻⁷ mm²/s": 0.1}
#: Median ADC of a head lies here (10⁻⁶ mm²/s): white matter 700, cerebrospinal fluid 3000.
_PLAUSIBLE_ADC = (300.0, 3000.0)
#: The same, narrower, where the unit is an unusual one.
_LIKELY_ADC = (500.0, 1500.0)
#: Name of the unit a time map may use, and the factor to s.
TIME_UNITS = {"s": 1.0, "0.1 s": 0.1, "ms": 1e-3}
#: What sidecars call the units (BIDS' "Units"), simplified by `_plain`.
_NAMES = {
    "mm2/s": "mm²/s", "mm^2/s": "mm²/s", "10-3mm2/s": "10⁻³ mm²/s", "10^-3mm^2/s": "10⁻³ mm²/s",
    "1e-3mm2/s": "10⁻³ mm²/s", "10-6mm2/s": "10⁻⁶ mm²/s", "10^-6mm^2/s": "10⁻⁶ mm²/s", "1e-6mm2/s": "10⁻⁶ mm²/s",
    "um2/s": "10⁻⁶ mm²/s", "um^2/s": "10⁻⁶ mm²/s", "10-5mm2/s": "10⁻⁵ mm²/s", "10-7mm2/s": "10⁻⁷ mm²/s",
    "s": "s", "sec": "s", "seconds": "s", "ms": "ms", "milliseconds": "ms", "0.1s": "0.1 s", "ds": "0.1 s",
}  # fmt: skip


def told_unit(path: Path) -> str | None:
    """Return the unit that the sidecar beside an image names (``"Units"``); None where it names none.

    Raises
    ------
    StrokeError
        If it names one that is not known here.
    """
    sidecar = path.with_name(re.sub(r"\.(nii(\.gz)?|nrrd|nhdr|mha|mhd)$", "", path.name, flags=re.IGNORECASE) + ".json")
    if not sidecar.is_file():
        return None
    try:
        content = json.loads(sidecar.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StrokeError(f"{sidecar}: is no readable JSON ({error}).") from error
    unit = content.get("Units") if isinstance(content, dict) else None
    if not unit:
        return None
    if _plain(str(unit)) not in _NAMES:
        known = ", ".join([*ADC_UNITS, *SCALED_ADC_UNITS, *TIME_UNITS])
        raise StrokeError(f"{sidecar}: Units is '{unit}'; known are {known}.")
    return _NAMES[_plain(str(unit))]


def recognise_adc(adc: Volume, unit: str | None = None) -> tuple[Volume, str]:
    """Bring an ADC map to 10⁻⁶ mm²/s by its sidecar's word or by physiology.

    Parameters
    ----------
    adc : Volume
        In mm²/s, 10⁻³ or 10⁻⁶ mm²/s, or as whole numbers in 10⁻⁵ or 10⁻⁷ mm²/s.
    unit : str, optional
        What the sidecar says; believed only where the values allow it.

    Returns
    -------
    tuple of (Volume, str)
        The map in 10⁻⁶ mm²/s, and a sentence saying what was recognised.

    Raises
    ------
    StrokeError
        If the values fit none of the units, or not the one named.
    """
    positive = adc.array[adc.array > 0]
    if positive.size == 0:
        raise StrokeError(f"{adc.name}: no positive ADC value in it; is it an ADC map?")
    # Outside the head lie zeros, or noise whose logarithm is of the same order: the median of the positives holds.
    median = float(np.median(positive))
    fits = [(name, f) for name, f in ADC_UNITS.items() if _PLAUSIBLE_ADC[0] <= median * f <= _PLAUSIBLE_ADC[1]]
    if not fits and _is_whole(positive):
        rare = SCALED_ADC_UNITS.items()
        fits = [(name, f) for name, f in rare if _LIKELY_ADC[0] <= median * f <= _LIKELY_ADC[1]]
    if unit is not None:
        fits = _as_told(unit, ADC_UNITS | SCALED_ADC_UNITS, median, (100.0, 4000.0), adc.name, "ADC")
    if len(fits) != 1:
        raise StrokeError(
            f"{adc.name}: ADC unit not recognised (median of positive voxels {median:.4g}); "
            f'expected {", ".join(ADC_UNITS)}. Convert the map, name the unit in its .json ("Units"), or check that '
            "it is one."
        )
    unit, factor = fits[0]
    return _scaled(adc, factor), f"ADC unit recognised as {unit} (median {median:.4g})"


def recognise_time_map(volume: Volume, what: str, unit: str | None = None) -> tuple[Volume, str]:
    """Bring a Tmax, MTT or TTP map to seconds.

    Milliseconds are a thousand times larger than any value in seconds. Tenths of a second are told by whole numbers
    whose upper end no scan is long enough for in seconds.

    Parameters
    ----------
    volume : Volume
        In s, 0.1 s or ms.
    what : str
        Name of the map, for the message.
    unit : str, optional
        What the sidecar says; believed only where the values allow it.

    Returns
    -------
    tuple of (Volume, str)
        The map in seconds, and a sentence saying what was recognised.

    Raises
    ------
    StrokeError
        If the values fit none, or more than one.
    """
    positive = volume.array[volume.array > 0]
    if positive.size == 0:
        raise StrokeError(f"{volume.name}: no positive {what} value in it.")
    high = float(np.percentile(positive, 99))
    if unit is not None:
        ((unit, factor),) = _as_told(unit, TIME_UNITS, high, (0.5, 200.0), volume.name, what)
        return _scaled(volume, factor), f"{what} in {unit} as its sidecar says"
    # Half of a brain has a Tmax below 8 s, and its end lies below 45 s; transit and peak times may be longer.
    longest, typical = (45.0, 8.0) if what == "Tmax" else (120.0, 60.0)
    median = float(np.median(positive))
    whole = _is_whole(positive)
    if (high <= longest and median <= typical) or (high <= 120.0 and not whole):
        return volume, f"{what} taken as seconds (99th percentile {high:.4g})"
    if 500.0 <= high <= 120_000.0 and not (whole and high <= 900.0 and median <= 80.0):
        return _scaled(volume, 1e-3), f"{what} recognised as milliseconds (99th percentile {high:.4g})"
    if whole and longest < high <= 1200.0 and median <= 10.0 * typical:
        return _scaled(volume, 0.1), f"{what} recognised as tenths of a second (99th percentile {high:.4g})"
    raise StrokeError(
        f"{volume.name}: {what} unit not recognised (99th percentile {high:.4g}, median {median:.4g}); "
        'expected s or ms, or whole numbers in 0.1 s. Convert the map or name the unit in its .json ("Units": "s").'
    )


def _as_told(
    unit: str, units: dict[str, float], value: float, plausible: tuple[float, float], name: str, what: str
) -> list[tuple[str, float]]:
    """Return the named unit with its factor, if the values can be in it."""
    if unit not in units or not plausible[0] <= value * units[unit] <= plausible[1]:
        raise StrokeError(
            f"{name}: its sidecar says {what} in {unit}, which its values ({value:.4g}) cannot be in; correct either."
        )
    return [(unit, units[unit])]


def _scaled(volume: Volume, factor: float) -> Volume:
    return volume if factor == 1.0 else volume.with_array((volume.array * np.float32(factor)).astype(np.float32))


def _is_whole(values: np.ndarray) -> bool:
    some = values[:: max(1, values.size // 20_000)]
    return bool(np.all(some == np.rint(some)))


def _plain(unit: str) -> str:
    """Return a unit's name without blanks, signs of multiplication and fine type."""
    fine = str.maketrans({"²": "2", "⁻": "-", "³": "3", "⁶": "6", "⁵": "5", "⁷": "7", "µ": "u", "μ": "u", "−": "-"})
    return re.sub(r"[\s*×·]", "", unit.translate(fine).lower())
