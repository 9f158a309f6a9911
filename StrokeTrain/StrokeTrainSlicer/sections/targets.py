"""What outlines are called in the panel."""

from __future__ import annotations

from slicer.i18n import tr as _

TARGETS = {"final-infarct": _("final infarct"), "acute-core": _("acute core")}
