"""The panel: its sections, the cohort and the run that are chosen, and the one thing under way."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from StrokePredictLib import __version__
from StrokePredictLib.errors import StrokeError
from StrokePredictSlicer.analysis import Analysis, Told
from StrokePredictSlicer.worker_qt import make_client

from .sections.base import load_ui
from .sections.cohort_section import CohortSection
from .sections.evaluate_section import EvaluateSection
from .sections.experiment_section import ExperimentSection
from .sections.publish_section import PublishSection
from .sections.run_section import RunSection

_SECTIONS = {
    "cohort": CohortSection,
    "experiment": ExperimentSection,
    "run": RunSection,
    "evaluate": EvaluateSection,
    "publish": PublishSection,
}
_STEPS = 1000
_REMEMBERED_RUNS = 12
SIMULATED = "Simulated patients: no person was imaged. Nothing here says how a model does on real ones."


class Panel:
    """The widgets of StrokeTrain and what connects them.

    Parameters
    ----------
    state : PanelState
        Cohort, recipe, settings and run, kept with the scene.
    client : WorkerClient, optional
        Does the work; one behind a QProcess if left out.

    Attributes
    ----------
    widget : QWidget
        To be put into the module's layout.
    sections : dict of str to Section
        By name.
    analysis : Analysis
        Gives work to the worker. Training has processes of its own (`StrokeTrainLib.training.control`).
    """

    def __init__(self, state: Any, client: Any = None) -> None:
        self.state = state
        self.log: list[str] = []
        self.analysis = Analysis(client or make_client(self.log.append), slicer.mrmlScene)
        self.widget, self.ui = load_ui("StrokeTrain")
        self.widget.setMRMLScene(slicer.mrmlScene)
        self._working = ""
        self._began = 0.0
        self._waiting: list[tuple[str, Callable[[Told], None], Callable[[Any], None]]] = []
        self.simulated = False
        self._entered = False
        self.sections = {name: make(self) for name, make in _SECTIONS.items()}
        for name, section in self.sections.items():
            getattr(self.ui, f"{name}Section").layout().addWidget(section.widget)
        self.ui.versionLabel.setText(_("Version {version}").format(version=__version__))
        self.ui.cancelButton.clicked.connect(lambda *_: self.cancel())
        self.refresh()

    # What is chosen

    @property
    def cohort(self) -> str:
        """The cohort's folder; empty where none is chosen."""
        return self.state.cohort if self.state is not None else ""

    def set_cohort(self, folder: str) -> None:
        """Choose a cohort and list it."""
        self.keep(cohort=str(folder))
        self.sections["experiment"].forget_cohort()
        self.sections["cohort"].show_folder()
        self._show_busy()

    @property
    def run(self) -> str:
        """The run's folder; empty where none is chosen."""
        return self.state.run if self.state is not None else ""

    def set_run(self, folder: str) -> None:
        """Choose a run: its progress, its evaluation, its model."""
        self.keep(run=str(folder))
        runs = [str(folder), *(run for run in self.runs() if run != str(folder))] if folder else self.runs()
        self.remember("Runs", json.dumps(runs[:_REMEMBERED_RUNS]))
        for name in ("run", "evaluate", "publish"):
            self.sections[name].update()

    def runs(self) -> list[str]:
        """Return the runs that were started or followed on this computer, the newest first."""
        with contextlib.suppress(ValueError):
            found = json.loads(self.remembered("Runs") or "[]")
            return [str(run) for run in found] if isinstance(found, list) else []
        return []

    def keep(self, **values: str) -> None:
        """Keep choices with the scene."""
        for name, value in values.items():
            if self.state is not None and getattr(self.state, name) != value:
                setattr(self.state, name, value)

    def set_simulated(self, simulated: bool) -> None:
        """Say, or stop saying, that nobody was imaged."""
        self.simulated = simulated
        self.ui.simulatedLabel.setText(SIMULATED if simulated else "")
        self.ui.simulatedLabel.setVisible(simulated)

    def remember(self, key: str, value: str) -> None:
        """Keep a setting of this computer."""
        qt.QSettings().setValue(f"StrokeTrain/{key}", value)

    def remembered(self, key: str) -> str:
        """Return a setting, empty where there is none."""
        return str(qt.QSettings().value(f"StrokeTrain/{key}") or "")

    def refresh(self) -> None:
        """Show everything anew."""
        self.set_simulated(self.simulated)
        for section in self.sections.values():
            section.update()
        self._show_busy()

    # Work

    @property
    def busy(self) -> bool:
        """Whether something is under way in the worker; training is not the worker's."""
        return bool(self._working)

    def ask(self, title: str, job: str, parameters: dict[str, Any], done: Callable[[Any], None]) -> None:
        """Give a job to the worker; ``done`` gets its result."""
        self.work(title, lambda told: self.analysis.run(job, parameters, told), done)

    def ask_later(self, title: str, job: str, parameters: dict[str, Any], done: Callable[[Any], None]) -> None:
        """Give a job to the worker, after what is under way."""
        begin = lambda told: self.analysis.run(job, parameters, told)  # noqa: E731
        if self.busy:
            self._waiting.append((title, begin, done))
        else:
            self.work(title, begin, done)

    def work(self, title: str, begin: Callable[[Told], None], done: Callable[[Any], None]) -> None:
        """Do one thing: progress shown, Cancel alive, the panel usable again whatever becomes of it.

        Parameters
        ----------
        title : str
            What it is called.
        begin : callable
            Called with whom to tell.
        done : callable
            Called with what was made.
        """
        if self.busy:
            self.say_error(_("{title} is under way; wait for it or cancel it.").format(title=self._working))
            return
        self._working, self._began = title, time.monotonic()
        self._show_busy()

        def finished(result: Any) -> None:
            seconds = time.monotonic() - self._began
            self._end(_("{title}: done in {seconds:.1f} s.").format(title=title, seconds=seconds))
            done(result)
            self._next()

        def failed(words: str) -> None:
            self._end(f"{title}: {words}")
            if "cancelled" not in words:
                self.say_error(words)
            self._next()

        try:
            begin(Told(self._progress, finished, failed))
        except StrokeError as error:
            failed(str(error))

    def _next(self) -> None:
        if self._waiting and not self.busy:
            self.work(*self._waiting.pop(0))

    def cancel(self) -> None:
        """End what is under way, and forget what waits."""
        self._waiting = []
        if self.busy:
            self.analysis.cancel()

    def _progress(self, share: float, words: str) -> None:
        self.ui.progressBar.setValue(round(share * _STEPS))
        self.ui.stageLabel.setText(f"{self._working}: {words}")

    def _end(self, words: str) -> None:
        self._working = ""
        self.ui.progressBar.setValue(0)
        self.ui.stageLabel.setText(words)
        self._show_busy()

    def _show_busy(self) -> None:
        self.ui.cancelButton.setEnabled(self.busy)
        self.ui.cancelButton.setVisible(self.busy)
        self.ui.progressBar.setVisible(self.busy)
        for section in self.sections.values():
            section.set_busy(self.busy)

    def say(self, words: str) -> None:
        """Show a line."""
        self.ui.stageLabel.setText(words)

    def say_error(self, words: str) -> None:
        """Show what went wrong, in one line and a message box."""
        self.ui.stageLabel.setText(words)
        slicer.util.errorDisplay(words)

    # Life

    def enter(self) -> None:
        """Come into view: follow the run; take up what was chosen last."""
        if not self._entered:
            self._entered = True
            if not self.run and self.runs():
                self.set_run(self.runs()[0])
            if not self.cohort and self.remembered("Cohort"):
                self.sections["cohort"].choose(self.remembered("Cohort"))
        self.sections["run"].follow()

    def exit(self) -> None:
        """Go out of view: nothing is looked at meanwhile, runs go on."""
        self.sections["run"].unfollow()

    def scene_closing(self) -> None:
        """Let the scene go; what is chosen here stays, it lies in folders."""
        self._carried = (
            {name: getattr(self.state, name) for name in ("cohort", "run", "recipe", "settings")}
            if (self.state is not None)
            else {}
        )
        self.state = None
        for section in self.sections.values():
            section.close()

    def scene_changed(self, state: Any) -> None:
        """Take up what an opened scene says; carry on with what was chosen where it says nothing."""
        self.state = state
        carried = getattr(self, "_carried", {})
        self.keep(**{name: value for name, value in carried.items() if not getattr(state, name)})
        self._carried = {}
        if self.cohort and self.cohort != self.sections["cohort"].shown:
            self.sections["cohort"].choose(self.cohort)
        self.refresh()

    def close(self) -> None:
        """End the worker and let everything go; training runs go on."""
        self.exit()
        self.cancel()
        for section in self.sections.values():
            section.close()
        self.analysis.close()
