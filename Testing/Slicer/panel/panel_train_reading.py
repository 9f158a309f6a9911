"""A locked test set is kept out of what follows; two readers who differ are settled by a third, without names."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import SimpleITK
import slicer
from harness import PanelTest, wait
from made_up import small_cohort

from StrokeTrainLib.cohort.locked import read_locked
from StrokeTrainSlicer.sections.lists import text_at


class TrainReadingTest(PanelTest):
    module = "StrokeTrain"

    def setUp(self) -> None:
        super().setUp()
        self.place = Path(tempfile.mkdtemp(prefix="train-reading-"))
        self.section = self.panel.sections["cohort"]
        self.ui = self.section.ui
        self.ui.filterEdit.setText("")

    def tearDown(self) -> None:
        super().tearDown()
        shutil.rmtree(self.place, ignore_errors=True)

    def choose(self, patients: int) -> Path:
        folder = small_cohort(patients, self.place / "cohort")
        self.section.choose(str(folder))
        self.quiet()
        self.assertEqual(self.errors, [])
        return folder

    def quiet(self) -> None:
        self.assertTrue(wait(lambda: self.panel.settled, 300))

    def roles(self, column: int = 7) -> dict[str, str]:
        table = self.ui.cohortTable
        return {text_at(table, row): text_at(table, row, column) for row in range(table.rowCount)}

    def test_locked_once_and_shown(self) -> None:
        folder = self.choose(6)
        self.assertIn("None yet", self.ui.lockedLabel.text)
        self.ui.lockShareSpin.setValue(34)
        self.answers = [False]
        self.ui.lockButton.click()
        self.quiet()
        self.assertIsNone(read_locked(folder))
        self.ui.lockButton.click()
        self.quiet()
        self.assertEqual(self.errors, [])
        locked = read_locked(folder).patients
        self.assertEqual(len(locked), 2)
        self.assertEqual({name for name, role in self.roles().items() if role == "locked test"}, set(locked))
        self.assertIn("2 patients locked", self.ui.lockedLabel.text)
        self.assertFalse(self.ui.lockButton.enabled)
        self.ui.filterEdit.setText("locked test")
        self.assertIn("2 of 6", self.ui.countLabel.text)
        self.ui.lockedGroup.collapsed = False
        self.picture("train-locked", "cohort")

    def read(self, folder: Path, reader: str, columns: slice) -> str:
        place = folder / "derivatives/sub-0001/ses-02"
        image = SimpleITK.ReadImage(str(place / "sub-0001_ses-02_lesion-msk.nii.gz"))
        drawn = np.zeros(image.GetSize()[::-1], np.uint8)
        drawn[2:4, 10:20, columns] = 1
        mask = SimpleITK.GetImageFromArray(drawn)
        mask.CopyInformation(image)
        path = place / f"sub-0001_ses-02_rater-{reader}_read-1_lesion-msk.nii.gz"
        SimpleITK.WriteImage(mask, str(path))
        return path.name

    def test_a_third_reader_settles_without_learning_who_drew_what(self) -> None:
        folder = small_cohort(2, self.place / "cohort")
        names = [self.read(folder, "ANNA", slice(8, 16)), self.read(folder, "BERT", slice(12, 20))]
        self.section.choose(str(folder))
        self.quiet()
        self.ui.settleButton.click()
        self.assertIn("name", self.errors.pop())
        self.ui.readerEdit.setText("ANNA")
        self.ui.settleButton.click()
        self.quiet()
        self.assertIn("1 more differ that ANNA has read", self.ui.readingLabel.text)
        self.ui.readerEdit.setText("CARL")
        self.ui.settleButton.click()
        theirs = slicer.util.getModuleWidget("StrokePredict").panel
        self.assertTrue(wait(lambda: self.opened(theirs) and not theirs.busy and self.panel.settled, 300))
        self.assertEqual(self.errors, [])
        self.assertIn("Dice 0.50", self.ui.readingLabel.text)
        self.check_blinded(theirs)
        self.accept(theirs, folder, names)
        slicer.util.selectModule("StrokeTrain")
        self.ui.readButton.click()
        self.quiet()
        self.assertIn("CARL 1 (settled)", self.roles(column=4)["sub-0001"])
        self.ui.settleButton.click()
        self.quiet()
        self.assertIn("0 patients to settle below Dice 0.70; 1 settled", self.ui.readingLabel.text)

    @staticmethod
    def opened(theirs) -> bool:
        """Whether the patient with both readings is there, and not one of a test before."""
        node = theirs.patient.segmentation if theirs.patient is not None else None
        return node is not None and node.GetSegmentation().GetSegment("reading_a") is not None

    def check_blinded(self, theirs) -> None:
        inner = theirs.patient.segmentation.GetSegmentation()
        shown = {inner.GetNthSegmentID(n): inner.GetNthSegment(n).GetName() for n in range(inner.GetNumberOfSegments())}
        self.assertEqual({key: name for key, name in shown.items() if key.startswith("reading")},
                         {"reading_a": "Reading A", "reading_b": "Reading B"})  # fmt: skip
        words = " ".join([*shown.values(), self.ui.readingLabel.text])
        self.assertNotIn("ANNA", words)
        self.assertNotIn("BERT", words)
        self.assertNotIn("ground_truth", shown)

    def accept(self, theirs, folder: Path, names: list[str]) -> None:
        """Begin with one of the two and accept it as the third reader's."""
        review = theirs.sections["review"]
        review.update()
        target = review.ui.targetBox
        self.assertEqual(review.ui.readerEdit.text, "CARL")
        theirs.patient.set_image("follow-up", theirs.patient.image("dwi"))  # a final infarct is drawn on a follow-up
        review.ui.startBox.setCurrentIndex(review.ui.startBox.findData("reading_a"))
        self.assertEqual(target.itemData(target.currentIndex), "final-infarct")
        review.on_start()
        self.assertEqual(self.errors, [])
        review.on_accept()
        self.assertTrue(wait(lambda: not theirs.busy, 300))
        self.assertEqual(self.errors, [])
        beside = folder / "derivatives/sub-0001/ses-02/sub-0001_ses-02_rater-CARL_read-1_lesion-msk.json"
        told = json.loads(beside.read_text())
        self.assertEqual(sorted(told["settles"]), sorted(names))
        self.assertEqual((told["reader"], told["start"]), ("CARL", "reading_a"))
