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
            steps = []
            for limit in limits:
                start = time.perf_counter()
                ui.setValue(limit)
                slicer.app.processEvents()
                steps.append(1e3 * (time.perf_counter() - start))
            print(f"{name} slider: median {sorted(steps)[len(steps) // 2]:.0f} ms, longest {max(steps):.0f} ms a step")
        self.timed("Apply", self.panel.sections["threshold"].ui.applyButton.click)

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


def gaps_text(gaps: Gaps) -> str:
    """Say what the event loop stood still."""
    return f"event loop: 95 % within {1e3 * gaps.percentile_95():.0f} ms, longest {1e3 * max(gaps.gaps):.0f} ms"


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
