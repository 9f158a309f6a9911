"""The section Publish: a run's model gets its words and goes to StrokePredict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from StrokeTrainLib.training.run_folder import RunFolder

from ..in_predict import predict_panel
from .base import Section

_EDITS = {"name": "nameEdit", "title": "titleEdit", "licence": "licenceEdit"}


class PublishSection(Section):
    """Shows the card of a run's model, lets its words be changed, installs and packs it."""

    UI = "StrokeTrainPublish"

    def setup(self) -> None:
        """Connect the widgets."""
        ui = self.ui
        self._of = ("", 0.0)
        self.card: dict[str, Any] | None = None
        ui.publishButton.clicked.connect(lambda *_: self.publish())
        ui.exportButton.clicked.connect(self.on_export)
        ui.useEdit.setMaximumHeight(90)

    def words(self) -> dict[str, str]:
        """Return what the reader says of the model."""
        words = {key: getattr(self.ui, name).text.strip() for key, name in _EDITS.items()}
        return words | {"intended_use": self.ui.useEdit.plainText.strip()}

    def update(self) -> None:
        """Show the card of the run's model, where there is one."""
        run = self.panel.run
        card = RunFolder(Path(run)).bundle / "configs" / "metadata.json"
        stamp = card.stat().st_mtime if run and card.is_file() else 0.0
        if (run, stamp) == self._of:
            return
        self._of = (run, stamp)
        self.card = None
        self.ui.publishedLabel.setText("")
        if stamp:
            self.panel.ask_later(_("Model card"), "model-card", {"run": run}, self._show_card)
        self.ui.modelLabel.setText(_("The run has no model yet.") if run else _("No finished run is chosen."))
        self.set_busy(self.panel.busy)

    def _show_card(self, result: dict[str, Any]) -> None:
        self.card = card = result["card"]
        for key, name in _EDITS.items():
            getattr(self.ui, name).setText(card[key])
        self.ui.useEdit.setPlainText(card["intended_use"])
        scores = ", ".join(f"{name} {value}" for name, value in card["scores"].items())
        self.ui.modelLabel.setText("\n".join([
            _("Trained on {data}.").format(data=card["training"]["data"].rstrip(".")),
            _("Measured: {scores}.").format(scores=scores or _("nothing")),
            _("Weights: SHA-256 {digest}…").format(digest=result["sha256"][:16]),
        ]))  # fmt: skip
        self.set_busy(self.panel.busy)

    def publish(self) -> None:
        """Install the model; StrokePredict lists it at once."""
        parameters = {"run": self.panel.run, "words": self.words(), "replace": bool(self.ui.replaceCheck.checked)}

        def installed(result: dict[str, Any]) -> None:
            said = _("“{name}” is installed in {folder} and can be chosen in Stroke Predict.")
            self.ui.publishedLabel.setText(said.format(**result))
            theirs = predict_panel()
            if not theirs.busy:
                theirs.look_at_environment()

        self.panel.ask(_("Publishing"), "publish", parameters, installed)

    def on_export(self, *_args: Any) -> None:
        """Ask where, and pack."""
        usual = str(Path(self.panel.run) / f"{self.words()['name']}.zip")
        chosen = qt.QFileDialog.getSaveFileName(None, _("Export the model"), usual, "*.zip")
        path = chosen if isinstance(chosen, str) else chosen[0]
        if path:
            self.export(path)

    def export(self, path: str) -> None:
        """Pack the model into a zip."""
        parameters = {"run": self.panel.run, "words": self.words(), "file": path}
        packed = lambda result: self.ui.publishedLabel.setText(_("Packed: {file}").format(**result))  # noqa: E731
        self.panel.ask(_("Packing"), "export", parameters, packed)

    def set_busy(self, busy: bool) -> None:
        """Start nothing while something is under way."""
        ready = self.card is not None and not busy
        for button in (self.ui.publishButton, self.ui.exportButton):
            button.setEnabled(ready)
