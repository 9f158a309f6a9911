"""The threshold rules that the papers compare their networks with, as masks and as continuous maps.

A rule cuts one or two maps at fixed limits. Its continuous map here is how far those limits could be moved together
before the voxel changes sides: Tmax/6 s, 620/ADC, 0.30/rCBF, the larger of two for a union and the smaller for an
intersection. So the uncleaned mask is exactly where the map exceeds 1, and the map's AUC belongs to that rule.

Yu's masks came from RAPID, which cleans them. A cleaned mask of ours (`StrokePredictLib.quantify`), given under its key
``core_adc``, ``hypoperfused_tmax`` or ``core_cbf``, takes the plain cut's place; the continuous map stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.perfusion.ratio import ct_core, relative_cbf
from StrokePredictLib.thresholds import ADC_CORE, RCBF_CORE, TMAX_HYPOPERFUSED, adc_core, hypoperfused
from StrokePredictLib.volume import Volume

#: Score of a voxel that a reader outlined, above what any map reaches.
CERTAIN = 1000.0
_MASKS = ("dwi_lesion", "core_adc", "hypoperfused_tmax", "core_cbf")


@dataclass(frozen=True)
class RuleMap:
    """What a rule predicts.

    Attributes
    ----------
    name, title : str
        Key in `RULES`, and as written in a table.
    mask : Volume
        bool.
    score : Volume
        float32 ≥ 0; above 1 is predicted (see the module's text).
    note : str
        What was used in place of what was missing; empty mostly.
    """

    name: str
    title: str
    mask: Volume
    score: Volume
    note: str = ""


def _adc(volumes: Mapping[str, Volume]) -> tuple[Volume, np.ndarray, str]:
    return _core(volumes), _adc_score(volumes), ""


def _tmax_or_adc(volumes: Mapping[str, Volume]) -> tuple[Volume, np.ndarray, str]:
    late = _late(volumes)
    return late.with_array(late.array | _core(volumes).array), np.maximum(_tmax_score(volumes), _adc_score(volumes)), ""


def _dwi(volumes: Mapping[str, Volume]) -> tuple[Volume, np.ndarray, str]:
    if "dwi_lesion" not in volumes:
        mask, score, _ = _adc(volumes)
        return mask, score, "No reader's outline of the DWI lesion: ADC < 620 stands for it."
    lesion = volumes["dwi_lesion"]
    inside = lesion.array > 0.5
    note = "An outline has no levels: both AUCs are the mask's."
    return lesion.with_array(inside), np.where(inside, CERTAIN, 0.0), note


def _dwi_or_penumbra(volumes: Mapping[str, Volume]) -> tuple[Volume, np.ndarray, str]:
    lesion, score, note = _dwi(volumes)
    late = _late(volumes)
    note = note if "dwi_lesion" not in volumes else ""
    return lesion.with_array(lesion.array | late.array), np.maximum(score, _tmax_score(volumes)), note


def _rcbf(volumes: Mapping[str, Volume]) -> tuple[Volume, np.ndarray, str]:
    brain = volumes["brain"]
    ratio, told = relative_cbf({role: volumes[role] for role in ("cbf", "cbv", "tmax")}, brain)
    cut = ct_core(ratio, volumes["tmax"], RCBF_CORE, TMAX_HYPOPERFUSED).array & brain.array
    core = _cleaned(volumes, "core_cbf") or brain.with_array(cut)
    score = np.minimum(_inverse(RCBF_CORE, ratio.array, lowest=-np.inf), _tmax_score(volumes))
    fallback = f"rCBF: {told['fallback']}." if told.get("fallback") else ""
    return core, score, fallback


def _core(volumes: Mapping[str, Volume]) -> Volume:
    return _cleaned(volumes, "core_adc") or adc_core(volumes["adc"], volumes["brain"])


def _late(volumes: Mapping[str, Volume]) -> Volume:
    return _cleaned(volumes, "hypoperfused_tmax") or hypoperfused(volumes["tmax"], volumes["brain"])


def _cleaned(volumes: Mapping[str, Volume], key: str) -> Volume | None:
    return volumes[key].with_array(volumes[key].array > 0.5) if key in volumes else None


def _adc_score(volumes: Mapping[str, Volume]) -> np.ndarray:
    # ADC ≤ 0 is invalid, never core.
    return _inverse(ADC_CORE, volumes["adc"].array, lowest=0.0)


def _tmax_score(volumes: Mapping[str, Volume]) -> np.ndarray:
    return np.clip(np.nan_to_num(volumes["tmax"].array), 0.0, None) / np.float32(TMAX_HYPOPERFUSED)


def _inverse(limit: float, values: np.ndarray, lowest: float) -> np.ndarray:
    """Return ``limit / values`` up to `CERTAIN`, 0 where ``values`` is NaN or not above ``lowest``."""
    values = np.asarray(values, np.float32)
    usable = values > lowest
    ratio = np.divide(np.float32(limit), values, out=np.full_like(values, CERTAIN), where=values > limit / CERTAIN)
    return np.where(usable, ratio, np.float32(0.0))


@dataclass(frozen=True)
class _Rule:
    title: str
    needs: tuple[str, ...]
    apply: Callable[[Mapping[str, Volume]], tuple[Volume, np.ndarray, str]]


#: Rules by name. All need ``brain``; those of Debs read the reader's ``dwi_lesion`` where there is one.
RULES: dict[str, _Rule] = {
    "adc": _Rule("ADC < 620 × 10⁻⁶ mm²/s", ("adc",), _adc),
    "tmax-or-adc": _Rule("Tmax > 6 s ∪ ADC < 620 × 10⁻⁶ mm²/s", ("adc", "tmax"), _tmax_or_adc),
    "dwi": _Rule("DWI lesion", (), _dwi),
    "dwi-or-penumbra": _Rule("DWI lesion ∪ penumbra (Tmax > 6 s)", ("tmax",), _dwi_or_penumbra),
    "rcbf": _Rule("rCBF < 30 % within Tmax > 6 s", ("cbf", "cbv", "tmax"), _rcbf),
}


def apply_rule(name: str, volumes: Mapping[str, Volume]) -> RuleMap:
    """Apply one rule to a patient's maps.

    Parameters
    ----------
    name : str
        A key of `RULES`.
    volumes : mapping of str to Volume
        Maps by role in this project's units (ADC 10⁻⁶ mm²/s, Tmax s, CBF mL/100 g/min, CBV mL/100 g), ``brain``, for
        Debs' rules ``dwi_lesion`` where a reader outlined it, and cleaned masks if wanted; all on one grid.

    Raises
    ------
    StrokeError
        If the rule is unknown, a map it needs is missing, the grids differ, or no tissue is normal enough for rCBF.
    """
    if name not in RULES:
        raise StrokeError(f"{name}: no such threshold rule; choose from {', '.join(RULES)}.")
    rule = RULES[name]
    needs = ("brain", *rule.needs)
    if name.startswith("dwi") and "dwi_lesion" not in volumes:
        needs += ("adc",)
    missing = [role for role in needs if role not in volumes]
    if missing:
        raise StrokeError(f"rule {name}: needs {', '.join(missing)}, which this patient does not have.")
    brain = volumes["brain"]
    used = {role: volumes[role] for role in (*needs, *_MASKS) if role in volumes}
    for volume in used.values():
        brain.require_same_grid(volume)
    used["brain"] = brain.with_array(brain.array > 0.5)
    mask, score, note = rule.apply(used)
    # A reader's outline counts also where it leaves the brain mask.
    outlined = used["dwi_lesion"].array > 0.5 if name.startswith("dwi") and "dwi_lesion" in used else False
    score = np.where(used["brain"].array | outlined, score, 0.0).astype(np.float32)
    return RuleMap(name, rule.title, mask.with_array(mask.array, name=rule.title), mask.with_array(score, name), note)


#: Debs 2021, 2.4.3: reperfused tissue keeps the diffusion lesion; without reperfusion the penumbra is lost as well.
DEBS_RULES = {"yes": "dwi", "no": "dwi-or-penumbra"}
#: Yu 2020: for partial and for unknown reperfusion neither rule of the mismatch paradigm applies.
YU_RULES = {"major": "adc", "minimal": "tmax-or-adc"}


def debs_rule(reperfusion: str | None) -> str | None:
    """Return Debs' rule for ``reperfusion_debs`` (``yes``, ``no``), or None for another value: no rule applies."""
    return DEBS_RULES.get(reperfusion or "")


def yu_rule(reperfusion: str | None) -> str | None:
    """Return Yu's rule for ``reperfusion_yu`` (``major``, ``minimal``), or None for another value: no rule applies."""
    return YU_RULES.get(reperfusion or "")
