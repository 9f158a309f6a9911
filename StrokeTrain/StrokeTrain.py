"""The Slicer module StrokeTrain: collect corrected cases, train and evaluate the networks of StrokePredict."""

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


class StrokeTrain(ScriptedLoadableModule):
    """The module's metadata."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Stroke Train")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Neuroimaging")]
        self.parent.dependencies = ["StrokePredict"]
        self.parent.contributors = ["The SlicerStrokeInfarct contributors"]
        self.parent.helpText = _(
            "Collects corrected cases, trains, fine-tunes and evaluates the networks that predict the final infarct, "
            "and hands the trained model to Stroke Predict. NOT FOR CLINICAL USE."
        )
        self.parent.acknowledgementText = _("Built on 3D Slicer, PyTorch, MONAI and pytorch-ignite.")


@parameterNodeWrapper
class PanelState:
    """What the panel shows, kept with the scene."""

    cohort: str = ""
    run: str = ""
    recipe: str = ""
    settings: str = ""


class StrokeTrainWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The module's panel, as Slicer knows it; what it does is in `StrokeTrainSlicer.panel`."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None

    def setup(self):
        """Build the panel and watch the scene."""
        ScriptedLoadableModuleWidget.setup(self)
        from StrokeTrainSlicer.panel import Panel

        self.logic = StrokeTrainLogic()
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
        """Let the scene go before it is emptied; what is chosen here stays."""
        self.panel.scene_closing()

    def onSceneChanged(self, caller=None, event=None):
        """Keep what is chosen in the new scene, or take up what an opened one says."""
        if slicer.mrmlScene.IsClosing():
            return
        self.panel.scene_changed(self.logic.state())

    def onReload(self):
        """Forget the extension's packages first, or a reload would bring the module file alone."""
        import sys

        for name in [n for n in sys.modules if n.split(".")[0] in ("StrokeTrainLib", "StrokeTrainSlicer")]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def cleanup(self):
        """End the worker; training runs go on."""
        self.removeObservers()
        if self.panel is not None:
            self.panel.close()
            self.panel = None


class StrokeTrainLogic(ScriptedLoadableModuleLogic):
    """What the panel does, without the panel."""

    def state(self):
        """Return the panel's state in the present scene."""
        return PanelState(self.getParameterNode())

    def version(self):
        """Return the library's version."""
        from StrokePredictLib import __version__

        return __version__


class StrokeTrainTest(ScriptedLoadableModuleTest):
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
        widget = slicer.util.getModuleWidget("StrokeTrain")
        assert StrokeTrainLogic().version() in widget.panel.ui.versionLabel.text
