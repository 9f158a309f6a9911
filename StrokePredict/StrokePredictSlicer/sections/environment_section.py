"""The section Environment: what this computer has, and how to get what is missing."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ..install_packages import install_missing
from .base import Section
from .cells import as_text, show_rows

#: Nothing can be opened without these.
_NEEDED = {"nibabel", "pydantic"}


class EnvironmentSection(Section):
    """Versions, GPU, memory, disk; installation on the user's click alone."""

    UI = "StrokeEnvironment"

    def setup(self) -> None:
        """Connect the widgets."""
        self._rows: list[list[str]] = []
        self._missing: list[str] = []
        self._told = ""
        self.ui.refreshButton.clicked.connect(lambda *_: self.panel.look_at_environment())
        self.ui.installButton.clicked.connect(self.on_install)
        self.ui.copyEnvironmentButton.clicked.connect(self.on_copy)
        show_rows(self.ui.environmentTable, ["", ""], [[_("Worker"), _("not started yet")]], stretch=1)

    def show(self, found: dict[str, Any]) -> None:
        """Show what the worker said."""
        memory = found["memory_gb"]
        packages = found["packages"]
        self._missing = [name for name, version in packages.items() if version is None]
        self._rows = [
            [_("Extension"), found["software"]],
            [_("Slicer"), f"{slicer.app.applicationVersion}"],
            [_("Worker's Python"), found["python"]],
            [_("System"), found["system"]],
            [_("Devices"), ", ".join(found["devices"]) or _("no torch: networks cannot run")],
            [_("Memory"), _("{free} GB free of {all} GB").format(**memory) if memory else _("not known")],
            [_("Disk"), _("{free} GB free").format(free=found["disk_gb"])],
            *[[name, version or _("missing")] for name, version in packages.items()],
        ]
        show_rows(self.ui.environmentTable, [_("What"), _("Here")], self._rows, stretch=1)
        names = ", ".join(self._missing)
        state = _("Missing: {names}.").format(names=names) if names else _("All is there.")
        self.ui.environmentLabel.setText("\n".join([*([self._told] if self._told else []), state]))
        self._told = ""
        self.ui.installButton.setEnabled(bool(self._missing))
        if _NEEDED & set(self._missing) and self.panel.patient is None:
            self.panel.ui.environmentSection.collapsed = False
            self.panel.say(_("Packages are missing: press Install in the section Environment, at the bottom."))

    def on_copy(self, *_args: Any) -> None:
        """Copy the table as text."""
        qt.QApplication.clipboard().setText(as_text(["", ""], self._rows))
        self.panel.say(_("Copied."))

    def on_install(self, *_args: Any) -> None:
        """Install what is missing, with the worker stopped."""
        question = _("Install {names} into Slicer's Python? This may download several GB and take minutes.")
        if slicer.util.confirmOkCancelDisplay(question.format(names=", ".join(self._missing))):
            self.panel.analysis.client.stop()
            self._told = install_missing(self._missing)
            self.ui.environmentLabel.setText(self._told)
            self.panel.look_at_environment()

    def set_busy(self, busy: bool) -> None:
        """Do not install while something runs."""
        self.ui.refreshButton.setEnabled(not busy)
        self.ui.installButton.setEnabled(not busy and bool(self._missing))
