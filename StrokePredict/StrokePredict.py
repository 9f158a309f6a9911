"""The Slicer module StrokePredict: perfusion maps, tissue thresholds and infarct prediction."""

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class StrokePredict(ScriptedLoadableModule):
    """The module's metadata."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Stroke Predict")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Neuroimaging")]
        self.parent.dependencies = []
        self.parent.contributors = ["The SlicerStrokeInfarct contributors"]
        self.parent.helpText = _(
            "Perfusion maps, tissue thresholds (infarct core, hypoperfusion, mismatch) and prediction of the final "
            "infarct from the first MRI or CT of a patient with acute ischaemic stroke. NOT FOR CLINICAL USE."
            "<p>Keys while the panel is in view: 1 overview, 2 core, 3 mismatch, 4 prediction, 5 reperfusion, "
            "6 readers, 0 images alone; O filled or outlines, D surfaces in 3D, L stroke layout.</p>"
        )
        self.parent.acknowledgementText = _(
            "Built on 3D Slicer, SimpleITK, PyTorch and MONAI; the simulated patient uses the MNI152 tissue maps that "
            "nilearn packages."
        )
        slicer.app.connect("startupCompleted()", onStartupCompleted)


def onStartupCompleted():
    """Register what needs the whole application: terminology, watermark, and simulated patients in Sample Data."""
    from StrokePredictLib.segments import TERMINOLOGY_FILE

    slicer.modules.terminologies.logic().LoadTerminologyFromFile(str(TERMINOLOGY_FILE))
    startWatermark()
    if not hasattr(slicer.modules, "sampledata"):
        return
    from pathlib import Path

    import SampleData

    from StrokePredictSlicer.samples import SAMPLES

    icons = Path(__file__).parent / "Resources" / "Icons"
    for name, (modality, seed) in SAMPLES.items():
        SampleData.SampleDataLogic.registerCustomSampleDataSource(
            category="Stroke (simulated)",
            sampleName=name,
            uris="",  # nothing is downloaded, but Slicer measures this text
            thumbnailFileName=str(icons / f"Simulated{modality}.png"),
            customDownloader=lambda source, modality=modality, seed=seed: openSample(modality, seed),
        )


def startWatermark():
    """Say in the views, from now on, what is simulated; also where a scene is opened and the panel is not."""
    from StrokePredictSlicer import watermark

    watermark.start()


def stopWatermark():
    """Take it away."""
    from StrokePredictSlicer import watermark

    watermark.stop()


def openSample(modality, seed):
    """Make a simulated patient on this computer, or take it from the cache, and open it in the panel."""
    slicer.util.selectModule("StrokePredict")
    panel = slicer.util.getModuleWidget("StrokePredict").panel
    panel.show_top()
    panel.open_simulated(modality, seed)


@parameterNodeWrapper
class PanelState:
    """What the panel shows, kept with the scene."""

    activePatient: slicer.vtkMRMLScriptedModuleNode


class StrokePredictWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The module's panel, as Slicer knows it; what it does is in `StrokePredictSlicer.panel`."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None

    def setup(self):
        """Build the panel and watch the scene."""
        ScriptedLoadableModuleWidget.setup(self)
        from StrokePredictSlicer.panel import Panel

        startWatermark()
        self.logic = StrokePredictLogic()
        self.panel = Panel(self.logic.state())
        self.layout.addWidget(self.panel.widget)
        self.layout.addStretch(1)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneChanged)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneChanged)

    def enter(self):
        """Come into view."""
        if self.panel.state is None:
            self.onSceneChanged()
        self.panel.enter()

    def exit(self):
        """Go out of view."""
        self.panel.exit()

    def onSceneStartClose(self, caller=None, event=None):
        """Let the scene go before it is emptied."""
        self.panel.scene_closing()

    def onSceneChanged(self, caller=None, event=None):
        """Show what the scene holds now."""
        if slicer.mrmlScene.IsClosing():
            return
        self.panel.state = self.logic.state()
        self.panel.sections["review"].enter()
        self.panel.refresh()

    def onReload(self):
        """Forget the extension's packages first, or a reload would bring the module file alone."""
        import sys

        stopWatermark()
        for name in [n for n in sys.modules if n.split(".")[0] in ("StrokePredictLib", "StrokePredictSlicer")]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def cleanup(self):
        """End the worker."""
        self.removeObservers()
        if self.panel is not None:
            self.panel.close()
            self.panel = None


class StrokePredictLogic(ScriptedLoadableModuleLogic):
    """What the panel does, without the panel; see `StrokePredictSlicer.batch` for scripts."""

    def state(self):
        """Return the panel's state in the present scene."""
        return PanelState(self.getParameterNode())

    def version(self):
        """Return the library's version."""
        from StrokePredictLib import __version__

        return __version__


class StrokePredictTest(ScriptedLoadableModuleTest):
    """The module's self-test, run inside Slicer."""

    def setUp(self):
        """Begin with an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self):
        """Run all tests."""
        self.setUp()
        self.test_panel_shows_the_version()

    def test_panel_shows_the_version(self):
        """The panel loads and shows the version of the library that it found."""
        widget = slicer.util.getModuleWidget("StrokePredict")
        assert StrokePredictLogic().version() in widget.panel.ui.versionLabel.text
