"""A cohort is listed, filtered, edited and opened; a thousand patients are no burden."""

from __future__ import annotations

import csv
import shutil
import tempfile
import time
from pathlib import Path

import slicer
from harness import PanelTest, wait
from made_up import large_cohort, small_cohort

from StrokeTrainSlicer.sections.lists import text_at


class TrainCohortTest(PanelTest):
    module = "StrokeTrain"

    @classmethod
    def setUpClass(cls) -> None:
        cls.place = Path(tempfile.mkdtemp(prefix="train-cohort-"))
        small_cohort(3, cls.place / "cohort")

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.place, ignore_errors=True)

    def setUp(self) -> None:
        super().setUp()
        self.section = self.panel.sections["cohort"]
        self.ui = self.section.ui
        self.ui.filterEdit.setText("")

    def choose(self, folder: Path) -> None:
        self.section.choose(str(folder))
        self.idle()
        self.assertTrue(wait(lambda: self.panel.settled, 300))

    def column(self, number: int) -> list[str]:
        table = self.ui.cohortTable
        return [text_at(table, row, number) for row in range(table.rowCount) if not table.isRowHidden(row)]

    def test_listed_sorted_filtered_edited(self) -> None:
        self.choose(self.place / "cohort")
        self.assertEqual(self.errors, [])
        self.assertEqual(self.column(0), ["sub-0001", "sub-0002", "sub-0003"])
        self.assertEqual(self.column(2), ["no", "yes", "no"])
        self.assertIn("adc", self.column(6)[0])
        volumes = [float(text) for text in self.column(1)]
        for patient, volume in zip(self.column(0), volumes):  # noqa: B905
            self.assertAlmostEqual(volume, self.true_ml(patient), delta=0.051)
        self.ui.cohortTable.sortItems(1)
        self.assertEqual([float(text) for text in self.column(1)], sorted(volumes))
        self.ui.filterEdit.setText("yes cbf")
        self.assertEqual(self.column(0), ["sub-0002"])
        self.assertIn("1 of 3", self.ui.countLabel.text)
        self.ui.filterEdit.setText("")
        self.check_edit()
        self.assertIn("Simulated", self.panel.ui.simulatedLabel.text)
        self.ui.factsGroup.collapsed = False
        self.picture("train-cohort", "cohort")

    def true_ml(self, patient: str) -> float:
        """Volume of the outline: voxels counted by SimpleITK times their size."""
        import SimpleITK

        path = self.place / "cohort/derivatives" / patient / "ses-02" / f"{patient}_ses-02_lesion-msk.nii.gz"
        image = SimpleITK.ReadImage(str(path))
        x, y, z = image.GetSpacing()
        return float(SimpleITK.GetArrayFromImage(image).sum()) * x * y * z / 1000

    def check_edit(self) -> None:
        table = self.ui.cohortTable
        row = next(row for row in range(table.rowCount) if text_at(table, row) == "sub-0002")
        table.selectRow(row)
        self.assertEqual(self.ui.ageEdit.text, "61")
        self.ui.ageEdit.setText("200")
        self.ui.saveFactsButton.click()
        self.assertIn("age", self.errors.pop())
        self.assertEqual(self.cells("sub-0002")["age"], "61")
        self.ui.ageEdit.setText("77")
        self.ui.centerEdit.setText("Bern")
        self.ui.saveFactsButton.click()
        self.idle()
        self.assertTrue(wait(lambda: self.panel.settled, 300))
        self.assertEqual(self.errors, [])
        cells = self.cells("sub-0002")
        self.assertEqual((cells["age"], cells["center"], cells["mtici"]), ("77", "Bern", "3"))
        self.assertEqual(self.cells("sub-0001")["age"], "60")

    def cells(self, patient: str) -> dict[str, str]:
        with (self.place / "cohort/participants.tsv").open(newline="") as stream:
            return next(row for row in csv.DictReader(stream, delimiter="\t") if row["participant_id"] == patient)

    def test_a_double_click_opens_the_patient_with_its_label_in_stroke_predict(self) -> None:
        self.choose(self.place / "cohort")
        self.section.on_open(0, 0)
        theirs = slicer.util.getModuleWidget("StrokePredict").panel
        self.assertTrue(wait(lambda: not theirs.busy and theirs.patient is not None, 300))
        self.assertEqual(self.errors, [])
        self.assertEqual(theirs.patient.name, text_at(self.ui.cohortTable, 0))
        segment = theirs.patient.segmentation.GetSegmentation().GetSegment("ground_truth")
        self.assertIn("final-infarct", segment.GetName())
        self.check_added(theirs)

    def check_added(self, theirs) -> None:
        """The patient who is open goes into another, empty folder."""
        other = self.place / "other"
        other.mkdir(exist_ok=True)
        slicer.util.selectModule("StrokeTrain")
        self.choose(other)
        self.ui.addCaseButton.click()
        self.idle()
        self.assertTrue(wait(lambda: self.panel.settled, 300))
        self.assertEqual(self.errors, [])
        self.assertEqual(self.column(0), [theirs.patient.name])
        self.assertIn("no label", self.column(5)[0])

    def test_a_thousand_patients(self) -> None:
        folder = large_cohort(self.place / "large")
        self.panel.analysis.client.ensure_started()
        wait(lambda: self.panel.analysis.client.pid is not None, 120)
        begun = time.monotonic()
        self.section.choose(str(folder))
        self.assertTrue(wait(lambda: len(self.section.rows) == 1000, 300))
        listed = time.monotonic() - begun
        seconds = dict(self.section.seconds)
        self.panel.cancel()
        self.idle(10)
        self.errors.clear()
        begun = time.perf_counter()
        self.ui.filterEdit.setText("sub-05 yes")
        slicer.app.processEvents()
        filtered = time.perf_counter() - begun
        wanted = [f"sub-{number:04d}" for number in range(500, 600) if number % 3]  # mTICI 2b or 3
        self.assertEqual(self.column(0), wanted)
        self.ui.filterEdit.setText("")
        print(
            f"1000 patients: listed in {listed:.2f} s, table filled in {1e3 * seconds['filled']:.0f} ms, "
            f"filtered in {1e3 * filtered:.0f} ms"
        )
        # What is promised (2 s, 0.1 s) is printed and measured on a quiet machine; a busy one is not this code's fault.
        self.assertLess(filtered, 3.0)
        self.assertLess(seconds["filled"], 10.0)

    def test_a_folder_that_is_gone_is_said_and_the_panel_goes_on(self) -> None:
        place = small_cohort(1, self.place / "gone")
        self.choose(place)
        shutil.rmtree(place)
        self.ui.readButton.click()
        self.idle(60)
        self.assertIn("gone", self.errors.pop())
        self.panel.refresh()
        self.choose(self.place / "cohort")
        self.assertEqual(len(self.column(0)), 3)

    def test_a_folder_without_patients_is_said(self) -> None:
        place = self.place / "nothing"
        place.mkdir(exist_ok=True)
        (place / "notes.txt").write_text("nothing here")
        self.section.choose(str(place))
        self.idle(60)
        self.assertTrue(wait(lambda: self.panel.settled, 300))
        self.assertTrue(any("no patients" in error for error in self.errors), self.errors)
        self.assertIn("No patients", self.ui.countLabel.text)
