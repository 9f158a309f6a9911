"""What ``stroke model`` prints."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from StrokePredictLib.models.bundle import find_bundle, open_bundle

from .console import answer


def print_models(lines: list[dict[str, Any]]) -> None:
    """Print the list as a table."""
    table = Table("model", "what it shows", "target", "inputs", "weights")
    for line in lines:
        if "problem" in line:
            table.add_row(line["name"], line["problem"], "", "", "unusable")
            continue
        weights = "demonstration, simulated patients" if line["demonstration"] else "trained on patients"
        table.add_row(line["name"], line["title"], line["target"], " + ".join(line["inputs"]), weights)
    answer.print(table)


def show_model(name: str) -> dict[str, Any]:
    """Return a model's card and the hash of its weights."""
    bundle = open_bundle(find_bundle(name))
    return bundle.card.model_dump() | {"sha256": bundle.sha256, "folder": str(bundle.folder)}


def print_card(card: dict[str, Any]) -> None:
    """Print a card, one line a fact."""
    table = Table("", card["title"], show_lines=False)
    for key, value in card.items():
        if key == "training":
            value = _training(value)
        elif key == "channels":
            value = ", ".join(f"{c['role']} in {c['unit']}" if c["unit"] else c["role"] for c in value)
        elif key == "scores":
            value = "\n".join(f"{name}: {score}" for name, score in value.items())
        elif key == "calibration" and value:
            value = f"volume interval by the errors of {len(value['errors'])} patients kept for this"
        elif key == "network":
            value = f"{value['name']} {value['options']}"
        table.add_row(key, str(value))
    answer.print(table)


def _training(value: dict[str, Any]) -> str:
    """Return on whom a model was trained, and how it can be made again where that is known."""
    lines = [f"{value['data']} ({value['patients']} patients, seed {value['seed']})"]
    if value["phantom"]:
        lines.append(f"simulator {value['phantom']}")
    return "\n".join([*lines, *value["commands"]])
