"""The section Results: volumes, mismatch, criteria, treatment effect; what cannot be stood by says so."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from StrokePredictLib.report.predicted import (
    classification_sentences,
    interval_coverage,
    interval_sentences,
    skipped_sentences,
    treatment_sentences,
)
from StrokePredictLib.report.tables import criteria, doubts, mismatch_rows, perfusion_failed, volume_rows, warnings
from StrokePredictLib.segments import SEGMENTS
from StrokePredictLib.study import Study

from ..patient_node import PatientNode
from ..study_of_patient import study_of_patient
from ..volumes_table import show_table
from .base import Section
from .cells import as_text, show_rows

#: Volumes (mL) that differ by less are the same.
_SAME_ML = 0.05


class ResultsSection(Section):
    """Tables, the override by name, copy and report."""

    UI = "StrokeResults"

    def setup(self) -> None:
        """Connect the widgets."""
        self._text = ""
        self.ui.copyButton.clicked.connect(self.on_copy)
        self.ui.reportButton.clicked.connect(self.on_report)
        self.ui.overrideButton.clicked.connect(self.on_override)

    def update(self) -> None:
        """Show what is known of the active patient."""
        known = self.patient is not None and bool(self.patient.study.get("volumes"))
        for widget in (self.ui.volumeTable, self.ui.criteriaTable):
            widget.setVisible(known)
        self.ui.overrideGroup.setVisible(False)
        self.ui.liveLabel.setVisible(False)
        self._text = ""
        self.ui.reportLabel.setText("")  # what was written may be of another patient, or of other limits
        if not known:
            self.ui.doubtsLabel.setText(_("Nothing was measured yet: press Analyse."))
            self.ui.effectLabel.setText("")
            self.set_busy(self.panel.busy)
            return
        study = study_of_patient(self.patient, with_images=False)
        headers, volumes = volume_table(study)
        show_rows(self.ui.volumeTable, headers, volumes, right=range(1, len(headers)))
        rules = [[row.label, row.text, ""] for row in mismatch_rows(study)]
        for trial in criteria(study):
            rules.append([trial["title"], "", trial["verdict"]])
            rules += [[f"    {item['name']}", item["value"], item["met"]] for item in trial["items"]]
        titles = [_("Mismatch and criteria"), _("Value"), ""]
        show_rows(self.ui.criteriaTable, titles, rules, right=(1,))
        effect = effect_text(study.prediction)
        notices = "\n".join(warnings(study))
        tables = (as_text(headers, volumes), as_text(titles, rules))
        self._text = "\n\n".join([f"{self.patient.name}\n{notices}", *tables, effect])
        self.ui.effectLabel.setText(effect)
        self.ui.effectLabel.setVisible(bool(effect))
        self.ui.doubtsLabel.setText("\n".join(doubts(study)))
        self._show_override(perfusion_failed(study), study.perfusion or {})
        self.set_busy(self.panel.busy)

    def show_volumes(self, volumes: dict[str, float]) -> None:
        """Show the volumes of now beside the views; here, those that are no longer as they were measured."""
        study = study_of_patient(self.patient, with_images=False)
        show_table(self.patient, volumes, study)
        lines = changed_lines(self.patient, volumes, study)
        self.ui.liveLabel.setText("\n".join(lines))
        self.ui.liveLabel.setVisible(bool(lines))

    def _show_override(self, failed: bool, perfusion: dict[str, Any]) -> None:
        self.ui.overrideGroup.setVisible(failed)
        if failed:
            failures = [c.get("sentence", c.get("name")) for c in perfusion.get("quality", []) if not c.get("passed")]
            self.ui.overrideLabel.setText("\n".join(str(f) for f in failures))

    def on_override(self, *_args: Any) -> None:
        """Compute what rests on the series all the same, in a reader's name."""
        name = self.ui.overrideEdit.text.strip()
        if not name:
            self.panel.say_error(_("Give your name: it is kept in every result that rests on this series."))
            return
        self.patient.set_text("override", name)
        # Volumes, and the predictions that were held back for the series' sake.
        self.panel.accept_perfusion()

    def on_copy(self, *_args: Any) -> None:
        """Copy the tables as text."""
        qt.QApplication.clipboard().setText(self._text)
        self.panel.say(_("Copied."))

    def on_report(self, *_args: Any) -> None:
        """Ask for a folder and write the report into it."""
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder for the report"))
        if folder:
            self.write_report(folder)

    def write_report(self, folder: str) -> None:
        """Write the report of what the scene shows now."""
        self.panel.work(
            _("Report"),
            lambda told: self.panel.analysis.report(self.patient, folder, told),
            done=lambda path: self.ui.reportLabel.setText(_("Written: {path}").format(path=path)),
        )

    def set_busy(self, busy: bool) -> None:
        """Do not start other work meanwhile."""
        self.ui.copyButton.setEnabled(bool(self._text))
        self.ui.reportButton.setEnabled(bool(self._text) and not busy)
        self.ui.overrideButton.setEnabled(not busy)


def volume_table(study: Study) -> tuple[list[str], list[list[str]]]:
    """Return the titles and the rows of volumes; columns of intervals and of truth only where there are any."""
    coverage = interval_coverage(study.prediction)
    columns = [(_("Volume"), "label"), (_("Found"), "text")]
    if coverage:
        columns.append((_("{coverage:.0%} interval, mL").format(coverage=coverage), "interval"))
    rows = volume_rows(study)
    if any(row.truth for row in rows):
        columns.append((_("Truth, mL"), "truth"))
    return [title for title, _name in columns], [[getattr(row, name) for _title, name in columns] for row in rows]


def changed_lines(patient: PatientNode, volumes: dict[str, float], study: Study) -> list[str]:
    """Return a line a segment that was drawn, or has changed since it was measured."""
    models = {m.get("segment"): m.get("volume_ml") for m in (study.prediction or {}).get("models", [])}
    measured = models | (study.volumes.get("volumes_ml") or {})
    inner = patient.segmentation.GetSegmentation()
    lines = []
    for key, volume in volumes.items():
        segment, before = inner.GetSegment(key), measured.get(key)
        if segment is None or key == "brain" or key.startswith("start_"):
            continue
        if key not in SEGMENTS and key not in measured:
            lines.append(f"{segment.GetName()}: {volume:.1f} mL")
        elif isinstance(before, (int, float)) and abs(volume - before) > _SAME_ML:
            words = _("{name}: now {volume:.1f} mL, {before:.1f} mL when it was measured")
            lines.append(words.format(name=segment.GetName(), volume=volume, before=before))
    return lines


def effect_text(prediction: dict[str, Any] | None) -> str:
    """Return what the models say of treatment and of the patient, and how sure they are of their volumes."""
    lines = [*treatment_sentences(prediction), *classification_sentences(prediction)]
    return "\n".join([*lines, *interval_sentences(prediction), *skipped_sentences(prediction)])
