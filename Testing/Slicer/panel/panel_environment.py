"""A bare Slicer: what is missing is named, installed on a click, and the panel goes on whatever becomes of that."""

from __future__ import annotations

import subprocess

from harness import PanelTest, wait

from StrokePredictSlicer import install_packages
from StrokePredictSlicer.analysis import Told
from StrokePredictSlicer.install_packages import install_missing, wanted_lines

#: What a fresh Slicer lacks.
MISSING = ["torch", "nibabel", "safetensors", "pydantic", "matplotlib", "jinja2", "monai", "pandas"]


class EnvironmentTest(PanelTest):
    def setUp(self) -> None:
        super().setUp()
        self.section = self.panel.sections["environment"]
        self.before = (install_packages._pip, install_packages._install_torch)
        self.asked_of_pip: list[list[str]] = []
        install_packages._pip = self.asked_of_pip.append
        install_packages._install_torch = lambda: False  # as where the extension PyTorch is not installed

    def tearDown(self) -> None:
        install_packages._pip, install_packages._install_torch = self.before
        super().tearDown()

    def look(self, missing: list[str]) -> None:
        """Show this computer as if packages were missing."""
        found: list[dict] = []
        self.panel.analysis.run("environment", {}, Told(done=found.append, failed=self.errors.append))
        self.assertTrue(wait(lambda: found or self.errors, 180))
        self.section.show(found[0] | {"packages": found[0]["packages"] | dict.fromkeys(missing)})
        self.section.set_busy(False)

    def test_what_is_missing_is_named_and_installed_on_a_click_alone(self) -> None:
        self.look(MISSING)
        self.assertIn("nibabel", self.section.ui.environmentLabel.text)
        self.assertTrue(self.section.ui.installButton.enabled)
        self.picture("environment-missing", "environment")
        self.answers = [False]
        self.section.ui.installButton.click()
        self.assertEqual(self.asked_of_pip, [])
        worker = self.panel.analysis.client.pid
        self.assertIsNotNone(worker)
        self.section.ui.installButton.click()
        self.idle()
        self.assertNotEqual(self.panel.analysis.client.pid, worker, "the worker ends before anything is installed")
        (lines,) = self.asked_of_pip
        names = {line.split(">")[0] for line in lines}
        self.assertEqual(names, set(MISSING) - {"torch", "monai"}, "monai would bring a torch of its own choosing")
        self.assertIn("PyTorch", self.section.ui.environmentLabel.text)
        self.assertIn("Installed: ", self.section.ui.environmentLabel.text)
        self.assertEqual(self.errors, [])

    def test_an_installation_that_fails_is_said_and_the_panel_goes_on(self) -> None:
        def fail(wanted: list[str]) -> None:
            raise subprocess.CalledProcessError(1, "pip install")

        install_packages._pip = fail
        self.look(MISSING)
        self.section.ui.installButton.click()
        self.idle()
        self.assertIn("failed", self.section.ui.environmentLabel.text)
        self.open_patient()
        self.assertTrue(self.panel.ui.analyseButton.enabled)

    def test_slicers_own_packages_are_left_alone(self) -> None:
        lines = wanted_lines([*MISSING, "numpy", "scipy", "SimpleITK", "pytorch-ignite", "filelock"])
        self.assertFalse([line for line in lines if "==" in line])
        self.assertFalse({"numpy", "scipy", "SimpleITK", "torch"} & {line.split(">")[0] for line in lines})
        self.assertEqual(install_missing([]), "")
        self.assertEqual(self.asked_of_pip, [])
