"""Measure the reader's panel inside Slicer; figures are printed, no time fails.

``Slicer --no-splash --testing --additional-module-paths StrokePredict StrokeTrain --python-script
Testing/Slicer/measure_in_slicer.py``: time to open, of Analyse by stage with a cold and a warm worker, what the event
loop stood still, and Cancel. The patient is that of STROKE_TEST_COHORT, or a simulated one of 128×128×24×55.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import slicer
from harness import Gaps, PanelTest, wait


class Measure(PanelTest):
    """Borrows the tests' patient and scene."""

    def runTest(self) -> None:
        """Measure everything."""
        self.analyse("cold or just started worker")
        self.analyse("warm worker")
        self.analyse("warm worker, patient analysed before", again=True)
        self.thresholds()
        self.cancel()
        self.largest()

    def analyse(self, title: str, again: bool = False) -> None:
        """Time Analyse, by stage."""
        if not again:
            slicer.mrmlScene.Clear(0)
            self.idle()
            self.timed("open a patient", lambda: self.panel.open_folder(self.cohort(), "sub-0001"))
        self.timed(f"Analyse, {title}", self.panel.ui.analyseButton.click)

    def timed(self, title: str, begin) -> None:
        """Print how long work took, its stages, and the gaps of the event loop."""
        told: list[tuple[float, str]] = []
        before = self.panel._progress

        def progress(share: float, words: str) -> None:
            told.append((time.perf_counter(), words))
            before(share, words)

        self.panel._progress = progress
        start, used, theirs = time.perf_counter(), time.process_time(), self.worker_seconds()
        with Gaps() as gaps:
            begin()
            self.idle()
        took, used, theirs = time.perf_counter() - start, time.process_time() - used, self.worker_seconds() - theirs
        self.panel._progress = before
        print(f"{title}: {took:.2f} s; processor: Slicer {used:.2f} s, worker {theirs:.2f} s; {gaps_text(gaps)}")
        if told:
            first, last = told[0][0] - start, start + took - told[-1][0]
            print(f"    begun after {first:.2f} s; shown {last:.2f} s after the last")
        for (one, words), (two, _) in zip(told, [*told[1:], (start + took, "")]):  # noqa: B905
            if two - one > 0.2:
                print(f"    {two - one:6.2f} s  {words}")
        self.assertEqual(self.errors, [])

    def worker_seconds(self) -> float:
        """Return the processor time that the worker has used; 0 where /proc does not tell."""
        try:
            words = Path(f"/proc/{self.panel.analysis.client.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def thresholds(self) -> None:
        """Time a step of the sliders on the patient, drawing included."""
        for name, ui, limits in (
            ("ADC", self.panel.sections["threshold"].ui.adcSlider, range(500, 720, 20)),
            ("probability", self.panel.sections["prediction"].ui.probabilitySlider, [x / 20 for x in range(6, 17)]),
        ):
            steps_of(f"{name} slider", ui.setValue, limits)
        self.timed("Apply", self.panel.sections["threshold"].ui.applyButton.click)

    def largest(self) -> None:
        """Time a contour that follows a limit at 256×256×40, in all views."""
        from StrokePredictLib.volume import Volume
        from StrokePredictSlicer.live_mask import LiveMask, at_least
        from StrokePredictSlicer.overlays import VIEWS, show_layout
        from StrokePredictSlicer.scene_nodes import add_map
        from StrokePredictSlicer.scene_views import composite_node

        slicer.mrmlScene.Clear(0)
        z, y, x = np.mgrid[0:40, 0:256, 0:256].astype(np.float32)
        values = np.exp(-((x - 100) ** 2 + (y - 120) ** 2) / 4000 - (z - 20) ** 2 / 200)
        image = Volume(values, np.diag([0.9, 0.9, 4.0, 1.0]))
        node = add_map(slicer.mrmlScene, "probability", image, None)
        segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
        segmentation.CreateDefaultDisplayNodes()
        show_layout(None)
        for view in VIEWS:
            composite_node(slicer.mrmlScene, view).SetBackgroundVolumeID(node.GetID())
        slicer.util.resetSliceViews()
        live = LiveMask(segmentation, "infarct_predicted", image, None, at_least)
        steps_of("contour at 256x256x40", live.show, [x / 40 for x in range(8, 32)])

    def cancel(self) -> None:
        """Time Cancel in the middle of the maps."""
        nodes = slicer.mrmlScene.GetNumberOfNodes()
        self.panel.ui.analyseButton.click()
        wait(lambda: self.panel.ui.progressBar.value > 100, 60)
        start = time.perf_counter()
        self.panel.ui.cancelButton.click()
        self.idle()
        same = slicer.mrmlScene.GetNumberOfNodes() == nodes
        print(f"Cancel: {time.perf_counter() - start:.2f} s; nodes {'as before' if same else 'CHANGED'}")


def steps_of(name: str, step, limits) -> None:
    """Print how long a step of a slider takes until its segment is changed, and until all views are drawn."""
    changed, drawn = [], []
    manager = slicer.app.layoutManager()
    views = [manager.sliceWidget(view) for view in ("Red", "Yellow", "Green", "Slice4")]
    for limit in limits:
        start = time.perf_counter()
        step(limit)
        changed.append(1e3 * (time.perf_counter() - start))
        for view in views:
            if view is not None:
                view.sliceView().forceRender()
        slicer.app.processEvents()
        drawn.append(1e3 * (time.perf_counter() - start))
    words = [f"{title} median {sorted(t)[len(t) // 2]:.0f}, longest {max(t):.0f} ms" for title, t in
             (("changed:", changed), ("drawn in 4 views:", drawn))]  # fmt: skip
    print(f"{name}, a step: {'; '.join(words)}")


def gaps_text(gaps: Gaps) -> str:
    """Say what the event loop stood still."""
    longest = f"longest {1e3 * max(gaps.gaps):.0f} ms, of the processor {1e3 * max(gaps.own):.0f} ms"
    return f"event loop: 95 % within {1e3 * gaps.percentile_95():.0f} ms, {longest}"


def main() -> int:
    """Measure; return the exit code."""
    start, used = time.perf_counter(), time.process_time()
    slicer.util.selectModule("StrokePredict")
    took, used = time.perf_counter() - start, time.process_time() - used
    print(f"module opened: {took:.2f} s, {used:.2f} s of it Slicer's own")
    panel = slicer.util.getModuleWidget("StrokePredict").panel
    wait(lambda: not panel.busy)
    print(f"models known: {time.perf_counter() - start:.2f} s after the click")
    measure = Measure()
    measure.setUp()
    try:
        measure.runTest()
    finally:
        measure.tearDown()
    return 0


if __name__ == "__main__":
    code = 1
    try:
        code = main()
    except Exception:
        traceback.print_exc(file=sys.stdout)
    sys.stdout.flush()
    slicer.util.exit(code)
