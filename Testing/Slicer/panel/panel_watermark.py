"""Every view says what it shows of simulated patients and of models that learnt from them."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import slicer
import vtk
from harness import PICTURES_VARIABLE, PanelTest, wait
from vtk.util import numpy_support

from StrokePredictSlicer import watermark
from StrokePredictSlicer.marks import DEMONSTRATION
from StrokePredictSlicer.patient_node import patients
from StrokePredictSlicer.scene import open_scene, save_scene

SIMULATED, MODEL = "Simulated patient", "Simulated-trained model:\nnot for clinical use"
BOTH = f"{SIMULATED}\n{MODEL}"
SLICES = ("slice Red", "slice Yellow", "slice Green", "slice Slice4")


class Views:
    """Slicer's views; where there is no desktop, render windows of the same size in their place."""

    def __init__(self) -> None:
        self._made: dict[str, watermark.View] = {}

    def __call__(self) -> list[watermark.View]:
        real = watermark.views_of_slicer()
        return real or [self._stand_in(name) for name in SLICES]

    def _stand_in(self, name: str) -> watermark.View:
        tag = name.split()[1]
        node = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{tag}")
        if node is None:
            node = slicer.vtkMRMLSliceNode()
            node.SetSingletonTag(tag)
            node.SetLayoutName(tag)
            node = slicer.mrmlScene.AddNode(node)
        view = self._made.get(name)
        if view is None:
            window, renderer, corner = vtk.vtkRenderWindow(), vtk.vtkRenderer(), vtk.vtkCornerAnnotation()
            window.SetOffScreenRendering(1)
            window.SetSize(260, 400)
            corner.SetMinimumFontSize(14)
            corner.SetMaximumFontSize(14)
            renderer.AddViewProp(corner)
            window.AddRenderer(renderer)
            view = watermark.View(name, node, window, corner, window.Render)
            self._made[name] = view
        view.node = node
        return view


def pixels(window) -> np.ndarray:
    """Return what a view shows, ``(y, x, 3)`` from its lower left."""
    window.Render()
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.ReadFrontBufferOff()
    grab.Update()
    image = grab.GetOutput()
    width, height, _ = image.GetDimensions()
    return numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)[..., :3].copy()


class WatermarkTest(PanelTest):
    def setUp(self) -> None:
        super().setUp()
        self.views = Views()
        self.marks = watermark.start()  # what watches Slicer's own views
        if not watermark.views_of_slicer():
            self.marks = watermark.Watermark(slicer.mrmlScene, self.views)
            self.addCleanup(self.marks.close)

    def words_in(self, view: watermark.View) -> np.ndarray:
        """Return rows and columns of the pixels that the line changes, its ground included."""
        actor = self.marks._lines[view.name]._actor
        with_it = pixels(view.window)
        seen = actor.GetVisibility()
        actor.SetVisibility(False)
        without = pixels(view.window)
        actor.SetVisibility(seen)
        return np.argwhere(np.abs(with_it.astype(int) - without).max(axis=2) > 20)

    def said(self) -> dict[str, str]:
        """Return what the slice views say now."""
        return {name: words for name, words in self.marks.words().items() if name in SLICES}

    def check_slices(self, expected: dict[str, str] | str) -> None:
        """The slice views come to say what is expected: each its own, or all the same."""
        each = expected if isinstance(expected, dict) else dict.fromkeys(SLICES, expected)
        wait(lambda: self.said() == each, 10)
        self.assertEqual(self.said(), each)

    def check_empty(self) -> None:
        """No view says anything."""
        wait(lambda: not any(self.marks.words().values()), 10)
        self.assertFalse(any(self.marks.words().values()))

    def check_red(self, expected: str) -> None:
        """One slice view comes to say what is expected."""
        wait(lambda: self.said().get("slice Red") == expected, 10)
        self.assertEqual(self.said().get("slice Red"), expected)

    def test_what_is_shown_is_said_in_every_view_and_goes_with_it(self) -> None:
        patient = self.open_patient(perfusion=False)
        self.check_slices(SIMULATED)
        self.panel.ui.analyseButton.click()
        self.idle()
        self.assertEqual(self.errors, [])
        self.panel.show_preset("core")
        self.check_slices(BOTH)
        self.check_pixels()
        self.check_hidden(patient)
        self.check_another_patient(patient)
        self.check_saved()
        slicer.mrmlScene.Clear(0)
        self.check_empty()
        self.assertEqual([view.name for view in self.views() if len(self.words_in(view))], [])

    def check_pixels(self) -> None:
        """The words are in the views' pixels, in the lower left, above Slicer's own corner text."""
        for view in self.views():
            if view.name not in SLICES:
                continue
            before = view.corner.GetText(view.corner.LowerLeft)
            view.corner.SetText(view.corner.LowerLeft, "F: two\nB: one\n")  # as Data Probe ends it
            found = self.words_in(view)
            self.assertGreater(len(found), 500, view.name)
            self.assertGreater(found[:, 0].min(), 40, "two lines of 14 points and an empty one stand below")
            self.assertLess(found[:, 0].max(), 125)
            self.assertLess(found[:, 1].max(), 200)
            view.corner.SetText(view.corner.LowerLeft, "four\nL: three\nF: two\nB: one\n")
            self.assertGreater(self.words_in(view)[:, 0].min(), found[:, 0].min() + 20, "it makes room")
            view.corner.SetText(view.corner.LowerLeft, before)
        self.window_picture("watermark")

    def check_hidden(self, patient) -> None:
        """Without segments only the view with the map of probabilities speaks of the model."""
        self.panel.show_preset("nothing")
        self.check_slices(dict.fromkeys(SLICES[:3], SIMULATED) | {"slice Slice4": BOTH})
        self.panel.show_preset("core")
        self.check_slices(BOTH)
        display = patient.segmentation.GetDisplayNode()
        display.SetSegmentVisibility("core_network", False)
        self.check_red(SIMULATED)  # a rule is no model
        display.SetSegmentVisibility("core_network", True)
        self.check_red(BOTH)
        display.SetVisibility(False)
        self.check_red(SIMULATED)
        display.SetVisibility(True)
        self.panel.show_preset("core")

    def check_another_patient(self, patient) -> None:
        """A patient without predictions shows none; a real one would say nothing."""
        other = self.open_patient("sub-0002", perfusion=False)
        self.check_slices(SIMULATED)
        from StrokePredictSlicer.patient_scene import _mark

        other.set_value("simulated", False)
        _mark(other)
        self.panel.set_patient(other)
        slicer.mrmlScene.GetNodeByID("vtkMRMLSliceCompositeNodeRed").Modified()
        self.check_slices("")
        self.panel.set_patient(patient)
        self.panel.show_preset("core")
        self.check_slices(BOTH)

    def check_saved(self) -> None:
        """The scene brings it back, also where the panel is not asked."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "scene.mrb"
            save_scene(slicer.mrmlScene, path)
            slicer.mrmlScene.Clear(0)
            self.check_empty()
            open_scene(path, slicer.mrmlScene)
            wait(lambda: self.panel.patient is not None, 10)
        again = next(patients(slicer.mrmlScene))
        marked = [key for key in again.segmentation.GetSegmentation().GetSegmentIDs()
                  if again.segmentation.GetSegmentation().GetSegment(key).HasTag(DEMONSTRATION)]  # fmt: skip
        self.assertIn("core_network", marked)
        self.assertNotIn("core_adc", marked)
        self.check_slices(BOTH)

    def test_a_slicer_without_a_window_is_left_alone(self) -> None:
        modules = SimpleNamespace()
        without = SimpleNamespace(app=SimpleNamespace(layoutManager=lambda: None), modules=modules)
        known, watermark.slicer_package = watermark.slicer_package, lambda: without
        try:
            self.assertIsNone(watermark.start())
            watermark.stop()
        finally:
            watermark.slicer_package = known
        self.assertEqual(vars(modules), {})

    def test_there_is_one_however_often_the_package_is_loaded(self) -> None:
        one = watermark.start()
        self.assertIsNotNone(one)
        again = importlib.util.module_from_spec(watermark.__spec__)
        watermark.__spec__.loader.exec_module(again)
        self.assertIs(again.start(), one)

    def window_picture(self, name: str) -> None:
        """Keep a picture of the whole window where pictures are asked for and there is one."""
        folder, window = os.environ.get(PICTURES_VARIABLE), slicer.util.mainWindow()
        if folder and window is not None:
            Path(folder).mkdir(parents=True, exist_ok=True)
            window.grab().save(str(Path(folder) / f"{name}.png"))
