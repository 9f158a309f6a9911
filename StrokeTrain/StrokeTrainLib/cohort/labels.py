"""Which files are labels, of what and by whom: rules over names, and the sidecar that a correction leaves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.folder import is_follow_up
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictLib.io.roles import role_of

from .table import TARGETS, Label

#: Words of a mask's name. ISLES'24's masks of vessels (``lvo``, ``cow``) are no lesions.
_MASK = re.compile(r"(^|[._-])(msk|mask|lesion|infarct|core|label|seg|ot)([._-]|$)", re.IGNORECASE)
_NO_LESION = re.compile(r"(^|[._-])(lvo|cow|truth|prob|hypoperfused|penumbra)([._-]|$)", re.IGNORECASE)
_CORE = re.compile(r"(^|[._-])core([._-]|$)", re.IGNORECASE)
_FINAL = re.compile(r"(^|[._-])(lesion|infarct|final)([._-]|$)", re.IGNORECASE)
#: What our own commands write of a model or a rule: ``mask_NAME``, ``core_adc``: results, no reader's outlines.
_RESULT = re.compile(r"^(mask|prob|infarct|penumbra|hypoperfused)_|^core_(adc|cbf)\.", re.IGNORECASE)
_READER = re.compile(r"_(?:rater|reader)-([A-Za-z0-9]+)", re.IGNORECASE)
_READ = re.compile(r"_read-([0-9]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """Where a mask was found, as far as it tells its target.

    Attributes
    ----------
    layout : str
        As `table.Patient.layout`.
    root : Path
        To which its session is relative.
    roles : frozenset of str
        Baseline images of the patient: ISLES'18's CT patients have the core outlined, '17's MR patients the final
        lesion.
    """

    layout: str
    root: Path
    roles: frozenset[str]


def find_labels(paths: list[Path], place: Place) -> tuple[list[Label], list[str]]:
    """Return the labels among a patient's files, and a sentence for every mask that cannot be one.

    Parameters
    ----------
    paths : list of Path
        All of the patient's image files.
    place : Place
        Where they lie.
    """
    labels: list[Label] = []
    notes: list[str] = []
    for path in paths:
        stem = path.name.split(".nii")[0]
        if not _MASK.search(stem) or _NO_LESION.search(stem) or _RESULT.search(path.name) or role_of(path.name):
            continue  # what has a role is an image, or the brain's mask
        try:
            labels.append(_label(path, stem, place))
        except StrokeError as error:
            notes.append(str(error))
    return labels, notes


def _label(path: Path, stem: str, place: Place) -> Label:
    told = _sidecar(path)
    reader, read = _READER.search(stem), _READ.search(stem)
    target = told.get("target") or _target(path, stem, place)
    if target not in TARGETS:
        raise StrokeError(f"{path}: a mask whose target is not told; name it core… or lesion…, or put it in a session.")
    return Label(
        target=target,
        path=path,
        reader=told.get("reader") or (reader[1] if reader else None),
        read=told.get("read") or (int(read[1]) if read else None),
        start=told.get("start"),
        start_hash=told.get("start_hash"),
        settles=bool(told.get("settles")),
    )


def _target(path: Path, stem: str, place: Place) -> str | None:
    if place.layout == "isles":
        return "acute-core" if {"ctp", "ncct"} & place.roles else "final-infarct"
    if _CORE.search(stem):
        return "acute-core"
    if place.layout == "bids":
        if is_follow_up(path.relative_to(place.root)):
            return "final-infarct"
        # ISLES'22: one session, and in it the diffusion lesion.
        return "acute-core"
    return "final-infarct" if _FINAL.search(stem) else None


def _sidecar(path: Path) -> dict[str, Any]:
    """Return what the ``.json`` beside a mask says of `Label`'s fields; empty where there is none."""
    beside = path.with_name(re.sub(r"\.(nii(\.gz)?|nrrd|nhdr|mha|mhd)$", "", path.name, flags=re.IGNORECASE) + ".json")
    if not beside.is_file():
        return {}
    content = read_json_object(beside, "remove it, or save the correction again")
    kinds = {"target": str, "reader": str, "read": int, "start": str, "start_hash": str, "settles": list}
    return {key: content[key] for key, kind in kinds.items() if isinstance(content.get(key), kind)}
