"""The module ``ctk``: the few widgets of CTK that the panels use."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFrame,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from .qt_module import CUSTOM_WIDGETS


class ctkCollapsibleButton(QWidget):
    """A section with a bar to open and close it; what .ui files put into it lies below the bar."""

    contentsCollapsed = Signal(bool)
    toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent if isinstance(parent, QWidget) else None)
        self._bar = QToolButton(self)
        self._bar.setObjectName("qt_double_bar")
        self._bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._bar.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._bar.setStyleSheet("QToolButton { text-align: left; font-weight: bold; padding: 4px; }")
        self._bar.clicked.connect(lambda: self._set_collapsed(not self._collapsed))
        self._collapsed = False
        self._show_arrow()
        self.setContentsMargins(0, self._bar.sizeHint.height() + 2, 0, 0)

    def resizeEvent(self, event: Any) -> None:
        self._bar.setGeometry(0, 0, event.size().width(), self._bar.sizeHint.height())
        super().resizeEvent(event)

    def childEvent(self, event: Any) -> None:
        super().childEvent(event)
        child = event.child()
        if event.added() and isinstance(child, QWidget) and child is not getattr(self, "_bar", child):
            child.setVisible(not self._collapsed)

    def _show_arrow(self) -> None:
        self._bar.setArrowType(Qt.ArrowType.RightArrow if self._collapsed else Qt.ArrowType.DownArrow)

    def _set_collapsed(self, collapsed: bool) -> None:
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        self._show_arrow()
        for child in self.children():
            if isinstance(child, QWidget) and child is not self._bar:
                child.setVisible(not collapsed)
        self.setMaximumHeight(self._bar.sizeHint.height() + 2 if collapsed else 16777215)
        self.contentsCollapsed.emit(collapsed)
        self.toggled.emit(not collapsed)

    def setCollapsed(self, collapsed: bool) -> None:
        self._set_collapsed(bool(collapsed))

    def setText(self, text: str) -> None:
        self._bar.setText(text)

    def click(self) -> None:
        self._bar.click()

    collapsed = Property(bool, lambda self: self._collapsed, _set_collapsed)
    text = Property(str, lambda self: self._bar.text, setText)
    checked = Property(bool, lambda self: not self._collapsed, lambda self, on: self._set_collapsed(not on))


class ctkSliderWidget(QWidget):
    """A slider beside a spin box."""

    valueChanged = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._slider, self._spin = QSlider(Qt.Orientation.Horizontal, self), QDoubleSpinBox(self)
        row.addWidget(self._slider, 1)
        row.addWidget(self._spin)
        self._tracking = True
        self._slider.valueChanged.connect(lambda steps: self._spin.setValue(self._value_at(steps)))
        self._spin.valueChanged.connect(self._on_spin)
        self._rescale()

    def _value_at(self, steps: int) -> float:
        return self._spin.minimum + steps * self._spin.singleStep

    def _on_spin(self, value: float) -> None:
        before = self._slider.blockSignals(True)
        self._slider.setValue(round((value - self._spin.minimum) / self._spin.singleStep))
        self._slider.blockSignals(before)
        self.valueChanged.emit(value)

    def _rescale(self) -> None:
        before = self._slider.blockSignals(True)
        self._slider.setRange(0, max(1, round((self._spin.maximum - self._spin.minimum) / self._spin.singleStep)))
        self._slider.setValue(round((self._spin.value - self._spin.minimum) / self._spin.singleStep))
        self._slider.blockSignals(before)

    def _forward(self, name: str, value: Any) -> None:
        setattr(self._spin, name, value)
        self._rescale()

    def setValue(self, value: float) -> None:
        self._spin.setValue(value)

    def setRange(self, low: float, high: float) -> None:
        self._spin.setRange(low, high)
        self._rescale()

    value = Property(float, lambda self: self._spin.value, setValue)
    minimum = Property(float, lambda self: self._spin.minimum, lambda self, v: self._forward("minimum", v))
    maximum = Property(float, lambda self: self._spin.maximum, lambda self, v: self._forward("maximum", v))
    singleStep = Property(float, lambda self: self._spin.singleStep, lambda self, v: self._forward("singleStep", v))
    pageStep = Property(float, lambda self: self._slider.pageStep, lambda self, v: None)
    decimals = Property(int, lambda self: self._spin.decimals, lambda self, v: self._forward("decimals", v))
    suffix = Property(str, lambda self: self._spin.suffix, lambda self, v: self._forward("suffix", v))
    prefix = Property(str, lambda self: self._spin.prefix, lambda self, v: self._forward("prefix", v))
    tracking = Property(bool, lambda self: self._tracking, lambda self, v: setattr(self, "_tracking", bool(v)))


class ctkPathLineEdit(QWidget):
    """A path, typed or chosen."""

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._line, button = QLineEdit(self), QToolButton(self)
        button.setText("…")
        row.addWidget(self._line, 1)
        row.addWidget(button)
        self._line.textChanged.connect(self.currentPathChanged)
        self._directories = False
        button.clicked.connect(self.browse)

    def browse(self) -> None:
        choose = QFileDialog.getExistingDirectory if self._directories else QFileDialog.getOpenFileName
        chosen = choose(self)
        self.setCurrentPath(chosen if isinstance(chosen, str) else chosen[0])

    def setCurrentPath(self, path: str) -> None:
        self._line.setText(str(path))

    def addCurrentPathToHistory(self) -> None:
        """Do nothing: the double remembers no paths."""

    currentPath = Property(str, lambda self: self._line.text, setCurrentPath)
    Dirs, Files, Readable, Writable = 1, 2, 16, 32
    filters = Property(
        int, lambda self: self.Dirs if self._directories else self.Files, lambda self, v: self._set_filters(v)
    )
    settingKey = Property(str, lambda self: "", lambda self, v: None)
    showHistoryButton = Property(bool, lambda self: False, lambda self, v: None)

    def _set_filters(self, value: int) -> None:
        self._directories = bool(value & self.Dirs)


class ctkDirectoryButton(QPushButton):
    """A folder, chosen."""

    directoryChanged = Signal(str)
    directorySelected = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._directory = ""

    def setDirectory(self, path: str) -> None:
        if str(path) != self._directory:
            self._directory = str(path)
            self.setText(self._directory)
            self.directoryChanged.emit(self._directory)

    directory = Property(str, lambda self: self._directory, setDirectory)


class ctkDoubleSlider(ctkSliderWidget):
    """Stands in by the slider with its spin box."""


class ctkDoubleSpinBox(QDoubleSpinBox):
    """As Qt's."""


class ctkComboBox(QComboBox):
    """As Qt's."""


class ctkCheckBox(QCheckBox):
    """As Qt's."""


class ctkCheckablePushButton(QPushButton):
    """As Qt's, checkable."""


class ctkCollapsibleGroupBox(QGroupBox):
    """A group that opens and closes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent if isinstance(parent, QWidget) else None)
        if isinstance(parent, str):
            self.setTitle(parent)
        self._collapsed = False

    def setCollapsed(self, collapsed: bool) -> None:
        self._collapsed = bool(collapsed)
        for child in self.children():
            if isinstance(child, QWidget):
                child.setVisible(not self._collapsed)
                child.setEnabled(not self._collapsed)  # ctk's is a checkable group, and closed it is unchecked
        self.setMaximumHeight(24 if self._collapsed else 16777215)

    collapsed = Property(bool, lambda self: self._collapsed, setCollapsed)


class ctkSearchBox(QLineEdit):
    """A line to search by."""

    def setPlaceholderText(self, text: str) -> None:
        QLineEdit.setPlaceholderText(self, text)


class ctkFittedTextBrowser(QFrame):
    """A text that shows all of itself."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        from PySide6.QtWidgets import QLabel

        self._label = QLabel(self)
        self._label.setWordWrap(True)
        QVBoxLayout(self).addWidget(self._label)

    def setHtml(self, text: str) -> None:
        self._label.setText(text)

    html = Property(str, lambda self: self._label.text, setHtml)


class ctkRangeWidget(QWidget):
    """Two spin boxes."""

    valuesChanged = Signal(float, float)


class ctkDoubleRangeSlider(ctkRangeWidget):
    """As `ctkRangeWidget`."""


class ctkColorPickerButton(QPushButton):
    """A colour, chosen."""


def make_module() -> ModuleType:
    """Return the module ``ctk``."""
    ctk = ModuleType("ctk", __doc__)
    for name, value in list(globals().items()):
        if name.startswith("ctk"):
            setattr(ctk, name, value)
            CUSTOM_WIDGETS.append(value)
    return ctk
