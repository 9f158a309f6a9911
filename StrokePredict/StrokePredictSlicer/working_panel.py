"""What every panel has: sections, one thing under way at a time, and settings of this computer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

import qt
import slicer
from slicer.i18n import tr as _

from StrokePredictLib import __version__
from StrokePredictLib.errors import StrokeError

from .analysis import Analysis, Told
from .sections.base import UI_FOLDER, load_ui
from .worker_qt import make_client

_STEPS = 1000


class WorkingPanel:
    """The widgets of a module, its sections, and the one thing that its worker does.

    Parameters
    ----------
    state : object
        What is chosen, kept with the scene (a parameter node wrapper).
    client : WorkerClient, optional
        Does the work; one behind a QProcess if left out.

    Attributes
    ----------
    widget : QWidget
        To be put into the module's layout.
    ui : object
        Its children by name.
    sections : dict of str to Section
        By name.
    analysis : Analysis
        Gives work to the worker.
    """

    #: Name of the module, of its .ui file and of its settings; where the .ui file lies; its sections in order.
    NAME, FOLDER = "", UI_FOLDER
    SECTIONS: ClassVar[dict[str, type]] = {}

    def __init__(self, state: Any, client: Any = None) -> None:
        self.state = state
        self.log: list[str] = []
        self.analysis = Analysis(client or make_client(self.log.append), slicer.mrmlScene)
        self.widget, self.ui = load_ui(self.NAME, self.FOLDER)
        self.widget.setMRMLScene(slicer.mrmlScene)
        self._working = ""
        self._began = 0.0
        self._waiting: list[Callable[[], None]] = []
        self.ui.versionLabel.setText(_("Version {version}").format(version=__version__))
        self.ui.cancelButton.clicked.connect(lambda *_: self.cancel())
        self.sections = {section: make(self) for section, make in self.SECTIONS.items()}
        for section, made in self.sections.items():
            getattr(self.ui, f"{section}Section").layout().addWidget(made.widget)

    # Settings of this computer

    def remember(self, key: str, value: str) -> None:
        """Keep a setting of this computer."""
        qt.QSettings().setValue(f"{self.NAME}/{key}", value)

    def remembered(self, key: str) -> str:
        """Return a setting, empty where there is none."""
        return str(qt.QSettings().value(f"{self.NAME}/{key}") or "")

    # Work

    @property
    def busy(self) -> bool:
        """Whether something is under way in the worker."""
        return bool(self._working)

    @property
    def settled(self) -> bool:
        """Whether nothing is under way and nothing waits."""
        return not self._working and not self._waiting

    def ask(self, title: str, job: str, parameters: dict[str, Any], done: Callable[[Any], None]) -> None:
        """Give a job to the worker; ``done`` gets its result."""
        self.work(title, lambda told: self.analysis.run(job, parameters, told), done)

    def ask_later(self, title: str, job: str, parameters: dict[str, Any], done: Callable[[Any], None]) -> None:
        """Give a job to the worker, after what is under way."""
        self.later(lambda: self.ask(title, job, parameters, done))

    def later(self, call: Callable[[], None]) -> None:
        """Call after what is under way; at once where nothing is."""
        if self.busy:
            self._waiting.append(call)
        else:
            call()

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
        self.show_busy()

        def finished(result: Any) -> None:
            seconds = time.monotonic() - self._began
            self._end(_("{title}: done in {seconds:.1f} s.").format(title=title, seconds=seconds))
            try:
                done(result)
            finally:
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
        except Exception:
            self._end(_("{title}: a fault of the software; see the Python console.").format(title=title))
            raise

    def _next(self) -> None:
        while self._waiting and not self.busy:
            self._waiting.pop(0)()

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
        self.show_busy()

    def show_busy(self) -> None:
        """Offer what can be done now."""
        self.ui.cancelButton.setEnabled(self.busy)
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

    def show_top(self) -> None:
        """Bring buttons and progress into view: Slicer leaves its panel where another module was scrolled to."""
        widget = self.widget
        while widget is not None and not widget.inherits("QScrollArea"):
            widget = widget.parentWidget()
        if widget is not None:
            widget.verticalScrollBar().setValue(0)

    # Life

    def enter(self) -> None:
        """Come into view."""

    def exit(self) -> None:
        """Go out of view."""

    def close(self) -> None:
        """End the worker and let everything go."""
        self.exit()
        self.cancel()
        for section in self.sections.values():
            section.close()
        self.analysis.close()
