"""The section Thresholds: limits by slider, shown at once; cleaned and measured on Apply."""

from __future__ import annotations

from typing import Any

import numpy as np
from slicer.i18n import tr as _

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.perfusion.ratio import relative_cbf
from StrokePredictLib.thresholds import ADC_CORE, RCBF_CORE, TMAX_HYPOPERFUSED
from StrokePredictLib.volume import Volume

from ..live_mask import LiveMask, above, below
from ..study_of_patient import masks_of
from ..volumes_in import volume_of
from .base import Section

_CHECKS = {"dwi": "dwiCheck", "csf": "csfCheck", "islands": "islandsCheck", "far": "farCheck"}
_NAMES = {"core_adc": "ADC", "hypoperfused_tmax": "Tmax", "core_cbf": "rCBF"}


class ThresholdSection(Section):
    """Sliders for ADC, Tmax and rCBF."""

    UI = "StrokeThresholds"

    def setup(self) -> None:
        """Connect the widgets."""
        self._live: dict[str, LiveMask] = {}
        self.sliders = {
            "core_adc": self.ui.adcSlider,
            "hypoperfused_tmax": self.ui.tmaxSlider,
            "core_cbf": self.ui.rcbfSlider,
        }
        for key, slider in self.sliders.items():
            slider.valueChanged.connect(lambda value, key=key: self.on_slider(key, value))
        self.ui.applyButton.clicked.connect(self.on_apply)
        self.ui.resetButton.clicked.connect(self.on_reset)

    def on_slider(self, key: str, value: float) -> None:
        """Show a limit at once, before any cleaning."""
        if self._shown or self.patient is None:
            return
        try:
            live = self._live.get(key) or self._make_live(key)
        except StrokeError as error:
            self.panel.say_error(str(error))
            return
        if live is None:
            return
        volume = live.show(value / 100.0 if key == "core_cbf" else value)
        words = _("Preview before cleaning: {name} {volume:.1f} mL. Apply cleans and measures.")
        self.ui.previewLabel.setText(words.format(name=_NAMES[key], volume=volume))

    def _make_live(self, key: str) -> LiveMask | None:
        """Return the mask that follows a slider; None where its map is missing."""
        patient = self.patient
        images = patient.images()
        if patient.segmentation is None:
            return None
        if key == "core_cbf":
            made = self._relative_flow()
        else:
            node = images.get("adc" if key == "core_adc" else "tmax")
            made = (volume_of(node), self._brain(node)) if node is not None else None
        if made is None:
            return None
        rule = above if key == "hypoperfused_tmax" else below
        self._live[key] = LiveMask(patient.segmentation, key, *made, rule)
        return self._live[key]

    def _brain(self, node: Any) -> np.ndarray | None:
        masks = masks_of(self.patient, volume_of(node), only=("brain",))
        return masks["brain"].array if "brain" in masks else None

    def _relative_flow(self) -> tuple[Volume, np.ndarray] | None:
        """Return rCBF as the rule takes it, and where it applies: inside Tmax > 6 s."""
        nodes = self.patient.images()
        if "adc" in nodes or not {"cbf", "cbv", "tmax"} <= nodes.keys():
            return None
        volumes = {role: volume_of(nodes[role]) for role in ("cbf", "cbv", "tmax")}
        masks = masks_of(self.patient, volumes["cbf"], only=("brain", "hypoperfused_tmax"))
        if not {"brain", "hypoperfused_tmax"} <= masks.keys():
            return None
        ratio, _told = relative_cbf(volumes, masks["brain"], self.ui.tmaxSlider.value)
        return ratio, masks["hypoperfused_tmax"].array

    def chosen(self) -> dict[str, Any]:
        """Return limits and steps left out, as the threshold job takes them; the rules' own are not named."""
        found: dict[str, Any] = {}
        for name, slider, usual in (
            ("adc", self.ui.adcSlider, ADC_CORE),
            ("tmax", self.ui.tmaxSlider, TMAX_HYPOPERFUSED),
            ("rcbf", self.ui.rcbfSlider, 100 * RCBF_CORE),
        ):
            if abs(slider.value - usual) > 1e-6:
                found[name] = slider.value / 100.0 if name == "rcbf" else slider.value
        skip = [step for step, check in _CHECKS.items() if not getattr(self.ui, check).checked]
        return found | ({"skip": skip} if skip else {})

    def on_apply(self, *_args: Any) -> None:
        """Apply the rules with cleaning, and measure."""
        if self.patient is not None:
            self.patient.set_value("thresholds", self.chosen())
            self.panel.threshold()

    def on_reset(self, *_args: Any) -> None:
        """Go back to the rules' own limits."""
        if self.patient is not None:
            self.patient.set_value("thresholds", {})
            self.update()
            self.panel.threshold()

    def update(self) -> None:
        """Show the active patient's limits."""
        self._live = {}
        chosen = self.patient.value("thresholds", {}) if self.patient is not None else {}
        roles = self.patient.images().keys() if self.patient is not None else set()
        self._shown = True
        self.ui.adcSlider.setValue(chosen.get("adc", ADC_CORE))
        self.ui.tmaxSlider.setValue(chosen.get("tmax", TMAX_HYPOPERFUSED))
        self.ui.rcbfSlider.setValue(100.0 * chosen.get("rcbf", RCBF_CORE))
        for step, check in _CHECKS.items():
            getattr(self.ui, check).setChecked(step not in chosen.get("skip", ()))
        self.ui.adcSlider.setEnabled("adc" in roles)
        self.ui.tmaxSlider.setEnabled("tmax" in roles)
        self.ui.rcbfSlider.setEnabled("adc" not in roles and {"cbf", "cbv", "tmax"} <= set(roles))
        self.ui.previewLabel.setText("")
        self._shown = False
        self.set_busy(self.panel.busy)

    def set_busy(self, busy: bool) -> None:
        """Do not start other work meanwhile."""
        ready = not busy and self.patient is not None and bool({"adc", "tmax"} & self.patient.images().keys())
        self.ui.applyButton.setEnabled(ready)
        self.ui.resetButton.setEnabled(ready)
