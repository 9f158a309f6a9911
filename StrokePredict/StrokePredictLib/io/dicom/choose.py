"""Which image of an export plays which role, with the reason."""

from __future__ import annotations

import re
from collections.abc import Callable

from .series import DicomImage

#: A series of fewer time points shows no bolus.
FEWEST_TIMES = 10
_MAPS = {
    "tmax": ("tmax",), "mtt": ("mtt", "rmtt"), "ttp": ("ttp",), "cbf": ("cbf", "rcbf", "relcbf"),
    "cbv": ("cbv", "rcbv", "relcbv"),
}  # fmt: skip
_NOT_PERFUSION = {"asl", "bold", "fmri", "rest", "resting", "dti", "cine"}


def choose_roles(images: list[DicomImage]) -> tuple[dict[str, DicomImage], dict[str, str], list[str]]:
    """Choose an image for each role.

    Returns
    -------
    tuple of (dict of str to DicomImage, dict of str to str, list of str)
        By role, the image; by role, the rule that chose it; and a sentence for each image that was not taken.
    """
    chosen: dict[str, DicomImage] = {}
    reasons: dict[str, str] = {}
    left: list[str] = []
    ranked = sorted(images, key=_preference)
    for image in ranked:
        answer = _role(image)
        if answer is None:
            left.append(f"{image.name}: no role known for it ({image.describe()}).")
            continue
        role, reason = answer
        if role in chosen:
            left.append(f"{image.name} could also be {role}; {chosen[role].name} was taken.")
            continue
        chosen[role], reasons[role] = image, reason
    return chosen, reasons, left


def _preference(image: DicomImage) -> tuple:
    """Return what sorts better candidates first: b near 1000, more time points, more sections, earlier series."""
    far = abs((image.b_value or 1000.0) - 1000.0) if image.b_value else 0.0
    return (far, -image.count, -len(image.grid[0]), image.first.facts["series_number"])


def _role(image: DicomImage) -> tuple[str, str] | None:
    words = set(re.split(r"[^a-z0-9]+", image.first.facts["words"].lower()))
    kind = set(image.first.kind)
    for role, names in _MAPS.items():
        hit = next((name for name in names if name in words), None)
        if hit:
            return role, f"its description says '{hit}'"
    rules: dict[str, Callable] = {"CT": _ct, "MR": _mr}
    rule = rules.get(image.first.facts["modality"])
    return rule(image, words, kind) if rule else None


def _ct(image: DicomImage, words: set[str], kind: set[str]) -> tuple[str, str] | None:
    if image.count >= FEWEST_TIMES:
        return "ctp", f"CT at {image.count} times"
    if image.count > 1:
        return None
    if image.first.facts["contrast"] or words & {"cta", "angio", "angiography", "km", "contrast"} or "MIP" in kind:
        return None
    return "ncct", "CT without contrast agent"


def _mr(image: DicomImage, words: set[str], kind: set[str]) -> tuple[str, str] | None:
    if words & {"eadc", "exp", "fa"} or "FA" in kind:
        return None
    if "ADC" in kind or "adc" in words:
        return "adc", "its image type or description says ADC"
    if image.b_value is not None and image.b_value < 50:
        return "b0", f"b = {image.b_value:g} s/mm²"
    if image.b_value is not None and image.b_value >= 500:
        return "dwi", f"b = {image.b_value:g} s/mm²"
    if "TRACEW" in kind or words & {"tracew", "trace", "dwi", "b1000"}:
        return "dwi", "its image type or description says trace-weighted"
    if image.count >= 2 * FEWEST_TIMES and not words & _NOT_PERFUSION:
        return "pwi", f"MR at {image.count} times"
    inversion = image.first.facts["inversion_ms"] or 0.0
    if "flair" in words or (inversion > 1500 and (image.grid[0][0].echo or 0) > 60):
        return "flair", "its description says FLAIR, or inversion and echo times do"
    return None
