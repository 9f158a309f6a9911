"""The module ``qt``: all of PySide6 in one name space, with PythonQt's manners."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

from .properties import install_properties

#: Classes that .ui files name, registered with each loader: filled by `ctk_module` and `qmrml_module`.
CUSTOM_WIDGETS: list[type] = []


def make_application() -> QtWidgets.QApplication:
    """Return the one QApplication; settings go to a folder that goes with the process."""
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["Slicer double"])
    application.setOrganizationName("slicer-double")
    application.setApplicationName("slicer-double")
    folder = tempfile.mkdtemp(prefix="slicer-double-")
    QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
    QtCore.QSettings.setPath(QtCore.QSettings.Format.IniFormat, QtCore.QSettings.Scope.UserScope, folder)
    _require_letters(application)
    return application


def _require_letters(application: QtWidgets.QApplication) -> None:
    """Give the offscreen platform a font: it knows none by itself, and would draw boxes for letters."""
    if QtGui.QFontDatabase.families():
        return
    import matplotlib

    for file in sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("DejaVuSans*.ttf")):
        QtGui.QFontDatabase.addApplicationFont(str(file))
    application.setFont(QtGui.QFont("DejaVu Sans", 9))


class QUiLoader(QtUiTools.QUiLoader):
    """Loads .ui files that hold ctk and qMRML widgets."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        for each in CUSTOM_WIDGETS:
            self.registerCustomWidget(each)
        self._kept: list[Any] = []

    def load(self, file: Any, parent: Any = None) -> Any:
        """Return the widget that a file describes."""
        root = super().load(file, parent)
        # Python's halves of the custom widgets would be collected, and their methods be lost.
        root.wrappersKept = [root, *root.findChildren(QtWidgets.QWidget)]
        return root


def make_module() -> ModuleType:
    """Return the module ``qt``."""
    install_properties(QtCore, QtGui, QtWidgets, QtUiTools)
    qt = ModuleType("qt", __doc__)
    for module in (QtCore, QtGui, QtWidgets, QtUiTools):
        for name in dir(module):
            if not name.startswith("_"):
                setattr(qt, name, getattr(module, name))
    qt.QUiLoader = QUiLoader
    qt.Signal, qt.Slot, qt.Property = QtCore.Signal, QtCore.Slot, QtCore.Property
    return qt
