"""Whether what rests on a perfusion series may be shown: its quality check, and the reader who overrides it.

Imports nothing heavy: Slicer's own process asks too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .case import SERIES_ROLES

#: Maps that a raw perfusion series gives.
MAP_ROLES = frozenset({"tmax", "cbf", "cbv", "mtt", "ttp"})
#: Images that are only as good as the series they came from.
PERFUSION_ROLES = MAP_ROLES | set(SERIES_ROLES)


def failed(quality: Mapping[str, Any] | None, override: str | None = None) -> bool:
    """Return whether a series failed its quality check and no reader accepted it by name.

    Parameters
    ----------
    quality : mapping or None
        The series' ``perfusion.json``; of maps without one nothing is known, and they are taken.
    override : str, optional
        Name of the reader who accepts it.
    """
    return quality is not None and not quality.get("quality_passed", True) and not override


def reasons(quality: Mapping[str, Any]) -> str:
    """Return the sentences of the checks that failed."""
    return " ".join(
        str(check.get("sentence", check.get("name", "")))
        for check in quality.get("quality", [])
        if isinstance(check, dict) and not check.get("passed", True)
    )


def rests_on_perfusion(roles: Iterable[str]) -> bool:
    """Return whether a model that looks at these images is only as good as the perfusion series."""
    return bool(PERFUSION_ROLES & set(roles))


def withheld(names: Iterable[str], quality: Mapping[str, Any]) -> str:
    """Return the line on models that are not run for the series' sake, and what a reader can do about it."""
    said = f"{', '.join(names)}: not computed, since the perfusion series failed its quality check"
    why = reasons(quality).rstrip(".")
    said += f" ({why})" if why else ""
    return f"{said}; a reader can accept the series by name (--override NAME; in Slicer: Results)."
