"""The section Evaluate: how good a run's model is, patient by patient, beside the threshold rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictSlicer.sections.base import data_of, fill
from StrokePredictSlicer.sections.cells import show_rows
from StrokeTrainLib.cohort.locked import NAME as LOCKED_FILE
from StrokeTrainLib.metrics.catalogue import METRICS
from StrokeTrainLib.training.run_folder import RunFolder

from ..charts import plot_bland_altman, plot_roc, plot_volumes, roc_series
from ..in_predict import show_patient
from ..results import FOLDER, LOCKED_FOLDER, Evaluation, compared, figures_of_classifier, members, read_evaluation
from .base import Section
from .experiments_box import ExperimentsBox
from .lists import fill_list, text_at

#: Columns of the table: key in metrics.csv and title.
_COLUMNS = {
    "dice": _("Dice"), "auc": _("AUC"), "ppv": _("PPV"), "recall": _("Recall"), "hausdorff_95_mm": _("HD95, mm"),
    "true_ml": _("True, mL"), "predicted_ml": _("Pred., mL"), "volume_error_ml": _("Error, mL"),
    "probability": _("Probability"), "large": _("Large core"),
}  # fmt: skip
#: Columns of the summaries.
_SUMMARY = {"dice": _("Dice (quartiles)"), "auc": _("AUC"), "absolute_volume_error_ml": _("|Error|, mL")}
_FIGURE_WIDTH = 480


class EvaluateSection(Section):
    """Evaluates a run, and shows tables, figures and patients."""

    UI = "StrokeTrainEvaluate"

    def setup(self) -> None:
        """Connect the widgets."""
        ui = self.ui
        self.evaluation: Evaluation | None = None
        self._of = ("", "", 0.0)
        ui.evaluateButton.clicked.connect(lambda *_: self.evaluate())
        ui.reportButton.clicked.connect(lambda *_: self._open("report.html"))
        ui.folderButton.clicked.connect(lambda *_: self._open(""))
        ui.methodBox.currentIndexChanged.connect(lambda *_: self._show_method())
        ui.subgroupBox.currentIndexChanged.connect(lambda *_: self._show_subgroup())
        ui.figureBox.currentIndexChanged.connect(lambda *_: self._show_figure())
        ui.metricsTable.cellClicked.connect(self.on_patient)
        ui.compareBox.currentIndexChanged.connect(lambda *_: self._show_comparisons())
        plots = {"volumes": plot_volumes, "blandAltman": plot_bland_altman, "roc": plot_roc}
        for name, plot in plots.items():
            button = getattr(ui, f"{name}PlotButton")
            button.clicked.connect(lambda *_, plot=plot: plot(self.evaluation, data_of(ui.methodBox)))
        fill(ui.whichBox, [(_("test patients of every fold"), FOLDER), (_("locked test set"), LOCKED_FOLDER)])
        ui.whichBox.currentIndexChanged.connect(lambda *_: self.update())
        ui.lockedTestButton.clicked.connect(self.on_locked_test)
        ui.reasonEdit.textChanged.connect(lambda *_: self.set_busy(self.panel.busy))
        self.experiments = ExperimentsBox(self)

    @property
    def run(self) -> str:
        """The run's folder."""
        return self.panel.run

    def evaluate(self) -> None:
        """Evaluate the run."""

        def scored(result: dict[str, Any]) -> None:
            self.update()
            words = _("{scored} of {all} patients scored.").format(scored=result["scored"], all=result["patients"])
            self.panel.say("\n".join([words, *result["notes"][:2]]))

        self.panel.ask(_("Evaluation"), "evaluate", {"run": self.run}, scored)

    def on_locked_test(self, *_args: Any) -> None:
        """Open the locked test set for a reason and test the run's model on it."""
        reason = self.ui.reasonEdit.text.strip()
        words = _(
            "The locked test set is opened for “{reason}”. This is recorded in the cohort’s folder; afterwards its "
            "patients may stand in splits, and what is chosen in their sight is no longer tested. Open?"
        )
        cohort = self.panel.sections["cohort"]
        if cohort.closed and not slicer.util.confirmYesNoDisplay(words.format(reason=reason)):
            return

        def tested(result: dict[str, Any]) -> None:
            self.ui.whichBox.setCurrentIndex(self.ui.whichBox.findData(LOCKED_FOLDER))
            self.update()
            words = _("{scored} of {all} locked patients scored.").format(
                scored=result["scored"], all=result["patients"]
            )
            self.panel.say("\n".join([words, result["words"]]))
            cohort.read()

        parameters = {"run": self.run, "reason": reason, "by": cohort.reading.reader}
        self.panel.ask(_("Test on the locked set"), "locked-test", parameters, tested)

    def update(self) -> None:
        """Show the run's evaluation, if there is one."""
        which = data_of(self.ui.whichBox) or FOLDER
        folder = Path(self.run) / which
        stamp = (folder / "metrics.csv").stat().st_mtime if self.run and (folder / "metrics.csv").is_file() else 0.0
        self.ui.runLabel.setText(
            _("Run: {run}").format(run=self.run) if self.run else _("Choose a run in the section Run.")
        )
        self.experiments.suggest()
        self.set_busy(self.panel.busy)
        if (self.run, which, stamp) == self._of:
            return
        self._of = (self.run, which, stamp)
        try:
            self.evaluation = read_evaluation(folder) if self.run else None
        except StrokeError as error:
            self.evaluation = None
            self.panel.say_error(str(error))
        self._show()

    # Showing

    def _show(self) -> None:
        found = self.evaluation
        for name in ("methodBox", "metricsTable", "overallTable", "subgroupBox", "subgroupTable", "figureBox",
                     "figureLabel", "compareBox", "compareTable"):  # fmt: skip
            getattr(self.ui, name).setEnabled(found is not None)
            getattr(self.ui, name).setVisible(found is not None)
        self.ui.headLabel.setText(_("Not evaluated yet."))
        self.ui.headLabel.setVisible(found is None)
        fill(self.ui.methodBox, [(title, name) for name, title in found.methods.items()] if found else [])
        subgroups = (found.summary.get("subgroups") or {}) if found else {}
        known = next((name for name, part in subgroups.items() if part.get("levels")), None)
        fill(self.ui.subgroupBox, [(part["title"], name) for name, part in subgroups.items()], known)
        fill(self.ui.figureBox, [(path.stem, str(path)) for path in found.figures] if found else [])
        self.set_busy(self.panel.busy)
        if found is not None:
            self._show_metrics()
            self._show_overall()
            self._show_measures()
            self._show_subgroup()
            self._show_figure()

    def _show_method(self) -> None:
        self._show_metrics()
        self._show_subgroup()
        self.set_busy(self.panel.busy)

    def _show_metrics(self) -> None:
        rows = self.evaluation.of(data_of(self.ui.methodBox)) if self.evaluation else []
        keys = [key for key in _COLUMNS if any(isinstance(row.get(key), float) for row in rows)]
        cells = [
            [row["patient"], *(_rounded(key, row.get(key)) for key in keys), row.get("note") or ""] for row in rows
        ]
        titles = [_("Patient"), *(_COLUMNS[key] for key in keys), _("Note")]
        fill_list(self.ui.metricsTable, titles, cells, widths=(80, *(72 for _key in keys)))

    def _show_measures(self) -> None:
        """Offer the measures by which the network was compared with the rest."""
        keys = dict.fromkeys(row["metric"] for row in self.evaluation.summary.get("comparisons") or ())
        fill(self.ui.compareBox, [(METRICS[key].title, key) for key in keys], data_of(self.ui.compareBox) or "dice")
        for widget in (self.ui.compareBox, self.ui.compareTable):
            widget.setVisible(bool(keys))
        self._show_comparisons()

    def _show_comparisons(self) -> None:
        if self.evaluation is not None:
            heads, rows = compared(self.evaluation, data_of(self.ui.compareBox))
            widths = (170, 34, 176, 72, 66, 86, 170)
            fill_list(self.ui.compareTable, heads, rows, widths=widths, shown=len(rows))

    def _show_overall(self) -> None:
        if self.evaluation.summary.get("task") == "classification":
            rows = figures_of_classifier(self.evaluation.summary)
            show_rows(self.ui.overallTable, [_("All test patients"), _("Value (95 % CI)"), "n"], rows)
            self.ui.overallTable.setVisible(True)
            return
        methods = self.evaluation.summary.get("methods") or {}
        keys = [key for key in _SUMMARY if _has(methods, key)]
        rows = [
            [found["title"], *(_median(found["metrics"][key], key, quartiles=key == "dice") for key in keys)]
            for found in methods.values()
        ]
        show_rows(self.ui.overallTable, [_("Medians"), *(_SUMMARY[key] for key in keys)], rows)
        self.ui.overallTable.setVisible(bool(rows))

    def _show_subgroup(self) -> None:
        found = (
            (self.evaluation.summary.get("subgroups") or {}).get(data_of(self.ui.subgroupBox))
            if (self.evaluation)
            else None
        )
        rows = []
        for level, part in (found or {}).get("levels", {}).items():
            metrics = part["methods"].get(data_of(self.ui.methodBox)) or {}
            figures = [_median(metrics.get(key), key, quartiles=key == "dice") for key in _SUMMARY]
            rows.append([level, str(part["patients"]), *figures])
        show_rows(self.ui.subgroupTable, [_("Medians by group"), "n", *_SUMMARY.values()], rows)
        self.ui.subgroupTable.setVisible(bool(rows))
        if found and found.get("note"):
            self.panel.say(found["note"])

    def _show_figure(self) -> None:
        picture = qt.QPixmap(data_of(self.ui.figureBox) or "")
        if not picture.isNull():
            self.ui.figureLabel.setPixmap(picture.scaledToWidth(_FIGURE_WIDTH, qt.Qt.SmoothTransformation))
        self.ui.figureLabel.setVisible(not picture.isNull())

    def on_patient(self, row: int, _column: int) -> None:
        """Open that patient in StrokePredict with truth, prediction and the threshold rules' outlines."""
        patient = text_at(self.ui.metricsTable, row)
        cohort = self.panel.sections["cohort"].rows.get(patient)
        try:
            facts = RunFolder(Path(self.run)).read()
            target = read_json_object(Path(self.run) / "recipe.json")["target"]
        except (StrokeError, KeyError) as error:
            self.panel.say_error(str(error))
            return
        if cohort is None or self.panel.cohort != facts["data"]:
            self.panel.say_error(_("Choose the run’s cohort first: {folder}").format(folder=facts["data"]))
            return
        masks = (
            [("ground_truth", _("Truth ({target})").format(target=target), cohort["files"][target])]
            if (target in cohort["files"])
            else []
        )
        key = "infarct_predicted" if target == "final-infarct" else "core_network"
        predicted = members(Path(self.run), patient, data_of(self.ui.whichBox) or FOLDER)
        masks += [(key, _("Prediction ({name})").format(name=name), str(path)) for name, path in predicted.items()]
        which = patient if cohort["layout"] == "bids" else None
        show_patient(self.panel, cohort["folder"], which, masks, thresholds=True)

    def _open(self, name: str) -> None:
        path = Path(self.run) / (data_of(self.ui.whichBox) or FOLDER) / name
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(path)))

    def set_busy(self, busy: bool) -> None:
        """Start nothing while something is under way."""
        followed = self.panel.sections["run"].followed if "run" in getattr(self.panel, "sections", {}) else None
        done = followed is not None and followed.state.state == "done" and RunFolder(followed.path).exists
        self.ui.evaluateButton.setEnabled(bool(self.run) and done and not busy)
        for button in (self.ui.reportButton, self.ui.folderButton):
            button.setEnabled(self.evaluation is not None)
        method = data_of(self.ui.methodBox) if self.evaluation is not None else None
        shown = self.evaluation is not None and method in self.evaluation.methods
        drawn = shown and any(isinstance(row.get("predicted_ml"), float) for row in self.evaluation.of(method))
        for button in (self.ui.volumesPlotButton, self.ui.blandAltmanPlotButton):
            button.setEnabled(drawn)
        self.ui.rocPlotButton.setEnabled(shown and bool(roc_series(self.evaluation, method)))
        reason = bool(self.ui.reasonEdit.text.strip())
        self.ui.lockedTestButton.setEnabled(done and not busy and reason and self._has_locked())
        self.ui.experimentButton.setEnabled(bool(self.panel.cohort))

    def _has_locked(self) -> bool:
        return bool(self.panel.cohort) and (Path(self.panel.cohort) / LOCKED_FILE).is_file()


def _rounded(key: str, value: Any) -> Any:
    if not isinstance(value, float):
        return value if isinstance(value, str) else None
    return round(value, 1 if key.endswith(("_ml", "_mm")) else 3)


def _has(methods: dict[str, Any], key: str) -> bool:
    return any(key in found.get("metrics", {}) for found in methods.values())


def _median(found: dict[str, Any] | None, key: str, *, quartiles: bool) -> str:
    if not found or found.get("median") is None:
        return "–"
    digits = 1 if key.endswith(("_ml", "_mm")) else 2
    low, high = found.get("q1"), found.get("q3")
    words = f"{found['median']:.{digits}f}"
    known = quartiles and low is not None and high is not None
    return f"{words} ({low:.{digits}f} to {high:.{digits}f})" if known else words
