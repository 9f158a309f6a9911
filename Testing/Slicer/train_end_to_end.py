"""The tutorial "A model of your own", step by step in a real Slicer: times, gaps of the event loop, and its pictures.

``Slicer --no-splash --testing --additional-module-paths StrokePredict StrokeTrain --python-script
Testing/Slicer/train_end_to_end.py``; `harness.PICTURES_VARIABLE` names a folder for pictures of the whole window,
``STROKE_TUTORIAL_PATIENTS`` and ``STROKE_TUTORIAL_EPOCHS`` a shorter way (8 and 8). Exit code 1 where a step fails.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

import qt
import slicer

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import PICTURES_VARIABLE, Gaps, wait

from StrokePredictSlicer.volumes_in import segment_array, volume_of

PATIENTS = int(os.environ.get("STROKE_TUTORIAL_PATIENTS", "8"))
EPOCHS = int(os.environ.get("STROKE_TUTORIAL_EPOCHS", "8"))
SETTLE_S = 1.5


class Tutorial:
    """The steps in their order."""

    def __init__(self, place: Path) -> None:
        self.place, self.errors, self.seconds = place, [], {}
        slicer.util.errorDisplay = lambda text, *_a, **_k: self.errors.append(str(text))
        slicer.util.selectModule("StrokeTrain")
        self.panel = slicer.util.getModuleWidget("StrokeTrain").panel
        self.theirs = slicer.util.getModuleWidget("StrokePredict").panel
        slicer.util.mainWindow().setGeometry(0, 0, 1600, 1000)
        for probe in slicer.util.findChildren(slicer.util.mainWindow(), "DataProbeCollapsibleWidget"):
            probe.collapsed = True

    def step(self, name: str, action) -> None:
        begun = time.monotonic()
        with Gaps() as gaps:
            action()
        if self.errors:
            raise AssertionError(f"{name}: {self.errors}")
        self.seconds[name] = time.monotonic() - begun
        rest = f"95 % of gaps below {1e3 * gaps.percentile_95():.0f} ms, longest {1e3 * max(gaps.gaps):.0f} ms"
        print(f"{name}: {self.seconds[name]:.1f} s; {rest}", flush=True)

    def quiet(self, seconds: float = 900) -> None:
        if not wait(lambda: self.panel.settled and not self.theirs.busy, seconds):
            raise AssertionError("the panel is still at work")

    def picture(self, name: str, section: str | None = None, module: str = "StrokeTrain") -> None:
        folder = os.environ.get(PICTURES_VARIABLE)
        if not folder:
            return
        slicer.util.selectModule(module)
        panel = slicer.util.getModuleWidget(module).panel
        for each in panel.sections if section else ():
            getattr(panel.ui, f"{each}Section").collapsed = each != section
        wait(lambda: False, SETTLE_S)
        Path(folder).mkdir(parents=True, exist_ok=True)
        slicer.util.mainWindow().grab().save(str(Path(folder) / f"{name}.png"))

    def cohort(self) -> None:
        folder = self.place / "cohort"
        folder.mkdir()
        self.panel.sections["cohort"].choose(str(folder))
        self.quiet()
        self.panel.sections["cohort"].ui.casesSpin.setValue(PATIENTS)
        self.panel.sections["cohort"].ui.simulateButton.click()
        self.quiet()
        if len(self.panel.sections["cohort"].rows) != PATIENTS:
            raise AssertionError("the table does not list the simulated patients")

    def estimate(self) -> None:
        ui = self.panel.sections["experiment"].ui
        ui.recipeBox.setCurrentIndex(ui.recipeBox.findData("debs2021"))
        ui.presetBox.setCurrentIndex(ui.presetBox.findData("small"))
        ui.foldsSpin.setValue(2)
        ui.epochsSpin.setValue(EPOCHS)
        ui.runEdit.setCurrentPath(str(self.place / "runs" / "debs2021-1"))
        ui.estimateButton.click()
        self.quiet()

    def train(self) -> None:
        section = self.panel.sections["run"]
        self.panel.sections["experiment"].ui.startButton.click()
        self.quiet()
        state = lambda: section.followed.state  # noqa: E731
        if not wait(lambda: state().state in ("done", "failed", "stopped", "lost"), 1800) or state().state != "done":
            raise AssertionError(state())
        self.quiet()

    def evaluate(self) -> None:
        self.panel.sections["evaluate"].ui.evaluateButton.click()
        self.quiet()

    def publish(self) -> None:
        section = self.panel.sections["publish"]
        section.ui.nameEdit.setText("my-first-model")
        section.ui.titleEdit.setText("My first infarct")
        section.publish()
        self.quiet()

    def predict(self) -> None:
        slicer.util.selectModule("StrokePredict")
        self.quiet()
        self.theirs.open_folder(str(self.place / "cohort"), "sub-0001")
        self.quiet()
        self.theirs.ui.analyseButton.click()
        self.quiet()
        section = self.theirs.sections["prediction"]
        _tick_alone(section, "my-first-model")
        section.ui.predictButton.click()
        self.quiet()
        made = [model["name"] for model in (self.theirs.patient.study.get("prediction") or {}).get("models", [])]
        if "my-first-model" not in made:
            raise AssertionError(f"predicted with {made}")
        adc = volume_of(self.theirs.patient.image("adc"))
        mask = segment_array(self.theirs.patient.segmentation, "infarct_predicted", adc)
        print(f"predicted infarct: {0.0 if mask is None else float(mask.sum()) * adc.voxel_ml:.1f} mL")

    def run(self) -> None:
        begun = time.monotonic()
        self.step("simulate", self.cohort)
        self.picture("train-cohort", "cohort")
        self.step("estimate", self.estimate)
        self.picture("train-experiment", "experiment")
        self.step("train", self.train)
        self.panel.sections["run"].ui.plotButton.click()
        self.picture("train-run", "run")
        self.step("evaluate", self.evaluate)
        self.panel.sections["evaluate"].ui.volumesPlotButton.click()
        self.picture("train-evaluate", "evaluate")
        self.step("publish", self.publish)
        self.picture("train-publish", "publish")
        self.step("predict", self.predict)
        self.picture("train-predict", None, "StrokePredict")
        print(f"whole way: {time.monotonic() - begun:.0f} s, of which {sum(self.seconds.values()):.0f} s the steps")


def _tick_alone(section, name: str) -> None:
    """Tick one model of the table and no other."""
    for row, model in enumerate(section._models):
        state = qt.Qt.Checked if model["name"] == name else qt.Qt.Unchecked
        section.ui.modelTable.item(row, 0).setCheckState(state)


def main() -> None:
    """Run in a place of its own and leave."""
    place = Path(tempfile.mkdtemp(prefix="tutorial-"))
    os.environ |= {"STROKE_MODELS": str(place / "models"), "STROKE_CACHE": str(place / "cache")}
    code = 1
    try:
        Tutorial(place).run()
        code = 0
    except Exception:
        traceback.print_exc(file=sys.stdout)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    slicer.util.exit(code)


if __name__ == "__main__":
    main()
