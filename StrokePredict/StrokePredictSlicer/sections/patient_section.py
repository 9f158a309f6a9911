"""The section Patient: which images, and what is known of the patient."""

from __future__ import annotations

from typing import Any

import ctk
import slicer
from slicer.i18n import tr as _

from StrokePredictLib.case import ROLES
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.folder import list_patients
from StrokePredictLib.io.roles import role_of

from .. import dicom_selection
from ..patient_node import add_patient
from ..patient_scene import FOLLOW_UP
from .base import Section, data_of, fill

#: Roles with a selector of their own.
SELECTORS = ("dwi", "b0", "adc", "flair", "ncct", "tmax", "pwi", "ctp")
_FACTS = {"age": "ageSpin", "nihss": "nihssSpin", "onset_to_imaging_min": "onsetSpin"}


class PatientSection(Section):
    """Opens patients from folders, makes them of nodes, and keeps the clinical facts."""

    UI = "StrokePatient"

    def setup(self) -> None:
        """Connect the widgets."""
        ui = self.ui
        self._against = ""
        ui.folderEdit.filters = ctk.ctkPathLineEdit.Dirs
        ui.folderEdit.currentPathChanged.connect(self.on_folder)
        ui.openButton.clicked.connect(self.on_open)
        ui.sampleButton.clicked.connect(self.on_sample)
        ui.dicomButton.clicked.connect(self.on_dicom)
        ui.dicomBrowserButton.clicked.connect(lambda *_: slicer.util.selectModule("DICOM"))
        ui.guessButton.clicked.connect(self.on_guess)
        ui.useButton.clicked.connect(self.on_use)
        for role in (*SELECTORS, FOLLOW_UP):
            self.selector(role).setMRMLScene(slicer.mrmlScene)
        for name in _FACTS.values():
            getattr(ui, name).valueChanged.connect(self.on_facts)
        ui.onsetKnownCheck.toggled.connect(self.on_facts)

    def selector(self, role: str) -> Any:
        """Return the node selector of a role."""
        return self.ui.followUpSelector if role == FOLLOW_UP else getattr(self.ui, f"{role}Selector")

    def on_folder(self, path: str) -> None:
        """List the patients of a folder."""
        try:
            found = list_patients(path) if path else []
        except StrokeError:
            found = []  # while it is typed a path is no folder yet; Open says what is wrong
        fill(self.ui.whichBox, [(name, name) for name in found])
        self.ui.whichBox.setEnabled(len(found) > 1)
        self.ui.openButton.setEnabled(bool(path))

    def on_open(self, *_args: Any) -> None:
        """Read the chosen patient's images."""
        self.panel.open_folder(self.ui.folderEdit.currentPath, data_of(self.ui.whichBox))

    def on_sample(self, *_args: Any) -> None:
        """Make and open a simulated patient."""
        self.panel.open_simulated()

    def on_dicom(self, *_args: Any) -> None:
        """Open what is selected in Slicer's DICOM browser."""
        try:
            series = dicom_selection.selected_series()
            folder = dicom_selection.folder_of_series(series)
        except StrokeError as error:
            self.panel.say_error(str(error))
            return
        self.ui.dicomLabel.setText(_("{count} series taken from the DICOM browser.").format(count=len(series)))
        self.panel.open_folder(str(folder), None)

    def on_guess(self, *_args: Any) -> None:
        """Give each selector a node whose name tells its role; a choice already made stays."""
        for role in SELECTORS:
            box = self.selector(role)
            found = _node_named_like(role, box) if box.currentNode() is None else None
            if found is not None:
                box.setCurrentNode(found)

    def on_use(self, *_args: Any) -> None:
        """Make a patient of the chosen nodes."""
        chosen = {role: self.selector(role).currentNode() for role in (*SELECTORS, FOLLOW_UP)}
        chosen = {role: node for role, node in chosen.items() if node is not None}
        if not chosen:
            self.panel.say_error(_("No volume is chosen: give at least a DWI with b0, an ADC, a Tmax map or a series."))
            return
        name = next(iter(chosen.values())).GetName().split(" ")[0]
        patient = add_patient(slicer.mrmlScene, name)
        for role, node in chosen.items():
            patient.set_image(role, node)
        if self.ui.intervalSpin.value > 0:
            patient.set_value("interval_s", self.ui.intervalSpin.value)
        self.panel.set_patient(patient)

    def on_facts(self, *_args: Any) -> None:
        """Keep what the reader says of the patient."""
        if self.patient is None or self._shown:
            return
        facts = dict(self.patient.value("facts", {}))
        for key, name in _FACTS.items():
            value = getattr(self.ui, name).value
            facts.pop(key, None)
            if value >= 0:
                facts[key] = value
        facts["onset_known"] = bool(self.ui.onsetKnownCheck.checked)
        self.patient.set_value("facts", facts)
        self.panel.facts_changed()

    def update(self) -> None:
        """Show the active patient."""
        self._shown = True
        facts = self.patient.facts if self.patient is not None else None
        for key, name in _FACTS.items():
            value = getattr(facts, key, None)
            box = getattr(self.ui, name)
            box.setValue(-1 if value is None else round(value))
            box.setEnabled(facts is not None)
        self.ui.onsetKnownCheck.setChecked(bool(getattr(facts, "onset_known", False)))
        self.ui.onsetKnownCheck.setEnabled(facts is not None)
        self.ui.presentLabel.setText(self._present())
        self._shown = False

    def _present(self) -> str:
        if self.patient is None:
            return _("No patient yet: open a folder, choose volumes, or make a simulated patient.")
        there = [role for role in ROLES if role in self.patient.images()]
        there += [
            role for role in ("pwi", "ctp") if role in self.patient.study.get("sources", {}) and role not in there
        ]
        lines = [_("Here: {roles}.").format(roles=", ".join(ROLES[role][0] for role in there) or _("nothing"))]
        wanted = [ROLES[r][0] for r in ("dwi", "adc", "tmax") if r not in there]
        if wanted:
            lines.append(_("Not here: {roles}.").format(roles=", ".join(wanted)))
        lines += [str(doubt) for doubt in (self.patient.study.get("doubts") or [])[:3]]
        return "\n".join(lines)

    def set_busy(self, busy: bool) -> None:
        """Do not open while something is under way."""
        self.ui.openButton.setEnabled(not busy and bool(self.ui.folderEdit.currentPath))
        self.ui.sampleButton.setEnabled(not busy)
        self.ui.useButton.setEnabled(not busy)
        against = dicom_selection.reason_against()
        self.ui.dicomButton.setEnabled(not busy and not against)
        self.ui.dicomBrowserButton.setEnabled(hasattr(slicer.modules, "dicom"))
        if against != self._against:
            self._against = against
            self.ui.dicomLabel.setText(against)
        self.ui.dicomLabel.setVisible(bool(self.ui.dicomLabel.text))


def _node_named_like(role: str, box: Any) -> Any:
    """Return the first node of a selector's classes whose name tells the role."""
    for kind in list(box.nodeTypes):
        nodes = slicer.mrmlScene.GetNodesByClass(kind)
        for index in range(nodes.GetNumberOfItems()):
            node = nodes.GetItemAsObject(index)
            if (role_of(node.GetName()) or ("", ""))[0] == role:
                return node
    return None
