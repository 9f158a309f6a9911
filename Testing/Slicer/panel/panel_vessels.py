"""The reader picks another artery or vein by a click, and goes back."""

from __future__ import annotations

import numpy as np
import slicer
from harness import PanelTest

from StrokePredictSlicer.sections.perfusion_section import place_text

_LPS = np.array([-1.0, -1.0, 1.0])


class VesselsTest(PanelTest):
    def setUp(self) -> None:
        super().setUp()
        self.section = self.panel.sections["perfusion"]

    def test_another_vein_and_back(self) -> None:
        patient = self.open_series()
        self.panel.ui.analyseButton.click()
        self.idle()
        self.assertEqual(self.errors, [])
        self.assertFalse(self.section.ui.automaticButton.enabled)
        automatic = patient.study["perfusion"]
        self.assertTrue(automatic["vof"]["source"].startswith("automatic"))
        first = automatic["aif"]["candidates"][0]
        vein = next(c for c in automatic["aif"]["candidates"][::-1] if c["peak_s"] > first["peak_s"])
        self.click("vof", vein["place_lps_mm"])
        self.assertEqual(self.errors, [])
        found = patient.study["perfusion"]
        self.check_vein(found, automatic, vein)
        self.check_bad_place(patient)
        self.picture("vessels", "perfusion")
        self.section.ui.automaticButton.click()
        self.idle()
        self.assertEqual(self.errors, [])
        again = patient.study["perfusion"]
        self.assertEqual((again["aif"]["voxel"], again["vof"]["voxel"]),
                         (automatic["aif"]["voxel"], automatic["vof"]["voxel"]))  # fmt: skip
        self.assertFalse(self.section.ui.automaticButton.enabled)

    def check_vein(self, found, automatic, vein) -> None:
        """The vein is the voxel clicked, said as the reader's choice, on the panel and in the provenance."""
        self.assertEqual(found["vof"]["voxel"], vein["voxel"])
        self.assertEqual(found["vof"]["source"], "chosen by hand: point")
        self.assertEqual(found["aif"]["voxel"], automatic["aif"]["voxel"])
        said = found["provenance"]["parameters"]
        self.assertTrue(said["vof"].startswith("point:"))
        self.assertEqual(said["aif"], "auto")
        text = self.section.ui.inputLabel.text
        self.assertIn(f"Venous output: chosen by hand: point at {place_text(vein['place_lps_mm'])}", text)
        self.assertTrue(self.section.ui.automaticButton.enabled)

    def click(self, vessel: str, place) -> None:
        """Press the button and click at a place, LPS mm."""
        button = {"aif": self.section.ui.pickButton, "vof": self.section.ui.veinButton}[vessel]
        button.click()
        self.assertIn("Click", self.panel.ui.stageLabel.text)
        crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if crosshair is None:  # a desktop has one
            crosshair = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLCrosshairNode")
        crosshair.SetCursorPositionRAS((np.array(place) * _LPS).tolist())
        self.section._pick.on_click()
        self.assertFalse(button.checked)
        self.idle()

    def check_bad_place(self, patient) -> None:
        """A place that will not do is one line; it is not kept, and the maps stay as they are."""
        before = patient.study["perfusion"]
        kept = patient.text("vof")
        self.click("vof", (500.0, 500.0, 500.0))
        self.assertEqual(len(self.errors), 1)
        self.assertIn("venous output chosen lies outside the image", self.errors[0])
        self.assertEqual(len(self.errors.pop().splitlines()), 1)
        self.assertEqual(patient.text("vof"), kept)
        self.assertEqual(patient.study["perfusion"], before)
        self.assertTrue(self.panel.ui.analyseButton.enabled)

    def test_one_pick_at_a_time(self) -> None:
        self.section.ui.pickButton.setEnabled(True)
        self.section.ui.veinButton.setEnabled(True)
        self.section.ui.pickButton.click()
        self.section.ui.veinButton.click()
        self.assertFalse(self.section.ui.pickButton.checked)
        self.assertTrue(self.section.ui.veinButton.checked)
        self.assertIn("vein", self.panel.ui.stageLabel.text)
        self.section.ui.veinButton.click()
        self.assertEqual(self.panel.ui.stageLabel.text, "")

    def test_places_are_said_as_a_radiologist_says_them(self) -> None:
        self.assertEqual(place_text([34.2, -12.0, 40.0]), "34 L, 12 A, 40 S mm")
        self.assertEqual(place_text([-5.0, 70.4, -3.0]), "5 R, 70 P, 3 I mm")
