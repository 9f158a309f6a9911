"""The reader chooses another deconvolution."""

from __future__ import annotations

import numpy as np
import slicer
from harness import PanelTest

from StrokePredictLib.perfusion.deconvolve import METHODS


class MethodTest(PanelTest):
    def setUp(self) -> None:
        super().setUp()
        self.ui = self.panel.sections["perfusion"].ui

    def test_every_method_of_the_library_is_there_and_none_without_a_series(self) -> None:
        names = [self.ui.methodBox.itemData(row) or "bsvd" for row in range(self.ui.methodBox.count)]
        self.assertEqual(sorted(names), sorted(METHODS))
        self.assertFalse(self.ui.methodBox.enabled)
        self.open_patient(perfusion=False)
        self.assertFalse(self.ui.methodBox.enabled)

    def test_maps_by_another_method_are_made_on_analyse_and_the_choice_stays(self) -> None:
        patient = self.open_series()
        self.assertTrue(self.ui.methodBox.enabled)
        self.panel.ui.analyseButton.click()
        self.idle()
        self.assertEqual(self.errors, [])
        usual = slicer.util.arrayFromVolume(patient.image("cbf")).copy()
        self.assertEqual(patient.study["perfusion"]["method"], "bsvd")
        self.ui.methodBox.setCurrentIndex(self.ui.methodBox.findData("vascular"))
        self.assertFalse(self.panel.busy)  # a wheel that passes over the box starts nothing
        self.assertIn("Press Analyse", self.panel.ui.stageLabel.text)
        self.panel.ui.analyseButton.click()
        self.idle()
        self.assertEqual(self.errors, [])
        self.assertEqual(patient.study["perfusion"]["method"], "vascular")
        self.assertIn("vascular", self.ui.seriesLabel.text)
        other = slicer.util.arrayFromVolume(patient.image("cbf"))
        # Truncated SVD flattens the peak of the residue function: the fitted model gives more flow.
        flowing = usual > np.median(usual[usual > 0])
        self.assertGreater(np.median(other[flowing]), 1.05 * np.median(usual[flowing]))
        self.panel.refresh()
        self.assertEqual(self.ui.methodBox.itemData(self.ui.methodBox.currentIndex), "vascular")
        self.picture("method", "perfusion")
