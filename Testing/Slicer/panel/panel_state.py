"""The panel comes back with its scene; patients stay apart; a scene may close at any moment."""

from __future__ import annotations

import tempfile
from pathlib import Path

import slicer
from harness import PanelTest, wait

from StrokePredictSlicer.overlays import VIEWS
from StrokePredictSlicer.patient_node import patients
from StrokePredictSlicer.scene import open_scene, save_scene
from StrokePredictSlicer.scene_views import composite_node


class StateTest(PanelTest):
    def test_saved_and_opened_again_the_panel_is_as_it_was(self) -> None:
        patient = self.analysed()
        self.panel.sections["threshold"].ui.tmaxSlider.setValue(8.0)
        self.panel.sections["threshold"].ui.applyButton.click()
        self.idle()
        self.panel.sections["patient"].ui.ageSpin.setValue(66)
        before = patient.study["volumes"]["volumes_ml"]
        shown = self.shown()
        self.assertEqual(shown["Yellow"][0], "sub-0001 ADC")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "scene.mrb"
            save_scene(slicer.mrmlScene, path)
            slicer.mrmlScene.Clear(0)
            self.assertIsNone(self.panel.patient)
            self.assertFalse(self.panel.ui.analyseButton.enabled)
            open_scene(path, slicer.mrmlScene)
            wait(lambda: self.panel.patient is not None, 10)
        wait(lambda: False, 0.5)
        self.assertEqual(self.shown(), shown)
        again = self.panel.patient
        self.assertEqual(again.name, "sub-0001")
        self.assertEqual(again.study["volumes"]["volumes_ml"], before)
        self.assertEqual(self.panel.sections["threshold"].ui.tmaxSlider.value, 8.0)
        self.assertEqual(self.panel.sections["patient"].ui.ageSpin.value, 66)
        self.assertEqual(set(again.images()), {"b0", "dwi", "adc", "tmax", "cbf", "cbv", "mtt", "ttp"})
        self.assertGreater(self.panel.sections["results"].ui.volumeTable.rowCount, 5)
        self.panel.threshold()
        self.idle()
        self.assertEqual(self.errors, [])

    def shown(self) -> dict[str, tuple]:
        """Return the names of the images behind and over, and how strongly, by view."""
        found = {}
        for view in VIEWS:
            composite = composite_node(slicer.mrmlScene, view)
            ids = (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID())
            nodes = [slicer.mrmlScene.GetNodeByID(each) if each else None for each in ids]
            found[view] = (*(node and node.GetName() for node in nodes), composite.GetForegroundOpacity())
        return found

    def test_two_patients_in_one_scene_keep_their_own(self) -> None:
        first = self.open_patient("sub-0001")
        self.panel.sections["patient"].ui.ageSpin.setValue(51)
        second = self.open_patient("sub-0002")
        self.panel.sections["patient"].ui.ageSpin.setValue(72)
        self.assertEqual([p.name for p in patients(slicer.mrmlScene)], ["sub-0001", "sub-0002"])
        self.panel.ui.patientBox.setCurrentIndex(0)
        self.assertEqual(self.panel.patient, first)
        self.assertEqual(self.panel.sections["patient"].ui.ageSpin.value, 51)
        self.assertFalse(second.segmentation.GetDisplayNode().GetVisibility())
        self.answers = [True]
        self.panel.ui.removePatientButton.click()
        self.assertEqual([p.name for p in patients(slicer.mrmlScene)], ["sub-0002"])
        self.assertEqual(self.panel.patient, second)
        names = [n.GetName() for n in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")]
        self.assertFalse([name for name in names if name.startswith("sub-0001")])

    def test_a_scene_closed_in_mid_run_ends_the_run(self) -> None:
        self.open_patient()
        self.panel.ui.analyseButton.click()
        wait(lambda: self.panel.ui.progressBar.value > 0, 60)
        slicer.mrmlScene.Clear(0)
        self.idle(5)
        self.assertEqual(self.errors, [])
        self.assertEqual(list(patients(slicer.mrmlScene)), [])
        self.open_patient()
        self.assertIsNotNone(self.panel.patient)

    def test_nodes_deleted_in_mid_run_are_said(self) -> None:
        patient = self.open_patient()
        self.panel.threshold()
        slicer.mrmlScene.RemoveNode(patient.node)
        self.idle()
        self.assertIn("removed", " ".join(self.errors))
        self.errors.clear()
        self.assertIsNone(self.panel.patient)

    def test_a_sample_asked_for_while_the_models_are_looked_up_is_opened(self) -> None:
        self.panel.look_at_environment()  # as a panel does that Sample Data has just opened
        self.assertTrue(self.panel.busy)
        self.panel.open_folder(self.cohort(), "sub-0001")
        self.assertTrue(wait(lambda: self.panel.settled, 180))
        self.assertEqual(self.errors, [])
        self.assertEqual(self.panel.patient.name, "sub-0001")
