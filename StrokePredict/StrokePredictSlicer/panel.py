"""The panel: its sections, the active patient, and the one thing under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import qt
import slicer
from slicer.i18n import tr as _

from StrokePredictLib.study import DEMONSTRATION, SIMULATED

from . import overlays
from .live_volumes import LiveVolumes
from .patient_node import PatientNode, patients, remove_patient
from .samples import discard, is_whole, seal, simulated_cohort
from .sections.base import data_of, fill
from .sections.environment_section import EnvironmentSection
from .sections.patient_section import PatientSection
from .sections.perfusion_section import PerfusionSection
from .sections.prediction_section import PredictionSection
from .sections.results_section import ResultsSection
from .sections.review_section import ReviewSection
from .sections.threshold_section import ThresholdSection
from .surfaces import Surfaces
from .working_panel import WorkingPanel

#: Keys while the panel is in view → presets. Slicer's slice views keep b, f, g, r, t and v for themselves.
KEYS = {
    "1": "overview", "2": "core", "3": "mismatch", "4": "prediction", "5": "reperfusion", "6": "readers",
    "0": "nothing",
}  # fmt: skip
_AFTER_LAYOUT_MS = 150
#: Pixels: names of models, volumes and intervals stand whole beside each other.
_WIDTH = 470


class Panel(WorkingPanel):
    """The widgets of StrokePredict and what connects them.

    Parameters
    ----------
    state : PanelState
        Which patient is active, kept with the scene.
    client : WorkerClient, optional
        Does the work; one behind a QProcess if left out.
    """

    NAME = "StrokePredict"
    SECTIONS: ClassVar[dict[str, type]] = {
        "patient": PatientSection,
        "perfusion": PerfusionSection,
        "threshold": ThresholdSection,
        "prediction": PredictionSection,
        "review": ReviewSection,
        "results": ResultsSection,
        "environment": EnvironmentSection,
    }

    def __init__(self, state: Any, client: Any = None) -> None:
        self._shortcuts: list[Any] = []
        self.surfaces = Surfaces()
        self.live = LiveVolumes(self._volumes_changed)
        # Views get their sizes when Qt comes to it; then the brain is fitted to them.
        self._fit = qt.QTimer()
        self._fit.setSingleShot(True)
        self._fit.setInterval(_AFTER_LAYOUT_MS)
        self._fit.timeout.connect(self._fitted)
        self._then: Callable[[], None] | None = None
        super().__init__(state, client)
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        ui = self.ui
        self.widget.setMinimumWidth(_WIDTH)
        ui.analyseButton.clicked.connect(lambda *_: self.analyse())
        ui.patientBox.currentIndexChanged.connect(self._on_patient)
        ui.removePatientButton.clicked.connect(self._on_remove)
        ui.fillCheck.toggled.connect(lambda on: self.patient and overlays.show_filled(self.patient, on))
        ui.surfaceCheck.toggled.connect(lambda on: self.surfaces.show(bool(on)))
        ui.surfaceCheck.setChecked(True)
        ui.layoutButton.clicked.connect(lambda *_: self.show_layout())
        for preset in overlays.PRESETS:
            button = getattr(ui, f"{preset}PresetButton")
            button.clicked.connect(lambda *_, preset=preset: self.show_preset(preset))

    # The active patient

    @property
    def patient(self) -> PatientNode | None:
        """The active patient; None where there is none."""
        node = self.state.activePatient if self.state is not None else None
        return PatientNode(node) if node is not None and node.GetScene() is not None else None

    def set_patient(self, patient: PatientNode | None) -> None:
        """Make a patient the active one."""
        self.state.activePatient = patient.node if patient is not None else None
        if patient is not None:
            overlays.only_shown(slicer.mrmlScene, patient, patients(slicer.mrmlScene))
            overlays.show_images(patient)
        self.refresh()

    def _on_patient(self, *_args: Any) -> None:
        node = slicer.mrmlScene.GetNodeByID(data_of(self.ui.patientBox) or "")
        self.set_patient(PatientNode(node) if node is not None else None)

    def _on_remove(self, *_args: Any) -> None:
        patient = self.patient
        question = _("Remove {name} and everything made for it from the scene?")
        if patient is not None and slicer.util.confirmOkCancelDisplay(question.format(name=patient.name)):
            self.state.activePatient = None
            remove_patient(patient)
            others = list(patients(slicer.mrmlScene))
            self.set_patient(others[0] if others else None)

    def refresh(self) -> None:
        """Show everything anew: another patient, another scene, or something was found."""
        everybody = list(patients(slicer.mrmlScene)) if self.state is not None else []
        patient = self.patient
        if patient is None and everybody:
            patient = everybody[0]
            self.state.activePatient = patient.node
        fill(
            self.ui.patientBox,
            [(p.name, p.node.GetID()) for p in everybody],
            patient.node.GetID() if patient is not None else None,
        )
        self._show_notices(patient)
        for section in self.sections.values():
            section.update()
        segmentation = patient.segmentation if patient is not None else None
        if segmentation is not None and segmentation.GetDisplayNode() is not None:
            overlays.show_filled(patient, bool(self.ui.fillCheck.checked))
        self.live.watch(segmentation)
        self.surfaces.watch(segmentation)
        self.show_busy()

    def _volumes_changed(self, volumes: dict[str, float], changed: set[str]) -> None:
        """Show the volumes of now; called shortly after a segment changed, by whatever hand."""
        if self.patient is not None:
            self.sections["review"].show_volumes(volumes, changed)
            self.sections["results"].show_volumes(volumes)
            overlays.show_table_of(self.patient)
            self.surfaces.refresh()

    def facts_changed(self) -> None:
        """Show the criteria for the facts of now."""
        self.sections["results"].update()

    def _show_notices(self, patient: PatientNode | None) -> None:
        prediction = (patient.study.get("prediction") if patient is not None else None) or {}
        lines = [SIMULATED] if patient is not None and patient.simulated else []
        made = [*prediction.get("models", []), *(prediction.get("classifications") or [])]
        if any(model.get("demonstration") for model in made):
            lines.append(DEMONSTRATION)
        self.ui.demonstrationLabel.setText("\n".join(lines))
        self.ui.demonstrationLabel.setVisible(bool(lines))
        self.ui.demonstrationCheck.setVisible(patient is not None and not patient.simulated)
        self.ui.showGroup.setEnabled(patient is not None and patient.segmentation is not None)

    # Settings of this computer

    @property
    def device(self) -> str:
        """Where networks run."""
        return self.remembered("Device") or "auto"

    def set_device(self, name: str) -> None:
        """Keep where networks run."""
        self.remember("Device", name)

    @property
    def demonstration(self) -> bool:
        """Whether models trained on simulated patients may run on a real one."""
        return bool(self.ui.demonstrationCheck.checked)

    # Work

    def analyse(self, **perfusion: str) -> None:
        """Do maps, thresholds, predictions, layout: the one click.

        Parameters
        ----------
        **perfusion : str
            ``aif``, ``vof`` or ``method``, as `Analysis.analyse` takes them, empty: the usual; kept once maps are made
            with them.
        """
        patient = self.patient
        if patient is None:
            return
        chosen = {key: perfusion.get(key, patient.text(key)) for key in ("aif", "vof", "method")}

        def done(_patient: PatientNode) -> None:
            for key, word in chosen.items():
                patient.set_text(key, word)
            self._analysed(patient)

        self.work(
            _("Analyse"),
            lambda told: self.analysis.analyse(
                patient, told, demonstration=self.demonstration, device=self.device, **chosen
            ),
            done=done,
        )

    def threshold(self) -> None:
        """Apply the tissue rules again, with the limits chosen."""
        patient = self.patient
        before = set(patient.images())
        self.work(
            _("Thresholds"),
            lambda told: self.analysis.again(patient, told),
            # Slices stay where the reader put them, unless there is more to be shown than before.
            done=lambda _p: self.refresh() if set(patient.images()) == before else self._analysed(patient),
        )

    def accept_perfusion(self) -> None:
        """Measure and predict anew on maps that a reader has just accepted by name."""
        models = self.sections["prediction"]
        models.update()
        self.predict(models.chosen())

    def predict(self, models: list[str]) -> None:
        """Run models on the maps that are there."""
        patient = self.patient
        self.work(
            _("Predict"),
            lambda told: self.analysis.again(
                patient, told, models=models, demonstration=self.demonstration, device=self.device
            ),
            done=self._analysed,
        )

    def open_folder(self, folder: str, which: str | None) -> None:
        """Read a patient's images from a folder, after what is under way."""
        begin = lambda told: self.analysis.open(folder, which, told)  # noqa: E731
        self.later(lambda: self.work(_("Open"), begin, done=self._opened))

    def open_simulated(self, modality: str = "MR", seed: int = 0) -> None:
        """Make a simulated patient, once a computer, and open it, after what is under way."""
        self.later(lambda: self._open_simulated(modality, seed))

    def _open_simulated(self, modality: str, seed: int) -> None:
        folder = simulated_cohort(modality, seed)
        if is_whole(folder):
            self.open_folder(str(folder), None)
            return
        discard(folder)
        parameters = {"output": str(folder), "cases": 1, "seed": seed, "modality": modality}

        def made(_result: dict[str, Any]) -> None:
            seal(folder)
            self.open_folder(str(folder), None)

        self.ask(_("Simulated patient"), "phantom", parameters, made)

    def look_at_environment(self) -> None:
        """Ask the worker what this computer has."""
        self.ask(_("Environment"), "environment", {}, self._environment)

    def _environment(self, found: dict[str, Any]) -> None:
        self.sections["environment"].show(found)
        self.sections["prediction"].show_models(found["models"])

    def _opened(self, patient: PatientNode) -> None:
        self.set_patient(patient)
        self.show_layout()

    def _analysed(self, patient: PatientNode) -> None:
        self.set_patient(patient)
        self.show_layout()
        self.show_preset("overview")
        self.ui.resultsSection.collapsed = False

    def show_layout(self, then: Callable[[], None] | None = None) -> None:
        """Show the layout made for stroke, and the active patient in it; do something once the views stand."""
        self._then = then
        overlays.show_layout(self.patient)
        self._fit.start()

    def _fitted(self) -> None:
        """Place the images anew: Slicer resets views that it has just made."""
        then, self._then = self._then, None
        if self.patient is not None:
            overlays.show_images(self.patient)
            if then is not None:
                then()

    def show_preset(self, preset: str) -> None:
        """Show the segments of a preset."""
        if self.patient is not None:
            overlays.show_preset(self.patient, preset)
            overlays.show_filled(self.patient, bool(self.ui.fillCheck.checked))
            self.surfaces.refresh()

    def show_busy(self) -> None:
        """Offer what can be done now."""
        super().show_busy()
        ready = self.patient is not None and not self.busy
        self.ui.analyseButton.setEnabled(ready)
        self.ui.patientBox.setEnabled(not self.busy)
        self.ui.removePatientButton.setEnabled(ready)

    # Life

    def enter(self) -> None:
        """Come into view: keys on, models looked up once."""
        self.sections["review"].enter()
        window = slicer.util.mainWindow()
        if window is not None and not self._shortcuts:
            for key, call in self.keys().items():
                self._add_shortcut(window, key, call)
        if not self.busy and not self.sections["prediction"]._models:
            self.look_at_environment()

    def keys(self) -> dict[str, Callable[[], None]]:
        """Return what each key does while the panel is in view."""
        calls = {key: lambda preset=preset: self.show_preset(preset) for key, preset in KEYS.items()}
        return calls | {
            "o": lambda: self.ui.fillCheck.toggle(),
            "d": lambda: self.ui.surfaceCheck.toggle(),
            "l": self.show_layout,
        }

    def _add_shortcut(self, window: Any, key: str, call: Callable[[], None]) -> None:
        shortcut = qt.QShortcut(window)
        shortcut.setKey(qt.QKeySequence(key))
        shortcut.activated.connect(call)
        self._shortcuts.append(shortcut)

    def exit(self) -> None:
        """Go out of view."""
        self.sections["review"].leave()
        for shortcut in self._shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts = []

    def scene_closing(self) -> None:
        """Let everything of the scene go before it is emptied; work for it is cancelled."""
        self.cancel()
        for section in self.sections.values():
            section.close()  # with the patient still there: what was drawn last is kept
        self.live.close()
        self.surfaces.close()
        self.say("")
        self.state = None
        self.refresh()

    def close(self) -> None:
        """End the worker and let everything go."""
        super().close()
        self.live.close()
        self.surfaces.close()
