"""Images as hospitals have them: a folder of DICOM, a loose folder of files, volumes already in the scene."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import SimpleITK
import slicer
from harness import PanelTest, wait

from StrokePredictLib.volume import Volume
from StrokePredictSlicer.scene_nodes import add_map
from StrokePredictSlicer.volumes_in import volume_of

sys.path.append(str(Path(__file__).resolve().parents[2]))


class HospitalTest(PanelTest):
    def image(self, role: str) -> SimpleITK.Image:
        path = Path(self.cohort()) / f"raw_data/sub-0001/ses-01/sub-0001_ses-01_{role}.nii.gz"
        return SimpleITK.ReadImage(str(path))

    def open_by_the_section(self, folder: str) -> None:
        """Choose a folder as a reader does: path, then Open."""
        ui = self.panel.sections["patient"].ui
        ui.folderEdit.setCurrentPath(folder)
        self.assertTrue(ui.openButton.enabled)
        ui.openButton.click()
        self.idle()
        self.assertEqual(self.errors, [])

    def check_thresholds(self) -> None:
        """The patient can be worked with: the core of its ADC is outlined."""
        self.panel.threshold()
        self.idle()
        self.assertEqual(self.errors, [])
        self.assertGreater(self.panel.patient.study["volumes"]["volumes_ml"]["core_adc"], 0)

    def test_a_folder_of_dicom(self) -> None:
        from support.dicom_files import Place, write_classic

        b0, dwi = self.image("b0"), self.image("dwi")
        axes = np.array(b0.GetDirection()).reshape(3, 3)
        place = Place(axes, b0.GetSpacing(), b0.GetOrigin())
        pair = np.stack([SimpleITK.GetArrayFromImage(image).round().astype(int) for image in (b0, dwi)])

        def weighting(ds, t, z) -> None:
            ds.DiffusionBValue = 1000.0 * t

        with tempfile.TemporaryDirectory() as folder:
            write_classic(Path(folder), pair, place, number=3, description="ep2d_diff_tra", frames=weighting)
            self.open_by_the_section(folder)
        patient = self.panel.patient
        self.assertTrue({"b0", "dwi", "adc"} <= patient.images().keys())
        self.assertNotIn("Geheim", patient.name)
        found = volume_of(patient.image("dwi"))
        np.testing.assert_allclose(found.array, pair[1], atol=1)
        np.testing.assert_allclose(found.affine[:3, 3], b0.GetOrigin(), atol=1e-2)
        self.check_thresholds()

    def test_a_loose_folder_of_files(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, role in (("5_ADC.nii.gz", "adc"), ("4_ep2d_b1000.nii.gz", "dwi"), ("4_ep2d_b0.nii.gz", "b0")):
                SimpleITK.WriteImage(self.image(role), str(Path(folder) / name))
            SimpleITK.WriteImage(self.image("adc") > 0, str(Path(folder) / "lesion_mask.nii.gz"))
            self.open_by_the_section(folder)
        images = self.panel.patient.images()
        self.assertTrue({"b0", "dwi", "adc"} <= images.keys())
        self.assertNotIn("flair", images)
        adc = SimpleITK.GetArrayFromImage(self.image("adc"))
        np.testing.assert_allclose(volume_of(images["adc"]).array, adc, rtol=1e-4)
        self.check_thresholds()

    def test_volumes_already_in_the_scene(self) -> None:
        own = {}
        for name, role in (("7: ADC", "adc"), ("6 ep2d_diff b1000", "dwi"), ("6 ep2d_diff b0", "b0")):
            image = self.image(role)
            affine = np.eye(4)
            affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
            affine[:3, 3] = image.GetOrigin()
            array = SimpleITK.GetArrayFromImage(image).astype(np.float32)
            own[role] = add_map(slicer.mrmlScene, "flair", Volume(array, affine), None, name)
            own[role].RemoveAttribute("StrokePredict.Role")  # the user's own
        ui = self.panel.sections["patient"].ui
        ui.nodesGroup.collapsed = False
        ui.guessButton.click()
        for role, node in own.items():
            self.assertIs(self.panel.sections["patient"].selector(role).currentNode(), node, role)
        ui.useButton.click()
        wait(lambda: self.panel.patient is not None, 5)
        self.assertEqual(self.errors, [])
        for role, node in own.items():
            self.assertIs(self.panel.patient.image(role), node)
        self.check_thresholds()
        self.panel.ui.removePatientButton.click()
        for node in own.values():
            self.assertIsNotNone(node.GetScene(), "a reader's own image stays in the scene")
