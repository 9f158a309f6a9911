"""One click from images to overlays, numbers and a report, with the window alive."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import slicer
from harness import Gaps, PanelTest, wait

from StrokePredictSlicer.overlays import PRESETS
from StrokePredictSlicer.volumes_in import segment_array, volume_of


class AnalyseTest(PanelTest):
    def test_one_click_from_images_to_overlays(self) -> None:
        patient = self.open_patient()
        with Gaps() as gaps:
            self.panel.ui.analyseButton.click()
            self.assertTrue(self.panel.ui.cancelButton.enabled)
            self.idle()
        print(
            f"event loop: 95 % of gaps below {1e3 * gaps.percentile_95():.0f} ms, longest {1e3 * max(gaps.gaps):.0f} ms"
        )
        self.assertLess(gaps.percentile_95(), 0.2)
        self.assertEqual(self.errors, [])
        self.assertTrue({"dwi", "adc", "tmax", "cbf", "cbv", "mtt"} <= patient.images().keys())
        self.check_core(patient)
        self.check_results(patient)
        self.check_notices()
        for name in ("patient", "perfusion", "threshold", "prediction", "review", "results"):
            self.picture(name, name)
        self.check_presets(patient)
        self.check_report(patient)

    def check_core(self, patient) -> None:
        """The core lies where ADC is below 620 and not elsewhere, and most of what is below 620 in it is core."""
        adc = volume_of(patient.image("adc"))
        core = segment_array(patient.segmentation, "core_adc", adc)
        self.assertTrue(core.any())
        self.assertTrue(np.all(adc.array[core] < 620))
        brain = segment_array(patient.segmentation, "brain", adc)
        self.assertTrue(np.all(brain[core]))

    def check_results(self, patient) -> None:
        """The table's core is the segment's voxels times their volume."""
        adc = volume_of(patient.image("adc"))
        volume = np.count_nonzero(segment_array(patient.segmentation, "core_adc", adc)) * adc.voxel_ml
        table = self.panel.sections["results"].ui.volumeTable
        cells = {table.item(row, 0).text(): table.item(row, 1).text() for row in range(table.rowCount)}
        self.assertEqual(cells["Core (ADC < 620)"], f"{volume:.1f} mL")
        tmax = volume_of(patient.image("tmax"))
        slow = np.count_nonzero(segment_array(patient.segmentation, "hypoperfused_tmax", tmax)) * tmax.voxel_ml
        rules = self.panel.sections["results"].ui.criteriaTable
        cells = {rules.item(row, 0).text(): rules.item(row, 1).text() for row in range(rules.rowCount)}
        self.assertAlmostEqual(float(cells["Mismatch volume"].split()[0]), slow - volume, delta=0.11)

    def check_notices(self) -> None:
        self.assertIn("Simulated patient", self.panel.ui.demonstrationLabel.text)
        self.assertIn("Demonstration weights", self.panel.ui.demonstrationLabel.text)

    def check_presets(self, patient) -> None:
        display = patient.segmentation.GetDisplayNode()
        for preset, shown in PRESETS.items():
            getattr(self.panel.ui, f"{preset}PresetButton").click()
            for key in ("core_adc", "hypoperfused_tmax", "penumbra"):
                self.assertEqual(bool(display.GetSegmentVisibility(key)), key in shown, (preset, key))
        self.assertFalse(display.GetSegmentVisibility2DOutline("brain") or display.GetSegmentVisibility2DFill("brain"))
        self.panel.ui.overviewPresetButton.click()
        self.panel.ui.fillCheck.checked = True
        self.assertGreater(display.GetSegmentOpacity2DFill("core_adc"), 0.2)
        self.panel.ui.fillCheck.checked = False
        self.assertEqual(display.GetSegmentOpacity2DFill("core_adc"), 0.0)

    def check_report(self, patient) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.panel.sections["results"].write_report(folder)
            self.idle()
            page = Path(folder, "report.html").read_text(encoding="utf-8")
        self.assertIn("Not for clinical use", page)
        self.assertIn(patient.name, page)
        self.assertEqual(self.errors, [])
        self.assertIn("report.html", self.panel.sections["results"].ui.reportLabel.text)
        slicer.mrmlScene.Clear(0)
        self.assertEqual(self.panel.sections["results"].ui.reportLabel.text, "")
        self.assertEqual(self.panel.ui.stageLabel.text, "")

    def test_cancel_leaves_the_scene_as_it_was(self) -> None:
        patient = self.open_patient()
        before = slicer.mrmlScene.GetNumberOfNodes()
        self.panel.ui.analyseButton.click()
        self.assertTrue(wait(lambda: self.panel.ui.progressBar.value > 0, 60))
        import time

        start = time.monotonic()
        self.panel.ui.cancelButton.click()
        self.idle(2.0)
        self.assertLess(time.monotonic() - start, 2.0)
        self.assertIn("cancelled", self.panel.ui.stageLabel.text)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), before)
        self.assertFalse(patient.study.get("volumes"))
        self.panel.threshold()
        self.idle()
        self.assertEqual(self.errors, [])
        self.assertIn("core_adc", patient.study["volumes"]["volumes_ml"])

    def test_a_killed_worker_is_said_and_the_next_job_works(self) -> None:
        import os
        import signal

        self.open_patient()
        self.panel.analyse()  # long enough to be killed in
        self.assertTrue(wait(lambda: bool(self.panel.analysis.client.pid) and self.panel.ui.progressBar.value > 0, 60))
        os.kill(self.panel.analysis.client.pid, signal.SIGKILL)
        self.idle(30)
        self.assertEqual(len(self.errors), 1)
        self.assertIn("worker", self.errors.pop())
        self.panel.threshold()
        self.idle()
        self.assertEqual(self.errors, [])
