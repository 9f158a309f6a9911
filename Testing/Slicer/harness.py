"""What the panel's tests share: they run unchanged on the double and in a real Slicer."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer

#: Folder of a simulated cohort that a caller made; left out, the worker makes one.
COHORT_VARIABLE = "STROKE_TEST_COHORT"
#: Where pictures of the panel go; left out, none are taken.
PICTURES_VARIABLE = "STROKE_TEST_PICTURES"


def wait(until: Callable[[], bool], seconds: float = 180.0) -> bool:
    """Let Qt work until something is so; return whether it became so in time."""
    end = time.monotonic() + seconds
    while not until():
        if time.monotonic() > end:
            return False
        slicer.app.processEvents()
        time.sleep(0.002)
    return True


class Gaps:
    """Measures how long Qt's event loop stood still, by a timer of 20 ms.

    Attributes
    ----------
    gaps, own : list of float
        s between two ticks; and of them, what this process had of the processor: the rest went to other processes.
    """

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self.own: list[float] = []
        self._last: tuple[float, float] | None = None
        self._timer = qt.QTimer()
        self._timer.setInterval(20)
        self._timer.timeout.connect(self._tick)

    def _tick(self) -> None:
        now = (time.perf_counter(), time.process_time())
        if self._last is not None:
            self.gaps.append(now[0] - self._last[0])
            self.own.append(now[1] - self._last[1])
        self._last = now

    def __enter__(self) -> Gaps:
        self._timer.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._timer.stop()

    def percentile_95(self) -> float:
        """Return the 95th percentile of the gaps in s."""
        return sorted(self.gaps)[int(0.95 * (len(self.gaps) - 1))]


class PanelTest(unittest.TestCase):
    """A test that begins with an empty scene and the panel in view."""

    module = "StrokePredict"

    def setUp(self) -> None:
        slicer.mrmlScene.Clear(0)
        slicer.util.selectModule(self.module)
        self.errors: list[str] = []
        self.answers: list[bool] = []
        self._display = slicer.util.errorDisplay
        self._confirm = (slicer.util.confirmOkCancelDisplay, slicer.util.confirmYesNoDisplay)
        slicer.util.errorDisplay = lambda text, *_a, **_k: self.errors.append(str(text))
        slicer.util.confirmOkCancelDisplay = slicer.util.confirmYesNoDisplay = self._answer
        self.panel = slicer.util.getModuleWidget(self.module).panel
        self.idle()

    def tearDown(self) -> None:
        slicer.util.errorDisplay = self._display
        slicer.util.confirmOkCancelDisplay, slicer.util.confirmYesNoDisplay = self._confirm
        if self.panel.busy:
            self.panel.cancel()

    def _answer(self, text: str, *_a: Any, **_k: Any) -> bool:
        return self.answers.pop(0) if self.answers else True

    def idle(self, seconds: float = 180.0) -> None:
        """Wait until nothing is under way."""
        self.assertTrue(wait(lambda: not self.panel.busy, seconds), "the panel is still at work")

    def cohort(self) -> str:
        """Return a folder with simulated patients."""
        given = os.environ.get(COHORT_VARIABLE)
        if given:
            return given
        from StrokePredictSlicer.samples import simulated_cohort

        folder = simulated_cohort("MR-pair")
        if not (folder / "participants.tsv").is_file():
            parameters = {"output": str(folder), "cases": 2, "seed": 0}
            self.panel.work("Cohort", lambda told: self.panel.analysis.run("phantom", parameters, told), lambda r: None)
            self.idle()
        return str(folder)

    def diffusion_cohort(self) -> str:
        """Return the same patients without perfusion, for tests that need none of its minutes."""
        if not hasattr(PanelTest, "_diffusion"):
            PanelTest._diffusion = tempfile.mkdtemp(prefix="diffusion-")
            without = shutil.ignore_patterns("*pwi*", "perfusion-maps", "*_tmax.*")
            shutil.copytree(self.cohort(), PanelTest._diffusion, ignore=without, dirs_exist_ok=True)
        return PanelTest._diffusion

    def open_patient(self, which: str = "sub-0001", *, perfusion: bool = True) -> Any:
        """Open a simulated patient and return it."""
        self.panel.open_folder(self.cohort() if perfusion else self.diffusion_cohort(), which)
        self.idle()
        self.assertEqual(self.errors, [])
        return self.panel.patient

    def open_series(self) -> Any:
        """Open a patient of whom nothing but the perfusion series is there, so that no model runs; return it."""
        if not hasattr(PanelTest, "_series"):
            PanelTest._series = tempfile.mkdtemp(prefix="series-")
            without = shutil.ignore_patterns("*_dwi.*", "*_adc.*", "*_b0.*", "*_flair.*", "derivatives")
            shutil.copytree(self.cohort(), PanelTest._series, ignore=without, dirs_exist_ok=True)
        self.panel.open_folder(PanelTest._series, "sub-0001")
        self.idle()
        self.assertEqual(self.errors, [])
        return self.panel.patient

    def analysed(self) -> Any:
        """Open and analyse a simulated patient and return it."""
        patient = self.open_patient()
        self.panel.ui.analyseButton.click()
        self.idle()
        self.assertEqual(self.errors, [])
        return patient

    def picture(self, name: str, section: str | None = None) -> None:
        """Grab the panel into a file, one section open, where pictures are asked for."""
        folder = os.environ.get(PICTURES_VARIABLE)
        if not folder:
            return
        for each in self.panel.sections:
            getattr(self.panel.ui, f"{each}Section").collapsed = each != section
        widget = slicer.util.getModuleWidget(self.module).parent
        slicer.app.processEvents()
        widget.resize(520, max(300, widget.layout().heightForWidth(520)))
        slicer.app.processEvents()
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.assertTrue(widget.grab().save(str(Path(folder) / f"{name}.png")))
