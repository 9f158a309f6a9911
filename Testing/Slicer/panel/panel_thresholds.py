"""Sliders that show at once what they do, and cleaning that is applied when asked."""

from __future__ import annotations

import statistics
import time

import numpy as np
import slicer
from harness import PanelTest, wait

from StrokePredictLib.volume import Volume
from StrokePredictSlicer.live_mask import LiveMask, at_least, below
from StrokePredictSlicer.scene_nodes import add_segmentation
from StrokePredictSlicer.surfaces import Surfaces
from StrokePredictSlicer.volumes_in import segment_array, volume_of


class ThresholdTest(PanelTest):
    def test_slider_shows_the_rule_at_once_and_apply_cleans(self) -> None:
        patient = self.analysed()
        section = self.panel.sections["threshold"]
        adc = volume_of(patient.image("adc"))
        brain = segment_array(patient.segmentation, "brain", adc)
        for limit in (500.0, 700.0):
            section.ui.adcSlider.setValue(limit)
            expected = brain & (adc.array > 0) & (adc.array < limit)
            np.testing.assert_array_equal(segment_array(patient.segmentation, "core_adc", adc), expected)
            self.assertIn(f"{np.count_nonzero(expected) * adc.voxel_ml:.1f} mL", section.ui.previewLabel.text)
        section.ui.applyButton.click()
        self.idle()
        self.assertEqual(self.errors, [])
        self.assertEqual(patient.study["volumes"]["parameters"]["adc_below"], 700.0)
        cleaned = segment_array(patient.segmentation, "core_adc", adc)
        self.assertTrue(np.all(expected[cleaned]))
        self.assertLess(np.count_nonzero(cleaned), np.count_nonzero(expected))
        section.ui.dwiCheck.checked = False
        section.ui.islandsCheck.checked = False
        section.ui.farCheck.checked = False
        section.ui.csfCheck.checked = False
        section.ui.applyButton.click()
        self.idle()
        self.assertEqual(patient.value("thresholds")["skip"], ["dwi", "csf", "islands", "far"])
        np.testing.assert_array_equal(segment_array(patient.segmentation, "core_adc", adc), expected)
        section.ui.resetButton.click()
        self.idle()
        self.assertEqual(section.ui.adcSlider.value, 620.0)
        self.assertEqual(patient.study["volumes"]["parameters"]["adc_below"], 620.0)
        self.assertTrue(patient.study["prediction"], "what the models said still stands")

    def test_probability_slider_cuts_the_map(self) -> None:
        patient = self.analysed()
        section = self.panel.sections["prediction"]
        record = patient.study["prediction"]["models"][0]
        image = volume_of(patient.probabilities()[record["name"]])
        section.ui.probabilitySlider.setValue(0.8)
        found = segment_array(patient.segmentation, record["segment"], image)
        np.testing.assert_array_equal(found, image.array >= np.float32(section.ui.probabilitySlider.value))
        self.assertIn(f"{np.count_nonzero(found) * image.voxel_ml:.1f} mL", section.ui.probabilityLabel.text)

    def test_surfaces_come_back_after_a_slider_was_moved(self) -> None:
        """Slicer forgets all surfaces of a segmentation when one segment is written to; brain and core must be seen."""
        _, y, x = np.mgrid[:12, :40, :40]
        image = Volume(np.hypot(x - 20.0, y - 20.0).astype(np.float32) + 1, np.diag([4.0, 4.0, 8.0, 1.0]))
        masks = {"brain": image.with_array(image.array < 18), "core_adc": image.with_array(image.array < 6)}
        node = add_segmentation(slicer.mrmlScene, masks, None)
        surfaces = Surfaces()
        self.addCleanup(surfaces.close)
        surfaces.show(True)
        surfaces.watch(node)
        self.assertTrue(wait(lambda: self.with_surface(node) == {"brain", "core_adc"}, 20))
        live = LiveMask(node, "core_adc", image, None, below)
        for limit in (8.0, 10.0):
            live.show(limit)
            surfaces.refresh()  # as the panel does once the volumes are counted
            self.assertTrue(wait(lambda: self.with_surface(node) == {"brain", "core_adc"}, 20), limit)

    def with_surface(self, node) -> set[str]:
        """Return the segments that 3D views can show."""
        inner = node.GetSegmentation()
        return {key for key in inner.GetSegmentIDs() if inner.GetSegment(key).GetRepresentation("Closed surface")}

    def test_a_step_is_quick_at_the_largest_grid(self) -> None:
        values = np.random.default_rng(0).random((40, 256, 256), dtype=np.float32) * 1500
        image = Volume(values, np.diag([0.9, 0.9, 4.0, 1.0]))
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
        node.CreateDefaultDisplayNodes()
        for key, rule, limit in (("core_adc", below, 0.050), ("infarct_predicted", at_least, 0.100)):
            live = LiveMask(node, key, image, values > 1, rule)
            times = []
            for step in range(15):
                start = time.perf_counter()
                live.show(400.0 + 20 * step)
                slicer.app.processEvents()
                times.append(time.perf_counter() - start)
            print(f"{key}: a step takes {1e3 * statistics.median(times):.0f} ms")
            self.assertLess(statistics.median(times), limit)
