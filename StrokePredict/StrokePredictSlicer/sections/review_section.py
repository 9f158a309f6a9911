"""The section Review and edit: the Segment Editor on a reader's own copy, accepted with provenance."""

from __future__ import annotations

from typing import Any

import ctk
import slicer
from slicer.i18n import tr as _

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.segments import SEGMENTS
from StrokePredictLib.volume import Volume

from .. import overlays
from ..live_volumes import ids_of
from ..marks import is_marked, mark_segment
from ..patient_scene import FOLLOW_UP, put_mask, reference_node
from ..volumes_in import segment_array, volume_of
from .base import Section, data_of, fill
from .recovery import CORRECTION, START, Recovery

#: The same of the vote over the corrections of a target.
MAJORITY = "majority_"
TARGETS = {"acute-core": "Acute core (baseline)", "final-infarct": "Final infarct (follow-up)"}
_UNDO_STATES = 10
#: Colours of readers, taken in turn: none is that of a rule's or a model's segment.
_COLOURS = ((1.0, 1.0, 0.0), (0.55, 1.0, 0.55), (1.0, 0.75, 0.9), (0.6, 0.8, 1.0), (0.85, 0.65, 0.4), (0.9, 0.3, 0.3))


class ReviewSection(Section):
    """Corrects segments, accepts them as ground truth, compares readers."""

    UI = "StrokeReview"

    def setup(self) -> None:
        """Connect the widgets, and give the editor its node."""
        ui = self.ui
        fill(ui.targetBox, [(text, key) for key, text in TARGETS.items()])
        ui.editor.setMRMLScene(slicer.mrmlScene)
        ui.editor.setMaximumNumberOfUndoStates(_UNDO_STATES)
        ui.followUpButton.clicked.connect(self.on_follow_up)
        ui.startButton.clicked.connect(self.on_start)
        ui.acceptButton.clicked.connect(self.on_accept)
        ui.compareButton.clicked.connect(self.on_compare)
        ui.majorityButton.clicked.connect(self.on_majority)
        ui.readerEdit.textChanged.connect(lambda *_: self.panel.remember("reader", ui.readerEdit.text))
        ui.readerEdit.setText(self.panel.remembered("reader"))
        ui.cohortEdit.filters = ctk.ctkPathLineEdit.Dirs
        ui.cohortEdit.setCurrentPath(self.panel.remembered("cohort"))
        ui.cohortEdit.currentPathChanged.connect(lambda path: self.panel.remember("cohort", path))
        self.recovery = Recovery(self)
        self._seen: Any = None
        self._volumes: dict[str, float] = {}

    def enter(self) -> None:
        """Bind the editor to its node: scenes come and go."""
        node = slicer.mrmlScene.GetSingletonNode("StrokePredict", "vtkMRMLSegmentEditorNode")
        if node is None:
            node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
            node.UnRegister(None)
            node.SetSingletonTag("StrokePredict")
            node = slicer.mrmlScene.AddNode(node)
        self.ui.editor.setMRMLSegmentEditorNode(node)
        self.ui.editor.setupViewObservations()

    def leave(self) -> None:
        """Put the brushes down."""
        self.ui.editor.setActiveEffect(None)
        self.ui.editor.removeViewObservations()

    def on_follow_up(self, *_args: Any) -> None:
        """Bring the follow-up image onto the baseline."""
        patient = self.patient
        self.panel.work(
            _("Follow-up"),
            lambda told: self.panel.analysis.follow_up(patient, told),
            done=lambda result: self._show_follow_up(patient, result),
        )

    def _show_follow_up(self, patient: Any, result: dict[str, Any]) -> None:
        self.ui.followUpLabel.setText("\n".join([result["source"], *result["doubts"]]))
        overlays.show_behind(patient, FOLLOW_UP)
        self.update()

    def correction_id(self) -> str:
        """Return the id of this reader's segment for the chosen target."""
        reader = "".join(c for c in self.ui.readerEdit.text if c.isalnum())
        return f"{CORRECTION}{data_of(self.ui.targetBox)}_{reader}"

    def on_start(self, *_args: Any) -> None:
        """Copy the chosen segment into the reader's own, and edit that."""
        reader = self.ui.readerEdit.text.strip()
        if not reader or self.patient is None:
            self.panel.say_error(_("Give the reader's name first; it goes into the provenance."))
            return
        target = data_of(self.ui.targetBox)
        if target == "final-infarct" and self.patient.image(FOLLOW_UP) is None:
            self.panel.say_error(_("A final infarct is drawn on the follow-up: load the follow-up image first."))
            return
        node, start = self.patient.segmentation, data_of(self.ui.startBox)
        reference = volume_of(reference_node(self.patient))
        mask = segment_array(node, start, reference) if start else None
        key = self.correction_id()
        if node.GetSegmentation().GetSegment(key) is not None and not slicer.util.confirmYesNoDisplay(
            _("{reader} has begun a correction of this target. Begin again and lose it?").format(reader=reader)
        ):
            self.edit(key)
            return
        self._keep_for_undo(key)
        name = _("{target}, {reader}").format(target=TARGETS[target], reader=reader)
        put_mask(node, key, _mask(reference, mask), name)
        self._colour(key)
        self.patient.set_value(f"start.{key}", self._start_record(start))
        if start:
            put_mask(node, START + key, _mask(reference, mask), _("Start of {reader}").format(reader=reader))
            mark_segment(node, START + key, is_marked(node, start))
            node.GetDisplayNode().SetSegmentVisibility(START + key, False)
        elif node.GetSegmentation().GetSegment(START + key) is not None:
            node.GetSegmentation().RemoveSegment(START + key)
        self.update()
        self.edit(key)

    def edit(self, key: str) -> None:
        """Open the editor on a segment."""
        editor = self.ui.editor
        if editor.segmentationNode() is not self.patient.segmentation:
            editor.setSegmentationNode(self.patient.segmentation)
        node = editor.mrmlSegmentEditorNode()
        node.SetOverwriteMode(node.OverwriteNone)  # a brush must not take from the segments of rules and models
        follow_up = self.patient.image(FOLLOW_UP) if "final-infarct" in key else None
        editor.setSourceVolumeNode(follow_up or reference_node(self.patient))
        editor.setCurrentSegmentID(key)
        self.patient.segmentation.GetDisplayNode().SetSegmentVisibility(key, True)
        overlays.show_filled(self.patient, bool(self.panel.ui.fillCheck.checked))
        editor.setActiveEffectByName("Paint")
        self._say_volume()

    def _keep_for_undo(self, key: str) -> None:
        """Let the editor's Undo bring back a correction that is begun again."""
        node = self.patient.segmentation
        if node.GetSegmentation().GetSegment(key) is not None and self.ui.editor.segmentationNode() is node:
            self.ui.editor.saveStateForUndo()

    def _colour(self, key: str) -> None:
        """Give a reader's segment a colour of its own."""
        inner = self.patient.segmentation.GetSegmentation()
        number = sum(other.startswith(CORRECTION) for other in ids_of(self.patient.segmentation)) - 1
        inner.GetSegment(key).SetColor(*_COLOURS[number % len(_COLOURS)])

    def brought_back(self, keys: list[str]) -> None:
        """Show corrections that were found again, and go on with the first."""
        for key in keys:
            self._colour(key)
        self.update()
        if keys:
            self.edit(keys[0])

    def show_volumes(self, volumes: dict[str, float], changed: set[str]) -> None:
        """Take the volumes of now, and keep what was drawn."""
        self._volumes = volumes
        self.recovery.changed(changed)
        self._say_volume()

    def _say_volume(self) -> None:
        node, key = self.ui.editor.segmentationNode(), self.ui.editor.currentSegmentID()
        if node is None or not key or node.GetSegmentation().GetSegment(key) is None:
            self.ui.startLabel.setText("")
            return
        own = key.startswith(CORRECTION)
        words = (_("Editing {name}") if own else _("No correction of yours: {name}")).format(name=_name_of(node, key))
        if key in self._volumes:
            words += f": {self._volumes[key]:.1f} mL"
        if START + key in self._volumes:
            words += _(", began with {volume:.1f} mL").format(volume=self._volumes[START + key])
        self.ui.startLabel.setText(words)

    def _start_record(self, start: str | None) -> dict[str, Any]:
        """Return what a correction began with, and the hash of the model that made it."""
        models = (self.patient.study.get("prediction") or {}).get("models", [])
        model = next((m for m in models if m.get("segment") == start), None)
        # Another reading may itself have begun with a model's answer.
        before = self.patient.value(f"start.{start}", {}) if start else {}
        digest = model.get("sha256") if model else before.get("start_hash")
        return {"start": model["name"] if model else start, "start_hash": digest}

    def on_accept(self, *_args: Any) -> None:
        """Save the reader's segment into the cohort folder."""
        key, folder = self.correction_id(), self.ui.cohortEdit.currentPath
        node = self.patient.segmentation if self.patient is not None else None
        if node is None or node.GetSegmentation().GetSegment(key) is None:
            self.panel.say_error(_("There is no correction of this reader and target yet; start one first."))
            return
        if not folder:
            self.panel.say_error(_("Choose the cohort folder that corrections are saved into."))
            return
        self.ui.editor.setActiveEffect(None)
        reference = volume_of(reference_node(self.patient))
        record = self.patient.value(f"start.{key}", {})
        before = START + key if node.GetSegmentation().GetSegment(START + key) is not None else None
        masks = {"mask": _mask(reference, segment_array(node, key, reference))}
        if before:
            masks["start_mask"] = _mask(reference, segment_array(node, before, reference))
        parameters = {
            "cohort": folder,
            "target": data_of(self.ui.targetBox),
            "reader": self.ui.readerEdit.text,
        } | record
        settled = self.patient.value("settles", {})  # two readings that a third reader was shown without names
        if settled.get("target") == parameters["target"] and settled.get("reader") == parameters["reader"]:
            parameters["settles"] = settled["files"]
        self.panel.work(
            _("Saving the correction"),
            lambda told: self.panel.analysis.accept(self.patient, masks, parameters, told),
            done=lambda result: self._saved(key, result),
        )

    def _saved(self, key: str, result: dict[str, Any]) -> None:
        self.recovery.forget(key)
        edits = result["edits"]
        changes = _(", {added_ml:.1f} mL added, {removed_ml:.1f} mL removed, Dice {dice:.2f} to the start")
        words = _("Saved as read {read}").format(read=result["read"]) + (changes.format(**edits) if edits else "")
        self.ui.savedLabel.setText(words)
        self.panel.say(result["label"])

    def on_compare(self, *_args: Any) -> None:
        """Compare two segments."""
        first, second = data_of(self.ui.firstBox), data_of(self.ui.secondBox)
        if first is None or second is None:
            return
        from ..compare import compare  # brings SimpleITK, which a panel that only opens does not need

        reference = volume_of(reference_node(self.patient))
        node = self.patient.segmentation
        found = compare(*(_mask(reference, segment_array(node, key, reference)) for key in (first, second)))
        distance = found["distance_95_mm"]
        self.ui.compareLabel.setText(
            _("Dice {dice:.3f}; {first:.1f} and {second:.1f} mL; 95 % of the surfaces within {distance}.").format(
                dice=found["dice"], first=found["first_ml"], second=found["second_ml"],
                distance=_("an undefined distance") if distance is None else f"{distance:.1f} mm",
            )
        )  # fmt: skip

    def on_majority(self, *_args: Any) -> None:
        """Make one segment of all corrections of the chosen target."""
        from ..compare import majority

        node, target = self.patient.segmentation, data_of(self.ui.targetBox)
        reference = volume_of(reference_node(self.patient))
        keys = [key for key in ids_of(node) if key.startswith(f"{CORRECTION}{target}_")]
        try:
            vote = majority([_mask(reference, segment_array(node, key, reference)) for key in keys])
        except StrokeError as error:
            self.panel.say_error(str(error))
            return
        words = _("{target}, majority of {count} reads").format(target=TARGETS[target], count=len(keys))
        put_mask(node, MAJORITY + target, vote, words)
        node.GetSegmentation().GetSegment(MAJORITY + target).SetColor(1.0, 1.0, 1.0)
        self.update()
        self.ui.compareLabel.setText(words)

    def update(self) -> None:
        """Show the active patient's segments to start from and to compare."""
        node = self.patient.segmentation if self.patient is not None else None
        items = [(_name_of(node, key), key) for key in ids_of(node) if key != "brain"] if node else []
        items = [item for item in items if not item[1].startswith(START)]
        fill(self.ui.startBox, [(_("nothing (blank)"), None), *items], data_of(self.ui.startBox))
        for box, usual in ((self.ui.firstBox, 0), (self.ui.secondBox, 1)):
            chosen = data_of(box) or (items[usual][1] if len(items) > usual else None)
            fill(box, items, chosen)
        self.ui.savedLabel.setText("")
        self.ui.compareLabel.setText("")
        self._bind_editor(node)
        self.recovery.offer()
        self.set_busy(self.panel.busy)

    def _bind_editor(self, node: Any) -> None:
        """Give the editor the patient's segmentation; its Undo must not take back what others than the brush did."""
        editor = self.ui.editor
        made = (ids_of(node), self.patient.study.get("prediction"), self.patient.study.get("volumes")) if node else None
        if node is not None and editor.segmentationNode() is node and made == self._seen:
            return
        self._seen = made
        if node is not None and editor.segmentationNode() is node:
            # Nothing else empties the editor's history: its states know nothing of what was made since.
            editor.setMaximumNumberOfUndoStates(0)
            editor.setMaximumNumberOfUndoStates(_UNDO_STATES)
        else:
            editor.setSegmentationNode(node)
        self._say_volume()

    def set_busy(self, busy: bool) -> None:
        """Do not start other work meanwhile; painting goes on."""
        ready = self.patient is not None and self.patient.segmentation is not None
        self.ui.acceptButton.setEnabled(ready and not busy)
        self.ui.followUpButton.setEnabled(ready and not busy)
        for button in (self.ui.startButton, self.ui.compareButton, self.ui.majorityButton):
            button.setEnabled(ready)

    def close(self) -> None:
        """Let the scene go."""
        self.recovery.close()
        self.leave()
        self.ui.editor.setSegmentationNode(None)


def _mask(reference: Volume, array: Any) -> Volume:
    import numpy as np

    return reference.with_array(np.zeros(reference.shape, dtype=bool) if array is None else array)


def _name_of(node: Any, key: str) -> str:
    segment = node.GetSegmentation().GetSegment(key)
    return segment.GetName() if segment is not None else (SEGMENTS[key].name if key in SEGMENTS else key)
