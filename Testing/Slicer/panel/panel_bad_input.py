"""Wrong nodes, wrong folders, missing inputs: a line, and a panel that goes on."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import slicer
from harness import PanelTest


class BadInputTest(PanelTest):
    def add_volume(self, name: str, array: np.ndarray):
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        slicer.util.updateVolumeFromArray(node, array)
        return node

    def use(self, **roles) -> None:
        section = self.panel.sections["patient"]
        section.ui.nodesGroup.collapsed = False  # what lies in a closed group cannot be pressed
        for role, node in roles.items():
            section.selector(role).setCurrentNode(node)
        section.ui.useButton.click()

    def test_an_empty_folder_is_said(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.panel.open_folder(folder, None)
            self.idle()
        self.assertEqual(len(self.errors), 1)
        self.assertNotIn("Traceback", self.errors[0])
        self.assertIsNone(self.panel.patient)

    def test_a_folder_that_is_none_is_said(self) -> None:
        self.panel.open_folder(str(Path(tempfile.gettempdir()) / "no such folder"), None)
        self.idle()
        self.assertIn("no such folder", self.errors[0])

    def test_no_volume_chosen_is_said(self) -> None:
        self.use()
        self.assertIn("No volume", self.errors[0])

    def test_a_dwi_alone_cannot_be_analysed_and_says_so(self) -> None:
        self.use(dwi=self.add_volume("dwi", np.random.default_rng(0).random((6, 32, 32)).astype(np.float32) * 500))
        self.panel.ui.analyseButton.click()
        self.idle()
        self.assertEqual(len(self.errors), 1)
        self.assertFalse(self.panel.busy)
        self.assertTrue(self.panel.ui.analyseButton.enabled)

    def test_an_image_without_voxels_is_said(self) -> None:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "adc")
        self.use(adc=node)
        self.panel.ui.analyseButton.click()
        self.idle()
        self.assertIn("no image", self.errors[0])

    def test_one_thing_at_a_time(self) -> None:
        self.open_patient()
        self.panel.threshold()
        self.panel.threshold()
        self.assertIn("under way", self.errors[0])
        self.idle()

    def test_names_tell_roles(self) -> None:
        volumes = {role: self.add_volume(f"3 ep2d_{role}", np.ones((4, 8, 8), np.float32)) for role in ("adc", "flair")}
        section = self.panel.sections["patient"]
        section.ui.nodesGroup.collapsed = False
        section.ui.guessButton.click()
        for role, node in volumes.items():
            self.assertIs(section.selector(role).currentNode(), node, role)
        self.assertIsNone(section.selector("dwi").currentNode())
