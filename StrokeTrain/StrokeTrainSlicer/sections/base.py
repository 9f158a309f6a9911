"""What the sections share: their .ui file, and the panel that they are part of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer

#: Found from here: CTK copies .ui files beside the module's Python files.
UI_FOLDER = Path(__file__).resolve().parents[2] / "Resources" / "UI"


def load_ui(name: str) -> tuple[Any, Any]:
    """Return the widget of a .ui file, and its named children as attributes."""
    widget = slicer.util.loadUI(str(UI_FOLDER / f"{name}.ui"))
    return widget, slicer.util.childWidgetVariables(widget)


class Section:
    """One section of the panel.

    Parameters
    ----------
    panel : Panel
        Whole panel.

    Attributes
    ----------
    ui : object
        The widgets of its .ui file by name.
    """

    #: Name of the .ui file.
    UI = ""

    def __init__(self, panel: Any) -> None:
        self.panel = panel
        self.widget, self.ui = load_ui(self.UI)
        self.setup()

    def setup(self) -> None:
        """Connect the widgets; called once."""

    def update(self) -> None:
        """Show what is chosen: cohort, recipe, run."""

    def set_busy(self, busy: bool) -> None:
        """Enable or disable what starts work."""

    def close(self) -> None:
        """Let observers and timers go."""
