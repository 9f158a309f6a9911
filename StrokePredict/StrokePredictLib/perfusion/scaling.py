"""From deconvolved numbers to physiological units, and the ratio that the CT core rule reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scaling:
    """What turns mL of blood per mL of tissue into mL per 100 g.

    Attributes
    ----------
    haematocrit_factor : float
        (1 − Hct of large vessels) / (1 − Hct of capillaries); 0.73 for 0.45 and 0.25.
    density : float
        Of brain tissue, g/mL.
    """

    haematocrit_factor: float = 0.73
    density: float = 1.05

    @property
    def cbf(self) -> float:
        """Factor from 1/s to mL/100 g/min."""
        return 60.0 * self.cbv

    @property
    def cbv(self) -> float:
        """Factor from mL/mL to mL/100 g."""
        return 100.0 * self.haematocrit_factor / self.density


_SVD_BIAS = (
    "SVD underestimates high flow more than low flow, so ratios are biased upwards, a true rCBF of 0.25 is measured as "
    "0.30 to 0.40, and the core may be much larger than what is below the limit; compare with the vascular model's"
)
_VASCULAR_BIAS = (
    "ratios of the vascular model are hardly biased, but the limit was set on maps by SVD, whose ratios are higher: "
    "the core is larger here than the same limit gives there"
)


def ratio_bias(method: str | None) -> str:
    """Say how far flow ratios of a deconvolution can be trusted (figures: docs/reference/perfusion-accuracy.md).

    Parameters
    ----------
    method : str or None
        Of `perfusion.deconvolve.METHODS`; None for maps from elsewhere, which are SVD's as a rule.
    """
    return _VASCULAR_BIAS if method == "vascular" else _SVD_BIAS
