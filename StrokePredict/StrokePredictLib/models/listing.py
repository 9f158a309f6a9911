"""The models at hand, a line each."""

from __future__ import annotations

from typing import Any

from ..errors import StrokeError
from .bundle import bundle_folders, open_bundle, shipped_bundles


def list_models() -> list[dict[str, Any]]:
    """Return one line a bundle at hand; a damaged one says so instead of hiding the others."""
    lines = []
    shipped = shipped_bundles()
    for folder in bundle_folders():
        try:
            card = open_bundle(folder).card
        except StrokeError as error:
            lines.append({"name": folder.name, "problem": str(error)})
            continue
        lines.append({
            "name": card.name,
            "title": card.title,
            "target": card.target,
            "inputs": [channel.role for channel in card.channels],
            "required": [channel.role for channel in card.channels if not channel.optional],
            "demonstration": card.demonstration,
            "conditioned": card.conditioned,
            "output": card.output,
            "intended_use": card.intended_use,
            "trained_on": card.training.data,
            "scores": card.scores,
            "licence": card.licence,
            "networks": len(card.weights),
            "installed": folder not in shipped,
        })
    return lines
