"""The papers' experiments by name: started in a process of their own, their tables shown when they are done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ctk
import qt
from slicer.i18n import tr as _

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictSlicer.sections.base import data_of, fill
from StrokeTrainLib.experiments.catalogue import names
from StrokeTrainLib.training import control

from .lists import fill_list

_RECORD = "experiment.json"
_FIRST_WIDTH, _WIDTH = 190, 110


class ExperimentsBox:
    """What the group "Experiments" of the section Evaluate does.

    Parameters
    ----------
    section : EvaluateSection
        Whose widgets.
    """

    def __init__(self, section: Any) -> None:
        self._panel, self._ui, self._suggested = section.panel, section.ui, ""
        self._tables: list[dict[str, Any]] = []
        ui = self._ui
        ui.experimentEdit.filters = ctk.ctkPathLineEdit.Dirs
        fill(ui.experimentBox, [(name, name) for name in names()])
        ui.experimentBox.currentIndexChanged.connect(lambda *_: self.suggest())
        ui.experimentEdit.currentPathChanged.connect(lambda *_: self.show_table())
        ui.experimentTableBox.currentIndexChanged.connect(lambda *_: self._show_lines())
        ui.experimentButton.clicked.connect(lambda *_: self.start())
        self.show_table()

    @property
    def folder(self) -> str:
        """Where the experiment lies."""
        return self._ui.experimentEdit.currentPath.strip()

    def suggest(self) -> None:
        """Propose a folder beside the cohort, unless one was typed."""
        name, edit = data_of(self._ui.experimentBox), self._ui.experimentEdit
        if self._panel.cohort and (not self.folder or self.folder == self._suggested):
            self._suggested = str(Path(self._panel.cohort).parent / "experiments" / str(name))
            edit.setCurrentPath(self._suggested)

    def start(self) -> None:
        """Start an experiment in a process of its own and follow it."""
        job = {
            "experiment": data_of(self._ui.experimentBox), "data": self._panel.cohort,
            "quick": bool(self._ui.quickCheck.checked), "device": self._panel.remembered("Device") or "auto",
        }  # fmt: skip
        python = str(qt.QSettings().value("StrokePredict/WorkerPython") or "") or None
        folder = self.folder
        if not folder:
            self._panel.say_error(_("Choose a folder for the experiment."))
            return
        try:
            control.launch(folder, job, python)
        except StrokeError as error:
            self._panel.say_error(str(error))
            return
        self._panel.set_run(folder)
        self.show_table()

    def show_table(self) -> None:
        """Show the tables of the experiment in the folder that is chosen, or how far it is."""
        record, words = {}, ""
        if self.folder and (Path(self.folder) / _RECORD).is_file():
            try:
                record = read_json_object(Path(self.folder) / _RECORD)
            except StrokeError as error:
                words = str(error)
        self._tables = record.get("tables") or []
        if record and not self._tables:
            words = _("Goes on in {folder}, also when Slicer is closed; follow it in the section Run.")
        elif self._tables:
            words = _("{title}, {count} patients.") + (_(" Simulated patients.") if record.get("simulated") else "")
        told = {"folder": self.folder, "title": record.get("title", ""), "count": len(record.get("patients") or ())}
        self._ui.experimentLabel.setText(words.format(**told) if record else words)
        fill(self._ui.experimentTableBox, [(t["title"] or str(n), n) for n, t in enumerate(self._tables, 1)])
        for widget in (self._ui.experimentTableBox, self._ui.experimentTable):
            widget.setVisible(bool(self._tables))
        self._show_lines()

    def _show_lines(self) -> None:
        number = data_of(self._ui.experimentTableBox) if self._tables else None
        if not number:
            return
        table = self._tables[number - 1]
        rows = [[" · ".join(part for part in (line["group"], line["label"]) if part), line["source"], str(line["n"]),
                 *map(str, line["cells"])] for line in table["lines"]]  # fmt: skip
        titles = [_("Arm"), _("Source"), "n", *table["columns"]]
        fill_list(self._ui.experimentTable, titles, rows, widths=(_FIRST_WIDTH, 70, 36, *(_WIDTH for _c in titles[3:])))
