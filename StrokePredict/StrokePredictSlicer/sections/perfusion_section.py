"""The section Perfusion: the bolus, its arterial input and venous output, and whether the series can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer
from slicer.i18n import tr as _

from ..crosshair import CrosshairPick
from .base import Section
from .curves import Curve, draw_curves

_LPS = (-1.0, -1.0, 1.0)
#: Letters of the directions against and along the axes of LPS.
_DIRECTIONS = ("RL", "AP", "IS")


class PerfusionSection(Section):
    """Shows curves and quality; lets the reader pick another artery or vein."""

    UI = "StrokePerfusion"

    def setup(self) -> None:
        """Connect the widgets."""
        self._pick = CrosshairPick(slicer.mrmlScene, self.on_picked)
        self._buttons = {"aif": self.ui.pickButton, "vof": self.ui.veinButton}
        self.ui.pickButton.toggled.connect(lambda on: self.on_pick("aif", on))
        self.ui.veinButton.toggled.connect(lambda on: self.on_pick("vof", on))
        self.ui.automaticButton.clicked.connect(self.on_automatic)

    def on_pick(self, vessel: str, on: bool) -> None:
        """Wait for a click in a view, or no longer."""
        self._pick.stop()
        if on:
            self._buttons["vof" if vessel == "aif" else "aif"].setChecked(False)
            self._pick.start()
        words = {"aif": _("Click an artery in one of the views."), "vof": _("Click a vein in one of the views.")}
        self.panel.say(words[vessel] if on else "")

    def on_picked(self, ras: tuple[float, float, float]) -> None:
        """Make the maps again with the curve at a point, RAS mm."""
        vessel = next((key for key, button in self._buttons.items() if button.checked), None)
        if vessel is None or self.patient is None:
            return
        self._buttons[vessel].setChecked(False)
        place = ",".join(f"{value * sign:.3f}" for value, sign in zip(ras, _LPS))  # noqa: B905
        self.panel.analyse(**{vessel: f"point:{place}"})

    def on_automatic(self, *_args: Any) -> None:
        """Go back to the automatic artery and vein."""
        self.panel.analyse(aif="", vof="")

    def update(self) -> None:
        """Show the active patient's series."""
        found = (self.patient.study if self.patient is not None else {}).get("perfusion")
        self.set_busy(self.panel.busy)
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
        lines = [_vessel_text(_("Arterial input"), found["aif"]), _vessel_text(_("Venous output"), found.get("vof"))]
        self.ui.inputLabel.setText("\n".join(lines))
        self.ui.qualityLabel.setText(quality_text(found))

    def set_busy(self, busy: bool) -> None:
        """Do not start other work meanwhile."""
        able = not busy and self.patient is not None and bool(self.patient.study.get("perfusion"))
        for button in self._buttons.values():
            button.setEnabled(able)
        self.ui.automaticButton.setEnabled(able and any(self.patient.text(key) for key in self._buttons))

    def close(self) -> None:
        """Look at the views no longer."""
        self._pick.stop()
        for button in self._buttons.values():
            button.setChecked(False)


def _curves(found: dict[str, Any]) -> tuple[list[float], list[Curve]]:
    curves = [Curve(_("arterial input"), "#d62728", found["aif"]["curve"])]
    if (found.get("vof") or {}).get("curve"):
        curves.append(Curve(_("venous output"), "#1f5fb4", found["vof"]["curve"]))
    curves.append(Curve(_("brain"), "#555555", found["brain_curve"]))
    return found["times"]["times_s"], curves


def _vessel_text(title: str, found: dict[str, Any] | None) -> str:
    if not found:
        return _("{title}: none found.").format(title=title)
    place = found.get("place_lps_mm")
    where = _(" at {place}").format(place=place_text(place)) if place else ""
    return _("{title}: {source}{where}.").format(title=title, source=found["source"], where=where)


def place_text(place_lps_mm: Sequence[float]) -> str:
    """Return a place as ``34 L, 12 A, 40 S mm``."""
    names = [f"{abs(value):.0f} {letters[value > 0]}" for value, letters in zip(place_lps_mm, _DIRECTIONS)]  # noqa: B905
    return f"{', '.join(names)} mm"


def quality_text(found: dict[str, Any]) -> str:
    """Return one line a check of the series, those that failed first."""
    checks = sorted(found.get("quality") or [], key=lambda check: check.get("passed", True))
    lines = [f"{'✓' if check.get('passed') else '✗'} {check.get('sentence', check.get('name'))}" for check in checks]
    return "\n".join([*lines, *(found.get("warnings") or [])])
