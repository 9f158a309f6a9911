"""The section Perfusion: the bolus, its arterial input, and whether the series can be trusted."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.i18n import tr as _

from ..crosshair import CrosshairPick
from .base import Section
from .curves import Curve, draw_curves

_LPS = (-1.0, -1.0, 1.0)


class PerfusionSection(Section):
    """Shows curves and quality; lets the reader pick another arterial input."""

    UI = "StrokePerfusion"

    def setup(self) -> None:
        """Connect the widgets."""
        self._pick = CrosshairPick(slicer.mrmlScene, self.on_picked)
        self.ui.pickButton.toggled.connect(self.on_pick)
        self.ui.automaticButton.clicked.connect(self.on_automatic)

    def on_pick(self, on: bool) -> None:
        """Wait for a click in a view, or no longer."""
        self._pick.start() if on else self._pick.stop()
        self.panel.say(_("Click an artery in one of the views.") if on else "")

    def on_picked(self, ras: tuple[float, float, float]) -> None:
        """Make the maps again with the curve at a point, RAS mm."""
        self.ui.pickButton.setChecked(False)
        place = ",".join(f"{value * sign:.3f}" for value, sign in zip(ras, _LPS))  # noqa: B905
        self._choose(f"point:{place}")

    def on_automatic(self, *_args: Any) -> None:
        """Go back to the automatic arterial input."""
        self._choose("")

    def _choose(self, aif: str) -> None:
        if self.patient is not None:
            self.patient.set_text("aif", aif)
            self.panel.analyse()

    def update(self) -> None:
        """Show the active patient's series."""
        found = (self.patient.study if self.patient is not None else {}).get("perfusion")
        self.ui.pickButton.setEnabled(bool(found))
        self.ui.automaticButton.setEnabled(bool(found) and bool(self.patient.text("aif")))
        self.ui.curveLabel.setVisible(bool(found))
        if not found:
            self.ui.seriesLabel.setText(_("No perfusion series was analysed."))
            self.ui.inputLabel.setText("")
            self.ui.qualityLabel.setText("")
            return
        times = found["times"]
        self.ui.seriesLabel.setText(
            _("{series}: {frames} frames every {interval:.2f} s, {method}.").format(
                series=found["series"], frames=times["frames"], interval=times["interval_s"], method=found["method"]
            )
        )
        self.ui.curveLabel.setPixmap(draw_curves(*_curves(found)))
        self.ui.inputLabel.setText(_input_text(found))
        self.ui.qualityLabel.setText(quality_text(found))

    def set_busy(self, busy: bool) -> None:
        """Do not start other work meanwhile."""
        known = self.patient is not None and bool(self.patient.study.get("perfusion"))
        self.ui.pickButton.setEnabled(not busy and known)
        self.ui.automaticButton.setEnabled(not busy and known and bool(self.patient.text("aif")))

    def close(self) -> None:
        """Look at the views no longer."""
        self._pick.stop()


def _curves(found: dict[str, Any]) -> tuple[list[float], list[Curve]]:
    curves = [Curve(_("arterial input"), "#d62728", found["aif"]["curve"])]
    if (found.get("vof") or {}).get("curve"):
        curves.append(Curve(_("venous output"), "#1f5fb4", found["vof"]["curve"]))
    curves.append(Curve(_("brain"), "#555555", found["brain_curve"]))
    return found["times"]["times_s"], curves


def _input_text(found: dict[str, Any]) -> str:
    aif = found["aif"]
    place = aif.get("place_lps_mm")
    where = _(" at {x:.0f} L, {y:.0f} P, {z:.0f} S mm").format(x=place[0], y=place[1], z=place[2]) if place else ""
    return _("Arterial input: {source}{where}.").format(source=aif["source"], where=where)


def quality_text(found: dict[str, Any]) -> str:
    """Return one line a check of the series, those that failed first."""
    checks = sorted(found.get("quality") or [], key=lambda check: check.get("passed", True))
    lines = [f"{'✓' if check.get('passed') else '✗'} {check.get('sentence', check.get('name'))}" for check in checks]
    return "\n".join([*lines, *(found.get("warnings") or [])])
