"""What is drawn is measured at once and never lost: live volumes, Undo, corrections that outlive a crash."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import qt
import slicer
from harness import PanelTest, wait

from StrokePredictSlicer.autosave import FOLDER_SETTING
from StrokePredictSlicer.patient_scene import put_mask
from StrokePredictSlicer.volumes_in import segment_array, volume_of

KEY = "read_acute-core_AB"


class DrawingTest(PanelTest):
    def setUp(self) -> None:
        super().setUp()
        self.kept = Path(tempfile.mkdtemp(prefix="kept-"))
        qt.QSettings().setValue(FOLDER_SETTING, str(self.kept))

    def tearDown(self) -> None:
        slicer.mrmlScene.Clear(0)
        qt.QSettings().remove(FOLDER_SETTING)
        super().tearDown()

    def begun(self):
        """Open a patient, apply the rules without a series, and begin a correction of the core."""
        patient = self.open_patient(perfusion=False)
        self.panel.threshold()
        self.idle()
        ui = self.panel.sections["review"].ui
        ui.readerEdit.setText("AB")
        ui.startBox.setCurrentIndex(ui.startBox.findData("core_adc"))
        ui.startButton.click()
        self.assertEqual(self.errors, [])
        return patient, ui

    def draw(self, patient, shift: int = 2):
        """Change the reader's segment; return what it holds then."""
        adc = volume_of(patient.image("adc"))
        drawn = np.roll(segment_array(patient.segmentation, KEY, adc), shift, axis=2)
        drawn[: drawn.shape[0] // 2] = False
        put_mask(patient.segmentation, KEY, adc.with_array(drawn))
        return drawn, np.count_nonzero(drawn) * adc.voxel_ml

    def cells(self, patient) -> dict[str, str]:
        table = patient.table.GetTable()
        return {table.GetValue(row, 1).ToString(): table.GetValue(row, 0).ToString()
                for row in range(table.GetNumberOfRows())}  # fmt: skip

    def test_volumes_follow_the_brush(self) -> None:
        patient, ui = self.begun()
        self.assertTrue(wait(lambda: "began with" in ui.startLabel.text, 10))
        _drawn, volume = self.draw(patient)
        start = time.monotonic()
        self.assertTrue(wait(lambda: f": {volume:.1f} mL" in ui.startLabel.text, 10))
        print(f"volume shown {time.monotonic() - start:.2f} s after a stroke")
        name = "Acute core (baseline), AB"
        self.assertEqual(self.cells(patient)[name], f"{volume:.1f} mL")
        self.assertIn(f"{name}: {volume:.1f} mL", self.panel.sections["results"].ui.liveLabel.text)

    def test_a_rule_changed_by_hand_is_told_beside_what_was_measured(self) -> None:
        patient, _ui = self.begun()
        before = patient.study["volumes"]["volumes_ml"]["core_adc"]
        adc = volume_of(patient.image("adc"))
        core = segment_array(patient.segmentation, "core_adc", adc)
        core[: core.shape[0] // 2] = False
        put_mask(patient.segmentation, "core_adc", adc.with_array(core))
        words = f"now {np.count_nonzero(core) * adc.voxel_ml:.1f} mL, {before:.1f} mL when it was measured"
        label = self.panel.sections["results"].ui.liveLabel
        self.assertTrue(wait(lambda: words in label.text, 10), label.text)

    def test_what_was_drawn_outlives_a_crash(self) -> None:
        patient, ui = self.begun()
        drawn, _volume = self.draw(patient)
        self.assertTrue(wait(lambda: list(self.kept.rglob("*.npz")), 20))
        recovery = self.panel.sections["review"].recovery
        self.assertTrue(wait(lambda: not recovery._timer.isActive(), 20))
        kept = {path: path.read_bytes() for path in self.kept.rglob("*.npz")}
        slicer.mrmlScene.Clear(0)
        for path, data in kept.items():  # as a crash leaves them, whatever closing in good order did
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        patient = self.open_patient(perfusion=False)
        self.assertFalse(ui.recoverGroup.isHidden())
        self.assertIn("Acute core (baseline), AB", ui.recoverLabel.text)
        self.picture("recover", "review")
        ui.recoverButton.click()
        adc = volume_of(patient.image("adc"))
        np.testing.assert_array_equal(segment_array(patient.segmentation, KEY, adc), drawn)
        self.assertEqual(patient.value(f"start.{KEY}")["start"], "core_adc")
        self.assertEqual(ui.editor.currentSegmentID(), KEY)
        self.assertTrue(ui.recoverGroup.isHidden())
        self.check_accept_forgets(ui)

    def check_accept_forgets(self, ui) -> None:
        """What was accepted is offered no more."""
        with tempfile.TemporaryDirectory() as folder:
            ui.cohortEdit.setCurrentPath(folder)
            ui.acceptButton.click()
            self.idle()
            self.assertEqual(self.errors, [])
        self.assertEqual(list(self.kept.rglob("*.npz")), [])

    def test_another_patient_is_not_offered_it_and_discard_asks(self) -> None:
        patient, ui = self.begun()
        self.draw(patient)
        self.assertTrue(wait(lambda: list(self.kept.rglob("*.npz")), 20))
        self.open_patient("sub-0002", perfusion=False)
        self.assertTrue(ui.recoverGroup.isHidden())
        slicer.mrmlScene.Clear(0)
        self.open_patient("sub-0001", perfusion=False)
        self.assertFalse(ui.recoverGroup.isHidden())
        self.answers = [False]
        ui.discardButton.click()
        self.assertTrue(list(self.kept.rglob("*.npz")))
        self.answers = [True]
        ui.discardButton.click()
        self.assertEqual(list(self.kept.rglob("*.npz")), [])
        self.assertTrue(ui.recoverGroup.isHidden())

    def test_undo_brings_a_correction_back_and_takes_nothing_else(self) -> None:
        patient, ui = self.begun()
        adc = volume_of(patient.image("adc"))
        ui.editor.saveStateForUndo()
        drawn, _volume = self.draw(patient)
        self.answers = [True]
        ui.startButton.click()  # begun again, over what was drawn
        ui.editor.undo()
        np.testing.assert_array_equal(segment_array(patient.segmentation, KEY, adc), drawn)
        put_mask(patient.segmentation, "infarct_predicted", adc.with_array(drawn))
        self.panel.refresh()  # as after a model ran
        ui.editor.undo()
        self.assertIsNotNone(patient.segmentation.GetSegmentation().GetSegment("infarct_predicted"))
        np.testing.assert_array_equal(segment_array(patient.segmentation, KEY, adc), drawn)

    def test_a_brush_takes_nothing_from_other_segments(self) -> None:
        self.begun()
        node = self.panel.sections["review"].ui.editor.mrmlSegmentEditorNode()
        self.assertEqual(node.GetOverwriteMode(), node.OverwriteNone)
