"""Keeps corrections while they are drawn, and offers those that a crash left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import qt
import slicer
from slicer.i18n import tr as _

from StrokePredictLib.errors import StrokeError

from .. import autosave
from ..patient_node import PatientNode
from ..patient_scene import put_mask, reference_node
from ..study_of_patient import masks_of
from ..volumes_in import segment_array, volume_of

#: Ids of the readers' own segments begin so, and those of what they began with; the rest is target and reader.
CORRECTION, START = "read_", "start_"
#: So long after a change (ms) a correction is kept.
_REST_MS = 2000


class Recovery:
    """The part of the section Review and edit that loses nothing.

    Parameters
    ----------
    section : ReviewSection
        Whose widgets ``recover…`` it fills.
    """

    def __init__(self, section: Any) -> None:
        self._section = section
        self._changed: set[str] = set()
        self._folders: dict[str, Path | None] = {}
        self._offered: list[autosave.Kept] = []
        self._looked = ""
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST_MS)
        self._timer.timeout.connect(self.save)
        section.ui.recoverButton.clicked.connect(self.on_recover)
        section.ui.discardButton.clicked.connect(self.on_discard)
        section.ui.recoverGroup.setVisible(False)

    @property
    def patient(self) -> PatientNode | None:
        """The active patient."""
        return self._section.patient

    def folder(self) -> Path | None:
        """Return where the active patient's corrections are kept; None where it has no images yet."""
        node = self.patient.node.GetID()
        if self._folders.get(node) is None:
            self._folders[node] = autosave.folder_of(self.patient)
        return self._folders[node]

    def changed(self, keys: set[str]) -> None:
        """Take note of segments that changed; a reader's own are kept soon."""
        drawn = {key for key in keys if key.startswith(CORRECTION)}
        if drawn and self.patient is not None:
            self._changed |= drawn
            self._timer.start()

    def save(self) -> None:
        """Keep what changed since the last time."""
        self._timer.stop()
        patient, keys = self.patient, self._changed
        self._changed = set()
        if patient is None or patient.segmentation is None or reference_node(patient) is None:
            return
        inner = patient.segmentation.GetSegmentation()
        reference = volume_of(reference_node(patient))
        folder = self.folder()
        for key in sorted(key for key in keys if inner.GetSegment(key) is not None and folder is not None):
            masks = masks_of(patient, reference, only=(key, START + key))
            story = patient.value(f"start.{key}", {})
            name = inner.GetSegment(key).GetName()
            try:
                autosave.keep(folder, key, name, masks[key], masks.get(START + key), story)
            except StrokeError as error:
                self._section.panel.say(str(error))  # no box: it would come up at every stroke of the brush
                return

    def forget(self, key: str) -> None:
        """Delete what was kept of a correction: it was accepted."""
        self._changed.discard(key)
        autosave.forget(self.folder(), key)

    def offer(self) -> None:
        """Look for corrections of a patient who becomes active that are not in the scene, and offer them."""
        patient = self.patient
        node = patient.node.GetID() if patient is not None else ""
        if patient is None or patient.segmentation is None or reference_node(patient) is None:
            self._show([])
            self._looked = ""
        elif node != self._looked:
            self._looked = node
            self._show([kept for kept in autosave.found(self.folder()) if not self._is_there(kept)])

    def _is_there(self, kept: autosave.Kept) -> bool:
        """Whether the scene holds the very same correction, or the images another grid."""
        reference = volume_of(reference_node(self.patient))
        if not kept.mask.same_grid(reference):
            return True
        node = self.patient.segmentation
        if node.GetSegmentation().GetSegment(kept.key) is None:
            return False
        return bool(np.array_equal(segment_array(node, kept.key, reference), kept.mask.array))

    def _show(self, offered: list[autosave.Kept]) -> None:
        self._offered = offered
        ui = self._section.ui
        ui.recoverGroup.setVisible(bool(offered))
        lines = [_("{name}: last changed {when}").format(name=kept.name, when=kept.when) for kept in offered]
        ui.recoverLabel.setText("\n".join(lines))
        if offered:
            self._section.panel.ui.reviewSection.collapsed = False
            self._section.panel.say(_("This patient has corrections that were never accepted; see Review and edit."))

    def on_recover(self, *_args: Any) -> None:
        """Put what was kept back into the patient."""
        node = self.patient.segmentation
        for kept in self._offered:
            put_mask(node, kept.key, kept.mask, kept.name)
            self.patient.set_value(f"start.{kept.key}", kept.story)
            if kept.start is not None:
                put_mask(node, START + kept.key, kept.start, _("Start of {name}").format(name=kept.name))
                node.GetDisplayNode().SetSegmentVisibility(START + kept.key, False)
        keys = [kept.key for kept in self._offered]
        self._show([])
        self._section.brought_back(keys)

    def on_discard(self, *_args: Any) -> None:
        """Delete what was kept, after asking."""
        if slicer.util.confirmYesNoDisplay(_("Delete these corrections for good?")):
            for kept in self._offered:
                autosave.forget(self.folder(), kept.key)
            self._show([])

    def close(self) -> None:
        """Keep what is left to be kept, and forget the scene."""
        if self._timer.isActive():
            self.save()
        self._timer.stop()
        self._changed, self._folders, self._looked, self._offered = set(), {}, "", []
        self._section.ui.recoverGroup.setVisible(False)
