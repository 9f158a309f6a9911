"""The apparent diffusion coefficient from b0 and a diffusion-weighted image."""

from __future__ import annotations

import numpy as np

from ..volume import Volume


def compute_adc(b0: Volume, dwi: Volume, b_value: float = 1000.0) -> Volume:
    """Return ADC = ln(b0 / DWI) / b in 10⁻⁶ mm²/s.

    Parameters
    ----------
    b0, dwi : Volume
        On one grid; arbitrary units.
    b_value : float
        s/mm².

    Returns
    -------
    Volume
        float32; 0 (invalid, never core) where either image has no signal.

    Raises
    ------
    StrokeError
        If the grids differ.
    """
    b0.require_same_grid(dwi)
    valid = (b0.array > 0) & (dwi.array > 0)
    ratio = np.divide(b0.array, dwi.array, out=np.ones_like(b0.array, dtype=np.float32), where=valid)
    adc = np.log(ratio, dtype=np.float32) * np.float32(1e6 / b_value)
    return dwi.with_array(np.where(valid, adc, np.float32(0)).astype(np.float32), name=f"ADC of {dwi.name}")
