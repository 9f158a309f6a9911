"""Public data sets as downloaded: where their patients lie.

ISLES'17 and '18 keep a folder a case and in it a folder an image, named ``SMIR.Brain.XX.O.MR_ADC.128020`` (or
``VSD.…``) like the file in it; ISLES'22 and '24 are BIDS, '24 within ``train``.
"""

from __future__ import annotations

import re
from pathlib import Path

_ISLES_IMAGE = re.compile(r"^(SMIR|VSD)\.Brain\.", re.IGNORECASE)
_SPACE = re.compile(r"_space-([A-Za-z0-9]+)")


def inner_root(folder: Path) -> Path:
    """Return the folder that holds ``raw_data`` or ``derivatives``: itself, or its only such sub-folder."""
    if any((folder / name).is_dir() for name in ("raw_data", "rawdata", "derivatives")):
        return folder
    inside = [folder / name for name in ("train", "training") if (folder / name).is_dir()]
    inside = [path for path in inside if any((path / n).is_dir() for n in ("raw_data", "rawdata", "derivatives"))]
    return inside[0] if len(inside) == 1 else folder


def is_isles_case(folder: Path) -> bool:
    """Whether a folder is one case of ISLES'17 or '18."""
    return any(_ISLES_IMAGE.match(entry.name) for entry in folder.iterdir())


def isles_cases(folder: Path) -> dict[str, Path]:
    """Return the cases of ISLES'17 or '18 in a folder or in its ``TRAINING``, ``TESTING``… by name.

    Where two of these hold a case of one name, the sub-folder stands before it.
    """
    if is_isles_case(folder):
        return {folder.name: folder}
    found: dict[str, Path] = {}
    tops = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    for top in tops:
        if is_isles_case(top):
            found[top.name] = top
            continue
        if not re.match(r"(train|test|valid)", top.name, re.IGNORECASE):
            continue
        for case in sorted(entry for entry in top.iterdir() if entry.is_dir()):
            if is_isles_case(case):
                found[case.name if case.name not in found else f"{top.name}/{case.name}"] = case
    return dict(sorted(found.items(), key=lambda item: _natural(item[0])))


def space_of(path: Path) -> str:
    """Return BIDS' ``space-…`` of a file name; empty where the image lies as acquired."""
    match = _SPACE.search(path.name)
    return match[1] if match else ""


def in_one_space(roles: dict[str, Path], others: dict[str, list[Path]]) -> dict[str, Path]:
    """Return, by role, a copy of the series that lies in the same space as the maps, where one is offered.

    ISLES'24 gives the CT perfusion series as acquired and once more registered to the plain CT, and the maps only
    the latter way.
    """
    spaces = {space_of(roles[role]) for role in ("tmax", "cbf", "cbv", "mtt") if role in roles}
    if len(spaces) != 1 or "" in spaces:
        return {}
    space = spaces.pop()
    return {
        role: path
        for role in ("ctp", "pwi")
        for path in others.get(role, [])
        if role in roles and space_of(roles[role]) != space and space_of(path) == space
    }


def _natural(name: str) -> list:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
