"""The Slicer module StrokePredict: perfusion maps, tissue thresholds and infarct prediction."""

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)


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
        )
        self.parent.acknowledgementText = _(
            "Built on 3D Slicer, SimpleITK, PyTorch and MONAI; the simulated patient uses the MNI152 tissue maps that "
            "nilearn packages."
        )


class StrokePredictWidget(ScriptedLoadableModuleWidget):
    """The module's panel; in this version it only says where the work is done."""

    def setup(self):
        """Build the panel from its .ui file."""
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/StrokePredict.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        self.logic = StrokePredictLogic()
        self.ui.versionLabel.setText(_("Version {version}").format(version=self.logic.version()))


class StrokePredictLogic(ScriptedLoadableModuleLogic):
    """What the panel does, without the panel."""

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
        assert StrokePredictLogic().version() in widget.ui.versionLabel.text
