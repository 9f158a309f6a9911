"""The units that files arrive in, recognised once at the door."""

from __future__ import annotations

import numpy as np

from ..errors import StrokeError
from ..volume import Volume

#: Name of the unit a file may use for ADC, and the factor to 10⁻⁶ mm²/s.
ADC_UNITS = {"mm²/s": 1e6, "10⁻³ mm²/s": 1e3, "10⁻⁶ mm²/s": 1.0}
#: Median ADC of a head lies here (10⁻⁶ mm²/s): white matter 700, cerebrospinal fluid 3000.
_PLAUSIBLE_ADC = (300.0, 3000.0)


def recognise_adc(adc: Volume) -> tuple[Volume, str]:
    """Bring an ADC map to 10⁻⁶ mm²/s by physiology.

    Parameters
    ----------
    adc : Volume
        In mm²/s, 10⁻³ or 10⁻⁶ mm²/s.

    Returns
    -------
    tuple of (Volume, str)
        The map in 10⁻⁶ mm²/s, and a sentence saying what was recognised.

    Raises
    ------
    StrokeError
        If the values fit none of the three.
    """
    positive = adc.array[adc.array > 0]
    if positive.size == 0:
        raise StrokeError(f"{adc.name}: no positive ADC value in it; is it an ADC map?")
    # Outside the head lie zeros, or noise whose logarithm is of the same order: the median of the positives holds.
    median = float(np.median(positive))
    low, high = _PLAUSIBLE_ADC
    fits = [(unit, factor) for unit, factor in ADC_UNITS.items() if low <= median * factor <= high]
    if len(fits) != 1:
        raise StrokeError(
            f"{adc.name}: ADC unit not recognised (median of positive voxels {median:.4g}); "
            f"expected {', '.join(ADC_UNITS)}. Convert the map or check that it is one."
        )
    unit, factor = fits[0]
    converted = adc if factor == 1.0 else adc.with_array((adc.array * np.float32(factor)).astype(np.float32))
    return converted, f"ADC unit recognised as {unit} (median {median:.4g})"


def recognise_time_map(volume: Volume, what: str) -> tuple[Volume, str]:
    """Bring a Tmax, MTT or TTP map to seconds: values in milliseconds are a thousand times larger than any in seconds.

    Parameters
    ----------
    volume : Volume
        In s or ms.
    what : str
        Name of the map, for the message.

    Returns
    -------
    tuple of (Volume, str)
        The map in seconds, and a sentence saying what was recognised.

    Raises
    ------
    StrokeError
        If the values fit neither.
    """
    positive = volume.array[volume.array > 0]
    if positive.size == 0:
        raise StrokeError(f"{volume.name}: no positive {what} value in it.")
    high = float(np.percentile(positive, 99))
    if high <= 120.0:
        return volume, f"{what} taken as seconds (99th percentile {high:.4g})"
    if 500.0 <= high <= 120_000.0:
        scaled = volume.with_array((volume.array * np.float32(1e-3)).astype(np.float32))
        return scaled, f"{what} recognised as milliseconds (99th percentile {high:.4g})"
    raise StrokeError(f"{volume.name}: {what} unit not recognised (99th percentile {high:.4g}); expected s or ms.")
