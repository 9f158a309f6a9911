"""The section Prediction: models with their cards, the probability's limit, and the what-if slider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from StrokePredictLib.case import ROLES, SERIES_ROLES
from StrokePredictLib.io.images import read_image
from StrokePredictLib.models.fit import lacking
from StrokePredictLib.quality import failed, rests_on_perfusion
from StrokePredictLib.report.predicted import MARK, model_label
from StrokePredictLib.study import ASSOCIATION, DEMONSTRATION

from .. import overlays
from ..live_mask import LiveMask, at_least
from ..marks import mark_segment
from ..patient_scene import put_mask
from ..volumes_in import volume_of
from .base import Section, data_of, fill
from .cells import show_rows

DEVICES = ("auto", "cuda", "mps", "cpu")
#: The slider rests this long before the model is asked (ms).
_REST_MS = 200


class PredictionSection(Section):
    """Chooses and runs models."""

    UI = "StrokePrediction"

    def setup(self) -> None:
        """Connect the widgets."""
        ui = self.ui
        self._models: list[dict[str, Any]] = []
        self._live: LiveMask | None = None
        fill(ui.deviceBox, [(name, name) for name in DEVICES], self.panel.device)
        ui.deviceBox.currentIndexChanged.connect(lambda *_: self.panel.set_device(data_of(ui.deviceBox)))
        ui.predictButton.clicked.connect(self.on_predict)
        ui.modelTable.itemSelectionChanged.connect(self.on_model)
        ui.probabilityBox.currentIndexChanged.connect(self.on_map_chosen)
        ui.probabilitySlider.valueChanged.connect(self.on_probability)
        self._rest = qt.QTimer()
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self.ask_what_if)
        ui.reperfusionSlider.valueChanged.connect(lambda *_: self._shown or self._rest.start())
        self.panel.ui.demonstrationCheck.toggled.connect(lambda *_: self.update())

    def show_models(self, models: list[dict[str, Any]]) -> None:
        """Take the list that the worker gave."""
        self._models = models
        self.update()

    def on_model(self, *_args: Any) -> None:
        """Show the card of the row that was clicked."""
        rows = {index.row() for index in self.ui.modelTable.selectionModel().selectedRows()}
        if rows:
            self.ui.cardLabel.setText(card_text(self._models[min(rows)]))

    def chosen(self) -> list[str]:
        """Return the models with a tick."""
        table = self.ui.modelTable
        checked = qt.Qt.Checked
        return [line["name"] for row, line in enumerate(self._models) if table.item(row, 0).checkState() == checked]

    def on_predict(self, *_args: Any) -> None:
        """Run the chosen models on the maps that are there."""
        names = self.chosen()
        if not names:
            self.panel.say_error(_("No model is ticked."))
            return
        chosen = [line for line in self._models if line["name"] in names]
        demonstrations = any(line["demonstration"] for line in chosen)
        if demonstrations and not self.patient.simulated and not self.panel.demonstration:
            self.panel.say_error(
                _("{names} learnt from simulated patients only; tick “Run demonstration models” above first.").format(
                    names=", ".join(line["title"] for line in chosen if line["demonstration"])
                )
            )
            return
        self.panel.predict(names)

    def on_map_chosen(self, *_args: Any) -> None:
        """Show another model's probabilities in the layout, and let the slider cut them."""
        self.on_map()
        name = data_of(self.ui.probabilityBox)
        if name is not None and self.patient is not None:
            overlays.show_probability(self.patient, name)

    def on_map(self, *_args: Any) -> None:
        """Another model's probabilities: its own limit, its own segment."""
        self._live = None
        record = self._record(data_of(self.ui.probabilityBox))
        if record is not None:
            self._shown = True
            self.ui.probabilitySlider.setValue(float(record.get("threshold", 0.5)))
            self._shown = False
        self.ui.probabilityLabel.setText("")

    def on_probability(self, value: float) -> None:
        """Cut the map at another probability, at once."""
        record = self._record(data_of(self.ui.probabilityBox))
        if self._shown or record is None or self.patient.segmentation is None:
            return
        if self._live is None:
            node = self.patient.probabilities().get(record["name"])
            if node is None:
                return
            image = volume_of(node)
            self._live = LiveMask(self.patient.segmentation, record["segment"], image, None, at_least)
            mark_segment(self.patient.segmentation, record["segment"], bool(record.get("demonstration")))
        volume = self._live.show(value)
        own = record.get("threshold", 0.5)
        words = _("{volume:.1f} mL at {value:.2f}; at the model's own {own:.2f}: {before:.1f} mL.")
        self.ui.probabilityLabel.setText(
            words.format(volume=volume, value=value, own=own, before=record.get("volume_ml", float("nan")))
        )

    def ask_what_if(self) -> None:
        """Ask the conditioned model for the slider's course; where something is under way, once that is over."""
        model, patient = data_of(self.ui.whatIfBox), self.patient
        if model is None or patient is None:
            return
        if self.panel.busy:
            self._rest.start()
            return
        share, facts = self.ui.reperfusionSlider.value / 100.0, patient.facts
        onset = facts.onset_to_imaging_min if facts.onset_known is not False else None
        self.panel.work(
            _("What if"),
            lambda told: self.panel.analysis.what_if(patient, model, share, onset, told, device=self.panel.device),
            done=lambda answer: self._show_what_if(patient, *answer, share),
        )

    def _show_what_if(self, patient: Any, record: dict[str, Any], folder: Path, share: float) -> None:
        answer, extremes = record["models"][0], record["extremes_ml"]
        mask = read_image(folder / f"mask_{answer['name']}.nrrd", series=False, may_be_empty=True)
        title = _("Predicted infarct, {share:.0%} reperfused").format(share=share)
        name = f"{title}, {MARK}" if answer["demonstration"] else title
        put_mask(patient.segmentation, "infarct_what_if", mask.with_array(mask.array > 0), name)
        mark_segment(patient.segmentation, "infarct_what_if", answer["demonstration"])
        patient.segmentation.GetDisplayNode().SetSegmentVisibility("infarct_what_if", True)
        overlays.show_filled(patient, bool(self.panel.ui.fillCheck.checked))
        lines = [
            _("{title}: {volume:.1f} mL.").format(title=title, volume=answer["volume_ml"]),
            _("Without reperfusion {none:.1f} mL, complete {complete:.1f} mL.").format(**extremes),
            _("ΔV to no reperfusion: {change:+.1f} mL.").format(change=answer["volume_ml"] - extremes["none"]),
            ASSOCIATION,
        ]
        self.ui.whatIfLabel.setText("\n".join(lines))

    def _record(self, model: str | None) -> dict[str, Any] | None:
        found = ((self.patient.study if self.patient else {}).get("prediction") or {}).get("models", [])
        return next((line for line in found if line["name"] == model), None)

    def update(self) -> None:
        """Show models and maps for the active patient."""
        self._live = None
        roles = self._roles()
        self._show_table(roles)
        found = ((self.patient.study if self.patient else {}).get("prediction") or {}).get("models", [])
        maps = [(model_label(m), m["name"]) for m in found if self._has_map(m["name"])]
        fill(self.ui.probabilityBox, maps, data_of(self.ui.probabilityBox))
        self.ui.probabilityGroup.setEnabled(bool(maps))
        self.on_map()
        able = [m for m in self._models if m.get("conditioned") and self.patient and not lacking(m, set(roles))]
        able = [m for m in able if self._allowed(m) and self.patient.segmentation is not None]
        fill(self.ui.whatIfBox, [(m["title"], m["name"]) for m in able], data_of(self.ui.whatIfBox))
        self.ui.whatIfGroup.setVisible(bool(able))
        self._forget_what_if()
        self.set_busy(self.panel.busy)

    def _roles(self) -> set[str]:
        """Return what the active patient has, a series of its folder included."""
        if self.patient is None:
            return set()
        told = self.patient.study.get("sources") or {}
        return set(self.patient.images()) | {role for role in SERIES_ROLES if role in told}

    def _allowed(self, model: dict[str, Any]) -> bool:
        return not self._barred(model)

    def _barred(self, model: dict[str, Any]) -> str:
        """Say why a model that fits may not run: it learnt from simulated patients only, or the perfusion failed."""
        patient = self.patient
        quality = patient.study.get("perfusion") if patient is not None else None
        if failed(quality, patient.text("override") if patient is not None else "") and rests_on_perfusion(
            model.get("inputs", ())
        ):
            return _("perfusion failed its check; accept it under Results")
        simulated = patient is not None and patient.simulated
        if simulated or self.panel.demonstration or not model.get("demonstration"):
            return ""
        return _("simulated patients only; opt in above")

    def _forget_what_if(self) -> None:
        """Take away what was said of another patient, or of maps that are no more."""
        node = self.patient.segmentation if self.patient is not None else None
        if node is None or node.GetSegmentation().GetSegment("infarct_what_if") is None:
            self.ui.whatIfLabel.setText("")

    def _has_map(self, name: str) -> bool:
        return name in self.patient.probabilities()

    def _show_table(self, roles: set[str]) -> None:
        states = [state_of(m, roles) for m in self._models]
        states = [(ready and self._barred(m)) or s for m, (s, ready) in zip(self._models, states)]  # noqa: B905
        rows = [[m.get("title") or m["name"], state] for m, state in zip(self._models, states)]  # noqa: B905
        table = self.ui.modelTable
        table.blockSignals(True)
        show_rows(table, [_("Model"), _("For this patient")], rows)
        for row, model in enumerate(self._models):
            able = state_of(model, roles)[1]
            item = table.item(row, 0)
            if able:
                item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable | qt.Qt.ItemIsUserCheckable)
            else:
                item.setFlags(qt.Qt.ItemIsSelectable)
            item.setCheckState(qt.Qt.Checked if able and self._allowed(model) else qt.Qt.Unchecked)
        table.blockSignals(False)
        words = _("Click a model to read its card.") if self._models else _("No model was found yet.")
        self.ui.cardLabel.setText(words)

    def set_busy(self, busy: bool) -> None:
        """Do not start other work meanwhile."""
        self.ui.predictButton.setEnabled(not busy and self.patient is not None and bool(self._models))

    def close(self) -> None:
        """Ask no more."""
        self._rest.stop()


def state_of(model: dict[str, Any], roles: set[str]) -> tuple[str, bool]:
    """Say in a word whether a model can run, and whether it can."""
    if "problem" in model:
        return model["problem"], False
    missing = [ROLES[role][0] for role in lacking(model, roles)]
    return (_("{roles} missing").format(roles=", ".join(missing)), False) if missing else (_("ready"), True)


def card_text(model: dict[str, Any]) -> str:
    """Return what a reader should know of a model before using it."""
    if "problem" in model:
        return model["problem"]
    lines = [f"{model['title']} ({model['name']})"]
    if model["demonstration"]:
        lines.append(DEMONSTRATION)
    roles = dict.fromkeys(ROLES[role][0] for role in model["inputs"])
    lines.append(_("Looks at {roles}.").format(roles=", ".join(roles)))
    lines += [text for text in (model.get("intended_use"), model.get("trained_on")) if text]
    scores = model.get("scores") or {}
    if scores:
        lines.append(", ".join(f"{name}: {score}" for name, score in scores.items()))
    return "\n".join(lines)
