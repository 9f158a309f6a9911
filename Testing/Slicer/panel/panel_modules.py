"""Both modules say what they are, where Slicer looks for it."""

from __future__ import annotations

import slicer
from harness import PanelTest

DEPENDENCIES = {"StrokePredict": [], "StrokeTrain": ["StrokePredict"]}


class ModulesTest(PanelTest):
    def test_metadata(self) -> None:
        for name, dependencies in DEPENDENCIES.items():
            with self.subTest(name):
                module = getattr(slicer.modules, name.lower())
                # Slicer's module object has the metadata itself; there `parent` is a method of Qt's.
                parent = module if hasattr(module, "categories") else module.parent
                self.assertEqual(list(parent.categories), ["Neuroimaging"])
                self.assertEqual(list(parent.dependencies), dependencies)
                self.assertIn("NOT FOR CLINICAL USE", parent.helpText)
                self.assertTrue(parent.acknowledgementText)
                self.assertTrue(list(parent.contributors))

    def test_reload_gives_a_working_panel(self) -> None:
        slicer.util.getModuleWidget("StrokePredict").onReload()
        slicer.util.selectModule("StrokePredict")
        self.panel = slicer.util.getModuleWidget("StrokePredict").panel
        self.idle()
        self.open_patient()
        self.assertIsNotNone(self.panel.patient)
