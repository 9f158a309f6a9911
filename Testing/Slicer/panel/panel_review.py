"""A reader corrects, accepts with provenance, reads again, compares."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
from harness import PanelTest

from StrokePredictSlicer.patient_scene import put_mask
from StrokePredictSlicer.volumes_in import segment_array, volume_of


class ReviewTest(PanelTest):
    def start(self, reader: str, target: int = 0, begin: str | None = "core_adc"):
        ui = self.panel.sections["review"].ui
        ui.readerEdit.setText(reader)
        ui.targetBox.setCurrentIndex(target)
        ui.startBox.setCurrentIndex(max(0, ui.startBox.findData(begin) if begin else 0))
        ui.startButton.click()
        return ui

    def test_a_correction_is_saved_with_its_story(self) -> None:
        patient = self.analysed()
        ui = self.start("AB")
        self.assertEqual(self.errors, [])
        key = "read_acute-core_AB"
        self.assertEqual(ui.editor.currentSegmentID(), key)
        adc = volume_of(patient.image("adc"))
        begun = segment_array(patient.segmentation, "core_adc", adc)
        np.testing.assert_array_equal(segment_array(patient.segmentation, key, adc), begun)
        drawn = np.roll(begun, 2, axis=2)
        put_mask(patient.segmentation, key, adc.with_array(drawn))
        with tempfile.TemporaryDirectory() as folder:
            ui.cohortEdit.setCurrentPath(folder)
            for read in (1, 2):
                ui.acceptButton.click()
                self.idle()
                self.assertEqual(self.errors, [])
                session = Path(folder) / "derivatives/sub-0001/ses-01"
                path = session / f"sub-0001_ses-01_rater-AB_read-{read}_core-msk.nii.gz"
                self.assertTrue(path.is_file(), sorted(p.name for p in session.iterdir()))
            told = json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text())
            self.check_label(path, drawn)
            self.assertTrue((Path(folder) / "raw_data/sub-0001/ses-01/sub-0001_ses-01_dwi.nii.gz").is_file())
        self.assertEqual((told["target"], told["reader"], told["start"]), ("acute-core", "AB", "core_adc"))
        added = np.count_nonzero(drawn & ~begun) * adc.voxel_ml
        self.assertAlmostEqual(told["edits"]["added_ml"], added, places=2)
        self.assertIn("read 2", ui.savedLabel.text)
        self.picture("review-saved", "review")

    def check_label(self, path: Path, drawn: np.ndarray) -> None:
        """The file holds what was drawn: read by SimpleITK, which wrote none of it."""
        import SimpleITK

        np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))) > 0, drawn)

    def test_two_readers_are_compared_and_voted(self) -> None:
        patient = self.analysed()
        adc = volume_of(patient.image("adc"))
        begun = segment_array(patient.segmentation, "core_adc", adc)
        masks = {"AB": begun, "CD": np.roll(begun, 1, axis=1), "EF": np.roll(begun, 1, axis=2)}
        for reader, mask in masks.items():
            ui = self.start(reader)
            put_mask(patient.segmentation, f"read_acute-core_{reader}", adc.with_array(mask))
        self.panel.sections["review"].update()
        ui.firstBox.setCurrentIndex(ui.firstBox.findData("read_acute-core_AB"))
        ui.secondBox.setCurrentIndex(ui.secondBox.findData("read_acute-core_CD"))
        ui.compareButton.click()
        a, b = masks["AB"], masks["CD"]
        dice = 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))
        self.assertIn(f"Dice {dice:.3f}", ui.compareLabel.text)
        ui.majorityButton.click()
        vote = np.sum(list(masks.values()), axis=0) >= 2
        np.testing.assert_array_equal(segment_array(patient.segmentation, "majority_acute-core", adc), vote)

    def test_what_is_missing_is_said(self) -> None:
        self.analysed()
        self.start("")
        self.assertIn("name", self.errors.pop())
        self.start("AB", target=1)
        self.assertIn("follow-up", self.errors.pop())
        self.panel.sections["review"].ui.acceptButton.click()
        self.assertIn("no correction", self.errors.pop())

    def test_the_final_infarct_is_drawn_on_the_follow_up(self) -> None:
        patient = self.analysed()
        ui = self.panel.sections["review"].ui
        ui.followUpButton.click()
        self.idle()
        self.assertEqual(self.errors, [])
        adc = volume_of(patient.image("adc"))
        self.assertEqual(volume_of(patient.image("follow-up")).shape, adc.shape)
        lesion = segment_array(patient.segmentation, "follow_up_lesion", adc)
        self.assertTrue(lesion.any())
        self.start("AB", target=1, begin="follow_up_lesion")
        self.assertEqual(self.errors, [])
        np.testing.assert_array_equal(segment_array(patient.segmentation, "read_final-infarct_AB", adc), lesion)
        self.assertIs(ui.editor.sourceVolumeNode(), patient.image("follow-up"))
