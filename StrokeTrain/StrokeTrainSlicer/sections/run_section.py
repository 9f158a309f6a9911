"""The section Run: where a training run is, by its files; paused, stopped and gone on with from here."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import ctk
import qt
import slicer
from slicer.i18n import tr as _

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.json_files import read_json_object
from StrokePredictSlicer.sections.base import data_of, fill
from StrokeTrainLib.training import control
from StrokeTrainLib.training.run_folder import RunFolder

from ..curves import LOSS, SCORE, VALIDATION, draw_training, put_chart
from ..follow import Followed
from ..in_predict import show_glimpse
from .base import Section
from .recipe_words import in_words

#: ms between two looks at a run's files.
_LOOK_MS = 500
#: s after which a run that was asked to stop is ended.
_PATIENCE_S = 4.5
_STEPS = 1000
_WORDS = {
    "none": _("No run lies here yet."), "starting": _("starting"), "preparing": _("preparing the patients"),
    "training": _("training"), "predicting": _("predicting the test patients"), "paused": _("paused"),
    "done": _("done"), "stopped": _("stopped; Resume goes on from the last whole epoch"), "failed": _("failed"),
    "lost": _("ended without a word (killed, or the computer was switched off); Resume goes on from the last epoch"),
}  # fmt: skip


class RunSection(Section):
    """Follows one run; the process needs nobody to look at it."""

    UI = "StrokeTrainRun"

    def setup(self) -> None:
        """Connect the widgets."""
        ui = self.ui
        self.followed: Followed | None = None
        self._stopped_at = 0.0
        self._told = 0
        self._charted = False
        self._glimpsed, self._glimpse_failed = (0, 0), False
        ui.glimpseLabel.setVisible(False)
        self._timer = qt.QTimer()
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)
        ui.followEdit.filters = ctk.ctkPathLineEdit.Dirs
        ui.runBox.currentIndexChanged.connect(lambda *_: self.panel.set_run(data_of(ui.runBox) or ""))
        ui.followEdit.currentPathChanged.connect(self.on_follow)
        if not control.CAN_PAUSE:
            ui.pauseButton.setToolTip(_("Windows cannot freeze a process: press Stop, and later Resume."))
            ui.pauseLabel.setText(_("Pausing is not possible on Windows: press Stop, and later Resume."))
        ui.pauseLabel.setVisible(not control.CAN_PAUSE)
        ui.stopButton.clicked.connect(lambda *_: self.stop())
        ui.pauseButton.clicked.connect(self.on_pause)
        ui.resumeButton.clicked.connect(lambda *_: self.resume())
        ui.foldBox.currentIndexChanged.connect(lambda *_: self._draw())
        ui.plotButton.clicked.connect(self.on_plot)
        ui.copyCommandButton.clicked.connect(lambda *_: slicer.app.clipboard().setText(ui.commandEdit.text))

    def follow(self) -> None:
        """Look at the run from now on."""
        self.look()
        self._timer.start()

    def unfollow(self) -> None:
        """Look no more."""
        self._timer.stop()

    def on_follow(self, path: str) -> None:
        """Follow a folder that was typed, once a run lies in it."""
        if path and path != self.panel.run and control.state_of(path).state != "none":
            self.panel.set_run(path)

    def update(self) -> None:
        """Show the run that is chosen."""
        run = self.panel.run
        fill(self.ui.runBox, [(_("choose a run"), ""), *((_short(r), r) for r in self.panel.runs())], run or "")
        if self.followed is None or str(self.followed.path) != run:
            self.followed = Followed(Path(run)) if run else None
            self._told, self._stopped_at, self._charted = 0, 0.0, False
            self.ui.logEdit.setPlainText("")
            fill(self.ui.foldBox, [])
            self._show_command()
            self.look(anew=True)

    def look(self, anew: bool = False) -> None:
        """Read what is new and show it."""
        followed = self.followed
        if followed is None:
            self._show_nothing()
            return
        before = followed.state
        new = followed.look() or anew
        state = followed.state
        if self._stopped_at and state.alive and time.monotonic() - self._stopped_at > _PATIENCE_S:
            control.stop(followed.path, now=True)
        if not state.alive:
            self._stopped_at = 0.0
        self._show_state()
        if new:
            self._show_log()
            self._show_folds()
            self._draw()
        if new and not anew:
            self.glimpse()
        if (before.state, before.alive) != (state.state, state.alive) and not anew:
            for name in ("evaluate", "publish"):
                self.panel.sections[name].update()

    def _show_nothing(self) -> None:
        self.ui.stateLabel.setText(_("No run is chosen."))
        self.ui.runBar.setVisible(False)
        self.ui.curveLabel.setVisible(False)
        self.ui.logEdit.setVisible(False)
        for button in (self.ui.stopButton, self.ui.pauseButton, self.ui.resumeButton, self.ui.plotButton):
            button.setEnabled(False)

    def _show_state(self) -> None:
        ui, followed = self.ui, self.followed
        state = followed.state
        ui.stateLabel.setText(_state_words(followed))
        ui.runBar.setVisible(state.state != "none")
        ui.runBar.setValue(round(followed.share * _STEPS))
        mine = state.alive and state.here
        stopping = bool(self._stopped_at)
        ui.stopButton.setEnabled(mine and not stopping)
        ui.pauseButton.setEnabled(mine and not stopping and control.CAN_PAUSE)
        ui.pauseButton.blockSignals(True)
        ui.pauseButton.setChecked(state.state == "paused")
        ui.pauseButton.blockSignals(False)
        ui.pauseButton.setText(_("Go on") if state.state == "paused" else _("Pause"))
        begun = RunFolder(followed.path).exists
        ui.resumeButton.setEnabled(begun and not state.alive and state.state != "done")

    def _show_log(self) -> None:
        lines = self.followed.log.lines
        if len(lines) < self._told:
            self.ui.logEdit.setPlainText("")
            self._told = 0
        for line in lines[self._told :]:
            self.ui.logEdit.appendPlainText(_log_words(line))
        self._told = len(lines)
        self.ui.logEdit.setVisible(bool(lines))
        self.ui.logEdit.setMaximumHeight(110)

    def _show_folds(self) -> None:
        numbers = sorted(self.followed.folds)
        if self.ui.foldBox.count != len(numbers):
            newest = numbers[-1] if numbers else None
            fill(self.ui.foldBox, [(str(number), number) for number in numbers], newest)
        self.ui.plotButton.setEnabled(bool(numbers))

    def _curves(self) -> tuple[Any, Any, Any]:
        fold = data_of(self.ui.foldBox) or 1
        return tuple(self.followed.curve(fold, key) for key in ("train_loss", "validation_loss", "score"))

    def _draw(self) -> None:
        if self.followed is None:
            return
        curves = self._curves()
        self.ui.curveLabel.setVisible(any(curves))
        if any(curves):
            epochs = int(self.followed.state.facts.get("epochs") or curves[0][-1][0])
            self.ui.curveLabel.setPixmap(draw_training(*curves, epochs))
            if self._charted:
                self.on_plot(show=False)

    def on_plot(self, *_args: Any, show: bool = True) -> None:
        """Show the curves in Slicer's plot view, and keep them up to date there."""
        train, validation, score = self._curves()
        series = {
            _("training loss"): (train, LOSS, True), _("validation loss"): (validation, VALIDATION, True),
            _("validation score"): (score, SCORE, True),
        }  # fmt: skip
        title = f"{self.followed.path.name}, {_('fold')} {data_of(self.ui.foldBox) or 1}"
        put_chart(_("Training curves"), title, (_("epoch"), _("loss, score")), series, show=show)
        self._charted = True

    def _show_command(self) -> None:
        words = ""
        if self.panel.run:
            try:
                job = read_json_object(Path(self.panel.run) / control.LAUNCH)["job"]
            except (StrokeError, KeyError, OSError):
                job = {"resume": True}
            if "experiment" not in job:
                words = control.command_line(self.panel.run, job)
        self.ui.commandEdit.setText(words)
        self.ui.commandEdit.setCursorPosition(0)

    def glimpse(self) -> None:
        """Predict and outline a validation patient with the weights of just now, where that is asked for."""
        followed = self.followed
        fold = max(followed.folds, default=0)
        epoch = len(followed.folds[fold].lines) if fold else 0
        if not self.ui.glimpseCheck.checked or self.panel.busy or not epoch or self._glimpsed == (fold, epoch):
            return
        if self._glimpse_failed:  # said once; it would fail after every epoch
            self._glimpse_failed = False
            self.ui.glimpseCheck.checked = False
            return
        self._glimpsed, self._glimpse_failed = (fold, epoch), True
        place = tempfile.mkdtemp(prefix="stroke-glimpse-")

        def seen(result: dict[str, Any]) -> None:
            self._glimpse_failed = False
            words = _("{patient} after epoch {epoch}: Dice {dice:.2f}")
            self.ui.glimpseLabel.setText(words.format(**result))
            self.ui.glimpseLabel.setVisible(True)
            show_glimpse(self.panel, result)
            shutil.rmtree(place, ignore_errors=True)

        parameters = {"run": self.panel.run, "fold": fold, "output": place}
        self.panel.ask(_("A validation patient"), "glimpse", parameters, seen)

    # Doing

    def stop(self) -> None:
        """Ask the run to stop; end it where it does not in time."""
        self._do(lambda: control.stop(self.followed.path))
        self._stopped_at = time.monotonic()
        self.look()

    def on_pause(self, *_args: Any) -> None:
        """Freeze the run, or let it go on."""
        self._do(lambda: control.pause(self.followed.path, self.followed.state.state != "paused"))
        self.look()

    def resume(self) -> None:
        """Go on with the run from its last whole epoch, if nothing that can be known before stands in the way."""
        run = self.followed.path

        def free(_found: dict[str, Any]) -> None:
            python = str(qt.QSettings().value("StrokePredict/WorkerPython") or "") or None
            self._do(lambda: control.launch(run, {"resume": True}, python))
            self.look()

        self.panel.ask_later(_("Whether the run can go on"), "resumable", {"run": str(run)}, free)

    def _do(self, action: Any) -> None:
        try:
            action()
        except StrokeError as error:
            self.panel.say_error(str(error))

    def close(self) -> None:
        """Let the scene's charts go."""
        self._charted = False


def _short(run: str) -> str:
    path = Path(run)
    return f"{path.name}  ({path.parent})"


def _state_words(followed: Followed) -> str:
    state = followed.state
    words = _WORDS.get(state.state, state.state)
    if state.state in ("stopped", "lost") and not RunFolder(followed.path).exists:
        words = _("ended before the first epoch; start it again")
    facts = state.facts
    if state.state in ("training", "paused") and facts.get("epoch"):
        words += ": " + _("fold {fold} of {folds}, epoch {epoch} of {epochs}").format(
            fold=facts.get("fold"), folds=facts.get("folds"), epoch=facts.get("epoch"), epochs=facts.get("epochs")
        )
        if facts.get("time_left_s"):
            words += ", " + _("{time} left at most").format(time=in_words(float(facts["time_left_s"])))
    if state.message:
        words += f": {state.message}"
    if state.alive and not state.here:
        words += "\n" + _("On the computer {host}: it is stopped there.").format(host=facts.get("host"))
    return f"{followed.path.name}: {words}"


def _log_words(line: dict[str, Any]) -> str:
    clock = str(line.get("time", ""))[11:19]
    rest = {key: value for key, value in line.items() if key not in ("time", "event", "notes")}
    told = {key: round(value, 4) if isinstance(value, float) else value for key, value in rest.items()}
    words = ", ".join(f"{key} {v}" for key, v in told.items() if v is not None and not isinstance(v, dict | list))
    return f"{clock}  {line.get('event', '')}  {words}".rstrip()
