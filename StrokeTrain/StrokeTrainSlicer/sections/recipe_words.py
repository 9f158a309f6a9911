"""Recipes, settings and estimates in words."""

from __future__ import annotations

import json
from typing import Any

from slicer.i18n import tr as _


def card_words(card: dict[str, Any]) -> str:
    """Return a recipe's card (job ``recipes``) as a reader takes it in."""
    lines = [card["paper"]]
    target = {"final-infarct": _("the final infarct"), "acute-core": _("the acute core")}[card["target"]]
    lines.append(_("Learns {target} from {needs}.").format(
        target=target, needs=", ".join(card["needs"]) or _("whatever images there are")
    ))  # fmt: skip
    if card["course"] != "any":
        lines.append(_("Of patients who were {course}.").format(course=card["course"].replace("-", " ")))
    if card["init"] == "required":
        lines.append(_("Starts from a trained model: choose one under Fine-tune from."))
    if "have" in card:
        lacking = "; ".join(f"{title}: {count}" for title, count in card["lacking"].items())
        lines.append(_("{have} of {all} patients of this cohort have what it needs.").format(
            have=card["have"], all=card["of"]
        ) + (f" ({lacking})" if lacking else ""))  # fmt: skip
    return "\n".join(lines)


def estimate_words(found: dict[str, Any]) -> str:
    """Return what a run takes (job ``estimate``) in words."""
    said = [
        _("{patients} patients: {train} train, {validation} validation, {test} test in the first of {folds} folds."),
        _("About {time} on {device}, {memory:.1f} GB of memory, {disk:.1f} GB of disk ({free:.0f} GB are free)."),
    ]
    words = {
        **found, "time": in_words(found["seconds"]), "memory": found["memory_gb"], "disk": found["disk_gb"],
        "free": found["disk_free_gb"],
    }  # fmt: skip
    lines = [line.format(**words) for line in said]
    if found["locked"]:
        lines.append(_("{locked} of them are the locked test set: in no fold.").format(**words))
    if found["excluded"]:
        first = found["excluded"][0]
        lines.append(_("{count} left out, the first: {first}").format(count=len(found["excluded"]), first=first))
    return "\n".join([*lines, *found["notes"][:2]])


def in_words(seconds: float) -> str:
    """Return a duration as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def as_text(value: Any) -> str:
    """Return a setting's value as it is shown and edited."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def fault_of(text: str, default: Any) -> str:
    """Return what is wrong with the kind of a value; its limits are the worker's to check."""
    if isinstance(default, str) or default is None:
        return "" if text or default is None else _("a word is needed.")
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else _("true or false is needed, not '{text}'.").format(text=text)
    if isinstance(default, int):
        fits = isinstance(value, int) and not isinstance(value, bool)
        return "" if fits else _("a whole number is needed, not '{text}'.").format(text=text)
    if isinstance(default, float):
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return "" if fits else _("a number is needed, not '{text}'.").format(text=text)
    return "" if isinstance(value, type(default)) else _("'{text}' is not of the right kind.").format(text=text)
