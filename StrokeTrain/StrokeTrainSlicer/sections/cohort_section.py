"""The section Cohort: who is there, with what, and what is known of them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import ctk
import qt
import slicer
from slicer.i18n import tr as _

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.output import write_text
from StrokePredictSlicer.sections.base import data_of, fill
from StrokeTrainLib.cohort.edit import save_facts
from StrokeTrainLib.cohort.participants import CHOICES

from ..in_predict import add_current_case, show_patient
from .base import Section
from .lists import Filter, fill_list, text_at
from .reading import Reading
from .targets import TARGETS

_COLUMNS = (
    _("Patient"), _("mL"), _("Reperfused"), _("Vendor"), _("Labels"), _("Left out because"), _("Files"), _("Role"),
)  # fmt: skip
_WIDTHS = (76, 52, 92, 64, 112, 130, 190, 92)
_EDITS = ("age", "nihss", "onset_to_imaging_min", "imaging_to_reperfusion_min", "vendor", "center")
_BOXES = {"onset_known": ("yes", "no"), **{n: CHOICES[n] for n in ("mtici", "reperfusion_debs", "reperfusion_yu")}}
_BOXES["role"] = CHOICES["role"]
_SHEET_WIDTH = 480


class CohortSection(Section):
    """Lists a folder of patients, lets facts be edited, opens patients, and makes simulated ones."""

    UI = "StrokeTrainCohort"

    def setup(self) -> None:
        """Connect the widgets."""
        ui = self.ui
        self.rows: dict[str, dict[str, Any]] = {}
        self.shown, self.locked, self.closed = "", "", False
        self.seconds: dict[str, float] = {}
        self._filter = Filter(ui.cohortTable)
        self._facts_of = ""
        ui.folderEdit.filters = ctk.ctkPathLineEdit.Dirs
        ui.folderEdit.currentPathChanged.connect(self.on_folder)
        fill(ui.targetBox, [(words, key) for key, words in TARGETS.items()])
        ui.targetBox.currentIndexChanged.connect(lambda *_: self._show())
        ui.readButton.clicked.connect(lambda *_: self.read())
        ui.simulateButton.clicked.connect(self.on_simulate)
        ui.addCaseButton.clicked.connect(lambda *_: add_current_case(self.panel, self.panel.cohort, self.read))
        ui.sheetButton.clicked.connect(self.on_sheet)
        ui.filterEdit.textChanged.connect(self.on_filter)
        ui.cohortTable.cellDoubleClicked.connect(self.on_open)
        ui.cohortTable.itemSelectionChanged.connect(self.on_selection)
        ui.saveFactsButton.clicked.connect(self.on_save)
        ui.lockButton.clicked.connect(self.on_lock)
        self.reading = Reading(self)
        for name, words in _BOXES.items():
            known = [(word, word) for word in words if word != "unknown"]
            fill(getattr(ui, f"{name}Box"), [(_("any (not said)") if name == "role" else _("unknown"), ""), *known])
        ui.sheetLabel.setVisible(False)

    @property
    def target(self) -> str:
        """Which outline is asked for."""
        return data_of(self.ui.targetBox)

    # Reading

    def choose(self, folder: str) -> None:
        """Choose a folder as if it were typed."""
        if self.ui.folderEdit.currentPath == folder:
            self.on_folder(folder)
        else:
            self.ui.folderEdit.setCurrentPath(folder)

    def on_folder(self, path: str) -> None:
        """Take a folder once it is one; while it is typed it is none yet."""
        if path != self.panel.cohort and (not path or Path(path).is_dir()):
            self.panel.set_cohort(path)

    def show_folder(self) -> None:
        """Show the folder that was chosen: at once what is remembered of it, then what is there now."""
        folder = self.panel.cohort
        self.rows, self.shown = {}, folder
        if self.ui.folderEdit.currentPath != folder:
            self.ui.folderEdit.setCurrentPath(folder)
        if folder:
            self.panel.remember("Cohort", folder)
            with contextlib.suppress(OSError, ValueError):
                self._take(json.loads(_cache_file(folder).read_text(encoding="utf-8")))
        self._show()
        if folder and _holds_something(folder):
            self.read()

    def read(self) -> None:
        """List the folder: names first, then headers and labels."""
        folder, begun = self.panel.cohort, time.monotonic()
        if not folder:
            return

        def listed(result: dict[str, Any]) -> None:
            if folder == self.panel.cohort:
                self._take(result["rows"])
                self._show()
                self.seconds["listed" if not result["measured"] else "measured"] = time.monotonic() - begun
                self.ui.notesLabel.setText("\n".join(result["notes"][:3]))
                self._show_locked(result)
            if result["measured"]:
                self._remember(folder, result["rows"])
                self.panel.sections["experiment"].update()
            elif folder == self.panel.cohort:
                self.panel.ask_later(_("Reading headers and labels"), "cohort", parameters, listed)

        parameters = {"folder": folder, "target": self.target}
        self.panel.ask_later(_("Listing the cohort"), "cohort", parameters | {"measure": False}, listed)

    def _take(self, rows: list[dict[str, Any]]) -> None:
        self.rows = {row["patient"]: row for row in rows}
        self.panel.set_simulated(any(row["simulated"] for row in rows))

    def _remember(self, folder: str, rows: list[dict[str, Any]]) -> None:
        with contextlib.suppress(OSError, StrokeError):  # not remembered is only slower
            _cache_file(folder).parent.mkdir(parents=True, exist_ok=True)
            write_text(_cache_file(folder), json.dumps(rows, ensure_ascii=False))

    # Showing

    def _show(self) -> None:
        begun, chosen = time.perf_counter(), self._facts_of
        cells = [self._cells(row) for row in self.rows.values()]
        fill_list(self.ui.cohortTable, _COLUMNS, cells, widths=_WIDTHS)
        words = {row["patient"]: _search_text(row, shown) for row, shown in zip(self.rows.values(), cells)}  # noqa: B905
        self._filter.learn(words)
        self.seconds["filled"] = time.perf_counter() - begun
        self.on_filter(self.ui.filterEdit.text)
        self._select(chosen)
        self.set_busy(self.panel.busy)

    def _select(self, patient: str) -> None:
        """Choose a patient's row, where there is one."""
        table = self.ui.cohortTable
        rows = range(table.rowCount) if patient in self.rows else ()
        row = next((row for row in rows if text_at(table, row) == patient), None)
        if row is not None:
            table.selectRow(row)
        self._show_facts(patient if row is not None else "")

    def _cells(self, row: dict[str, Any]) -> list[Any]:
        readers = row["labels"].get(self.target, [])
        others = sum(len(names) for target, names in row["labels"].items() if target != self.target)
        words = ", ".join(readers) + (f" (+{others})" if others else "")
        return [
            row["patient"], _rounded(row["volumes"].get(self.target)), row["debs"], row["vendor"], words,
            self._excluded(row), " ".join([*row["images"], *(f"ses-{session}" for session in row["later"])]),
            _("locked test") if row.get("locked") else row["role"],
        ]  # fmt: skip

    def _excluded(self, row: dict[str, Any]) -> str:
        """Return why a patient is left out for the label chosen; the list was made for one of them."""
        why = row["excluded"]
        if why.startswith("a patient without label") or not why:
            return "" if row["labels"].get(self.target) else _("no label of this kind")
        return why

    def on_filter(self, words: str) -> None:
        """Show the patients in whose row all words stand."""
        begun = time.perf_counter()
        count = self._filter.apply(words)
        self.seconds["filtered"] = time.perf_counter() - begun
        left_out = sum(1 for row in self.rows.values() if self._excluded(row))
        if not self.panel.cohort:
            self.ui.countLabel.setText(_("Choose a folder; an empty one can be filled with simulated patients."))
        elif not self.rows:
            self.ui.countLabel.setText(_("No patients here yet."))
        else:
            said = _("{shown} of {all} patients shown; {out} left out for this label.")
            self.ui.countLabel.setText(said.format(shown=count, all=len(self.rows), out=left_out))

    def on_open(self, row: int, _column: int) -> None:
        """Open a patient in StrokePredict with its labels."""
        found = self.rows.get(text_at(self.ui.cohortTable, row))
        if found is None:
            return
        masks = []
        if self.target in found["files"]:
            name = _("Label ({target})").format(target=self.target)
            masks.append(("ground_truth", name, found["files"][self.target]))
        which = found["patient"] if found["layout"] == "bids" else None
        show_patient(self.panel, found["folder"], which, masks)

    # Facts

    def selected(self) -> str:
        """Return the chosen patient; empty where none is."""
        items = self.ui.cohortTable.selectedItems()
        return text_at(self.ui.cohortTable, items[0].row()) if items else ""

    def on_selection(self) -> None:
        """Show the chosen patient's facts."""
        self._show_facts(self.selected())

    def _show_facts(self, patient: str) -> None:
        self._facts_of = patient
        facts = self.rows.get(patient, {}).get("facts", {})
        for name in _EDITS:
            getattr(self.ui, f"{name}Edit").setText(facts.get(name, ""))
        for name in _BOXES:
            box = getattr(self.ui, f"{name}Box")
            box.setCurrentIndex(max(0, box.findData(facts.get(name, ""))))
        title = _("Clinical facts of {patient}") if patient else _("Clinical facts of the chosen patient")
        self.ui.factsGroup.setTitle(title.format(patient=patient))
        self.ui.factsForm.setEnabled(bool(patient))
        self.ui.saveFactsButton.setEnabled(bool(patient))

    def on_save(self, *_args: Any) -> None:
        """Save what was changed of a patient."""
        row = self.rows[self._facts_of]
        now = {name: getattr(self.ui, f"{name}Edit").text.strip() for name in _EDITS}
        now |= {name: data_of(getattr(self.ui, f"{name}Box")) or "" for name in _BOXES}
        changes = {name: text for name, text in now.items() if text != row["facts"].get(name, "")}
        if not changes:
            self.panel.say(_("Nothing was changed."))
            return
        try:
            path = save_facts(self.panel.cohort, row["patient"], changes)
        except StrokeError as error:
            self.panel.say_error(str(error))
            return
        self.panel.say(_("{path}: {names} of {patient} saved.").format(
            path=path, names=", ".join(changes), patient=row["patient"]
        ))  # fmt: skip
        self.read()

    # More patients

    def on_simulate(self, *_args: Any) -> None:
        """Fill the folder with simulated patients."""
        parameters = {
            "output": self.panel.cohort, "cases": int(self.ui.casesSpin.value),
            "seed": int(self.ui.cohortSeedSpin.value), "workers": 0,
        }  # fmt: skip
        self.panel.ask(_("Simulated cohort"), "phantom", parameters, lambda _result: self.read())

    def on_sheet(self, *_args: Any) -> None:
        """Check all patients and show them on a sheet."""
        folder = Path(self.panel.cohort) / "check"

        def drawn(result: dict[str, Any]) -> None:
            sheets = [name for name in result["files"] if "contact-sheet" in Path(name).name]
            picture = qt.QPixmap(sheets[0]) if sheets else qt.QPixmap()
            self.ui.sheetLabel.setVisible(bool(sheets))
            self.ui.sheetLabel.setPixmap(picture.scaledToWidth(_SHEET_WIDTH, qt.Qt.SmoothTransformation))
            self.panel.say(_("{count} patients checked; the sheets lie in {folder}.").format(
                count=len(result["patients"]), folder=folder
            ))  # fmt: skip

        parameters = {"folder": self.panel.cohort, "cohort": True, "output": str(folder)}
        self.panel.ask(_("Contact sheet"), "check", parameters, drawn)

    # Locked test set

    def on_lock(self, *_args: Any) -> None:
        """Lock a test set, once."""
        share = int(self.ui.lockShareSpin.value)
        words = _(
            "{share} % of the patients are locked: no split will hold them until the set is opened, with a reason that "
            "is recorded, for a last test. This is done once and cannot be taken back. Lock?"
        )
        if not slicer.util.confirmYesNoDisplay(words.format(share=share)):
            return
        parameters = {
            "folder": self.panel.cohort, "share": share / 100, "target": self.target, "by": self.reading.reader,
        }  # fmt: skip
        self.panel.ask(_("Locking the test set"), "lock", parameters, lambda _result: self.read())

    def _show_locked(self, result: dict[str, Any]) -> None:
        self.locked, self.closed = result.get("locked", ""), bool(result.get("closed"))
        said = self.locked or _("None yet. Lock it before the first training, or it has been looked at.")
        self.ui.lockedLabel.setText(said)
        self.set_busy(self.panel.busy)
        self.panel.sections["evaluate"].set_busy(self.panel.busy)

    def update(self) -> None:
        """Show the cohort that is chosen."""
        if self.panel.cohort != self.shown:
            self.show_folder()
        elif not self.shown:
            self._show()

    def set_busy(self, busy: bool) -> None:
        """Start nothing while something is under way."""
        ready = bool(self.panel.cohort) and not busy
        for button in (self.ui.readButton, self.ui.simulateButton, self.ui.addCaseButton):
            button.setEnabled(ready)
        for button in (self.ui.sheetButton, self.ui.nextButton, self.ui.agreementButton, self.ui.settleButton):
            button.setEnabled(ready and bool(self.rows))
        self.ui.lockButton.setEnabled(ready and bool(self.rows) and not self.locked)


def _holds_something(folder: str) -> bool:
    """Whether there is anything to read; a folder that is gone or locked is said by the job that reads it."""
    try:
        return any(True for _entry in Path(folder).iterdir())
    except OSError:
        return True


def _rounded(volume: float | None) -> float | None:
    return None if volume is None else round(volume, 1)


def _search_text(row: dict[str, Any], cells: list[Any]) -> str:
    words = [str(cell) for cell in cells if cell is not None]
    return " ".join([*words, row["yu"], row["center"], *row["later"], *row["notes"]])


def _cache_file(folder: str) -> Path:
    """Return where this computer remembers a cohort's list."""
    base = qt.QStandardPaths.writableLocation(qt.QStandardPaths.CacheLocation)
    name = hashlib.sha256(str(Path(folder).resolve()).encode()).hexdigest()[:16]
    return Path(str(base)) / "StrokeInfarct" / "cohorts" / f"{name}.json"
