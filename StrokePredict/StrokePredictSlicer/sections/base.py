"""What the sections share: their .ui file, and the panel that they are part of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer

from ..patient_node import PatientNode

#: Found from here: CTK copies .ui files beside the module's Python files.
UI_FOLDER = Path(__file__).resolve().parents[2] / "Resources" / "UI"


def load_ui(name: str, folder: Path = UI_FOLDER) -> tuple[Any, Any]:
    """Return the widget of a .ui file, and its named children as attributes."""
    widget = slicer.util.loadUI(str(folder / f"{name}.ui"))
    return widget, slicer.util.childWidgetVariables(widget)


class Section:
    """One section of the panel.

    Parameters
    ----------
    panel : Panel
        Whole panel: ``panel.patient`` is the active patient, ``panel.analysis`` does the work, ``panel.work(…)`` shows
        it.

    Attributes
    ----------
    ui : object
        The widgets of its .ui file by name.
    """

    #: Name of the .ui file, and where it lies.
    UI, FOLDER = "", UI_FOLDER

    def __init__(self, panel: Any) -> None:
        self.panel = panel
        self.widget, self.ui = load_ui(self.UI, self.FOLDER)
        for label in self.widget.findChildren(qt.QLabel):
            if label.wordWrap:
                # Slicer makes the panel as wide as a long text would like to be.
                policy = label.sizePolicy
                policy.setHorizontalPolicy(qt.QSizePolicy.Ignored)
                label.setSizePolicy(policy)
        self._shown = False
        self.setup()

    @property
    def patient(self) -> PatientNode | None:
        """The active patient."""
        return self.panel.patient

    def setup(self) -> None:
        """Connect the widgets; called once."""

    def update(self) -> None:
        """Show the active patient; called when it changes and when something was found."""

    def set_busy(self, busy: bool) -> None:
        """Enable or disable what starts work."""

    def close(self) -> None:
        """Let observers and timers go."""


def fill(box: Any, items: list[tuple[str, Any]], chosen: Any = None) -> None:
    """Fill a combo box with (text, data) without telling anybody; choose by data where it is there."""
    box.blockSignals(True)
    box.clear()
    for text, data in items:
        box.addItem(text, data)
    index = box.findData(chosen) if chosen is not None else 0
    box.setCurrentIndex(index if index >= 0 else (0 if items else -1))
    box.blockSignals(False)


def data_of(box: Any) -> Any:
    """Return the data of a combo box's chosen item; None where nothing is chosen."""
    return box.itemData(box.currentIndex) if box.currentIndex >= 0 else None
