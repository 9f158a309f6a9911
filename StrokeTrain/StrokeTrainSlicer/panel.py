"""The panel: its sections, the cohort and the run that are chosen, and the one thing under way."""

from __future__ import annotations

import contextlib
import json
from typing import Any, ClassVar

import qt

from StrokePredictSlicer.working_panel import WorkingPanel

from .sections.base import UI_FOLDER
from .sections.cohort_section import CohortSection
from .sections.evaluate_section import EvaluateSection
from .sections.experiment_section import ExperimentSection
from .sections.publish_section import PublishSection
from .sections.run_section import RunSection

_REMEMBERED_RUNS = 12
SIMULATED = "Simulated patients: no person was imaged. Nothing here says how a model does on real ones."


class Panel(WorkingPanel):
    """The widgets of StrokeTrain and what connects them; training has processes of its own.

    Parameters
    ----------
    state : PanelState
        Cohort, recipe, settings and run, kept with the scene.
    client : WorkerClient, optional
        Does the work but training (`StrokeTrainLib.training.control`); one behind a QProcess if left out.
    """

    NAME, FOLDER = "StrokeTrain", UI_FOLDER
    SECTIONS: ClassVar[dict[str, type]] = {
        "cohort": CohortSection,
        "experiment": ExperimentSection,
        "run": RunSection,
        "evaluate": EvaluateSection,
        "publish": PublishSection,
    }

    def __init__(self, state: Any, client: Any = None) -> None:
        self.simulated = False
        self._entered = False
        super().__init__(state, client)
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
        self.show_busy()

    @property
    def run(self) -> str:
        """The run's folder; empty where none is chosen."""
        return self.state.run if self.state is not None else ""

    def set_run(self, folder: str) -> None:
        """Choose a run: its progress, its evaluation, its model."""
        self.keep(run=str(folder))
        runs = [str(folder), *(run for run in self.runs() if run != str(folder))] if folder else self.runs()
        self.remember("Runs", json.dumps(runs[:_REMEMBERED_RUNS]))
        qt.QSettings().sync()  # a Slicer that is killed has written nothing since
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

    def refresh(self) -> None:
        """Show everything anew."""
        self.set_simulated(self.simulated)
        for section in self.sections.values():
            section.update()
        self.show_busy()

    def show_busy(self) -> None:
        """Offer what can be done now."""
        super().show_busy()
        self.ui.cancelButton.setVisible(self.busy)

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
