"""Small tables for the terminal."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

#: What a reader calls the volumes, in the order of reading.
NAMES = {
    "core_adc": "Core (ADC < 620)",
    "core_cbf": "Core (rCBF < 30 %)",
    "hypoperfused_tmax": "Hypoperfused (Tmax > 6 s)",
    "tmax_gt_4": "Tmax > 4 s",
    "tmax_gt_8": "Tmax > 8 s",
    "tmax_gt_10": "Tmax > 10 s",
    "penumbra": "Penumbra",
    "infarct_predicted": "Predicted infarct",
    "brain": "Brain covered",
}


def show(value: Any) -> str:
    """Return a volume as text; words such as "not computed" stay as they are."""
    return f"{value:.1f}" if isinstance(value, (int, float)) else str(value)


def show_ratio(value: Any) -> str:
    """Return a ratio as text, with the digit that decides at a limit of 1.8."""
    return f"{value:.2f}" if isinstance(value, (int, float)) else str(value)


def volume_table(volumes: dict[str, Any]) -> Table:
    """Return the volumes, mismatch and criteria of a ``volumes.json`` as a table."""
    table = Table("", "mL", title=Text(f"{volumes['patient']}{' (simulated)' if volumes['simulated'] else ''}"))
    table.columns[1].justify = "right"
    shown = volumes["volumes_ml"]
    limits = volumes["parameters"]
    names = NAMES | {
        "core_adc": f"Core (ADC < {limits['adc_below']:g})",
        "hypoperfused_tmax": f"Hypoperfused (Tmax > {limits['tmax_above_s']:g} s)",
    }
    for key, name in names.items():
        if key in shown:
            table.add_row(name, show(shown[key]))
    table.add_section()
    table.add_row("Mismatch volume", show(volumes["mismatch"]["volume_ml"]))
    table.add_row("Mismatch ratio", show_ratio(volumes["mismatch"]["ratio"]))
    table.add_row("Hypoperfusion intensity ratio", show_ratio(volumes["hir"]))
    for item in volumes["criteria"].values():
        table.add_row(item["title"], item["verdict"])
    return table
