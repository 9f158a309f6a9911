"""The section Evaluate: how good a run's model is, patient by patient, beside the threshold rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ctk
import qt
from slicer.i18n import tr as _

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictSlicer.sections.base import data_of, fill
from StrokePredictSlicer.sections.cells import show_rows
from StrokeTrainLib.experiments.catalogue import names as experiment_names
from StrokeTrainLib.training import control
from StrokeTrainLib.training.run_folder import RunFolder

from ..curves import LOSS, VALIDATION, put_chart
from ..in_predict import show_patient
from ..results import FOLDER, Evaluation, members, read_evaluation
from .base import Section
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
        self._of = ("", 0.0)
        ui.evaluateButton.clicked.connect(lambda *_: self.evaluate())
        ui.reportButton.clicked.connect(lambda *_: self._open("report.html"))
        ui.folderButton.clicked.connect(lambda *_: self._open(""))
        ui.methodBox.currentIndexChanged.connect(lambda *_: (self._show_metrics(), self._show_subgroup()))
        ui.subgroupBox.currentIndexChanged.connect(lambda *_: self._show_subgroup())
        ui.figureBox.currentIndexChanged.connect(lambda *_: self._show_figure())
        ui.metricsTable.cellClicked.connect(self.on_patient)
        ui.volumesPlotButton.clicked.connect(lambda *_: self.plot_volumes())
        ui.blandAltmanPlotButton.clicked.connect(lambda *_: self.plot_bland_altman())
        ui.experimentEdit.filters = ctk.ctkPathLineEdit.Dirs
        fill(ui.experimentBox, [(name, name) for name in experiment_names()])
        ui.experimentBox.currentIndexChanged.connect(lambda *_: self._suggest_experiment())
        ui.experimentButton.clicked.connect(self.on_experiment)

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

    def update(self) -> None:
        """Show the run's evaluation, if there is one."""
        folder = Path(self.run) / FOLDER
        stamp = (folder / "metrics.csv").stat().st_mtime if self.run and (folder / "metrics.csv").is_file() else 0.0
        self.ui.runLabel.setText(
            _("Run: {run}").format(run=self.run) if self.run else _("Choose a run in the section Run.")
        )
        self._suggest_experiment()
        self.set_busy(self.panel.busy)
        if (self.run, stamp) == self._of:
            return
        self._of = (self.run, stamp)
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
                     "figureLabel", "patientLabel"):  # fmt: skip
            getattr(self.ui, name).setEnabled(found is not None)
            getattr(self.ui, name).setVisible(found is not None)
        self.ui.headLabel.setText("" if found is not None else _("Not evaluated yet."))
        fill(self.ui.methodBox, [(title, name) for name, title in found.methods.items()] if found else [])
        subgroups = (found.summary.get("subgroups") or {}) if found else {}
        fill(self.ui.subgroupBox, [(part["title"], name) for name, part in subgroups.items()])
        fill(self.ui.figureBox, [(path.stem, str(path)) for path in found.figures] if found else [])
        self.set_busy(self.panel.busy)
        if found is not None:
            self._show_metrics()
            self._show_overall()
            self._show_subgroup()
            self._show_figure()

    def _show_metrics(self) -> None:
        rows = self.evaluation.of(data_of(self.ui.methodBox)) if self.evaluation else []
        keys = [key for key in _COLUMNS if any(isinstance(row.get(key), float) for row in rows)]
        cells = [
            [row["patient"], *(_rounded(key, row.get(key)) for key in keys), row.get("note") or ""] for row in rows
        ]
        titles = [_("Patient"), *(_COLUMNS[key] for key in keys), _("Note")]
        fill_list(self.ui.metricsTable, titles, cells, widths=(80, *(72 for _key in keys)))

    def _show_overall(self) -> None:
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
        predicted = members(Path(self.run), patient)
        masks += [(key, _("Prediction ({name})").format(name=name), str(path)) for name, path in predicted.items()]
        which = patient if cohort["layout"] == "bids" else None
        show_patient(self.panel, cohort["folder"], which, masks, thresholds=True)

    # Slicer's plot view

    def _volumes(self) -> list[tuple[float, float]]:
        rows = self.evaluation.of(data_of(self.ui.methodBox))
        pairs = [(row.get("true_ml"), row.get("predicted_ml")) for row in rows]
        return [(true, found) for true, found in pairs if true is not None and found is not None]

    def plot_volumes(self) -> Any:
        """Show predicted against true volume."""
        pairs = self._volumes()
        top = max((max(pair) for pair in pairs), default=1.0)
        series = {
            _("patients"): (pairs, LOSS, False), _("equal"): ([(0.0, 0.0), (top, top)], VALIDATION, True),
        }  # fmt: skip
        axes = (_("true volume, mL"), _("predicted volume, mL"))
        return put_chart(_("Volumes"), self.evaluation.methods[data_of(self.ui.methodBox)], axes, series)

    def plot_bland_altman(self) -> Any:
        """Show the difference of the volumes against their mean, with bias and limits of agreement."""
        pairs = self._volumes()
        points = [((true + found) / 2, found - true) for true, found in pairs]
        differences = [difference for _mean, difference in points]
        bias = sum(differences) / max(1, len(differences))
        spread = (sum((d - bias) ** 2 for d in differences) / max(1, len(differences) - 1)) ** 0.5
        top = max((mean for mean, _difference in points), default=1.0)
        lines = {_("bias"): bias, _("upper limit"): bias + 1.96 * spread, _("lower limit"): bias - 1.96 * spread}
        series = {_("patients"): (points, LOSS, False)}
        series |= {name: ([(0.0, height), (top, height)], VALIDATION, True) for name, height in lines.items()}
        axes = (_("mean volume, mL"), _("predicted minus true, mL"))
        return put_chart(_("Bland-Altman"), self.evaluation.methods[data_of(self.ui.methodBox)], axes, series)

    # Experiments

    def _suggest_experiment(self) -> None:
        name, edit = data_of(self.ui.experimentBox), self.ui.experimentEdit
        if self.panel.cohort and (not edit.currentPath or edit.currentPath == getattr(self, "_suggested", "")):
            self._suggested = str(Path(self.panel.cohort).parent / "experiments" / str(name))
            edit.setCurrentPath(self._suggested)

    def on_experiment(self, *_args: Any) -> None:
        """Start an experiment in a process of its own and follow it."""
        name, output = data_of(self.ui.experimentBox), self.ui.experimentEdit.currentPath
        job = {
            "experiment": name, "data": self.panel.cohort, "quick": bool(self.ui.quickCheck.checked),
            "device": self.panel.remembered("Device") or "auto",
        }  # fmt: skip
        python = str(qt.QSettings().value("StrokePredict/WorkerPython") or "") or None
        try:
            control.launch(output, job, python)
        except StrokeError as error:
            self.panel.say_error(str(error))
            return
        self.panel.set_run(output)
        words = _("Goes on in {folder}, also when Slicer is closed; its table will be table.md there.")
        self.ui.experimentLabel.setText(words.format(folder=output))

    def _open(self, name: str) -> None:
        path = Path(self.run) / FOLDER / name
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(path)))

    def set_busy(self, busy: bool) -> None:
        """Start nothing while something is under way."""
        followed = self.panel.sections["run"].followed if "run" in getattr(self.panel, "sections", {}) else None
        done = followed is not None and followed.state.state == "done" and RunFolder(followed.path).exists
        self.ui.evaluateButton.setEnabled(bool(self.run) and done and not busy)
        for button in (self.ui.reportButton, self.ui.folderButton):
            button.setEnabled(self.evaluation is not None)
        drawn = self.evaluation is not None and any("true_ml" in row for row in self.evaluation.rows)
        for button in (self.ui.volumesPlotButton, self.ui.blandAltmanPlotButton):
            button.setEnabled(drawn)
        self.ui.experimentButton.setEnabled(bool(self.panel.cohort))


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
