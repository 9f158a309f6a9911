"""From a case to its threshold masks, volumes, mismatch and trial criteria: one `volumes.json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import criteria
from .case import StrokeCase
from .cleaning import CleaningOptions, clean, options_record
from .coverage import coverage_doubts, describe_coverage, require_possible, subacute_doubt
from .errors import StrokeError
from .perfusion.ratio import ct_core, relative_cbf
from .perfusion.scaling import ratio_bias
from .preprocess.midline import Midline, midline_of, side_of
from .quality import failed, reasons
from .thresholds import ADC_CORE, RCBF_CORE, TMAX_HYPOPERFUSED, TMAX_LEVELS, adc_core, hypoperfused, penumbra, volume_ml
from .volume import Volume

#: Core is compact: readers drop less of it than of hypoperfusion.
CORE_CLEANING = CleaningOptions(dwi_above=1.0, csf_adc=None, smallest_island_ml=0.3, far_island_ml=None)
TMAX_CLEANING = CleaningOptions(smallest_island_ml=3.0)
#: Volumes that rest on a perfusion series, and so on its quality.
_PERFUSION_KEYS = ("hypoperfused_tmax", "penumbra", "core_cbf", *(f"tmax_gt_{level:g}" for level in TMAX_LEVELS))


@dataclass
class ThresholdOptions:
    """Limits and cleaning.

    Attributes
    ----------
    adc, tmax, rcbf : float
        10⁻⁶ mm²/s, s, and share of normal tissue's flow.
    core_cleaning, tmax_cleaning : CleaningOptions
        Steps for either mask.
    override : str, optional
        Name of the reader who accepts a perfusion series whose quality check failed.
    """

    adc: float = ADC_CORE
    tmax: float = TMAX_HYPOPERFUSED
    rcbf: float = RCBF_CORE
    core_cleaning: CleaningOptions = CORE_CLEANING
    tmax_cleaning: CleaningOptions = TMAX_CLEANING
    override: str | None = None

    def record(self) -> dict[str, Any]:
        """Return the options as they go into a file."""
        return {
            "adc_below": self.adc,
            "tmax_above_s": self.tmax,
            "rcbf_below": self.rcbf,
            "core_cleaning": options_record(self.core_cleaning),
            "tmax_cleaning": options_record(self.tmax_cleaning),
            "quality_override_by": self.override,
        }


@dataclass
class Findings:
    """Masks by segment key, and what ``volumes.json`` holds."""

    masks: dict[str, Volume] = field(default_factory=dict)
    volumes: dict[str, Any] = field(default_factory=dict)


def quantify(
    case: StrokeCase,
    options: ThresholdOptions | None = None,
    quality: dict[str, Any] | None = None,
) -> Findings:
    """Apply the tissue rules to a case.

    Parameters
    ----------
    case : StrokeCase
        With a brain mask and at least ADC or Tmax.
    options : ThresholdOptions, optional
        DESIGN's limits if left out.
    quality : dict, optional
        The perfusion series' ``perfusion.json``; where its ``quality_passed`` is False, what rests on perfusion reads
        "not computed" unless ``options.override`` names a reader.

    Raises
    ------
    StrokeError
        If neither ADC nor Tmax is there, no brain mask could be made, or the brain is larger than any.
    """
    options = options or ThresholdOptions()
    if not {"adc", "tmax"} & case.volumes.keys():
        raise StrokeError(f"{case.patient}: neither ADC (or b0 and DWI) nor Tmax in this case; no tissue rule applies.")
    (brain,) = case.require("brain")
    require_possible(case)
    midline = midline_of(brain)
    masks: dict[str, Volume] = {"brain": brain}
    steps: list[dict[str, Any]] = []
    _threshold_adc(case, options, midline, masks, steps)
    levels = _threshold_tmax(case, options, midline, masks, steps)
    told = _threshold_cbf(case, options, midline, masks, steps)
    core_key = next((key for key in ("core_adc", "core_cbf") if key in masks), None)
    if core_key and "hypoperfused_tmax" in masks:
        masks["penumbra"] = penumbra(masks["hypoperfused_tmax"], masks[core_key])
    volumes = {key: round(volume_ml(mask), 2) for key, mask in masks.items()} | levels
    doubts = list(case.doubts) + coverage_doubts(case) + subacute_doubt(case, masks)
    if core_key == "core_cbf":
        doubts.append(f"The core is rCBF < {options.rcbf:.0%}: {ratio_bias((quality or {}).get('method'))}.")
    if told.get("fallback"):
        doubts.append(f"rCBF: {told['fallback']}.")
    without = _quality_failed(quality, options, doubts)
    result = _numbers(case, volumes, core_key, without)
    # Perfusion may be normal by now where the core is not.
    found = [masks[key] for key in ("hypoperfused_tmax", core_key) if key in masks]
    finding = next((mask for mask in found if mask.array.any()), found[0])
    return Findings(masks, result | {
        "rcbf": told,
        "side": side_of(finding, midline),
        "coverage": describe_coverage(case),
        "cleaning": steps,
        "doubts": doubts,
        "parameters": options.record(),
    })


def _threshold_adc(
    case: StrokeCase, options: ThresholdOptions, midline: Midline, masks: dict[str, Volume], steps: list[dict[str, Any]]
) -> None:
    if "adc" not in case.volumes:
        return
    raw = adc_core(case.volumes["adc"], case.volumes["brain"], options.adc)
    masks["core_adc"], done = clean(raw, "core_adc", options.core_cleaning, midline, case.volumes)
    steps += done


def _threshold_tmax(
    case: StrokeCase, options: ThresholdOptions, midline: Midline, masks: dict[str, Volume], steps: list[dict[str, Any]]
) -> dict[str, float]:
    """Add the hypoperfused mask; return the volumes at every level, those from 6 s on within the cleaned 6 s mask."""
    if "tmax" not in case.volumes:
        return {}
    tmax, brain = case.volumes["tmax"], case.volumes["brain"]

    def cleaned(limit: float, key: str) -> tuple[Volume, list[dict[str, Any]]]:
        return clean(hypoperfused(tmax, brain, limit), key, options.tmax_cleaning, midline, case.volumes)

    masks["hypoperfused_tmax"], done = cleaned(options.tmax, "hypoperfused_tmax")
    steps += done
    # Mismatch, HIR and the trials' criteria keep the rule's own 6 s, whatever limit a reader tries for the mask.
    rule, _ = cleaned(TMAX_HYPOPERFUSED, "rule")
    levels = {}
    for level in TMAX_LEVELS:
        if level < TMAX_HYPOPERFUSED:
            mask, _ = cleaned(level, f"tmax_gt_{level:g}")
        else:
            mask = rule.with_array(rule.array & (tmax.array > level))
        levels[f"tmax_gt_{level:g}"] = round(volume_ml(mask), 2)
    return levels


def _threshold_cbf(
    case: StrokeCase, options: ThresholdOptions, midline: Midline, masks: dict[str, Volume], steps: list[dict[str, Any]]
) -> dict[str, Any]:
    """Add the rCBF core inside the hypoperfused mask; return what CBF was related to.

    Where diffusion was measured it tells the core, and a second one by flow would only confuse.
    """
    if "adc" in case.volumes or not {"cbf", "cbv", "tmax"} <= case.volumes.keys():
        return {}
    ratio, told = relative_cbf(case.volumes, masks["brain"], options.tmax)
    inside = ct_core(ratio, case.volumes["tmax"], options.rcbf, options.tmax).array & masks["hypoperfused_tmax"].array
    masks["core_cbf"], done = clean(ratio.with_array(inside), "core_cbf", options.core_cleaning, midline, {})
    steps += done
    return told


def _numbers(case: StrokeCase, volumes: dict[str, float], core_key: str | None, without: bool) -> dict[str, Any]:
    """Return volumes, mismatch, HIR and criteria; what cannot be stood by reads "not computed"."""
    shown: dict[str, Any] = dict(volumes)
    if without:
        shown |= {key: criteria.NOT_COMPUTED for key in _PERFUSION_KEYS if key in volumes}
    core = _number(shown.get(core_key)) if core_key else None
    above_6, above_10 = _number(shown.get("tmax_gt_6")), _number(shown.get("tmax_gt_10"))
    pair: dict[str, Any] = {"volume_ml": criteria.NOT_COMPUTED, "ratio": criteria.NOT_COMPUTED}
    if core is not None and above_6 is not None:
        found = criteria.mismatch(core, above_6)
        pair = {"volume_ml": round(found.volume_ml, 2), "ratio": found.ratio_text}
    known = above_6 is not None and above_10 is not None
    return {
        "patient": case.patient,
        "modality": case.modality,
        "simulated": case.simulated,
        "volumes_ml": shown,
        "core_source": core_key,
        "mismatch": pair,
        "hir": criteria.hypoperfusion_intensity_ratio(above_6, above_10) if known else criteria.NOT_COMPUTED,
        "criteria": {
            "defuse3": criteria.defuse3(core, above_6, case.facts),
            "dawn": criteria.dawn(core, case.facts),
        },
    }


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _quality_failed(quality: dict[str, Any] | None, options: ThresholdOptions, doubts: list[str]) -> bool:
    if not failed(quality):
        return False
    why = reasons(quality)
    if options.override:
        doubts.append(f"The perfusion series failed its quality check; accepted by {options.override}. {why}")
        return False
    doubts.append(f"The perfusion series failed its quality check: volumes from it are not computed. {why}")
    return True
