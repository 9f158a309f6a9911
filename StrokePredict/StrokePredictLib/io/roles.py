"""Which file plays which role: rules over the file's name, each with its reason."""

from __future__ import annotations

import re

#: Endings by which BIDS, ISLES and our own folders say what a derived mask is; never taken as images.
#: What our own commands write; never read as input, or a mask would pass for the map it was made of.
_OURS = re.compile(r"^(core|hypoperfused|penumbra|infarct|prob|mask)_")
_LABEL = re.compile(r"(^|[._-])(msk|mask|lesion|seg|ot|label|truth|prob)([._-]|$)")
_BRAIN_MASK = re.compile(r"(^|[_-])(brain[_-]?mask|brainmask|brain[_-]msk|brain)$")

#: Role, and the words that mean it when they stand alone in the name; the first hit wins, so longer words come first.
_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("tmax", ("tmax",)),
    ("mtt", ("mtt",)),
    ("ttp", ("ttp",)),
    ("cbf", ("cbf", "rcbf")),
    ("cbv", ("cbv", "rcbv")),
    ("adc", ("adc",)),
    ("b0", ("b0", "b000", "b=0")),
    ("dwi", ("dwi", "b1000", "trace", "tracew")),
    ("flair", ("flair",)),
    ("pwi", ("pwi", "dsc", "perf", "perfusion", "mr+4dpwi")),
    ("ctp", ("ctp", "4dpwi")),
    ("ncct", ("ncct", "ct")),
)


def role_of(name: str) -> tuple[str, str] | None:
    """Say which role a file of this name plays.

    Parameters
    ----------
    name : str
        File name, with or without its ending.

    Returns
    -------
    tuple of (role, reason), or None
        None where the name says nothing, or names a label.
    """
    stem = re.sub(r"\.(nii(\.gz)?|nrrd|nhdr|mha|mhd)$", "", name.lower())
    if _BRAIN_MASK.search(stem):
        return "brain", f"'{name}' names a brain mask"
    if _LABEL.search(stem) or _OURS.search(stem):
        return None
    # ISLES'17 and '18 call both modalities' series 4DPWI.
    words = re.split(r"[_.\s-]+", stem.replace("mr_4dpwi", "mr+4dpwi"))
    # The last word decides in BIDS (sub-01_ses-01_dwi); elsewhere any word that stands alone.
    for candidates, where in (([words[-1]], "ends in"), (words, "contains")):
        for role, names in _WORDS:
            hit = next((word for word in candidates if word in names), None)
            if hit:
                return role, f"'{name}' {where} '{hit}'"
    return None
