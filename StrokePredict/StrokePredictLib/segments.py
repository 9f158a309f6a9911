"""What each mask is called, coloured and coded, wherever it is shown."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

#: Slicer's terminology context with these codes.
TERMINOLOGY_FILE = Path(__file__).parent / "data" / "StrokeInfarct.term.json"
TERMINOLOGY_NAME = "Stroke infarct"
#: Coding scheme of our own codes; DICOM reserves designators that start with 99 for private schemes.
PRIVATE_SCHEME = "99STROKEINF"
#: Between kind and model in the key of a mask whose kind several models predict.
AT = "@"
#: Towards black or white, and how far: colours of ``kind@model``.
_SHADES = ((1.0, 0.4), (1.0, 0.65), (0.0, 0.3), (0.0, 0.45))


@dataclass(frozen=True)
class Code:
    """A coded concept.

    Attributes
    ----------
    scheme, value, meaning : str
        DICOM's coding scheme designator, code value and code meaning.
    """

    scheme: str
    value: str
    meaning: str


ALTERED_STRUCTURE = Code("SCT", "49755003", "Morphologically Altered Structure")
ANATOMICAL_STRUCTURE = Code("SCT", "123037004", "Anatomical Structure")
BRAIN = Code("SCT", "12738006", "Brain")
INFARCT = Code("SCT", "55641003", "Infarct")


@dataclass(frozen=True)
class Segment:
    """One kind of mask.

    Attributes
    ----------
    key : str
        As in `Study.masks`; also the segment's id in a Slicer segmentation.
    name : str
        What the reader sees.
    colour : tuple of float
        RGB, 0 to 1.
    category, type : Code
        What the terminology says it is.
    description : str
        How it was made, one sentence.
    """

    key: str
    name: str
    colour: tuple[float, float, float]
    category: Code
    type: Code
    description: str


def _own(key: str, meaning: str) -> Code:
    return Code(PRIVATE_SCHEME, key, meaning)


_ALL = (
    Segment(
        "core_adc", "Core (ADC < 620)", (1.0, 0.0, 1.0), ALTERED_STRUCTURE,
        _own("core-adc", "Ischaemic core by ADC"), "ADC below 620·10⁻⁶ mm²/s, after cleaning.",
    ),
    Segment(
        "core_cbf", "Core (rCBF < 30 %)", (0.86, 0.08, 0.58), ALTERED_STRUCTURE,
        _own("core-cbf", "Ischaemic core by relative CBF"),
        "CBF below 30 % of mirrored normal tissue inside Tmax > 6 s, after cleaning.",
    ),
    Segment(
        "core_network", "Core (network)", (0.72, 0.45, 1.0), ALTERED_STRUCTURE,
        _own("core-network", "Ischaemic core by network"), "Present core as segmented by a network.",
    ),
    Segment(
        "hypoperfused_tmax", "Hypoperfused (Tmax > 6 s)", (0.0, 0.78, 0.33), ALTERED_STRUCTURE,
        _own("tmax-over-6s", "Critically hypoperfused tissue by Tmax"), "Tmax above 6 s, after cleaning.",
    ),
    Segment(
        "penumbra", "Penumbra", (1.0, 0.86, 0.2), ALTERED_STRUCTURE,
        _own("penumbra", "Ischaemic penumbra by mismatch"), "Tmax above 6 s and not core.",
    ),
    Segment(
        "infarct_predicted", "Predicted infarct (general)", (0.1, 0.85, 1.0), ALTERED_STRUCTURE,
        _own("infarct", "Predicted final infarct"), "Final infarct as predicted by a network.",
    ),
    Segment(
        "infarct_predicted_reperfused", "Predicted infarct if reperfused", (0.35, 0.65, 1.0), ALTERED_STRUCTURE,
        _own("infarct-reperf", "Predicted final infarct if reperfused"),
        "Final infarct as predicted by a network for reperfusion.",
    ),
    Segment(
        "infarct_predicted_not_reperfused", "Predicted infarct if not reperfused", (1.0, 0.55, 0.1), ALTERED_STRUCTURE,
        _own("infarct-noreperf", "Predicted final infarct if not reperfused"),
        "Final infarct as predicted by a network without reperfusion.",
    ),
    Segment(
        "infarct_predicted_attention", "Predicted infarct (attention U-Net)", (1.0, 0.6, 0.55), ALTERED_STRUCTURE,
        _own("infarct-attn", "Predicted final infarct by attention U-Net"),
        "Final infarct as predicted by an attention-gated U-Net.",
    ),
    Segment(
        "ground_truth", "Ground truth", (1.0, 1.0, 1.0), ALTERED_STRUCTURE, INFARCT,
        "Infarct as drawn by a reader or known from a simulation.",
    ),
    Segment("brain", "Brain", (0.85, 0.7, 0.6), ANATOMICAL_STRUCTURE, BRAIN, "Where the rules were applied."),
)  # fmt: skip

#: Every kind of mask, in the order in which lists show them.
SEGMENTS: dict[str, Segment] = {segment.key: segment for segment in _ALL}


def segment_for(key: str) -> Segment:
    """Return the segment of a mask's key; a mask of an unknown key keeps its key as name, in grey.

    Parameters
    ----------
    key : str
        As in `Study.masks`; ``kind@model`` is the mask of a model whose kind another model has taken: it has the kind's
        codes, the model in its name, and a shade of the kind's colour.
    """
    if key in SEGMENTS:
        return SEGMENTS[key]
    kind, at, model = key.partition(AT)
    if at and kind in SEGMENTS:
        own = SEGMENTS[kind]
        name = f"{own.name.removesuffix(' (general)')} ({model})"
        return replace(own, key=key, name=name, colour=_shade(own.colour, model))
    code = _own(key.replace("_", "-")[:16], key)
    return Segment(key, key.replace("_", " "), (0.7, 0.7, 0.7), ALTERED_STRUCTURE, code, "")


def kind_of(key: str) -> str:
    """Return the kind of a mask's key: ``infarct_predicted`` of ``infarct_predicted@my-model``."""
    return key.partition(AT)[0]


def _shade(colour: tuple[float, float, float], name: str) -> tuple[float, float, float]:
    """Return a lighter or darker shade of a colour, always the same for a name."""
    towards, share = _SHADES[zlib.crc32(name.encode()) % len(_SHADES)]
    red, green, blue = (round(part + share * (towards - part), 3) for part in colour)
    return red, green, blue


def ordered(keys: object) -> list[str]:
    """Return mask keys in the order of `SEGMENTS`, ``kind@model`` after its kind, unknown ones last by name."""
    rank = {key: index for index, key in enumerate(SEGMENTS)}
    return sorted(keys, key=lambda key: (rank.get(kind_of(key), len(rank)), key))  # type: ignore[arg-type]


def assigned(models: list[dict[str, Any]], taken: dict[str, str] | None = None) -> dict[str, str]:
    """Return under which key each model's mask is kept, so that no two models share one.

    Parameters
    ----------
    models : list of dict
        Records of ``prediction.json``: ``name``, ``segment`` (the kind), and ``model`` where a model answers for
        several courses of events.
    taken : dict of str to str, optional
        Key by model name, as given before: it stays.

    Returns
    -------
    dict of str to str
        Key by model name. The first of a kind gets the kind itself, models for one course of events before conditioned
        ones; the others ``kind@model``.
    """
    before = taken or {}
    found = {model["name"]: before[model["name"]] for model in models if model["name"] in before}
    used = set(before.values())
    for model in sorted(models, key=lambda model: "course" in model):
        kind, name = model["segment"], model["name"]
        if name not in found:
            choices = (kind, f"{kind}{AT}{model.get('model') or name}", f"{kind}{AT}{name}")
            found[name] = next((key for key in choices if key not in used), choices[-1])
            used.add(found[name])
    return found


def terminology() -> dict[str, object]:
    """Return Slicer's terminology context for `SEGMENTS`; `TERMINOLOGY_FILE` holds exactly this."""
    categories: dict[Code, list[dict[str, object]]] = {}
    for segment in _ALL:
        entry = {**_entry(segment.type), "recommendedDisplayRGBValue": [round(255 * c) for c in segment.colour]}
        categories.setdefault(segment.category, []).append(entry)
    category_list = [{**_entry(code), "showAnatomy": False, "Type": types} for code, types in categories.items()]
    return {
        "SegmentationCategoryTypeContextName": TERMINOLOGY_NAME,
        "@schema": "https://raw.githubusercontent.com/qiicr/dcmqi/master/doc/segment-context-schema.json#",
        "SegmentationCodes": {"Category": category_list},
    }


def _entry(code: Code) -> dict[str, object]:
    return {"CodingSchemeDesignator": code.scheme, "CodeValue": code.value, "CodeMeaning": code.meaning}
