"""The section Perfusion: the bolus, its arterial input and venous output, and whether the series can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer
from slicer.i18n import tr as _

from StrokePredictLib.case import SERIES_ROLES

from ..crosshair import CrosshairPick
from .base import Section, data_of, fill
from .curves import Curve, draw_curves

_LPS = (-1.0, -1.0, 1.0)
#: Letters of the directions against and along the axes of LPS.
_DIRECTIONS = ("RL", "AP", "IS")
#: What the reader may choose, and the method's name in `StrokePredictLib.perfusion`; empty: its usual one.
_METHODS = (
    (_("bSVD: block-circulant, delay-insensitive (default)"), ""),
    (_("oSVD: cut by oscillation, voxel by voxel"), "osvd"),
    (_("Tikhonov-regularised SVD"), "tikhonov"),
    (_("Vascular model: fitted transit times (slower)"), "vascular"),
)


class PerfusionSection(Section):
    """Shows curves and quality; lets the reader pick another artery, vein or deconvolution."""

    UI = "StrokePerfusion"

    def setup(self) -> None:
        """Connect the widgets."""
        self._pick = CrosshairPick(slicer.mrmlScene, self.on_picked)
        self._buttons = {"aif": self.ui.pickButton, "vof": self.ui.veinButton}
        self.ui.pickButton.toggled.connect(lambda on: self.on_pick("aif", on))
        self.ui.veinButton.toggled.connect(lambda on: self.on_pick("vof", on))
        self.ui.automaticButton.clicked.connect(self.on_automatic)
        self.ui.methodBox.currentIndexChanged.connect(self.on_method)

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

    def on_method(self, *_args: Any) -> None:
        """Remember the deconvolution; a wheel that passes over the box must not start minutes of work."""
        if self.patient is None:
            return
        self.patient.set_text("method", data_of(self.ui.methodBox))
        made = (self.patient.study.get("perfusion") or {}).get("method", "bsvd")
        other = (data_of(self.ui.methodBox) or "bsvd") != made
        self.panel.say(_("Press Analyse: the maps are made with the deconvolution chosen.") if other else "")

    def update(self) -> None:
        """Show the active patient's series."""
        found = (self.patient.study if self.patient is not None else {}).get("perfusion")
        fill(self.ui.methodBox, list(_METHODS), self.patient.text("method") if self.patient is not None else "")
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
        self.ui.methodBox.setEnabled(not busy and self._has_series())

    def _has_series(self) -> bool:
        if self.patient is None:
            return False
        there = {*self.patient.images(), *(self.patient.study.get("sources") or {})}
        return bool(self.patient.study.get("perfusion") or there & set(SERIES_ROLES))

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
