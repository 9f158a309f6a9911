"""The section Experiment: which recipe, with what changed, and what it will take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ctk
import qt
from slicer.i18n import tr as _

from StrokePredictLib.errors import StrokeError
from StrokePredictSlicer.sections.base import data_of, fill
from StrokeTrainLib.training import control

from .base import Section
from .recipe_words import as_text, card_words, estimate_words, fault_of

_PRESETS = {"paper": _("as in the paper"), "small": _("reduced, for two cores")}
_DEVICES = ("auto", "cuda", "mps", "cpu")
#: Recipe's path → spin box; 0 means the recipe's own.
_SPINS = {"training.batch": "batchSpin"}
_STARTED = {"folds": "foldsSpin", "epochs": "epochsSpin"}


class ExperimentSection(Section):
    """Chooses a recipe and its settings, says what stands in the way, and starts a run."""

    UI = "StrokeTrainExperiment"

    def setup(self) -> None:
        """Connect the widgets."""
        ui = self.ui
        self.recipes: dict[str, dict[str, Any]] = {}
        self._changed: dict[str, str] = {}
        self._filling = False
        self._cohort_known = ""
        fill(ui.presetBox, [(words, key) for key, words in _PRESETS.items()], "small")
        fill(ui.deviceBox, [(name, name) for name in _DEVICES], self.panel.remembered("Device") or "auto")
        fill(ui.initBox, [(_("nothing: new weights"), "")])
        ui.runEdit.filters = ctk.ctkPathLineEdit.Dirs
        for box in (ui.recipeBox, ui.presetBox):
            box.currentIndexChanged.connect(self.on_recipe)
        for name in ("foldsSpin", "epochsSpin", "batchSpin", "seedSpin"):
            getattr(ui, name).valueChanged.connect(self.on_setting)
        ui.deviceBox.currentIndexChanged.connect(self.on_setting)
        ui.initBox.currentIndexChanged.connect(self.on_setting)
        ui.settingsTable.cellChanged.connect(self.on_cell)
        ui.settingFilterEdit.textChanged.connect(self.on_filter)
        ui.resetButton.clicked.connect(self.on_reset)
        ui.estimateButton.clicked.connect(lambda *_: self.estimate())
        ui.startButton.clicked.connect(self.on_start)

    @property
    def recipe(self) -> str:
        """Name of the chosen recipe; empty before they are known."""
        return data_of(self.ui.recipeBox) or ""

    @property
    def preset(self) -> str:
        """``paper`` or ``small``."""
        return data_of(self.ui.presetBox)

    def job(self) -> dict[str, Any]:
        """Return what a run is started with (`StrokeTrainLib.training.control.launch`)."""
        ui = self.ui
        overrides = {"preset": self.preset} if self.preset != "paper" else {}
        overrides |= {path: str(getattr(ui, name).value) for path, name in _SPINS.items() if getattr(ui, name).value}
        overrides |= self._changed
        chosen = {key: int(getattr(ui, name).value) or None for key, name in _STARTED.items()}
        return {
            "recipe": self.recipe, "data": self.panel.cohort, "overrides": overrides, "seed": int(ui.seedSpin.value),
            "device": data_of(ui.deviceBox) or "auto", "init": data_of(ui.initBox) or None, **chosen,
        }  # fmt: skip

    @property
    def run_folder(self) -> str:
        """Where the run is to lie."""
        return self.ui.runEdit.currentPath.strip()

    # Recipes

    def update(self) -> None:
        """Ask what recipes there are, and who of the cohort has what they need."""
        cohort = self.panel.cohort
        if not cohort:
            self.ui.cardLabel.setText(_("Choose a cohort first: the cards then say whether it has what they need."))
        elif self.panel.sections.get("cohort") and self.panel.sections["cohort"].rows:
            stamp = json.dumps([cohort, len(self.panel.sections["cohort"].rows)])
            if stamp != self._cohort_known:
                self._cohort_known = stamp
                self.panel.ask_later(_("Recipes"), "recipes", {"folder": cohort}, self.show_recipes)
                self.panel.ask_later(_("Models"), "environment", {}, lambda found: self.show_models(found["models"]))
            self.set_busy(self.panel.busy)

    def forget_cohort(self) -> None:
        """Let the cards be made anew for another cohort."""
        self._cohort_known = ""
        self.ui.estimateLabel.setText("")

    def show_recipes(self, result: dict[str, Any]) -> None:
        """Take in the recipes (job ``recipes``)."""
        self.recipes = result["recipes"]
        before = self.recipe or (self.panel.state.recipe if self.panel.state is not None else "")
        usual = before if before in self.recipes else "debs2021"
        items = [(f"{name}: {card['title']}", name) for name, card in self.recipes.items()]
        fill(self.ui.recipeBox, items, usual)
        self._take_up_settings()
        self._show_recipe()

    def show_models(self, models: list[dict[str, Any]]) -> None:
        """Offer the installed models to start from."""
        items = [(f"{m['title']} ({m['name']})", m["name"]) for m in models if "problem" not in m]
        fill(self.ui.initBox, [(_("nothing: new weights"), ""), *items], data_of(self.ui.initBox) or "")

    def on_recipe(self, *_args: Any) -> None:
        """Show another recipe; changes of the one before are not its."""
        self._changed = {}
        self._show_recipe()
        self.on_setting()

    def _show_recipe(self) -> None:
        card = self.recipes.get(self.recipe)
        if card is None:
            return
        self.ui.cardLabel.setText(card_words(card))
        self._show_values()
        self._suggest_folder()
        self.on_setting()

    def _suggest_folder(self) -> None:
        """Propose a new folder beside the cohort, unless one was typed."""
        if self.run_folder and self.run_folder != getattr(self, "_suggested", ""):
            return
        base = Path(self.panel.cohort).parent / "runs"
        number = 1
        while (base / f"{self.recipe}-{number}").exists():
            number += 1
        self._suggested = str(base / f"{self.recipe}-{number}")
        self.ui.runEdit.setCurrentPath(self._suggested)

    # Settings

    def _show_values(self) -> None:
        table, rows = self.ui.settingsTable, self.recipes[self.recipe]["values"][self.preset]
        self._filling = True
        table.setUpdatesEnabled(False)
        table.setColumnCount(3)
        table.setRowCount(len(rows))
        table.setHorizontalHeaderLabels([_("Setting"), _("Value"), _("Where the default comes from")])
        table.verticalHeader().setVisible(False)
        table.verticalHeader().setDefaultSectionSize(22)
        for row, (path, value, source) in enumerate(rows):
            shown = self._changed.get(path, as_text(value))
            for column, text in enumerate((path, shown, source)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(text)
                if column != 1:
                    item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
                table.setItem(row, column, item)
        table.setColumnWidth(0, 190)
        table.setColumnWidth(1, 110)
        table.horizontalHeader().setStretchLastSection(True)
        table.setMinimumHeight(260)
        table.setUpdatesEnabled(True)
        self._filling = False
        self.on_filter(self.ui.settingFilterEdit.text)

    def on_filter(self, words: str) -> None:
        """Show the settings whose name holds all words."""
        table, wanted = self.ui.settingsTable, words.lower().split()
        for row in range(table.rowCount):
            name = table.item(row, 0).text().lower()
            table.setRowHidden(row, not all(word in name for word in wanted))

    def on_cell(self, row: int, column: int) -> None:
        """Take in an edited value, if it is of the kind of the default."""
        if self._filling or column != 1:
            return
        path, default, _source = self.recipes[self.recipe]["values"][self.preset][row]
        text = self.ui.settingsTable.item(row, 1).text().strip()
        fault = fault_of(text, default)
        if fault or text == as_text(default):
            self._changed.pop(path, None)
        else:
            self._changed[path] = text
        if fault:
            self._filling = True
            self.ui.settingsTable.item(row, 1).setText(as_text(default))
            self._filling = False
            self.panel.say_error(f"{path}: {fault}")
        self.on_setting()

    def on_reset(self, *_args: Any) -> None:
        """Take the changes of the table back."""
        self._changed = {}
        if self.recipe:
            self._show_values()
        self.on_setting()

    def on_setting(self, *_args: Any) -> None:
        """Say what differs from the recipe, and keep it with the scene."""
        job = self.job()
        words = [f"{path} = {value}" for path, value in job["overrides"].items()]
        words += [f"{key} = {job[key]}" for key in ("folds", "epochs", "seed", "init") if job[key]]
        self.ui.changesLabel.setText(_("Changed: {words}.").format(words="; ".join(words)) if words else "")
        self.ui.estimateLabel.setText("")
        self.panel.remember("Device", job["device"])
        if self.recipe:
            kept = {"preset": self.preset, "changed": self._changed}
            kept |= {name: int(getattr(self.ui, name).value) for name in _KEPT}
            self.panel.keep(recipe=self.recipe, settings=json.dumps(kept))
        self.set_busy(self.panel.busy)

    def _take_up_settings(self) -> None:
        """Show what the scene kept."""
        text = self.panel.state.settings if self.panel.state is not None else ""
        kept = json.loads(text) if text else {}
        for name in _KEPT:
            if name in kept:
                getattr(self.ui, name).setValue(int(kept[name]))
        if kept.get("preset") in _PRESETS:
            index = self.ui.presetBox.findData(kept["preset"])
            self.ui.presetBox.blockSignals(True)
            self.ui.presetBox.setCurrentIndex(index)
            self.ui.presetBox.blockSignals(False)
        self._changed = dict(kept.get("changed", {}))

    # Start

    def estimate(self, then: Any = None) -> None:
        """Check what can be known before, and say what the run takes."""
        if not self.run_folder:
            self.panel.say_error(_("Choose a folder for the run."))
            return
        job = self.job()
        parameters = {**job, "folder": job["data"], "run": self.run_folder}
        parameters.pop("data")

        def known(found: dict[str, Any]) -> None:
            self.ui.estimateLabel.setText(estimate_words(found))
            if then is not None:
                then()

        self.panel.ask(_("Estimate"), "estimate", parameters, known)

    def on_start(self, *_args: Any) -> None:
        """Check, then start."""
        run = self.run_folder
        if run and control.state_of(run).alive:
            self.panel.say_error(_("{run}: another process trains here; choose another folder.").format(run=run))
            return
        self.estimate(then=self.launch)

    def launch(self) -> None:
        """Start the run and follow it."""
        run, python = self.run_folder, str(qt.QSettings().value("StrokePredict/WorkerPython") or "") or None
        try:
            control.launch(run, self.job(), python)
        except StrokeError as error:
            self.panel.say_error(str(error))
            return
        self.panel.set_run(run)
        self.panel.ui.runSection.collapsed = False
        self.panel.say(_("Training goes on in {run}, also when Slicer is closed.").format(run=run))
        self._suggest_folder()

    def set_busy(self, busy: bool) -> None:
        """Start nothing while something is under way."""
        ready = bool(self.panel.cohort and self.recipe) and not busy
        self.ui.estimateButton.setEnabled(ready)
        self.ui.startButton.setEnabled(ready)


_KEPT = ("foldsSpin", "epochsSpin", "batchSpin", "seedSpin")
