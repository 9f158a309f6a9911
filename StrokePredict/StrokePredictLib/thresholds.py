"""The tissue rules: which voxels are core, and which are hypoperfused."""

from __future__ import annotations

import numpy as np

from .volume import Volume

#: Core on diffusion MRI: ADC below this, in 10⁻⁶ mm²/s (Purushotham 2015; DEFUSE 3).
ADC_CORE = 620.0
#: Hypoperfused tissue at risk: Tmax above this, in s (Olivot 2009; DEFUSE 3).
TMAX_HYPOPERFUSED = 6.0
#: Core on CT perfusion: CBF below this share of normal tissue's, inside Tmax > 6 s (Campbell 2011).
RCBF_CORE = 0.30
#: Further limits that readers quote, in s.
TMAX_LEVELS = (4.0, 6.0, 8.0, 10.0)


def adc_core(adc: Volume, brain: Volume, limit: float = ADC_CORE) -> Volume:
    """Return where 0 < ADC < ``limit`` inside the brain.

    Parameters
    ----------
    adc : Volume
        10⁻⁶ mm²/s. Zero and negative values are invalid and never core.
    brain : Volume
        bool, on the same grid.
    limit : float
        10⁻⁶ mm²/s.
    """
    adc.require_same_grid(brain)
    return adc.with_array((adc.array > 0) & (adc.array < limit) & brain.array, name=f"ADC < {limit:g}")


def hypoperfused(tmax: Volume, brain: Volume, limit: float = TMAX_HYPOPERFUSED) -> Volume:
    """Return where Tmax > ``limit`` inside the brain.

    Parameters
    ----------
    tmax : Volume
        s, by a singular value decomposition.
    brain : Volume
        bool, on the same grid.
    limit : float
        s.
    """
    tmax.require_same_grid(brain)
    return tmax.with_array((tmax.array > limit) & brain.array, name=f"Tmax > {limit:g} s")


def penumbra(hypoperfusion: Volume, core: Volume) -> Volume:
    """Return the hypoperfused tissue that is not core."""
    hypoperfusion.require_same_grid(core)
    return hypoperfusion.with_array(hypoperfusion.array & ~core.array, name="penumbra")


def volume_ml(mask: Volume) -> float:
    """Return the volume of a bool mask in mL."""
    return float(np.count_nonzero(mask.array)) * mask.voxel_ml
