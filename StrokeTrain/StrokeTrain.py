"""The Slicer module StrokeTrain: collect corrected cases, train and evaluate the networks of StrokePredict."""

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)


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


class StrokeTrainWidget(ScriptedLoadableModuleWidget):
    """The module's panel; in this version it only says where the work is done."""

    def setup(self):
        """Build the panel from its .ui file."""
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/StrokeTrain.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        self.logic = StrokeTrainLogic()
        self.ui.versionLabel.setText(_("Version {version}").format(version=self.logic.version()))


class StrokeTrainLogic(ScriptedLoadableModuleLogic):
    """What the panel does, without the panel."""

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
        assert StrokeTrainLogic().version() in widget.ui.versionLabel.text
